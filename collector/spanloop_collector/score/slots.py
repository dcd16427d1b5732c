"""Which part of the queue this collector hands out."""

from __future__ import annotations

SLOTS = 64


class EverySlot:
    """All of it: the database belongs to this collector alone."""

    def owned(self) -> range:
        """Every slot."""
        return range(SLOTS)
