"""What a row says of images and sound that a model made: a reference to them, or how much there was."""

from __future__ import annotations

from typing import Any

from spanloop import _runtime

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
