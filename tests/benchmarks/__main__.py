"""Runs the benchmarks and prints a table each.

    python -m tests.benchmarks                  all of them, about fifteen minutes
    python -m tests.benchmarks ingest embedded  some of them
    python -m tests.benchmarks ingest --spans 300000 --rounds 5
    python -m tests.benchmarks queries-fill --folder F && python -m tests.benchmarks queries --folder F

Everything runs on this machine's cores at once: load generator, collector and ClickHouse. On a shared machine
compare ratios of one run, not figures of two.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import (
    acknowledge,
    compare,
    idle,
    ingest,
    memory,
    page,
    promote,
    queries,
    scoring,
    sdk_decorators,
    sdk_delivery,
    sdk_stream,
)
from tests.benchmarks import eval as evals
from tests.benchmarks.options import Options

BENCHMARKS: dict[str, Callable[[Options], None]] = {
    "ingest": ingest.against_rotel,
    "embedded": ingest.embedded,
    "acknowledge": acknowledge.measure,
    "memory": memory.measure,
    "idle": idle.measure,
    "queries": queries.measure,
    "queries-fill": queries.fill,
    "page": page.measure,
    "promote": promote.measure,
    "scoring-latency": scoring.latency,
    "scoring-ingest": scoring.ingest,
    "scoring-backfill": scoring.backfill,
    "eval": evals.measure,
    "compare": compare.measure,
    "sdk-decorators": sdk_decorators.measure,
    "sdk-stream": sdk_stream.measure,
    "sdk-throughput": sdk_delivery.throughput,
    "sdk-outage": sdk_delivery.outage,
}

PREPARATIONS = {"queries-fill"}
"""Only useful with --folder."""


def main() -> None:
    """Parses the command line and runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", metavar="benchmark", help=f"any of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--spans", type=int, default=300_000, help="spans of one ingest run (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of ingest, systems taking turns")
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows that queries run over")
    parser.add_argument("--seconds", type=int, default=600, help="length of the memory run")
    parser.add_argument("--promote-rows", type=int, default=1_000_000, help="log rows that promote chooses from")
    parser.add_argument("--score-rows", type=int, default=1_000_000, help="rows that a scoring rule is backfilled over")
    parser.add_argument("--folder", type=Path, help="keeps what a benchmark fills there, and uses it the next time")
    given = parser.parse_args()
    unknown = set(given.which) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in given.which or (name for name in BENCHMARKS if name not in PREPARATIONS):
        with TemporaryDirectory(prefix=f"spanloop-{name}-") as folder:
            print(f"\n== {name}", flush=True)
            BENCHMARKS[name](
                Options(
                    given.folder or Path(folder),
                    given.spans,
                    given.rounds,
                    given.rows,
                    given.seconds,
                    given.promote_rows,
                    given.score_rows,
                )
            )


if __name__ == "__main__":
    main()
