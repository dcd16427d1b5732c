"""A sealed segment: one file that never changes again, one insert, one deduplication token.

    spool/traces/01795291234567890123-6f1c…e2.segment
                 created, Unix ns     token

The token is part of the name, so the same content is inserted under the same token after any crash.
"""

from __future__ import annotations

import mmap
import os
import re
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from spanloop_collector.spool.durable import sync_directory
from spanloop_collector.spool.record import (
    CHECKSUM_BYTES,
    Damage,
    Record,
    RecordFlags,
    RecordPlace,
    is_intact,
    is_sealed,
    scan,
    seal,
    seed_of,
)
from spanloop_collector.spool.spares import SpareFiles

# A younger segment of this process is still in the page cache as it was written; an older one may come back
# from the disk, so its checksums are compared.
VERIFY_AFTER_SECONDS = 60.0
# What has been looked at leaves this process's memory in steps of this size: a whole segment is a hundred megabytes.
LOOKED_AT_BYTES = 8 * 1024 * 1024

_NAME = re.compile(r"(\d{20})-([0-9a-f]{32})\.segment")
# A message of 32 bytes with the tag of field 15002, length 28; then body bytes, records, items, flags, checksum.
_FOOTER = struct.Struct("<5sQIIIQ")
_FOOTER_MARKER = b"\x20\xd2\xa9\x07\x1c"
FOOTER_BYTES = _FOOTER.size


@dataclass(frozen=True, slots=True)
class SegmentName:
    """What a segment's file name says."""

    created_unix_nano: int
    token: str

    @classmethod
    def new(cls, *, after: int) -> Self:
        """A name that sorts behind the one created at `after`."""
        return cls(max(time.time_ns(), after + 1), uuid.uuid4().hex)

    @classmethod
    def parse(cls, name: str) -> Self | None:
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), match[2]) if match else None

    def __str__(self) -> str:
        return f"{self.created_unix_nano:020d}-{self.token}.segment"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a segment holds."""

    byte_count: int = 0
    """Bytes of all records with their headers."""
    record_count: int = 0
    item_count: int = 0
    flags: RecordFlags = RecordFlags.NONE
    """Flags that any of its records has."""

    def footer(self, *, seed: int) -> bytes:
        """The last bytes of a sealed file, which spare a restart from scanning it."""
        fields = (self.byte_count, self.record_count, self.item_count, self.flags)
        return seal(_FOOTER.pack(_FOOTER_MARKER, *fields, 0)[:-CHECKSUM_BYTES], seed=seed)

    @classmethod
    def from_footer(cls, footer: bytes, *, file_bytes: int, seed: int) -> Self | None:
        """The summary that ends a sealed file; None when the file was not sealed in order."""
        if len(footer) != FOOTER_BYTES or not is_sealed(footer, seed=seed):
            return None
        marker, byte_count, record_count, item_count, flags, _ = _FOOTER.unpack(footer)
        if marker != _FOOTER_MARKER or byte_count + FOOTER_BYTES != file_bytes:
            return None
        return cls(byte_count, record_count, item_count, RecordFlags(flags))


class SealedSegment:
    """A batch of acknowledged requests, ready to be inserted and then removed."""

    def __init__(
        self,
        path: Path,
        summary: Summary,
        *,
        is_fresh: bool,
        spares: SpareFiles,
        on_removed: Callable[[SealedSegment], None],
        on_damage: Callable[[SealedSegment, int], None],
    ) -> None:
        name = SegmentName.parse(path.name)
        assert name is not None, path
        self.path = path
        self.token = name.token
        self.created_unix_nano = name.created_unix_nano
        self.byte_count = summary.byte_count
        self.record_count = summary.record_count
        self.item_count = summary.item_count
        self.flags = summary.flags
        self._fresh_until = time.monotonic() + VERIFY_AFTER_SECONDS if is_fresh else 0.0
        self._spares = spares
        self._on_removed = on_removed
        self._on_damage = on_damage
        self._is_damage_told = False

    def is_whole(self) -> bool:
        """Whether the file is what was written to it, so that it can be read as it lies on disk.

        It holds the requests in order, each with its length before it; each begins with its record's header, and the
        file ends with the footer, in the form of unknown fields.
        """
        if self.path.stat().st_size > self.byte_count + FOOTER_BYTES:
            return False
        if time.monotonic() < self._fresh_until:
            return True
        content = self._content()
        return content is not None and self.byte_count == sum(
            place.end - place.start for place in self._places(content)
        )

    def records(self) -> Iterator[Record]:
        """The requests in the order of their acknowledgement, checked; damaged ones are left out."""
        content = self._content()
        if not content:
            return
        view = memoryview(content)
        for place in self._places(content):
            yield Record(view[place.payload_start : place.end], place.item_count, place.flags)

    def remove(self) -> None:
        """Gives the file away for good; call it once the insert has succeeded. May be called from any thread.

        Nobody may look at a record any more: the next segment is written over them.
        """
        self._spares.put(self.path)
        sync_directory(self.path.parent)
        self._on_removed(self)

    def _content(self) -> mmap.mmap | None:
        """The records as mapped memory, which lives as long as someone looks at it."""
        if not self.byte_count:
            return None
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return mmap.mmap(descriptor, self.byte_count, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)

    def _places(self, content: mmap.mmap) -> Iterator[RecordPlace]:
        """Where the intact records lie; what is damaged is counted, once per segment."""
        seed, damaged, left = seed_of(self.token), 0, 0
        for found in scan(content, size=self.byte_count, seed=seed):
            if isinstance(found, Damage) or not is_intact(content, found, seed=seed):
                damaged += 1
            else:
                yield found
            if found.end - left > LOOKED_AT_BYTES:
                seen = found.end // mmap.PAGESIZE * mmap.PAGESIZE
                content.madvise(mmap.MADV_DONTNEED, left, seen - left)
                left = seen
        if damaged and not self._is_damage_told:
            self._is_damage_told = True
            self._on_damage(self, damaged)
