"""Memory of the collector's process over a long run: flat, or it is a leak."""

from __future__ import annotations

import time

import psutil

from tests.benchmarks.options import Options, print_table, start_load
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

SAMPLES = 10
EMBEDDED_RATE = 1_000
SERVER_RATE = 1_000_000
"""More than anyone takes: the collector runs at its limit, and senders are slowed down."""


def measure(options: Options) -> None:
    """The server mode at full load, the embedded one at 1,000 spans a second."""
    server = ClickHouseProcess(options.folder / "clickhouse")
    server.start()
    full = CollectorProcess(options.folder / "full", clickhouse_url=server.url)
    rows = [["server, full load", *_watch(full, options.seconds, rate=0)]]
    server.stop()
    calm = CollectorProcess(options.folder / "calm")
    rows.append([f"embedded, {EMBEDDED_RATE:,} spans/s", *_watch(calm, options.seconds, rate=EMBEDDED_RATE)])
    print(f"resident MiB at {SAMPLES} equal steps over {options.seconds} s")
    print_table(["memory", *(str(step + 1) for step in range(SAMPLES))], rows)


def _watch(collector: CollectorProcess, seconds: int, *, rate: float) -> list[str]:
    collector.start()
    process = psutil.Process(collector.pid)
    spans = int((rate or SERVER_RATE) * seconds)
    load = start_load(collector.grpc_address, "llm", spans, rate=rate)
    samples = []
    for _ in range(SAMPLES):
        time.sleep(seconds / SAMPLES)
        samples.append(f"{process.memory_info().rss / 2**20:.0f}")
    load.process.terminate()
    load.process.wait()
    collector.stop()
    return samples
