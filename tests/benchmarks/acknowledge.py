"""How long a sender waits for a durable acknowledgement at a steady 10,000 spans a second."""

from __future__ import annotations

from tests.benchmarks.options import Options, print_table, start_load
from tests.benchmarks.profiles import PROFILES
from tests.support.clickhouse_library import LibraryUnavailable
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

RATE = 10_000
SECONDS = 30


def measure(options: Options) -> None:
    """Embedded and, where there is one, with a ClickHouse server."""
    rows = []
    for store in ("embedded", "server"):
        server = None
        if store == "server":
            server = ClickHouseProcess(options.folder / "clickhouse")
            try:
                server.start()
            except LibraryUnavailable as unavailable:
                print(f"without a server: {unavailable}")
                break
        collector = CollectorProcess(options.folder / store, clickhouse_url=server.url if server else "")
        collector.start()
        for profile in PROFILES:
            start_load(collector.grpc_address, profile, RATE, rate=RATE).report()
            report = start_load(collector.grpc_address, profile, RATE * SECONDS, rate=RATE).report()
            rate = report.acknowledged / report.seconds
            figures = [f"{rate:,.0f}", f"{report.p50_ms:.1f}", f"{report.p99_ms:.1f}", report.retries]
            rows.append([f"{store} {profile}", *figures])
        collector.stop()
        if server:
            server.stop()
    print_table(["acknowledgement", "spans/s", "p50 ms", "p99 ms", "retries"], rows)
