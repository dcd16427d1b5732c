"""Finds bytes inside logged values: raw ones, data URIs, and the base64 text of providers' messages.

A text is taken out only as a whole, and only where it is base64 beyond doubt: it says so itself (a data URI), or
stands under a name that is used for nothing else, beside its media type or with a beginning that is well known.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from spanloop._attachments.reference import UNKNOWN_TYPE, Reference, content_type_of, recognised

LARGE_CHARS = 1000
"""Shorter texts and bytes stay where they are: a reference is not much shorter."""
MAX_NODES = 20_000
MAX_DEPTH = 40

Keep = Callable[[bytes, str, str], Reference]
"""Takes bytes, content type and file name; gives what stands in their place."""

# What base64 is called: by OpenAI (data, file_data, b64_json, result), Anthropic and Gemini (data), LangChain (base64),
# MCP (data, blob), Bedrock (bytes) and OpenTelemetry's message parts (content).
DATA_NAMES = frozenset(("data", "file_data", "b64_json", "result", "base64", "blob", "bytes", "content"))
ALWAYS_DATA_NAMES = frozenset(("file_data", "b64_json", "base64"))
TYPE_NAMES = ("mime_type", "mimeType", "media_type", "mediaType", "content_type", "contentType")
FORMAT_NAMES = ("format", "output_format")
FILENAME_NAMES = ("filename", "file_name", "fileName", "displayName", "display_name", "name", "title")
FORMATS = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "opus": "audio/ogg",
    "pcm16": "audio/L16",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
}


def take_out(value: Any, keep: Keep) -> Any:
    """`value` with references in the place of large bytes; the very same object where there were none."""
    return _Search(keep).of(value, {}, "", 0)


class _Search:
    """One walk through a value, which it copies only where something changes."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._nodes = MAX_NODES

    def of(self, value: Any, beside: Mapping[Any, Any], name: Any, depth: int) -> Any:
        """`beside` is the object that holds `value` under `name`."""
        kind = type(value)
        if kind is str:
            return self._text(value, beside, name) if len(value) >= LARGE_CHARS else value
        if kind is dict:
            return self._items(value, depth)
        if kind is list or kind is tuple:
            return self._list(value, depth)
        if kind is bytes or kind is bytearray:
            return self._bytes(bytes(value), beside) if len(value) >= LARGE_CHARS else value
        return value

    def _items(self, value: dict[Any, Any], depth: int) -> Any:
        self._nodes -= len(value)
        if self._nodes < 0 or depth >= MAX_DEPTH:
            return value
        changed = None
        for name, each in value.items():
            new = self.of(each, value, name, depth + 1)
            if new is not each:
                changed = dict(value) if changed is None else changed
                changed[name] = new
        return value if changed is None else changed

    def _list(self, value: Any, depth: int) -> Any:
        self._nodes -= len(value)
        if self._nodes < 0 or depth >= MAX_DEPTH:
            return value
        new = [self.of(each, {}, "", depth + 1) for each in value]
        return value if all(map(_is, new, value)) else new

    def _text(self, text: str, beside: Mapping[Any, Any], name: Any) -> Any:
        found = parse_data_uri(text) if text[:5].lower() == "data:" else _base64_member(text, beside, name)
        if found is None:
            return text
        data, content_type = found
        return self._keep(data, content_type, _first(beside, FILENAME_NAMES))

    def _bytes(self, data: bytes, beside: Mapping[Any, Any]) -> Any:
        filename = _first(beside, FILENAME_NAMES)
        return self._keep(data, _said_type(beside) or content_type_of(data, filename), filename)


def parse_data_uri(text: str) -> tuple[bytes, str] | None:
    """Bytes and media type of `data:image/png;base64,…`; None of a text that is none after all."""
    head, comma, payload = text.partition(",")
    if not comma or len(head) > 200:
        return None
    media_type, *parameters = head[5:].split(";")
    is_base64 = bool(parameters) and parameters[-1].strip().lower() == "base64"
    data = decode_base64(payload) if is_base64 else unquote_to_bytes(payload)
    return None if data is None else (data, media_type.strip().lower() or "text/plain")


def _base64_member(text: str, beside: Mapping[Any, Any], name: Any) -> tuple[bytes, str] | None:
    if name not in DATA_NAMES:
        return None
    said = _said_type(beside)
    is_spoken = "transcript" in beside  # OpenAI's answers in sound, of a format that only the request says
    if said is None and not is_spoken and name not in ALWAYS_DATA_NAMES and _beginning_of(text) is None:
        return None
    data = decode_base64(text)
    return None if data is None else (data, said or recognised(data[:16]) or UNKNOWN_TYPE)


def _beginning_of(text: str) -> str | None:
    data = decode_base64(text[:24])
    return recognised(data) if data is not None else None


def decode_base64(text: str) -> bytes | None:
    """The bytes, also of the alphabet for URLs and of broken lines; None of anything else."""
    if not text.isascii():
        return None
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        pass
    plain = "".join(text.split()).translate(_URL_ALPHABET) if _may_be_lines(text) else text
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except binascii.Error:
        return None


def _may_be_lines(text: str) -> bool:
    """Lines of base64 have no spaces; prose has, and would otherwise be taken apart in full to no use."""
    return " " not in text[:200]


_URL_ALPHABET = str.maketrans("-_", "+/")


def _said_type(beside: Mapping[Any, Any]) -> str | None:
    """The media type that stands beside the data."""
    if said := _first(beside, TYPE_NAMES):
        return said.partition(";")[0].strip().lower() if "/" in said else None
    return FORMATS.get(_first(beside, FORMAT_NAMES))


def _first(beside: Mapping[Any, Any], names: tuple[str, ...]) -> str:
    return next((beside[name] for name in names if isinstance(beside.get(name), str)), "")


def _is(one: object, other: object) -> bool:
    return one is other
