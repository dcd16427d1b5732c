"""What tracing one small function call costs: spanloop's decorator beside others', and beside a bare span.

Each library runs in a process of its own (see `sdk_contenders`); they take turns, so that a busy machine is as bad for
all. `caller` is the CPU time that the traced code pays, `passed` what a clock says of it, `all threads` the CPU time
with all that happens in the background. The least of all rounds is what counts: the rest is the machine's.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

from tests.benchmarks.options import Options, print_table
from tests.benchmarks.sdk_contenders import CONTENDERS, PACKAGES
from tests.benchmarks.sdk_sink import running_sink

CALLS = 1000
TURNS = 15


@dataclass
class Contender:
    """One library at work."""

    name: str
    process: subprocess.Popen[str]
    passed_us: list[float] = field(default_factory=list)
    caller_us: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def take_turn(self, calls: int) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{calls}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.passed_us.append(answer["seconds"] / calls * 1e6)
        self.caller_us.append(answer["caller_seconds"] / calls * 1e6)
        self.cpu_us.append(answer["cpu_seconds"] / calls * 1e6)

    def stop(self) -> None:
        self.process.communicate()


def measure(options: Options) -> None:
    """All that are installed."""
    names = [name for name in CONTENDERS if name not in PACKAGES or _is_installed(name)]
    with running_sink() as sink:
        contenders = [Contender(name, _start(name, sink)) for name in names]
        for contender in contenders:
            contender.take_turn(CALLS)  # warms up
            for figures in (contender.passed_us, contender.caller_us, contender.cpu_us):
                figures.clear()
        for _ in range(TURNS):
            for contender in contenders:
                contender.take_turn(CALLS)
        for contender in contenders:
            contender.stop()
    _print(contenders)
    if missing := [package for name, package in PACKAGES.items() if name not in names]:
        print(f"not installed: pip install {' '.join(missing)}")


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _start(name: str, sink: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.sdk_contenders", name, sink],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _print(contenders: list[Contender]) -> None:
    bare = next(each for each in contenders if each.name == "bare")
    rows = []
    for each in sorted(contenders, key=lambda each: min(each.caller_us)):
        ratio = min(each.caller_us) / min(bare.caller_us)
        least = [f"{min(figures):.1f}" for figures in (each.caller_us, each.passed_us, each.cpu_us)]
        rows.append([each.name, least[0], f"{ratio:.2f}", *least[1:], f"{statistics.median(each.passed_us):.1f}"])
    print_table(["a traced call", "caller µs", "× bare", "passed µs", "all threads µs", "passed, median"], rows)
