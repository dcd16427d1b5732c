"""Online scoring: how soon scores show, what rules cost what comes in, and how fast the past is scored.

Everything runs with the embedded ClickHouse and one worker, as `spanloop serve` does by itself.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from spanloop_collector.client import ApiClient

from tests.benchmarks.options import Options, print_table, start_load, tree_cpu_seconds
from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

RATE = 1_000
LATENCY_SECONDS = 60
WARM_UP_SECONDS = 10
WARM_UP_SPANS = 20_000
STORED = 'spanloop_write_items_total{signal="traces"}'
RULES = 10
HEURISTIC = {"use": "length_between", "options": {"max_characters": 1000}}
WAIT_SECONDS = 3600.0
MEMORY_STEPS = 10
PROCESSES = {
    "spanloop_collector serve": "collector, with ClickHouse",
    "spanloop_collector score": "workers",
    "spanloop.scoring.child": "scorers",
}
"""What processes are called in the table, by what their command lines have."""


def latency(options: Options) -> None:
    """From a span's arrival to its score in SQL, at 1,000 spans a second with a rule for a tenth of them."""
    collector = CollectorProcess(options.folder / "latency")
    collector.start()
    _put_rule(collector, "tenth", sampling_rate=0.1)
    seconds = min(options.seconds, LATENCY_SECONDS) + WARM_UP_SECONDS
    started = time.time()
    start_load(collector.grpc_address, "llm", RATE * seconds, rate=RATE).report()
    _wait_until_done(collector, "tenth")
    (row,) = collector.sql(
        f"""
        SELECT count() AS scored, quantiles(0.5, 0.95, 0.99)(seconds) AS lag FROM (
            SELECT (toUnixTimestamp64Micro(scored) - toUnixTimestamp64Micro(received)) / 1e6 AS seconds
            FROM scores AS s JOIN logs AS l ON l.trace_id = s.trace_id AND l.span_id = s.span_id
            WHERE l.received > toDateTime64({started + WARM_UP_SECONDS}, 6)
        )
        """
    )
    collector.stop()
    p50, p95, p99 = row["lag"]
    print_table(
        ["10 % of 1,000 spans/s", "scored", "p50 s", "p95 s", "p99 s"],
        [["arrival to score", f"{row['scored']:,}", f"{p50:.2f}", f"{p95:.2f}", f"{p99:.2f}"]],
    )


def ingest(options: Options) -> None:
    """Spans per second with no rule, ten that match nothing, and ten that sample a hundredth; in turns.

    CPU is what collector, embedded ClickHouse, workers and scorers have used until all spans are there.
    """
    kinds: dict[str, dict[str, Any] | None] = {
        "no rule": None,
        f"{RULES} rules that match nothing": {"filter": "metadata['plan'] = 'none'", "sampling_rate": 1.0},
        f"{RULES} rules, 1 % each": {"filter": "type = 'llm'", "sampling_rate": 0.01},
    }
    runs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for number in range(options.rounds):
        for kind, rule in kinds.items():
            runs[kind].append(_ingest(options.folder / f"{number}-{len(kind)}", rule, options.spans))
    median = {kind: statistics.median(speed for speed, _ in found) for kind, found in runs.items()}
    rows = [
        [
            kind,
            *(f"{speed:,.0f}" for speed, _ in found),
            f"{median[kind] / median['no rule']:.2f}",
            f"{min(cpu for _, cpu in found):.1f}",
        ]
        for kind, found in runs.items()
    ]
    rounds = (f"round {n + 1}" for n in range(options.rounds))
    print_table(["spans/s until visible", *rounds, "of the median", "CPU s per 100k"], rows)


def backfill(options: Options) -> None:
    """A million rows through a heuristic scorer, with a kill in the middle: speed, each row once, memory by process."""
    rows = options.score_rows
    collector = CollectorProcess(options.folder / "backfill", environment={"SPANLOOP_SCORE_WORKERS": "2"})
    collector.start()
    start_load(collector.grpc_address, "small", rows).report()
    wait_until(lambda: _count(collector, "logs") >= rows, what="all rows", timeout=WAIT_SECONDS, poll=1)
    _put_rule(collector, "all", enabled=False)
    ApiClient(collector.api_url).post("/v1/scoring-rules/all/backfills")
    memory: list[Counter[str]] = [Counter() for _ in range(MEMORY_STEPS)]
    started = time.monotonic()
    restart_seconds = 0.0
    while (done := _done(collector)) < rows:
        memory[done * MEMORY_STEPS // rows] |= _resident_mib(collector.pid)
        if not restart_seconds and done > rows / 2:
            collector.kill()
            again = time.monotonic()
            collector.start()
            restart_seconds = time.monotonic() - again
        time.sleep(0.5)
    seconds = time.monotonic() - started
    (stored,) = collector.sql("SELECT count() AS scores, uniqExact(trace_id, span_id) AS rows FROM scores")
    collector.stop()
    print_table(
        ["backfill, killed half-way", "rows", "scores", "rows/s", "restart s"],
        [
            [
                "one heuristic scorer",
                f"{stored['rows']:,}",
                f"{stored['scores']:,}",
                f"{rows / seconds:,.0f}",
                f"{restart_seconds:.1f}",
            ]
        ],
    )
    print(f"\nhighest resident MiB while each of {MEMORY_STEPS} equal parts of the rows was scored")
    print_table(
        ["memory", *(str(step + 1) for step in range(MEMORY_STEPS))],
        [[name, *(f"{step[name]}" for step in memory)] for name in PROCESSES.values()],
    )


def _put_rule(collector: CollectorProcess, name: str, **fields: Any) -> None:
    rule = {"name": name, "scorers": [HEURISTIC], **fields}
    ApiClient(collector.api_url).post("/v1/scoring-rules", {"rule": rule})


def _ingest(folder: Path, rule: dict[str, Any] | None, spans: int) -> tuple[float, float]:
    """Spans per second, and CPU seconds for 100,000 of them."""
    collector = CollectorProcess(folder)
    collector.start()
    for number in range(RULES if rule is not None else 0):
        _put_rule(collector, f"rule {number}", **(rule or {}))
    start_load(collector.grpc_address, "llm", WARM_UP_SPANS).report()
    _wait_until_stored(collector, WARM_UP_SPANS)
    time.sleep(WARM_UP_SECONDS)
    cpu = tree_cpu_seconds(collector.pid)
    report = start_load(collector.grpc_address, "llm", spans).report()
    _wait_until_stored(collector, WARM_UP_SPANS + spans)
    seconds, cpu = time.time() - report.started_unix_seconds, tree_cpu_seconds(collector.pid) - cpu
    if (visible := _count(collector, "logs")) != WARM_UP_SPANS + spans:
        raise RuntimeError(f"{visible} of {WARM_UP_SPANS + spans} acknowledged spans are visible")
    collector.stop()
    return spans / seconds, cpu / spans * 100_000


def _wait_until_stored(collector: CollectorProcess, spans: int) -> None:
    """Asks no question of ClickHouse: counting rows takes time from those who store them."""

    def is_stored() -> bool:
        # Not there before the first insert.
        with suppress(ValueError):
            return collector.metric(STORED) >= spans
        return False

    wait_until(is_stored, what="all spans", timeout=WAIT_SECONDS)


def _resident_mib(pid: int) -> Counter[str]:
    """Memory by kind of process: of the collector and all that it started."""
    found: Counter[str] = Counter()
    for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        # It may have ended since.
        with suppress(psutil.Error):
            command = " ".join(each.cmdline())
            name = next((name for part, name in PROCESSES.items() if part in command), "others")
            found[name] += each.memory_info().rss // 2**20
    return found


def _count(collector: CollectorProcess, view: str) -> int:
    (row,) = collector.sql(f"SELECT count() AS n FROM {view} WHERE type != 'score'")
    return int(row["n"])


def _done(collector: CollectorProcess) -> int:
    (found,) = ApiClient(collector.api_url).get("/v1/backfills")["backfills"]
    return int(found["done"])


def _wait_until_done(collector: CollectorProcess, rule: str) -> None:
    def is_done() -> bool:
        (row,) = collector.sql(f"SELECT waiting, sampled, scored FROM scoring_rule_status WHERE name = '{rule}'")
        return bool(row["sampled"]) and row["waiting"] == 0

    wait_until(is_done, what="scores of all sampled rows", timeout=WAIT_SECONDS, poll=0.5)
