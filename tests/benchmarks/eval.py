"""`Eval` over 10,000 cases with a no-op async task and two trivial scorers, beside Braintrust's own `Eval`.

Ours records every case, four spans each, to a collector on the same machine, and compares the experiment with the one
before; theirs has sending off. Each run is a process of its own; the systems take turns. A few cases go before, so that
the collector has loaded what it compares with: that happens once in its life.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.options import Options, print_table
from tests.support.collector_process import CollectorProcess

CASES = 10_000
FIRST_CASES = 100
STREAMED = (10_000, 50_000)
BAR = 3.0

Case = dict[str, Any]


async def task(input: str) -> str:
    """Nothing to do: what is measured is everything around it."""
    return input


def exact(input: str, output: str, expected: str) -> float:
    """A trivial scorer."""
    return 1.0 if output == expected else 0.0


def length(input: str, output: str, expected: str) -> float:
    """Another one."""
    return min(len(output) / 20, 1.0)


def cases(count: int) -> Iterator[Case]:
    """As many cases, one at a time."""
    for number in range(count):
        yield {"input": f"question {number}", "expected": f"question {number}"}


def measure(options: Options) -> None:
    """Throughput beside Braintrust's, then peak memory of streams of different lengths."""
    collector = CollectorProcess(options.folder / "collector")
    collector.start()
    try:
        _beside_braintrust(collector, options.rounds)
        _memory(collector)
    finally:
        collector.stop()


def _beside_braintrust(collector: CollectorProcess, rounds: int) -> None:
    has_theirs = importlib.util.find_spec("braintrust") is not None
    if not has_theirs:
        print("Braintrust's Eval is left out: pip install braintrust")
    taken: dict[str, list[Run]] = {"spanloop, recorded": [], "Braintrust, sending off": []}
    _run(collector, "spanloop", FIRST_CASES)
    for _ in range(rounds):
        taken["spanloop, recorded"].append(_run(collector, "spanloop", CASES))
        if has_theirs:
            taken["Braintrust, sending off"].append(_run(collector, "braintrust", CASES))
    rows = [
        [name, f"{statistics.median(r.rate for r in runs):,.0f}", f"{max(r.peak_mb for r in runs):,.0f}"]
        for name, runs in taken.items()
        if runs
    ]
    print_table([f"{CASES:,} cases, two scorers", "cases/s", "peak MB"], rows)
    if has_theirs:
        ratios = [
            ours.rate / theirs.rate
            for ours, theirs in zip(taken["spanloop, recorded"], taken["Braintrust, sending off"], strict=True)
        ]
        ratio = statistics.median(ratios)
        print(f"ratio {ratio:.1f}, bar {BAR:g} {'✓' if ratio >= BAR else '✗'}")


def _memory(collector: CollectorProcess) -> None:
    runs = [(count, _run(collector, "stream", count)) for count in STREAMED]
    rows = [[f"{count:,}", f"{run.rate:,.0f}", f"{run.peak_mb:,.0f}"] for count, run in runs]
    print_table(["streamed cases", "cases/s", "peak MB"], rows)


class Run:
    """What a process of its own said."""

    def __init__(self, text: str) -> None:
        seconds, count, peak = text.split()[-3:]
        self.rate = int(count) / float(seconds)
        self.peak_mb = float(peak)


def _run(collector: CollectorProcess, which: str, count: int) -> Run:
    environment = {
        **os.environ,
        "SPANLOOP_ENDPOINT": f"http://{collector.grpc_address}",
        "SPANLOOP_API_URL": collector.api_url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.eval", which, str(count)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return Run(done.stdout)


def _main(which: str, count: int) -> None:
    """One run, from the call of `Eval` to its return: for ours that is when all of it is recorded and compared."""
    import resource
    import time

    if which == "braintrust":
        import braintrust  # type: ignore[import-not-found,import-untyped,unused-ignore]  # the rival, if installed

        started = time.perf_counter()
        data: Any = list(cases(count))
        braintrust.Eval("bench", data=data, task=task, scores=[exact, length], no_send_logs=True)
    else:
        from spanloop import Eval

        options: dict[str, Any] = {"max_results": 1000} if which == "stream" else {}
        data = cases(count) if which == "stream" else list(cases(count))
        started = time.perf_counter()
        result = Eval("bench", data, task, [exact, length], **options)
        assert (result.trial_total, result.failed_total, result.not_recorded) == (count, 0, 0)
        assert result.summary.experiment_id, "nothing was recorded"
        assert result.summary.scores["exact"].score == 1.0
        assert result.summary.trials == count
    seconds = time.perf_counter() - started
    print(f"{seconds} {count} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}")


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
