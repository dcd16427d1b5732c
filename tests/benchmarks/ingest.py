"""Spans per second until they are visible in SQL."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from tests.benchmarks.options import Options, cpu_seconds, let_merge, let_rest, print_table, settled, start_load
from tests.benchmarks.profiles import PROFILES
from tests.benchmarks.rotel import TABLES, Rotel, is_installed
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

WARM_UP_SPANS = 20_000
POLL_SECONDS = 0.05
WAITING = 'spanloop_spool_items{signal="traces"}'
VISIBLE_TIMEOUT_SECONDS = 300
# Rotel acknowledges before it stores and loses some of it when it cannot keep up: stable for this long is done.
SETTLED_SECONDS = 5.0

# Measured before on such a machine with the same load, for orientation.
OTHERS = {"llm": {"Arize Phoenix": 89, "MLflow": 386}, "small": {"Arize Phoenix": 133, "MLflow": 693}}


def against_rotel(options: Options) -> None:
    """Ours and Rotel's, in turns, into the same ClickHouse server."""
    server = ClickHouseProcess(options.folder / "clickhouse")
    server.start()
    ours = CollectorProcess(options.folder / "collector", clickhouse_url=server.url)
    ours.start()
    try:
        runs: dict[str, Callable[[str], tuple[float, float]]] = {
            "spanloop": lambda profile: _run_ours(ours, profile, options.spans)
        }
        if is_installed():
            for statement in TABLES:
                server.execute(statement)
            rotel = Rotel(server.url, options.folder / "rotel.log")
            runs["Rotel"] = lambda profile: _run_rotel(rotel, server, profile, options.spans)
        else:
            print("without Rotel: pip install rotel")
        _print(_rounds(runs, options.rounds, before_each=lambda: let_merge(server)), options)
        if is_installed():
            rotel.stop()
    finally:
        ours.stop()
        server.stop()


def embedded(options: Options) -> None:
    """Ours with the embedded ClickHouse; each profile alone: merging the other's spans is not its cost."""
    figures: Figures = {}
    for profile in PROFILES:
        ours = CollectorProcess(options.folder / profile)
        ours.start()
        try:
            runs = {"spanloop": partial(_run_ours, ours, spans=options.spans)}
            figures |= _rounds(runs, options.rounds, profiles=(profile,), before_each=partial(let_rest, ours.pid))
        finally:
            ours.stop()
    _print(figures, options)


Figures = dict[tuple[str, str], list[tuple[float, float]]]
"""By profile and system, for each round: spans per second, and CPU seconds of the collector per 100,000 spans."""


def _rounds(
    runs: Mapping[str, Callable[[str], tuple[float, float]]],
    rounds: int,
    *,
    profiles: Iterable[str] = PROFILES,
    before_each: Callable[[], None] = lambda: None,
) -> Figures:
    figures: Figures = defaultdict(list)
    for profile in profiles:
        for _ in range(rounds):
            for system, run in runs.items():
                before_each()
                figures[profile, system].append(run(profile))
    return figures


def _print(figures: Figures, options: Options) -> None:
    rows: list[list[object]] = []
    for (profile, system), runs in figures.items():
        rates = [rate for rate, _ in runs]
        cpu = statistics.median(seconds for _, seconds in runs)
        rows.append([f"{profile} {system}", *(f"{r:,.0f}" for r in (min(rates), statistics.median(rates), max(rates)))])
        rows[-1].append(f"{cpu:.2f}")
        if (profile, "Rotel") in figures and system == "spanloop":
            others = [rate for rate, _ in figures[profile, "Rotel"]]
            rows[-1].append(f"{statistics.median(a / b for a, b in zip(rates, others, strict=True)):.2f}")
        else:
            rows[-1].append("")
    print(f"{options.spans:,} spans a run until all are visible; CPU is the collector's process per 100,000 spans")
    print_table(["spans/s", "min", "median", "max", "CPU s", "vs Rotel"], rows)
    for profile, systems in OTHERS.items():
        print(f"for orientation, {profile}: " + ", ".join(f"{name} {rate}/s" for name, rate in systems.items()))


def _run_ours(collector: CollectorProcess, profile: str, spans: int) -> tuple[float, float]:
    def count() -> int:
        return int(collector.sql("SELECT count() AS n FROM logs")[0]["n"])

    start_load(collector.grpc_address, profile, WARM_UP_SPANS).report()
    _until_stored(collector)
    before = count()
    cpu = cpu_seconds(collector.pid)
    report = start_load(collector.grpc_address, profile, spans).report()
    # Counting rows takes time from those who store them: it is done once, when nothing waits any more.
    _until_stored(collector)
    elapsed, used = time.time() - report.started_unix_seconds, cpu_seconds(collector.pid) - cpu
    if (stored := count() - before) != spans:
        raise RuntimeError(f"{stored} of {spans} acknowledged spans are visible")
    return spans / elapsed, used / spans * 100_000


def _until_stored(collector: CollectorProcess) -> None:
    timeout = time.monotonic() + VISIBLE_TIMEOUT_SECONDS
    while (waiting := collector.metric(WAITING)) > 0:
        if time.monotonic() > timeout:
            raise RuntimeError(f"{waiting:,.0f} spans still wait for ClickHouse after {VISIBLE_TIMEOUT_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _run_rotel(rotel: Rotel, server: ClickHouseProcess, profile: str, spans: int) -> tuple[float, float]:
    def count() -> int:
        return int(server.execute("SELECT count() FROM otel.otel_traces"))

    start_load(rotel.endpoint, profile, WARM_UP_SPANS).report()
    before = settled(count)
    cpu = cpu_seconds(rotel.pid)
    report = start_load(rotel.endpoint, profile, spans).report()
    stored, changed = 0, time.time()
    while stored < spans and time.time() - changed < SETTLED_SECONDS:
        now = count() - before
        if now != stored:
            stored, changed = now, time.time()
        time.sleep(POLL_SECONDS)
    if stored < spans:
        print(f"Rotel stored {stored} of {spans} acknowledged spans")
    return stored / (changed - report.started_unix_seconds), (cpu_seconds(rotel.pid) - cpu) / spans * 100_000
