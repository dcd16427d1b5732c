"""Which tests run in the same process, where several run side by side."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

PAGE = "tests/page/"
"""One collector with ten thousand spans serves them all."""
CLUSTER = "[cluster"
"""One pair of ClickHouse servers."""


def shared_by(nodeid: str) -> str:
    """What the test shares with others: its file, or something that takes longer to make than most files run."""
    if nodeid.startswith(PAGE):
        return PAGE
    return CLUSTER if CLUSTER in nodeid else nodeid.partition("::")[0]


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is published without types
    """Gives each process what is shared as a whole, one after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return shared_by(nodeid)
