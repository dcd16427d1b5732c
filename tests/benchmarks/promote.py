"""A tenth of the log rows copied into a dataset inside ClickHouse: how long it takes and how much memory.

python -m tests.benchmarks promote                             100,000 of a million rows
python -m tests.benchmarks promote --promote-rows 10000000     a million of ten million
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
from spanloop.datasets import init_dataset, promote
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store

from tests.benchmarks.options import Options, cpu_seconds, let_rest, print_table
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

TARGET_ROWS_PER_SECOND = 100_000
FILL_ROWS = 250_000
SAMPLE_SECONDS = 0.05
LOW = "scores['Factuality'] < 0.5"

# LLM calls of one project, 125 a second, one in ten rated low; texts of about half a kilobyte each.
FILL = """
INSERT INTO {database}.spans (
    project, created, end_time, version, received, trace_id, span_id, name, type, input, output, scores, metrics,
    model, provider, tokens, metadata, tags
)
SELECT
    'shop',
    toDateTime64('2026-01-05 00:00:00', 9, 'UTC') + toIntervalMillisecond(number * 8) AS created,
    created + toIntervalMillisecond(900),
    number + 4611686018427387904,
    now64(6) - INTERVAL 3 MINUTE,  -- of what is newer the collector would look for a price while it is measured
    lower(hex(sipHash128(number))),
    lower(hex(sipHash64(number))),
    'answer',
    'llm',
    concat('{{"question":"', {words}, '","n":', toString(number), '}}'),
    concat('{{"answer":"', {words}, '"}}'),
    map('Factuality', if(number % 10 = 0, 0.2, 0.9)),
    map(),
    'gpt-4o-mini',
    'openai',
    300,
    map('user_id', toString(number % 1000), 'session_id', toString(number % 50000)),
    ['prod']
FROM numbers({first}, {count})
"""
WORDS = "arrayStringConcat(arrayMap(i -> concat('word', toString(sipHash64(number, i) % 5000)), range(60)), ' ')"

Answer = TypeVar("Answer")


def measure(options: Options) -> None:
    """Embedded and on a server."""
    rows = []
    for kind in ("embedded", "server"):
        rows += _measure_kind(kind, options.folder / kind, options.promote_rows)
    head = [
        f"of {options.promote_rows:,} log rows",
        "rows",
        "seconds",
        "CPU s",
        "rows/s",
        "target",
        "peak MB above idle",
    ]
    print_table(head, rows)


def _measure_kind(kind: str, folder: Path, rows: int) -> list[list[object]]:
    server = ClickHouseProcess(folder / "clickhouse") if kind == "server" else None
    if server:
        server.start()
    url = server.url if server else ""
    # In a process of its own: only one may have an embedded database open.
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.promote", str(folder / "collector"), str(rows), f"--url={url}"],
        check=True,
    )
    collector = CollectorProcess(folder / "collector", clickhouse_url=url)
    collector.start()
    # Where ClickHouse runs the copying is done.
    pid = server.pid if server else collector.pid
    # A folder that is kept has the datasets of earlier runs.
    low, sample = (f"{name} {time.time_ns()}" for name in ("low", "sample"))
    try:
        return [
            _promote(f"{kind}: by condition", pid, lambda: _copied(collector, low, where=LOW)),
            _promote(f"{kind}: the same again", pid, lambda: _copied(collector, low, where=LOW)),
            _promote(f"{kind}: sample by hash", pid, lambda: _copied(collector, sample, limit=rows // 10)),
            _promote(f"{kind}: read in pages", collector.pid, lambda: _read(collector, low), target=None),
        ]
    finally:
        collector.stop()
        if server:
            server.stop()


def _copied(collector: CollectorProcess, dataset: str, *, where: str = "", limit: int = 0) -> int:
    """How many rows the promotion was about."""
    return promote(dataset, project="shop", where=where, limit=limit, api_url=collector.api_url).matched


def _read(collector: CollectorProcess, dataset: str) -> int:
    """How many rows come out of a dataset, one by one."""
    return sum(1 for _ in init_dataset("shop", dataset, api_url=collector.api_url))


def _promote(
    what: str, pid: int, work: Callable[[], int], *, target: int | None = TARGET_ROWS_PER_SECOND
) -> list[object]:
    let_rest(pid)  # of the start, or of merging what was copied before
    started, cpu_before = time.perf_counter(), cpu_seconds(pid)
    rows, peak = _with_peak(pid, work)
    seconds, used = time.perf_counter() - started, cpu_seconds(pid) - cpu_before
    print(f"{what}: {rows:,} rows in {seconds:.1f} s", file=sys.stderr, flush=True)
    shown = f"{target:,}" if target else ""
    return [
        what,
        f"{rows:,}",
        f"{seconds:.1f}",
        f"{used:.1f}",
        f"{rows / seconds:,.0f}",
        shown,
        f"{peak / 1e6:,.0f}",
    ]


def _with_peak(pid: int, work: Callable[[], Answer]) -> tuple[Answer, int]:
    """The work's answer, and how far the process's memory rose above what it had before."""
    process = psutil.Process(pid)
    idle = peak = process.memory_info().rss
    is_done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_done.wait(SAMPLE_SECONDS):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        answer = work()
    finally:
        is_done.set()
        watcher.join()
    return answer, peak - idle


def fill(data_dir: Path, url: str, rows: int) -> None:
    """Makes the log rows; goes on where it stopped."""
    store = Store.open(StoreSettings(clickhouse_url=url), data_dir)
    # At rest: merging these rows takes a hundred times what is measured, and would go on beside it.
    store.command(f"ALTER TABLE {store.database}.spans MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1")
    ((filled,),) = store.query(f"SELECT count() FROM {store.database}.spans").result_rows
    for first in range(filled, rows, FILL_ROWS):
        count = min(FILL_ROWS, rows - first)
        store.command(FILL.format(database=store.database, words=WORDS, first=first, count=count))
        print(f"\rfilled {first + count:,} rows", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fills a collector's ClickHouse with log rows.")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("rows", type=int)
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    given.data_dir.mkdir(parents=True, exist_ok=True)
    fill(given.data_dir, given.url, given.rows)
