"""One connection: bytes to frames, frames to calls, and how much each side may send."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from spanloop_collector.receive.http2 import frames
from spanloop_collector.receive.http2.call import Call
from spanloop_collector.receive.http2.frames import Http2Error
from spanloop_collector.receive.http2.headers import MAX_HEADER_BYTES, HeaderReader, RequestHead, header_block

if TYPE_CHECKING:
    from spanloop_collector.receive.http2.server import Http2Server

# Read at a time. A request that fits in is copied once.
RECEIVE_BYTES: Final = 1024 * 1024

# Of a DATA frame: few frames are few steps. Clients in C send as much, those in Go no more than 16 KiB.
MAX_FRAME_BYTES: Final = 1024 * 1024

# Of any other frame; it is taken as a whole.
MAX_CONTROL_BYTES: Final = MAX_HEADER_BYTES

MAX_CALLS: Final = 4096
MAX_CONTINUATIONS: Final = 32

# A peer that ends calls as fast as it begins them only keeps us busy.
MAX_RESETS: Final = 1000

# Answers to frames that a peer does not read.
MAX_UNREAD_BYTES: Final = 1024 * 1024

UNSUPPORTED_CONTENT = header_block([(":status", "415")])

HTTP_1 = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"
    b"This port speaks gRPC. OTLP over HTTP has a port of its own, 4318 unless it was set.\n"
)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Data:
    """The DATA frame that is being read."""

    stream_id: int
    missing: int
    """Bytes of its content that have not come yet."""
    padding: int
    """Bytes after it that mean nothing."""
    is_last: bool


@dataclass(slots=True)
class _Block:
    """A header block that goes on in the next frame."""

    stream_id: int
    flags: int
    content: bytearray
    continuations: int = 0


class Connection(asyncio.BufferedProtocol):
    """Speaks HTTP/2 with one peer."""

    def __init__(self, server: Http2Server) -> None:
        self.loop = asyncio.get_running_loop()
        self.calls: dict[int, Call] = {}
        self.stream_window = server.stream_window
        """Bytes the peer may send on a stream before it is told of more."""
        self.peer_window = frames.DEFAULT_WINDOW
        """Bytes we may send on a new stream."""
        self.is_heard = True
        """Whether anything has come since the server looked last."""
        self.closed: asyncio.Future[None] = self.loop.create_future()
        """Done when the peer is gone."""
        self._server = server
        self._buffer = server.buffer
        self._rest = b""
        self._has_greeted = False
        self._headers = HeaderReader()
        self._data: _Data | None = None
        self._block: _Block | None = None
        self._last_stream_id = 0
        self._is_leaving = False
        self._unreported_bytes = 0
        self._resets = 0
        self._peer_frame_bytes = frames.DEFAULT_FRAME_BYTES
        self._send_window = frames.DEFAULT_WINDOW
        self._is_writable = True
        self._change: asyncio.Event = asyncio.Event()
        """Set whenever more may be sent than before."""

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.connections.discard(self)
        self.closed.set_result(None)
        for call in list(self.calls.values()):
            call.cancel()

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._change.set()

    def get_buffer(self, sizehint: int) -> memoryview:
        """All connections read into one buffer, each emptying it before the next: only what is left stays its own."""
        self._buffer[: len(self._rest)] = self._rest
        return self._buffer[len(self._rest) :]

    def buffer_updated(self, nbytes: int) -> None:
        self.is_heard = True
        end = len(self._rest) + nbytes
        self._rest = b""
        try:
            position = self._take(end)
        except Http2Error as error:
            self._fail(error.code, str(error))
        except Exception:
            logger.exception("http2: unexpected error")
            self._fail(frames.INTERNAL_ERROR, "the collector failed unexpectedly; see its log")
        else:
            self._rest = bytes(self._buffer[position:end])

    # What calls and the server ask for.

    def write(self, data: bytes | memoryview) -> None:
        """Sends bytes as they are."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def reserve(self, call: Call, size: int) -> bool:
        """Whether that many bytes of data may be sent at once, in one frame; they count as sent."""
        if not self._is_writable or size > min(self._send_window, call.send_window, self._peer_frame_bytes):
            return False
        self._send_window -= size
        call.send_window -= size
        return True

    async def send_data(self, call: Call, data: bytes) -> None:
        """Sends data as the peer makes room for it."""
        rest = memoryview(data)
        while rest:
            if call.is_over:
                raise ConnectionResetError("the call is over")
            room = min(self._send_window, call.send_window, self._peer_frame_bytes, len(rest))
            if self._is_writable and room > 0:
                self.reserve(call, room)
                self.write(frames.frame(frames.DATA, 0, call.stream_id, bytes(rest[:room])))
                rest = rest[room:]
            else:
                self._change.clear()
                await self._change.wait()

    def forget(self, call: Call) -> None:
        """The call is over."""
        self.calls.pop(call.stream_id, None)
        if self._is_leaving and not self.calls:
            self._transport.close()

    def leave(self) -> None:
        """Takes no new calls, and closes when the last one is over."""
        self._is_leaving = True
        self.write(frames.go_away(self._last_stream_id, frames.NO_ERROR, "the collector stops"))
        if not self.calls:
            self._transport.close()

    def ask_for_a_sign(self) -> None:
        """Sends a ping."""
        self.write(frames.frame(frames.PING, 0, 0, bytes(8)))

    def abort(self) -> None:
        """Closes at once."""
        self._transport.abort()

    # Frames.

    def _take(self, end: int) -> int:
        """Reads the buffer up to `end`; returns where what cannot be read yet begins."""
        position = 0
        if not self._has_greeted:
            position = self._take_preface(end)
            if not self._has_greeted:
                return position
        while position < end:
            if self._data is not None:
                position = self._take_data(self._data, position, end)
                continue
            content = position + frames.HEAD_BYTES
            if content > end:
                break
            high, low, kind, flags, stream_id = frames.read_head(self._buffer, position)
            length = high << 8 | low
            stream_id &= frames.MAX_WINDOW
            if kind == frames.DATA and not flags & frames.PADDED:
                self._begin_data(stream_id, length, 0, flags)
                position = content
                continue
            if kind == frames.DATA and content < end:
                position = self._begin_padded(stream_id, length, flags, content)
                continue
            if length > MAX_CONTROL_BYTES and kind != frames.DATA:
                raise Http2Error(frames.FRAME_SIZE_ERROR, f"a frame of type {kind} and {length} bytes")
            if content + length > end:
                break
            self._take_frame(kind, flags, stream_id, bytes(self._buffer[content : content + length]))
            position = content + length
        return position

    def _take_preface(self, end: int) -> int:
        start = bytes(self._buffer[: min(end, len(frames.PREFACE))])
        if start == frames.PREFACE:
            self._greet()
            return len(frames.PREFACE)
        if not frames.PREFACE.startswith(start):
            if b"HTTP/1." in bytes(self._buffer[: min(end, 4096)]):
                self.write(HTTP_1)
            self._transport.close()
            return end
        return 0

    def _greet(self) -> None:
        """Says our settings: once the peer has spoken HTTP/2, so that others can read what they are told."""
        self._has_greeted = True
        ours = {
            frames.MAX_CONCURRENT_STREAMS: MAX_CALLS,
            frames.INITIAL_WINDOW_SIZE: self.stream_window,
            frames.MAX_FRAME_SIZE: MAX_FRAME_BYTES,
            frames.MAX_HEADER_LIST_SIZE: MAX_HEADER_BYTES,
        }
        # The connection as a whole is bounded by its streams alone.
        self.write(frames.settings(ours) + frames.window_update(0, frames.MAX_WINDOW - frames.DEFAULT_WINDOW))

    def _begin_padded(self, stream_id: int, length: int, flags: int, content: int) -> int:
        padding = self._buffer[content]
        if padding >= length:
            raise Http2Error(frames.PROTOCOL_ERROR, "padding is longer than its frame")
        self._unreported_bytes += 1
        self._begin_data(stream_id, length - 1 - padding, padding, flags)
        return content + 1

    def _begin_data(self, stream_id: int, size: int, padding: int, flags: int) -> None:
        if self._block is not None or not stream_id or stream_id > self._last_stream_id:
            raise Http2Error(frames.PROTOCOL_ERROR, f"DATA on stream {stream_id}, which is not open")
        if size + padding > MAX_FRAME_BYTES:
            raise Http2Error(frames.FRAME_SIZE_ERROR, f"DATA of {size + padding} bytes")
        self._data = _Data(stream_id, size, padding, is_last=bool(flags & frames.END_STREAM))
        self._unreported_bytes += size + padding
        if self._unreported_bytes > frames.MAX_WINDOW // 2:
            self.write(frames.window_update(0, self._unreported_bytes))
            self._unreported_bytes = 0
        if not size + padding:
            self._end_data(self._data)

    def _take_data(self, data: _Data, position: int, end: int) -> int:
        taken = min(data.missing, end - position)
        if taken:
            data.missing -= taken
            if call := self.calls.get(data.stream_id):
                call.take(self._buffer[position : position + taken])
            position += taken
        if not data.missing:
            skipped = min(data.padding, end - position)
            data.padding -= skipped
            position += skipped
            if not data.padding:
                self._end_data(data)
        return position

    def _end_data(self, data: _Data) -> None:
        self._data = None
        if data.is_last and (call := self.calls.get(data.stream_id)):
            call.end()

    def _take_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if (self._block is not None) != (kind == frames.CONTINUATION):
            raise Http2Error(frames.PROTOCOL_ERROR, "a header block was interrupted, or went on without a beginning")
        match kind:
            case frames.HEADERS:
                block = frames.without_padding(flags, payload)
                self._take_block(_Block(stream_id, flags, bytearray(block)), flags)
            case frames.CONTINUATION:
                self._go_on(flags, stream_id, payload)
            case frames.RST_STREAM:
                self._take_reset(stream_id, frames.read_number(payload, "RST_STREAM"))
            case frames.SETTINGS:
                self._take_settings(flags, payload)
            case frames.PING:
                if not flags & frames.ACK:
                    self._reply(frames.frame(frames.PING, frames.ACK, 0, payload[:8]))
            case frames.WINDOW_UPDATE:
                self._take_window(stream_id, frames.read_number(payload, "WINDOW_UPDATE"))
            case frames.PUSH_PROMISE:
                raise Http2Error(frames.PROTOCOL_ERROR, "a client does not push")
            case _:
                pass  # PRIORITY, GOAWAY and what others may add say nothing that matters here.

    def _go_on(self, flags: int, stream_id: int, payload: bytes) -> None:
        block = self._block
        assert block is not None
        block.continuations += 1
        block.content += payload
        if stream_id != block.stream_id:
            raise Http2Error(frames.PROTOCOL_ERROR, "a header block went on on another stream")
        if len(block.content) > MAX_HEADER_BYTES or block.continuations > MAX_CONTINUATIONS:
            raise Http2Error(frames.ENHANCE_YOUR_CALM, f"headers of more than {MAX_HEADER_BYTES} bytes")
        self._take_block(block, flags)

    def _take_block(self, block: _Block, flags: int) -> None:
        if not flags & frames.END_HEADERS:
            self._block = block
            return
        self._block = None
        head = self._headers.read(bytes(block.content))
        is_last = bool(block.flags & frames.END_STREAM)
        if call := self.calls.get(block.stream_id):
            if not is_last:
                raise Http2Error(frames.PROTOCOL_ERROR, "headers in the middle of a call")
            call.end()
        elif block.stream_id > self._last_stream_id:
            self._begin_call(block.stream_id, head, is_last=is_last)

    def _begin_call(self, stream_id: int, head: RequestHead, *, is_last: bool) -> None:
        if not stream_id % 2:
            raise Http2Error(frames.PROTOCOL_ERROR, f"a client does not open stream {stream_id}")
        self._last_stream_id = stream_id
        if self._is_leaving or len(self.calls) >= MAX_CALLS:
            self._reply(frames.reset(stream_id, frames.REFUSED_STREAM))
            return
        if head.verb != "POST" or not head.content_type.startswith("application/grpc"):
            ending = frames.frame(
                frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream_id, UNSUPPORTED_CONTENT
            )
            self._reply(ending if is_last else ending + frames.reset(stream_id, frames.NO_ERROR))
            return
        call = self.calls[stream_id] = Call(self, stream_id, head, self._server.max_message_bytes)
        call.begin(self._server.handler_of(head))
        if is_last and not call.is_over:
            call.end()

    def _take_reset(self, stream_id: int, code: int) -> None:
        if call := self.calls.get(stream_id):
            call.cancel()
            self._resets += 1
            if self._resets > MAX_RESETS and self._resets * 4 > self._last_stream_id:
                # Every second number is a stream: more than half of them were reset.
                raise Http2Error(frames.ENHANCE_YOUR_CALM, "most calls are ended before they are answered")

    def _take_settings(self, flags: int, payload: bytes) -> None:
        if flags & frames.ACK:
            return
        for name, value in frames.read_settings(payload):
            if name == frames.INITIAL_WINDOW_SIZE:
                self._set_peer_window(value)
            elif name == frames.MAX_FRAME_SIZE:
                if not frames.DEFAULT_FRAME_BYTES <= value <= frames.LARGEST_FRAME_BYTES:
                    raise Http2Error(frames.PROTOCOL_ERROR, f"MAX_FRAME_SIZE of {value}")
                self._peer_frame_bytes = value
        self._reply(frames.frame(frames.SETTINGS, frames.ACK, 0))

    def _set_peer_window(self, window: int) -> None:
        """Holds for open streams too: theirs may become negative."""
        if window > frames.MAX_WINDOW:
            raise Http2Error(frames.FLOW_CONTROL_ERROR, f"INITIAL_WINDOW_SIZE of {window}")
        for call in self.calls.values():
            call.send_window += window - self.peer_window
        self.peer_window = window
        self._change.set()

    def _take_window(self, stream_id: int, increment: int) -> None:
        if not increment:
            raise Http2Error(frames.PROTOCOL_ERROR, "WINDOW_UPDATE of 0")
        if not stream_id:
            self._send_window = self._widened(self._send_window, increment)
        elif call := self.calls.get(stream_id):
            call.send_window = self._widened(call.send_window, increment)
        self._change.set()

    @staticmethod
    def _widened(window: int, increment: int) -> int:
        if window + increment > frames.MAX_WINDOW:
            raise Http2Error(frames.FLOW_CONTROL_ERROR, "a window of more than 2^31-1")
        return window + increment

    def _reply(self, data: bytes) -> None:
        """Answers a frame, unless the peer asks and asks and does not read."""
        if self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self.abort()
        else:
            self.write(data)

    def _fail(self, code: int, reason: str) -> None:
        logger.info("http2: closing a connection code=%d reason=%s", code, reason)
        self.write(frames.go_away(self._last_stream_id, code, reason))
        self._transport.close()
        for call in list(self.calls.values()):
            call.cancel()
