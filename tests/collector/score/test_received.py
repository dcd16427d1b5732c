"""The rows of exactly some segments are found again, and nothing else is read for it."""

from __future__ import annotations

from pathlib import Path

from spanloop_collector.receive.stamp import stamp
from spanloop_collector.schema.inserts import LATE_INDEXES
from spanloop_collector.score.received import received_condition
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool import SealedSegment, Spool
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store

from tests.collector.schema.spans import START, request, span

SECOND_NS = 10**9


async def test_rows_of_segments_and_no_others_are_found(store: Store, tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, SpoolSettings(), signal="traces", flush_after_seconds=60)
    # The last holds a request that was replayed: it came ten minutes before the others.
    times = {"first": [0, 1], "second": [2, 3], "third": [4, -600]}
    segments = {name: await stored_segment(spool, store, name, seconds) for name, seconds in times.items()}
    await spool.close()

    def found(*names: str) -> list[str]:
        where = received_condition([segments[name] for name in names])
        return store.column(f"SELECT name FROM {store.database}.spans WHERE {where} ORDER BY name")

    assert found("first", "third") == ["first 0", "first 1", "third -600", "third 4"]
    assert found("second") == ["second 2", "second 3"]
    assert received_condition([]) == ""


def test_what_has_just_come_is_read_and_nothing_before(store: Store) -> None:
    for number in range(3):
        store.insert_otlp(
            "traces", delimited(request(span(), span(), received=START + number * SECOND_NS)), token=str(number)
        )
    latest = f"received >= fromUnixTimestamp64Nano({START + 2 * SECOND_NS}, 'UTC')"

    (read,) = store.query(f"EXPLAIN ESTIMATE SELECT name FROM {store.database}.spans WHERE {latest}").named_results()

    assert (read["parts"], read["rows"]) == (1, 2)


def test_every_other_index_is_built_by_merges(store: Store) -> None:
    (named,) = LATE_INDEXES.values()
    existing = store.column(
        "SELECT DISTINCT name FROM system.data_skipping_indices WHERE table IN ('spans', 'log_records') "
        f"AND database = '{store.database}'"
    )
    assert set(named.split(", ")) == set(existing) - {"by_received"}


async def stored_segment(spool: Spool, store: Store, name: str, seconds: list[int]) -> SealedSegment:
    """A segment with a request, of one span, for each of the times."""
    for second in seconds:
        sent, received = request(span(name=f"{name} {second}")), START + second * SECOND_NS
        await spool.append(stamp(sent, project="", default_project="p", received_unix_nano=received), item_count=1)
    spool.seal()
    segment = await spool.take(5)
    assert segment is not None
    store.insert_otlp("traces", segment.path, token=segment.token)
    return segment
