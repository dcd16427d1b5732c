"""Numbers in sentences. The instrumentation has the same in `_words`, which takes half a second to load."""

from __future__ import annotations


def counted(count: int, name: str) -> str:
    """`1 row`, `2,000 rows`: the name is that of one."""
    return f"{count:,} {name}" if count == 1 else f"{count:,} {name}s"
