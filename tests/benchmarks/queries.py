"""What people ask most, over millions of llm rows of one day, while 1,000 spans a second arrive."""

from __future__ import annotations

import statistics
import time

from tests.benchmarks.options import Options, print_table, start_load
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

SEED_SPANS = 50_000
RATE = 1_000
REPEATS = 20
LOAD_SECONDS = 600

# Rows of one project, copied over a day: new ids and times, the same texts.
SPREAD = """
INSERT INTO {database}.spans
SELECT * REPLACE (
    toStartOfDay(now(), 'UTC') - INTERVAL 1 DAY + toIntervalNanosecond({step} * rowNumberInAllBlocks() + {offset})
        AS created,
    created + toIntervalMillisecond(800) AS end_time,
    lower(hex(cityHash64(span_id, {copy}))) AS span_id,
    span_id AS id,
    concat(substring(trace_id, 1, 24), leftPad(toString({copy}), 8, '0')) AS trace_id,
    if(parent_id = '', '', lower(hex(cityHash64(parent_id, {copy})))) AS parent_id
)
FROM {database}.seed
"""

NEWEST = """
SELECT trace_id, name, created, duration, tokens, cost, input, output FROM logs
WHERE project = 'default' AND is_root AND created >= (
    SELECT min(created) FROM (
        SELECT created FROM logs WHERE project = 'default' AND is_root AND created > now() - INTERVAL 15 MINUTE
        ORDER BY created DESC LIMIT 50
    )
)
ORDER BY created DESC LIMIT 50
"""
BY_ID = "SELECT * FROM logs WHERE trace_id = '{trace_id}'"
PER_MINUTE = """
SELECT toStartOfMinute(created) AS minute, quantile(0.95)(duration), sum(tokens), sum(cost) FROM logs
WHERE project = 'default' AND created >= toStartOfDay(now(), 'UTC') - INTERVAL 1 DAY GROUP BY minute ORDER BY minute
"""
WORD = "SELECT id, created FROM logs WHERE hasToken(lower({field}), 'word77') ORDER BY created DESC LIMIT 50"

TARGETS_MS = {"newest 50 traces": 150, "one trace by id": 100, "per minute over a day": 300, "word in input": 1000}


def measure(options: Options) -> None:
    """Median and p95 of each question through the SQL endpoint, and bytes on disk per row."""
    server = ClickHouseProcess(options.folder / "clickhouse")
    server.start()
    collector = CollectorProcess(options.folder / "collector", clickhouse_url=server.url)
    collector.start()
    try:
        trace_id = _fill(collector, server, options.rows)
        load = start_load(collector.grpc_address, "llm", RATE * LOAD_SECONDS, rate=RATE)
        time.sleep(5)
        questions = {
            "newest 50 traces": NEWEST,
            "one trace by id": BY_ID.format(trace_id=trace_id),
            "per minute over a day": PER_MINUTE,
            "word in input": WORD.format(field="input"),
            "word in output": WORD.format(field="output"),
        }
        rows = [_time(collector, name, sql) for name, sql in questions.items()]
        load.process.terminate()
        load.process.wait()
        print_table(["milliseconds", "median", "p95", "target"], rows)
        size = server.execute(
            "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts "
            "WHERE database = 'spanloop' AND table = 'spans' AND active"
        )
        print(f"bytes on disk per llm span, indexes included: {float(size):,.0f}")
    finally:
        collector.stop()
        server.stop()


def _fill(collector: CollectorProcess, server: ClickHouseProcess, rows: int) -> str:
    start_load(collector.grpc_address, "llm", SEED_SPANS).report()
    while int(collector.sql("SELECT count() AS n FROM logs")[0]["n"]) < SEED_SPANS:
        time.sleep(0.1)
    server.execute("CREATE TABLE spanloop.seed AS spanloop.spans")
    server.execute("INSERT INTO spanloop.seed SELECT * FROM spanloop.spans")
    copies = max(rows // SEED_SPANS - 1, 1)
    day = 2 * 86_400_000_000_000
    for copy in range(copies):
        step = day // (SEED_SPANS * copies)
        offset = day // copies * copy
        server.execute(SPREAD.format(database="spanloop", step=step, offset=offset, copy=copy))
        print(f"\rfilled {(copy + 2) * SEED_SPANS:,} rows", end="", flush=True)
    print()
    server.execute("DROP TABLE spanloop.seed")
    return str(collector.sql("SELECT trace_id FROM logs ORDER BY cityHash64(trace_id) LIMIT 1")[0]["trace_id"])


def _time(collector: CollectorProcess, name: str, sql: str) -> list[object]:
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        collector.sql(sql)
        taken.append((time.perf_counter() - started) * 1000)
    p95 = sorted(taken)[int(REPEATS * 0.95) - 1]
    return [name, f"{statistics.median(taken):.0f}", f"{p95:.0f}", TARGETS_MS.get(name, "")]
