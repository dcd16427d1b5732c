"""How far backfills are: tasks counted once when they are done, the others anew each time. Calls block.

However large a backfill is, no more tasks are looked at than are queued ahead of the scorers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from spanloop_collector.score.backfill.state import Backfill, Settled
from spanloop_collector.store import Store

READ_MATCHED = """
SELECT backfill, sum(matched) FROM {database:Identifier}.scoring_counts
WHERE backfill IN {ids:Array(String)} GROUP BY backfill
"""
# The first condition is for the primary key's index.
UNSETTLED = """
FROM {database:Identifier}.scoring_queue
WHERE queued >= fromUnixTimestamp64Micro(arrayMin({settled:Array(Int64)}), 'UTC') AND backfill IN {ids:Array(String)}
    AND toUnixTimestamp64Micro(queued) > {settled:Array(Int64)}[indexOf({ids:Array(String)}, backfill)]
"""
# A chunk's tasks were queued at one time.
READ_CHUNKS = f"""
SELECT toString(backfill), toUnixTimestamp64Micro(queued) AS queued_us, uniqExact(task_id),
    uniqExactIf(task_id, task_id IN
    (
        SELECT task_id FROM {{database:Identifier}}.scoring_done WHERE task_id IN (SELECT task_id {UNSETTLED})
    ))
{UNSETTLED}
GROUP BY backfill, queued_us
ORDER BY queued_us
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Rows, traces or groups that matched, their tasks in the queue, and how many of these are done.

    A trace that lies in two chunks and is not in the sample counts as two that matched.
    """

    matched: int = 0
    queued: int = 0
    done: int = 0


@dataclass(frozen=True, slots=True)
class _Chunk:
    queued_us: int
    tasks: int
    done: int


def progress_of(store: Store, backfills: Sequence[Backfill]) -> dict[str, Progress]:
    """The progress of each, by id."""
    if not backfills:
        return {}
    chunks = _unsettled(store, backfills)
    names = {"database": store.database, "ids": [each.id for each in backfills]}
    matched = {id: count for id, count in store.query(READ_MATCHED, names).result_rows}
    return {
        each.id: Progress(
            matched.get(each.id, 0),
            each.state.settled.tasks + sum(chunk.tasks for chunk in chunks[each.id]),
            each.state.settled.tasks + sum(chunk.done for chunk in chunks[each.id]),
        )
        for each in backfills
    }


def settle(store: Store, backfill: Backfill) -> Settled:
    """What need not be looked at again: the first chunks, as far as all their tasks are done."""
    settled = backfill.state.settled
    done = list(takewhile(lambda chunk: chunk.done == chunk.tasks, _unsettled(store, [backfill])[backfill.id]))
    return Settled(done[-1].queued_us, settled.tasks + sum(chunk.tasks for chunk in done)) if done else settled


def _unsettled(store: Store, backfills: Sequence[Backfill]) -> dict[str, list[_Chunk]]:
    chunks: dict[str, list[_Chunk]] = {each.id: [] for each in backfills}
    parameters = {
        "database": store.database,
        "ids": list(chunks),
        "settled": [each.state.settled.until_us for each in backfills],
    }
    for id, *counts in store.query(READ_CHUNKS, parameters).result_rows:
        chunks[id].append(_Chunk(*counts))
    return chunks
