"""Memory of the collector's process over a long run: flat, or it is a leak."""

from __future__ import annotations

import time

import psutil

from tests.benchmarks.options import Options, print_table, start_load
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

STEPS = 10
SAMPLE_SECONDS = 0.1
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
    print(f"resident MB, looked at every {SAMPLE_SECONDS} s: the most in each tenth of {options.seconds} s, and of all")
    print_table(["memory", *(str(step + 1) for step in range(STEPS)), "median", "p95", "p99"], rows)


def _watch(collector: CollectorProcess, seconds: int, *, rate: float) -> list[str]:
    collector.start()
    process = psutil.Process(collector.pid)
    spans = int((rate or SERVER_RATE) * seconds)
    load = start_load(collector.grpc_address, "llm", spans, rate=rate)
    steps = [_samples(process, seconds / STEPS) for _ in range(STEPS)]
    load.process.terminate()
    load.process.wait()
    collector.stop()
    ordered = sorted(sample for step in steps for sample in step)
    figures = [max(step) for step in steps] + [ordered[int(len(ordered) * part)] for part in (0.5, 0.95, 0.99)]
    return [f"{figure / 1e6:.0f}" for figure in figures]


def _samples(process: psutil.Process, seconds: float) -> list[int]:
    """Resident bytes over some seconds."""
    end = time.perf_counter() + seconds
    samples = []
    while time.perf_counter() < end:
        samples.append(process.memory_info().rss)
        time.sleep(SAMPLE_SECONDS)
    return samples
