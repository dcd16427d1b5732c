"""One call: its messages to the handler, the handler's answers to the peer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

from spanloop_collector.errors import InvalidRequestError, SpanloopError
from spanloop_collector.receive.http2 import frames
from spanloop_collector.receive.http2.frames import DATA, END_HEADERS, END_STREAM, HEADERS, frame
from spanloop_collector.receive.http2.headers import RequestHead, header_block, status_headers
from spanloop_collector.receive.http2.messages import ENCODINGS, MessageReader, Packed, packed, unpack
from spanloop_collector.receive.status import Answer, answer_for

if TYPE_CHECKING:
    from spanloop_collector.receive.http2.connection import Connection

# A grpc.RpcMethodHandler, whose type says neither which of its methods is there nor what that takes.
Handler = Any

OPENING = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-accept-encoding", ",".join(ENCODINGS))]
_OPENING_BLOCK = header_block(OPENING)
_OK_BLOCK = header_block(status_headers(grpc.StatusCode.OK))


class Call:
    """A call in progress, and the context of its handler: the part of grpcio's that handlers here use.

    A deadline is the client's to keep: past it, clients reset the stream, which cancels the handler.
    """

    def __init__(self, connection: Connection, stream_id: int, head: RequestHead, max_bytes: int) -> None:
        self.stream_id = stream_id
        self.send_window = connection.peer_window
        """Bytes the peer takes on this stream before it says more."""
        self._connection = connection
        self._head = head
        self._max_bytes = max_bytes
        self._reader = MessageReader(max_bytes)
        self._messages: list[Packed] = []
        self._unread_bytes = 0
        self._news: asyncio.Event | None = None
        """Tells a handler that reads a stream of something to read; None while a single message is waited for."""
        self._handler: Handler | None = None
        self._work: asyncio.Task[None] | None = None
        self._is_opened = False
        self._is_peer_done = False
        self.is_over = False
        """Whether nothing may be sent any more."""

    # What the connection tells.

    def begin(self, handler: Handler | None) -> None:
        """The headers are there."""
        if handler is None:
            self.refuse(grpc.StatusCode.UNIMPLEMENTED, f"{self._head.method} does not exist here")
            return
        self._handler = handler
        if handler.request_streaming:
            self._news = asyncio.Event()
            self._start(self._stream_of_messages(handler))

    def take(self, piece: memoryview) -> None:
        """The next bytes of the peer's messages."""
        try:
            messages = self._reader.feed(piece)
        except SpanloopError as error:
            self._stop_work()
            self._answer(answer_for(error))
            return
        self._messages += messages
        self._unread_bytes += len(piece)
        if self._unread_bytes > self._connection.stream_window:
            raise frames.Http2Error(frames.FLOW_CONTROL_ERROR, "more than the stream's window was sent")
        if messages and self._news is not None:
            self._news.set()

    def end(self) -> None:
        """The peer sends nothing more."""
        self._is_peer_done = True
        if not self._reader.is_between_messages:
            self._stop_work()
            self._answer(answer_for(InvalidRequestError("the message is truncated", field="message")))
        elif self._news is not None:
            self._news.set()
        elif len(self._messages) == 1 and self._handler is not None:
            self._start(self._messages.pop())
        else:
            self.refuse(
                grpc.StatusCode.INTERNAL, f"{self._head.method} takes one message; {len(self._messages)} were sent"
            )

    def cancel(self) -> None:
        """The peer gave up, or is gone."""
        self._stop_work()
        self._leave()

    # What the handler says.

    def invocation_metadata(self) -> Sequence[tuple[str, str]]:
        """The headers, with lower-case names."""
        return self._head.invocation_metadata

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Iterable[tuple[str, str | bytes]] = ()
    ) -> NoReturn:
        """Ends the call with that status."""
        raise _Aborted(code, details, trailing_metadata)

    async def write(self, message: Any) -> None:
        """Sends one message of a stream, as soon as the peer takes it."""
        self._open()
        await self._connection.send_data(self, packed(self._serialized(message)))

    def refuse(self, code: grpc.StatusCode, message: str, trailers: Iterable[tuple[str, str | bytes]] = ()) -> None:
        """Ends the call with that status at once."""
        ending = status_headers(code, message, trailers)
        self._close(header_block(ending if self._is_opened else [*OPENING, *ending]))

    # Between the two.

    def _start(self, request: Packed | AsyncIterator[Any]) -> None:
        self._work = self._connection.loop.create_task(self._run(request))

    async def _run(self, request: Packed | AsyncIterator[Any]) -> None:
        assert self._handler is not None
        try:
            if isinstance(request, Packed):
                request = await self._unpacked(self._handler, request)
            if self._handler.response_streaming:
                await self._stream_answers(request)
            else:
                await self._answer_once(request)
        except _Aborted as aborted:
            self.refuse(aborted.code, aborted.details, aborted.trailers)
        except Exception as error:
            self._answer(answer_for(error))

    async def _answer_once(self, request: Any) -> None:
        handler = self._handler
        assert handler is not None
        answer = handler.stream_unary if handler.request_streaming else handler.unary_unary
        message = packed(self._serialized(await answer(request, self)))
        if not self._is_opened and self._connection.reserve(self, len(message)):
            opening = frame(HEADERS, END_HEADERS, self.stream_id, _OPENING_BLOCK)
            # One write for all of it, since each of them wakes the peer.
            self._close(_OK_BLOCK, before=opening + frame(DATA, 0, self.stream_id, message))
        else:
            self._open()
            await self._connection.send_data(self, message)
            self._close(_OK_BLOCK)

    async def _stream_answers(self, request: Any) -> None:
        handler = self._handler
        assert handler is not None
        answer = (handler.stream_stream if handler.request_streaming else handler.unary_stream)(request, self)
        if inspect.isawaitable(answer):
            # Writes its messages itself.
            await answer
        else:
            try:
                async for message in answer:
                    await self.write(message)
            finally:
                await answer.aclose()
        self._open()
        self._close(_OK_BLOCK)

    async def _stream_of_messages(self, handler: Handler) -> AsyncIterator[Any]:
        assert self._news is not None
        while True:
            while self._messages:
                yield await self._unpacked(handler, self._messages.pop(0))
            if not self._messages:
                self._allow_more()
                if self._is_peer_done:
                    return
                self._news.clear()
                await self._news.wait()

    async def _unpacked(self, handler: Handler, message: Packed) -> Any:
        payload = await unpack(message, encoding=self._head.encoding, max_bytes=self._max_bytes)
        if handler.request_deserializer is None:
            return payload
        try:
            return handler.request_deserializer(payload)
        except Exception as error:
            raise InvalidRequestError(f"the message of {self._head.method} cannot be read: {error}") from error

    def _serialized(self, message: Any) -> bytes:
        serializer = self._handler.response_serializer if self._handler else None
        data: bytes = message if serializer is None else serializer(message)
        return data

    def _allow_more(self) -> None:
        """Lets the peer send as much again as has been read."""
        if self._unread_bytes and not self._is_peer_done:
            self._connection.write(frames.window_update(self.stream_id, self._unread_bytes))
        self._unread_bytes = 0

    def _answer(self, answer: Answer) -> None:
        self.refuse(answer.code, answer.message, answer.grpc_trailers())

    def _open(self) -> None:
        if not self._is_opened:
            self._is_opened = True
            self._connection.write(frame(HEADERS, END_HEADERS, self.stream_id, _OPENING_BLOCK))

    def _stop_work(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _close(self, block: bytes, *, before: bytes = b"") -> None:
        if self.is_over:
            return
        ending = before + frame(HEADERS, END_HEADERS | END_STREAM, self.stream_id, block)
        if not self._is_peer_done:
            # What is still on its way need not come.
            ending += frames.reset(self.stream_id, frames.NO_ERROR)
        self._connection.write(ending)
        self._leave()

    def _leave(self) -> None:
        self.is_over = True
        self._connection.forget(self)


class _Aborted(Exception):
    """A handler ended its call."""

    def __init__(self, code: grpc.StatusCode, details: str, trailers: Iterable[tuple[str, str | bytes]]) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details
        self.trailers = trailers
