"""What stands in a row for bytes that lie elsewhere."""

from __future__ import annotations

import mimetypes
from typing import Any

ATTACHMENT = "spanloop_attachment"
EXTERNAL = "external_attachment"
UNKNOWN_TYPE = "application/octet-stream"

Reference = dict[str, Any]


def to_attachment(*, key: str, size: int, content_type: str, filename: str) -> Reference:
    """A reference to stored bytes by the SHA-256 of their content."""
    return {"type": ATTACHMENT, "filename": filename, "content_type": content_type, "key": key, "size": size}


def to_nothing(*, content_type: str, filename: str, error: str) -> Reference:
    """What is left of an attachment that could not be kept, and why."""
    return {"type": ATTACHMENT, "filename": filename, "content_type": content_type, "error": error}


def to_url(*, url: str, content_type: str, filename: str) -> Reference:
    """A reference to what somebody else stores."""
    return {"type": EXTERNAL, "filename": filename, "content_type": content_type, "url": url}


def content_type_of(data: bytes, filename: str = "") -> str:
    """By the name's ending, else by the first bytes."""
    guessed = mimetypes.guess_type(filename)[0] if filename else None
    return guessed or recognised(data[:16]) or UNKNOWN_TYPE


def recognised(beginning: bytes) -> str | None:
    """The media type of bytes that begin like a well-known format; None of others."""
    if beginning[:4] == b"RIFF":
        return _RIFF.get(beginning[8:12])
    if beginning[4:8] == b"ftyp":
        return "audio/mp4" if beginning[8:11] == b"M4A" else "video/mp4"
    return next((kind for start, kind in _BEGINNINGS if beginning.startswith(start)), None)


_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", "application/zip"),
)
