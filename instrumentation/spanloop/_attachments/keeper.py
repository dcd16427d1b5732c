"""Keeps bytes from when they are logged until a row that refers to them is sent.

So nothing is uploaded for spans that are not sampled, or whose reference a mask removed.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from spanloop._attachments import find
from spanloop._attachments.reference import Reference, to_attachment, to_nothing
from spanloop._failsafe import log

Value = TypeVar("Value")

KNOWN_KEYS = 10_000
KNOWN_SECONDS = 12 * 3600.0  # collectors keep what was asked for within a day
BYTES_OF_AN_UPLOAD = 500

_KEY_IN_ROW = re.compile(rb'key\\*":\s?\\*"([0-9a-f]{64})')


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes on their way to the collector."""

    key: str
    """SHA-256 of the bytes, in hexadecimal."""
    content_type: str
    filename: str
    data: bytes


Put = Callable[[Upload, int], None]


class Keeper:
    """The bytes of one process that rows may come to refer to."""

    def __init__(
        self,
        put: Put,
        *,
        drop: Callable[[int], None],
        max_bytes: int,
        max_attachment_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`put` takes what has to be uploaded, with its size; `drop`, how many could not be kept until then.

        `max_bytes` bounds what is kept.
        """
        self._put = put
        self._drop = drop
        self._max_bytes = max_bytes
        self._max_attachment_bytes = max_attachment_bytes
        self._clock = clock
        self._kept: OrderedDict[str, Upload] = OrderedDict()
        self._kept_bytes = 0
        self._known: OrderedDict[str, float] = OrderedDict()  # on their way or arrived, and since when
        self._pushed_out: OrderedDict[str, bool] = OrderedDict()  # not kept any more; a row may still refer to them
        self._has_complained = False
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()  # protects what is kept and known

    def take_out(self, value: Any) -> Any:
        """`value` with references in the place of large bytes."""
        return find.take_out(value, self.keep)

    def keep(self, data: bytes, content_type: str, filename: str) -> Reference:
        """A reference for a row; the bytes follow once the row is sent."""
        if len(data) > self._max_attachment_bytes:
            return self._refused(len(data), content_type, filename)
        key = hashlib.sha256(data).hexdigest()
        with self._lock:
            if not self._is_known(key) and key not in self._kept:
                self._kept[key] = Upload(key, content_type, filename, data)
                self._kept_bytes += len(data) + BYTES_OF_AN_UPLOAD
                self._pushed_out.pop(key, None)
                self._push_out()
        return to_attachment(key=key, size=len(data), content_type=content_type, filename=filename)

    def _push_out(self) -> None:
        """Back into the bound, the oldest first."""
        while self._kept_bytes > self._max_bytes and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._forget(oldest)
            _remember(self._pushed_out, oldest, True)

    def _refused(self, size: int, content_type: str, filename: str) -> Reference:
        if not self._has_complained:
            self._has_complained = True
            log.warning(
                "an attachment of %d bytes is larger than max_attachment_bytes=%d (SPANLOOP_MAX_ATTACHMENT_BYTES); "
                "such ones are left out of rows",
                size,
                self._max_attachment_bytes,
            )
        error = f"{size} bytes are more than the {self._max_attachment_bytes} that are sent"
        return to_nothing(content_type=content_type, filename=filename, error=error)

    def _is_known(self, key: str) -> bool:
        since = self._known.get(key)
        return since is not None and self._clock() - since < KNOWN_SECONDS

    def _forget(self, key: str) -> Upload:
        upload = self._kept.pop(key)
        self._kept_bytes -= len(upload.data) + BYTES_OF_AN_UPLOAD
        return upload

    def release(self, rows: bytes) -> None:
        """Uploads what these rows refer to; called with what is about to be sent."""
        if not self._kept and not self._pushed_out:
            return
        missing = 0
        for key in {match[1].decode() for match in _KEY_IN_ROW.finditer(rows)}:
            with self._lock:
                missing += self._pushed_out.pop(key, False)
                if key not in self._kept:
                    continue
                upload = self._forget(key)
                _remember(self._known, key, self._clock())
            self._put(upload, len(upload.data) + BYTES_OF_AN_UPLOAD)
        if missing:
            self._drop(missing)

    def lost(self, upload: Upload) -> None:
        """An upload was dropped or refused: the next row that refers to it may try again."""
        with self._lock:
            self._known.pop(upload.key, None)


def _remember(known: OrderedDict[str, Value], key: str, value: Value) -> None:
    """Puts a key last, in a dictionary that forgets the first ones."""
    known[key] = value
    known.move_to_end(key)
    if len(known) > KNOWN_KEYS:
        known.popitem(last=False)
