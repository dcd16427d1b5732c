"""Two experiments of 100,000 cases with five scores, compared through the API: every span of both is there."""

from __future__ import annotations

import json
import statistics
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from tests.benchmarks.options import Options, print_table
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess

CASES = 100_000
SCORES = ("exact", "brief", "polite", "grounded", "useful")
REPEATS = 5
CHUNK = 10_000
QUESTIONS: dict[str, dict[str, object]] = {
    "summary": {},
    "summary and the 20 most regressed cases": {"limit": 20},
    "grouped by metadata": {"group_by": "area"},
}
TARGET_SECONDS = 2.0

# A case as Eval records it: a row with all scores, its task, and a span for each scorer.
FILL = """
INSERT INTO {database}.spans (project, created, end_time, version, received, id, trace_id, span_id, parent_id, name,
    type, input, output, expected, scores, metrics, metadata, experiment_id)
SELECT
    'bench', now64(9) - INTERVAL {offset} SECOND + toIntervalMicrosecond(number * 10) AS created,
    created + toIntervalMillisecond(800),
    toUnixTimestamp64Nano(created), created,
    lower(hex(cityHash64(number, part, '{id}'))) AS id, lower(hex(sipHash128(number, '{id}'))), id,
    if(part = 0, '', lower(hex(cityHash64(number, 0, '{id}')))),
    ['eval', 'task', {names}][part + 1], ['eval', 'task', 'score', 'score', 'score', 'score', 'score'][part + 1],
    if(part = 0, concat('"What is the answer to question ', toString(number), ', and why is it so?"'), ''),
    if(part > 1, '1', concat('"', repeat('An answer of some length. ', 8), toString(number), '"')),
    if(part = 0, '"the right one"', ''),
    if(part > 0, CAST(map(), 'Map(String, Float64)'), mapFromArrays([{names}],
        arrayMap(n -> ((cityHash64(number, n, '{id}') % 5) + {better}) / 5.5, range(5)))),
    map('start', 1.0, 'end', 2.0, 'task_duration', (number % 1000) / 700),
    map('area', toString(number % 7)), '{id}'
FROM numbers({start}, {cases}) ARRAY JOIN range(7) AS part
"""


def measure(options: Options) -> None:
    """Seconds of a comparison, as the terminal and the page ask for it."""
    server = ClickHouseProcess(options.folder / "clickhouse")
    server.start()
    collector = CollectorProcess(options.folder / "collector", clickhouse_url=server.url)
    collector.start()
    try:
        cases = min(CASES, max(1000, options.rows // 50))
        names = [_fill(collector, server, f"run-{number}", cases, number) for number in range(2)]
        rows = [_timed(collector, label, names, body) for label, body in QUESTIONS.items()]
        head = [f"two experiments of {cases:,} cases, {len(SCORES)} scores", "median s", "worst s", "bar s"]
        print_table(head, rows)
    finally:
        collector.stop()
        server.stop()


def _fill(collector: CollectorProcess, server: ClickHouseProcess, name: str, cases: int, number: int) -> str:
    made = _post(collector, "/v1/experiments", {"project": "bench", "name": name})["experiment"]
    names = ", ".join(f"'{score}'" for score in SCORES)
    for start in range(0, cases, CHUNK):
        server.execute(
            FILL.format(
                database="spanloop",
                id=made["id"],
                offset=100 - number,
                better=number / 20,
                names=names,
                start=start,
                cases=min(CHUNK, cases - start),
            )
        )
    return name


def _timed(collector: CollectorProcess, label: str, names: list[str], body: Mapping[str, object]) -> tuple[str, ...]:
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        answer = _post(collector, "/v1/experiments/compare", {"project": "bench", "experiments": names, **body})
        seconds.append(time.perf_counter() - started)
        assert len(answer["scores"]) == len(SCORES)
    median = statistics.median(seconds)
    return (
        label,
        f"{median:.2f}",
        f"{max(seconds):.2f}",
        f"{TARGET_SECONDS:g} {'✓' if median < TARGET_SECONDS else '✗'}",
    )


def _post(collector: CollectorProcess, path: str, body: Mapping[str, object]) -> Any:
    request = urllib.request.Request(
        collector.api_url + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.loads(answer.read())
