"""Headers of a call as HTTP/2 packs them, in and out.

https://www.rfc-editor.org/rfc/rfc7541.html, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

import grpc
import hpack

from spanloop_collector.receive.http2.frames import COMPRESSION_ERROR, ENHANCE_YOUR_CALM, Http2Error
from spanloop_collector.receive.wire import encode_varint

# Of one call, unpacked.
MAX_HEADER_BYTES = 64 * 1024

# A client sends the same few header blocks over and over.
MAX_KNOWN_BLOCKS = 64

# What `grpc-message` may hold unescaped: printable ASCII without the percent sign.
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


@dataclass(frozen=True, slots=True)
class RequestHead(grpc.HandlerCallDetails):
    """What a client says before its messages."""

    method: str
    """Path, such as `/package.Service/Method`."""
    invocation_metadata: tuple[tuple[str, str], ...]
    """Headers with lower-case names. Binary ones are left out: nothing here is told by them."""
    verb: str
    content_type: str
    encoding: str
    """How messages are compressed that say so."""


class HeaderReader:
    """Unpacks the header blocks of one connection."""

    def __init__(self) -> None:
        self._decoder = hpack.Decoder(MAX_HEADER_BYTES)
        self._known: dict[bytes, RequestHead] = {}

    def read(self, block: bytes) -> RequestHead:
        """The headers; raises Http2Error, after which the connection is of no use."""
        head = self._known.get(block)
        if head is None:
            before = self._table()
            head = _request_head(self._decode(block))
            if self._table() != before:
                # Blocks refer to a table that blocks change: what was known may mean something else now.
                self._known.clear()
            elif len(self._known) < MAX_KNOWN_BLOCKS:
                self._known[block] = head
        return head

    def _decode(self, block: bytes) -> Iterable[tuple[bytes, bytes]]:
        try:
            return self._decoder.decode(block, raw=True)
        except hpack.OversizedHeaderListError as error:
            raise Http2Error(ENHANCE_YOUR_CALM, str(error)) from error
        except hpack.HPACKError as error:
            raise Http2Error(COMPRESSION_ERROR, str(error)) from error

    def _table(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        table = self._decoder.header_table
        return table.maxsize, list(table.dynamic_entries)


def _request_head(headers: Iterable[tuple[bytes, bytes]]) -> RequestHead:
    texts = [(name.decode(errors="replace"), value.decode(errors="replace")) for name, value in headers]
    found = dict(texts)
    return RequestHead(
        method=found.get(":path", ""),
        invocation_metadata=tuple(
            (name, value) for name, value in texts if not name.startswith(":") and not name.endswith("-bin")
        ),
        verb=found.get(":method", ""),
        content_type=found.get("content-type", ""),
        encoding=found.get("grpc-encoding", "identity"),
    )


def header_block(headers: Iterable[tuple[str, str | bytes]]) -> bytes:
    """The headers, packed without reference to any table."""
    block = bytearray()
    for name, value in headers:
        # Bytes are sent as Base64 under a name that ends in `-bin`.
        text = b64encode(value).rstrip(b"=") if isinstance(value, bytes) else value.encode()
        block.append(0)
        block += _length(len(name)) + name.encode() + _length(len(text)) + text
    return bytes(block)


def status_headers(
    code: grpc.StatusCode, message: str = "", trailers: Iterable[tuple[str, str | bytes]] = ()
) -> list[tuple[str, str | bytes]]:
    """How a call ended."""
    headers: list[tuple[str, str | bytes]] = [("grpc-status", str(code.value[0]))]
    if message:
        headers.append(("grpc-message", quote(message, safe=_PLAIN)))
    return [*headers, *trailers]


def _length(number: int) -> bytes:
    """A length in seven bits or more, of a text that is not Huffman coded."""
    return bytes((number,)) if number < 0x7F else b"\x7f" + encode_varint(number - 0x7F)
