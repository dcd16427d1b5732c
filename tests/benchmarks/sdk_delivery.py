"""Ten thousand spans a second from one process to a collector, and what tracing costs while there is none."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

import psutil

from tests.benchmarks.options import Options, print_table
from tests.support.collector_process import CollectorProcess
from tests.support.ports import free_port
from tests.support.waiting import wait_until

RATE = 10_000
SECONDS = 20
TICKS_PER_SECOND = 200
OUTAGE_CALLS = 400_000


def throughput(options: Options) -> None:
    """Sent at a steady rate by one process, counted in the database."""
    collector = CollectorProcess(options.folder / "collector")
    collector.start()
    report = _run("steady", f"http://{collector.grpc_address}", str(RATE * SECONDS))
    question = "SELECT count() AS n FROM logs WHERE project = 'bench'"
    arrived = report["sent"] - report["dropped"]
    wait_until(lambda: collector.sql(question)[0]["n"] >= arrived, what="all rows", timeout=120)
    stored = collector.sql(question)[0]["n"]
    collector.stop()
    figures = [f"{report['sent']:,}", f"{report['sent'] / report['seconds']:,.0f}", f"{stored:,}", report["dropped"]]
    print_table(
        ["one process", "spans", "spans/s", "rows stored", "dropped", "CPU of the process"],
        [["steady", *figures, f"{report['cpu_seconds'] / report['seconds']:.0%}"]],
    )


def outage(options: Options) -> None:
    """Nobody listens: with the queue in memory, and with a folder for what does not fit."""
    rows = []
    for name, folder in (("memory", ""), ("with a spill", str(options.folder / "spill"))):
        report = _run("outage", f"http://127.0.0.1:{free_port()}", str(OUTAGE_CALLS), folder)
        counts = [f"{report[count]:,}" for count in ("waiting", "spilled", "dropped")]
        times = [f"{report[part] * 1e3:.3f}" for part in ("p50", "p99", "p999", "max")]
        rows.append([name, *times, *counts, f"{report['grown_bytes'] / 2**20:.0f}"])
    head = ["collector away", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "waiting", "on disk", "dropped", "grown by MiB"]
    print_table(head, rows)


def _run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.sdk_delivery", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _steady(endpoint: str, count: str) -> dict[str, Any]:
    """The sending process: so many calls each tick, whatever became of the last ones."""
    import spanloop

    from tests.benchmarks.sdk_contenders import QUESTION, answer

    spanloop.init("bench", endpoint=endpoint)
    work = spanloop.traced(answer)
    started, cpu = time.perf_counter(), time.process_time()
    for tick in range(int(count) * TICKS_PER_SECOND // RATE):
        for _ in range(RATE // TICKS_PER_SECOND):
            work(QUESTION, tick)
        time.sleep(max(0.0, started + (tick + 1) / TICKS_PER_SECOND - time.perf_counter()))
    seconds = time.perf_counter() - started
    spanloop.flush(60)
    stats = spanloop.stats()
    return {
        "sent": int(count),
        "seconds": seconds,
        "cpu_seconds": time.process_time() - cpu,
        "dropped": stats.dropped,
    }


def _outage(endpoint: str, count: str, folder: str) -> dict[str, Any]:
    """The tracing process: every call is timed, at about the same rate as above."""
    import spanloop

    from tests.benchmarks.sdk_contenders import QUESTION, answer

    spanloop.init("bench", endpoint=endpoint, spill_dir=folder or None, exit_flush_seconds=0)
    work = spanloop.traced(answer)
    work(QUESTION, 0)
    before = psutil.Process().memory_info().rss
    seconds: list[float] = [0.0] * int(count)
    clock = time.perf_counter
    for number in range(int(count)):
        started = clock()
        work(QUESTION, 7)
        seconds[number] = clock() - started
        if number % (RATE // TICKS_PER_SECOND) == 0:
            time.sleep(1 / TICKS_PER_SECOND)
    stats = spanloop.stats()
    quantiles = statistics.quantiles(seconds, n=1000)
    return {
        "p50": quantiles[499],
        "p99": quantiles[989],
        "p999": quantiles[998],
        "max": max(seconds),
        "waiting": stats.waiting,
        "spilled": stats.spilled,
        "dropped": stats.dropped,
        "grown_bytes": psutil.Process().memory_info().rss - before - sys.getsizeof(seconds) - 24 * int(count),
    }


if __name__ == "__main__":
    kind, *given = sys.argv[1:]
    print(json.dumps((_steady if kind == "steady" else _outage)(*given)))
