"""Files of removed segments, which new segments are written over.

Its blocks and the kernel's pages are there already: filling such a file takes half as long as filling a new one, and
the fsync of a group has nothing to tell the file system's journal. What it held does not pass as records of the new
segment: checksums begin with the segment's token (record.py).
"""

from __future__ import annotations

import contextlib
from collections import deque
from pathlib import Path

# As many segments as are on their way at once when ClickHouse keeps up: two in inserts, one being removed, one to be
# written next.
MAX_SPARES = 4

# Requests that were stored long ago must not lie around: they are as they were sent, before any mask. A burst a minute
# finds its files.
KEPT_SECONDS = 60.0

SUFFIX = ".spare"


class SpareFiles:
    """At most MAX_SPARES files of one directory; whoever holds it ends their lives with `clear`.

    Any thread may `put`; `take` and `clear` belong to the commit thread.
    """

    def __init__(self, directory: Path) -> None:
        self._files: deque[Path] = deque()
        for left in directory.glob(f"*{SUFFIX}"):
            left.unlink()

    def put(self, path: Path) -> None:
        """Takes the file out of its place: keeps it, or deletes it when there are enough."""
        if len(self._files) >= MAX_SPARES:
            path.unlink(missing_ok=True)
            return
        spare = path.with_suffix(SUFFIX)
        # Whoever removes a segment twice finds nothing the second time.
        with contextlib.suppress(FileNotFoundError):
            path.rename(spare)
            self._files.append(spare)

    def take(self, path: Path) -> bool:
        """Gives a spare file this name; False when there is none."""
        while self._files:
            # Somebody may have tidied up the folder.
            with contextlib.suppress(FileNotFoundError):
                self._files.popleft().rename(path)
                return True
        return False

    def clear(self) -> None:
        """Deletes them all, which gives their space back."""
        while self._files:
            self._files.popleft().unlink(missing_ok=True)
