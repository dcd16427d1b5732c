"""What a collector costs while nothing happens: CPU of the collector and of its ClickHouse, and statements."""

from __future__ import annotations

import time

from tests.benchmarks.options import Options, cpu_seconds, print_table
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

SETTLE_SECONDS = 10
WATCH_SECONDS = 30


def measure(options: Options) -> None:
    """An embedded ClickHouse, then a server."""
    server = ClickHouseProcess(options.folder / "clickhouse")
    server.start()
    rows = [
        _watch("embedded", CollectorProcess(options.folder / "embedded"), None),
        _watch("server", CollectorProcess(options.folder / "server", clickhouse_url=server.url), server),
    ]
    server.stop()
    print_table(["idle", "collector, % of a core", "ClickHouse, % of a core", "statements per minute"], rows)


def _watch(name: str, collector: CollectorProcess, server: ClickHouseProcess | None) -> list[str]:
    collector.start()
    time.sleep(SETTLE_SECONDS)
    pids = [collector.pid, *([server.pid] if server else [])]
    before, statements = [cpu_seconds(pid) for pid in pids], collector.metric("spanloop_store_statements_total")
    time.sleep(WATCH_SECONDS)
    used = [cpu_seconds(pid) - cpu for pid, cpu in zip(pids, before, strict=True)]
    statements = collector.metric("spanloop_store_statements_total") - statements
    collector.stop()
    shares = [f"{seconds / WATCH_SECONDS:.1%}" for seconds in used]
    return [name, *shares, *([] if server else ["inside"]), f"{statements / WATCH_SECONDS * 60:.0f}"]
