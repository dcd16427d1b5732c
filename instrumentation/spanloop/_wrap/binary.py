"""What a row says of images and sound that a model made or was given: a reference to them, or how much there was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from spanloop import _runtime
from spanloop._attachments.objects import Attachment
from spanloop._failsafe import guarded

KEPT_FROM = 4096
"""Less than this is described only."""


def are_kept(size: int) -> bool:
    """Whether bytes of this size are taken out of rows and uploaded."""
    runtime = _runtime.active()
    return size >= KEPT_FROM and runtime is not None and runtime.attachments is not None


def described(content_type: str, body: bytes, size: int) -> dict[str, Any]:
    """A body of `size` bytes, of which `body` was seen."""
    found: dict[str, Any] = {"content_type": content_type, "bytes": size}
    return {**found, "data": body} if size == len(body) and are_kept(size) else found


def attached_files(files: Any) -> dict[str, Any]:
    """The files of a multipart request by their field's name, as the client hands them on; several are a list."""
    runtime = _runtime.active()
    found: dict[str, Any] = {}
    if not files or runtime is None or runtime.attachments is None:
        return found
    limit = runtime.settings.max_attachment_bytes
    for name, file in files.items() if isinstance(files, Mapping) else files:
        attachment = guarded(_attached)(file, limit)
        if attachment is not None:
            field = str(name).removesuffix("[]")
            found[field] = [*_as_list(found[field]), attachment] if field in found else attachment
    return found


def _attached(file: Any, limit: int) -> Attachment | None:
    """Of bytes or an open file, perhaps in a tuple with its name and type; None of a stream that is read only once."""
    name, content, content_type = (*file, None, None)[:3] if isinstance(file, tuple) else (None, file, None)
    if hasattr(content, "read"):
        name = name or getattr(content, "name", None)
        content = _read_and_wound_back(content, limit)
    if not isinstance(content, bytes):
        return None
    filename = os.path.basename(name) if isinstance(name, str) else ""
    return Attachment(content, filename=filename, content_type=content_type)


def _read_and_wound_back(file: Any, limit: int) -> Any:
    """All that the client will send, from the beginning; of a file that is too large only enough to tell."""
    if not file.seekable():
        return None
    position = file.tell()
    try:
        file.seek(0)
        return file.read(limit + 1)
    finally:
        file.seek(position)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
