"""Inserts without a pause are told from inserts with pauses within about a second."""

from __future__ import annotations

from spanloop_collector.write.busy_share import BusyShare
from spanloop_collector.write.writer import FULL_SHARE


def test_only_work_without_pauses_is_full() -> None:
    now = 0.0
    busy = BusyShare(now=lambda: now)
    for _ in range(20):
        busy.turn(is_busy=True)
        now += 0.5
        assert 0 < busy.share < FULL_SHARE
        busy.turn(is_busy=False)
        now += 0.25

    busy.turn(is_busy=True)
    now += 1.2
    assert busy.share > FULL_SHARE
    busy.turn(is_busy=False)
    now += 1.2
    assert busy.share < 0.1
