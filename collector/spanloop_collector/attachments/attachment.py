"""What is known of one attachment, and what its name, type and key may look like."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from spanloop_collector.errors import InvalidRequestError

MAX_FILENAME_CHARACTERS = 255
UNKNOWN_TYPE = "application/octet-stream"

_KEY = re.compile(r"[0-9a-f]{64}")
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """Stored bytes of one project."""

    project: str
    key: str
    """SHA-256 of the bytes, in hexadecimal."""
    size: int
    """Bytes."""
    content_type: str
    """As the first sender said, without parameters."""
    filename: str
    """As the first sender said; may be empty."""
    created: float
    """Unix seconds of its first arrival."""
    seen: float
    """Unix seconds at which a sender last meant to refer to it, to the day."""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Attachment:
        return cls(**json.loads(content))


def check_key(text: str) -> str:
    """The key, if it is one."""
    if not _KEY.fullmatch(text):
        raise InvalidRequestError(
            f"key {text[:80]!r} is not the SHA-256 of an attachment: 64 lower-case hexadecimal digits", field="key"
        )
    return text


def settle_content_type(header: str) -> str:
    """The media type without parameters; unknown where there is none, or none that a header may carry."""
    text = header.partition(";")[0].strip().lower()
    return text if _CONTENT_TYPE.fullmatch(text) else UNKNOWN_TYPE


def settle_filename(text: str) -> str:
    """The last part of a path, without characters that do not print."""
    name = text.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in name if c.isprintable())[:MAX_FILENAME_CHARACTERS]
