"""A collector that has nothing to do does next to nothing."""

from __future__ import annotations

import time
from pathlib import Path

from tests.benchmarks.options import cpu_seconds
from tests.conftest import StartCollector
from tests.support.collector_process import CollectorProcess
from tests.support.ports import free_port

# The first look for what other collectors wrote finds everything new.
SETTLE_SECONDS = 6
WATCH_SECONDS = 10
MAX_STATEMENTS = {"embedded": 5, "server": 22}
"""While watched. On a server a collector looks for the others: eight times for its share of what is scored, twice at
the queue, three times for what they wrote. One thing more that asks every second is too much."""

MAX_CPU_SECONDS = 1.5
"""While watched, of a collector whose ClickHouse is away: what asks in a loop without a pause takes them all."""


def statements_of(collector: CollectorProcess) -> float:
    return collector.metric("spanloop_store_statements_total")


def test_an_idle_collector_leaves_clickhouse_and_the_processor_alone(
    start_collector: StartCollector, clickhouse_server: str, tmp_path: Path
) -> None:
    collectors = {
        "embedded": start_collector(),
        "server": start_collector(clickhouse_url=clickhouse_server, database=f"idle_{tmp_path.name}"),
    }
    away = start_collector(clickhouse_url=f"http://127.0.0.1:{free_port()}")
    time.sleep(SETTLE_SECONDS)
    cpu_before = cpu_seconds(away.pid)
    before = {name: statements_of(collector) for name, collector in collectors.items()}
    time.sleep(WATCH_SECONDS)
    asked = {name: statements_of(collector) - before[name] for name, collector in collectors.items()}
    cpu = cpu_seconds(away.pid) - cpu_before
    # Starting asks: a counter that nobody counts would be idle, too.
    assert min(before.values()) > 0
    assert {name: count for name, count in asked.items() if count > MAX_STATEMENTS[name]} == {}
    assert 0 < cpu < MAX_CPU_SECONDS
