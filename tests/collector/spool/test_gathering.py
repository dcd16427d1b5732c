"""When the commit thread waits for more requests to share a write with."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool import RecordFlags, committer
from spanloop_collector.spool.committer import Append, Committed, Committer, Outcome
from spanloop_collector.spool.spares import SpareFiles

WAIT_SECONDS = 1.0


class Commits:
    """A committer whose groups are kept, and which waits after the first until it may go on."""

    def __init__(self, directory: Path, *, is_load_high: bool) -> None:
        self.groups: list[int] = []
        self.changed = threading.Condition()
        self.may_go_on = threading.Event()
        directory.mkdir()
        self.committer = Committer(
            directory,
            SpareFiles(directory),
            SpoolSettings(min_free_disk_bytes=0),
            signal="test",
            created_after=0,
            is_load_high=lambda: is_load_high,
            report=self._report,
        )

    def submit(self, count: int) -> None:
        for _ in range(count):
            # Nobody awaits it: only what the thread does is looked at.
            self.committer.submit(Append([b"request"], 7, 1, RecordFlags.NONE, done=None))  # type: ignore[arg-type]

    def wait_for(self, groups: list[int]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.groups == groups, timeout=10), self.groups

    def _report(self, outcome: Outcome) -> None:
        assert isinstance(outcome, Committed)
        with self.changed:
            self.groups.append(len(outcome.appends))
            self.changed.notify()
        assert self.may_go_on.wait(10)


@pytest.mark.parametrize("is_load_high", [True, False])
def test_a_request_waits_for_as_many_as_came_last_only_under_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_load_high: bool
) -> None:
    monkeypatch.setattr(committer, "GATHER_SECONDS", WAIT_SECONDS)
    commits = Commits(tmp_path / "spool", is_load_high=is_load_high)
    try:
        commits.submit(1)
        commits.wait_for([1])
        commits.submit(3)
        commits.may_go_on.set()
        commits.wait_for([1, 3])
        began = time.monotonic()
        commits.submit(1)
        commits.wait_for([1, 3, 1])
        waited = time.monotonic() - began
    finally:
        commits.committer.stop()
    assert (waited >= WAIT_SECONDS * 0.9) is is_load_high
