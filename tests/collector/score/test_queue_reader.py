"""What is read from the queue: tasks in their order, without those that are done, at the start and later."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from spanloop_collector.score.queue_reader import QueueReader
from spanloop_collector.score.slots import SLOTS
from spanloop_collector.store import Store

pytestmark = pytest.mark.also_on_cluster

EVERY_SLOT = range(SLOTS)
QUEUED = "now64(6) - INTERVAL 60 SECOND"


def task_id(number: int) -> str:
    return f"{number:032x}"


def queue(store: Store, numbers: Iterable[int]) -> None:
    """Tasks that were queued one second after the other, the first a minute ago."""
    for number in numbers:
        store.command(
            f"INSERT INTO {store.database}.scoring_queue (queued, task_id, slot, created) SELECT "
            f"{QUEUED} + INTERVAL {number} SECOND AS queued, '{task_id(number)}', {number % SLOTS}, queued"
        )


def finish(store: Store, *numbers: int) -> None:
    for number in numbers:
        store.command(
            f"INSERT INTO {store.database}.online_scores (trace_id, task_id, scored) "
            f"SELECT '{number}', '{task_id(number)}', now64(6)"
        )


def read(reader: QueueReader, limit: int = 100) -> list[int]:
    return [int(task.id, 16) for task in reader.read(EVERY_SLOT, is_known=lambda id: False, limit=limit)]


def test_what_is_done_is_not_read_at_the_start_nor_later(store: Store) -> None:
    queue(store, range(6))
    finish(store, 1, 4)
    reader = QueueReader(store)
    assert read(reader, limit=3) == [0, 2, 3]
    assert not reader.is_at_end
    assert read(reader, limit=3) == [5]
    assert reader.is_at_end

    queue(store, [70, 71])
    finish(store, 70)
    assert 71 in (again := read(reader))
    assert 70 not in again
    assert read(QueueReader(store)) == [0, 2, 3, 5, 71]


def test_slots_of_others_are_left_alone_until_they_are_ours(store: Store) -> None:
    queue(store, range(4))
    reader = QueueReader(store)
    ours = reader.read([0, 2], is_known=lambda id: False, limit=100)
    assert [int(task.id, 16) for task in ours] == [0, 2]
    known = {task.id for task in ours}
    gained = reader.read([0, 1, 2], is_known=known.__contains__, limit=100)
    assert [int(task.id, 16) for task in gained] == [1]
    assert reader.read([], is_known=known.__contains__, limit=100) == []
