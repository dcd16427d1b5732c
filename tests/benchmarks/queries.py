"""What people ask most, over millions of llm rows of two days, while 1,000 spans a second arrive."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.options import Options, let_merge, print_table, start_load
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

SEED_SPANS = 50_000
RATE = 1_000
REPEATS = 20
LOAD_SECONDS = 600
SETTLE_SECONDS = 5
RESTED_ROWS = 500_000

# The seed's rows under new ids and in their own part of the two days before now: the same texts.
COPY = """
INSERT INTO spanloop.spans
SELECT * REPLACE (
    now64(9, 'UTC') - INTERVAL 2 DAY + toIntervalNanosecond({offset} + {step} * rowNumberInAllBlocks()) AS created,
    created + toIntervalMillisecond(800) AS end_time,
    lower(hex(cityHash64(span_id, {copy}))) AS span_id,
    concat(substring(trace_id, 1, 24), leftPad(toString({copy}), 8, '0')) AS trace_id,
    if(parent_id = '', '', lower(hex(cityHash64(parent_id, {copy})))) AS parent_id
)
FROM (SELECT * FROM spanloop.seed ORDER BY created, trace_id, span_id)
"""
TWO_DAYS_NS = 2 * 86_400_000_000_000

QUESTIONS: dict[str, tuple[str, int | None]] = {
    "newest 50 traces": (
        "SELECT * FROM traces WHERE project = 'default' AND created >= now() - INTERVAL 1 HOUR "
        "ORDER BY created DESC LIMIT 50",
        150,
    ),
    "the same, whenever they were": (
        "SELECT * FROM traces WHERE project = 'default' ORDER BY created DESC LIMIT 50",
        None,
    ),
    "one trace by id": ("SELECT * FROM logs WHERE trace_id = '{trace_id}'", 100),
    "per minute over a day": (
        "SELECT toStartOfMinute(created) AS minute, quantile(0.95)(duration), sum(tokens), sum(cost) FROM logs "
        "WHERE project = 'default' AND created >= now() - INTERVAL 1 DAY GROUP BY minute ORDER BY minute",
        300,
    ),
    "word in input": (
        "SELECT id, created FROM logs WHERE hasToken(lower(input), 'word77') ORDER BY created DESC LIMIT 50",
        1000,
    ),
    "word in output": (
        "SELECT id, created FROM logs WHERE hasToken(lower(output), 'word77') ORDER BY created DESC LIMIT 50",
        1000,
    ),
}
"""By name: the statement, and what 95 of 100 answers may take in milliseconds, if that was ever said."""


def fill(options: Options) -> None:
    """Rows for `queries` in a folder that is kept; goes on where it stopped."""
    with _running(options) as (collector, server):
        _fill(collector, server, options.rows)


def measure(options: Options) -> None:
    """Median and p95 of each question through the SQL endpoint, and bytes on disk per row."""
    with _running(options) as (collector, server):
        _fill(collector, server, options.rows)
        (trace,) = collector.sql("SELECT trace_id FROM logs WHERE is_root ORDER BY created LIMIT 1 OFFSET 1000")
        let_merge(server)
        load = start_load(collector.grpc_address, "llm", RATE * LOAD_SECONDS, rate=RATE)
        time.sleep(SETTLE_SECONDS)
        try:
            rows = [
                _time(collector, name, sql.format(**trace), target_ms) for name, (sql, target_ms) in QUESTIONS.items()
            ]
        finally:
            load.process.terminate()
            load.process.wait()
        print_table(["milliseconds", "median", "p95", "target"], rows)
        print(
            f"rows: {_count(server, 'spans'):,}; bytes on disk per llm span, indexes included: "
            f"{_bytes_a_row(server, 'spans')} as these are, {_bytes_at_rest(server)} ten minutes after it came"
        )


def _bytes_a_row(server: ClickHouseProcess, table: str) -> str:
    return server.execute(
        "SELECT round(sum(bytes_on_disk) / sum(rows)) FROM system.parts "
        f"WHERE database = 'spanloop' AND table = '{table}' AND active"
    ).strip()


def _bytes_at_rest(server: ClickHouseProcess) -> str:
    """The same of a copy of some rows, compressed and merged as ClickHouse will do with all of them in time."""
    for statement in (
        "DROP TABLE IF EXISTS spanloop.rested SYNC",
        "CREATE TABLE spanloop.rested AS spanloop.spans",
        "ALTER TABLE spanloop.rested MODIFY SETTING default_compression_codec = 'ZSTD(3)'",
        f"INSERT INTO spanloop.rested SELECT * FROM spanloop.spans LIMIT {RESTED_ROWS}",
        "OPTIMIZE TABLE spanloop.rested FINAL",
    ):
        server.execute(statement)
    return _bytes_a_row(server, "rested")


@contextmanager
def _running(options: Options) -> Iterator[tuple[CollectorProcess, ClickHouseProcess]]:
    server = ClickHouseProcess(options.folder / "clickhouse")
    server.start()
    collector = CollectorProcess(options.folder / "collector", clickhouse_url=server.url)
    try:
        collector.start()
        yield collector, server
    finally:
        collector.stop()
        server.stop()


def _fill(collector: CollectorProcess, server: ClickHouseProcess, rows: int) -> None:
    if server.execute("EXISTS spanloop.seed").strip() == "0":
        start_load(collector.grpc_address, "llm", SEED_SPANS).report()
        wait_until(lambda: _count(server, "spans") >= SEED_SPANS, what="the seed", timeout=120)
        server.execute("CREATE TABLE spanloop.seed AS spanloop.spans")
        server.execute(f"INSERT INTO spanloop.seed SELECT * FROM spanloop.spans LIMIT {SEED_SPANS}")
        server.execute("TRUNCATE TABLE spanloop.spans")
    copies = rows // SEED_SPANS
    for copy in range(_count(server, "spans") // SEED_SPANS, copies):
        offset, step = TWO_DAYS_NS // copies * copy, TWO_DAYS_NS // copies // SEED_SPANS
        server.execute(COPY.format(copy=copy, offset=offset, step=step))
        print(f"\rfilled {(copy + 1) * SEED_SPANS:,} rows", end="", flush=True)
    print()


def _count(server: ClickHouseProcess, table: str) -> int:
    return int(server.execute(f"SELECT count() FROM spanloop.{table}"))


def _time(collector: CollectorProcess, name: str, sql: str, target_ms: int | None) -> list[object]:
    collector.sql(sql)
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        collector.sql(sql)
        taken.append((time.perf_counter() - started) * 1000)
    p95 = sorted(taken)[int(REPEATS * 0.95) - 1]
    return [name, f"{statistics.median(taken):.0f}", f"{p95:.0f}", target_ms or ""]
