"""What a benchmark is told, and helpers that several of them use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks.load import Report
from tests.support.clickhouse_process import ClickHouseProcess


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes of a run."""

    folder: Path
    """Where everything of this run is kept, and deleted afterwards unless the caller named it."""
    spans: int
    rounds: int
    rows: int
    seconds: int
    promote_rows: int = 1_000_000
    score_rows: int = 1_000_000


# Requests are large, and malloc would give the memory of each back to the system: a tenth of what sending them costs.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**30)}


def start_load(endpoint: str, profile: str, spans: int, *, rate: float = 0.0, concurrency: int = 8) -> LoadProcess:
    """Starts a load generator in a process of its own."""
    return LoadProcess(
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.benchmarks.load"),
                *("--endpoint", endpoint, "--profile", profile, "--spans", str(spans)),
                *("--rate", str(rate), "--concurrency", str(concurrency)),
            ],
            stdout=subprocess.PIPE,
            env=os.environ | KEPT_MEMORY,
        )
    )


@dataclass(frozen=True, slots=True)
class LoadProcess:
    """A running load generator."""

    process: subprocess.Popen[bytes]

    def report(self) -> Report:
        """What it saw, once it is done."""
        output, _ = self.process.communicate()
        if self.process.returncode:
            raise RuntimeError(f"the load generator failed with exit code {self.process.returncode}")
        return Report(**json.loads(output))


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def tree_cpu_seconds(pid: int) -> float:
    """The same of a process and of everything that it started and that still runs."""
    return sum(cpu_seconds(each.pid) for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)))


def let_merge(server: ClickHouseProcess) -> None:
    """Returns once ClickHouse has merged what came before: nobody pays for parts of others."""
    # Rows alone do not tell: a merge has written its last row long before its word indexes.
    running = "SELECT count() FROM system.merges WHERE table IN ('spans', 'otel_traces')"
    while settled(lambda: int(server.execute(running)), seconds=5.0):
        pass


def let_rest(pid: int) -> None:
    """Returns once a process is at rest, with an embedded ClickHouse the same as `let_merge` for a server."""
    before = cpu_seconds(pid)
    while True:
        time.sleep(2)
        if (now := cpu_seconds(pid)) - before < 0.2:
            return
        before = now


def settled(count: Callable[[], int], *, seconds: float = 1.5) -> int:
    """The count once it has stopped growing for a while."""
    last, changed = count(), time.perf_counter()
    while time.perf_counter() - changed < seconds:
        time.sleep(0.2)
        now = count()
        if now != last:
            last, changed = now, time.perf_counter()
    return last


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns aligned, numbers to the right."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        line = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(line), flush=True)
