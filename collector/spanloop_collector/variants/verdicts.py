"""Verdicts out of traces: the root row of a test's trace against the experiment's condition."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.errors import InvalidRequestError, QueryError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.query.queries import Queries
from spanloop_collector.variants.run import Task, Test, Verdict

DEFAULT_PASS_WHEN = "error = '' AND (task_expected = '' OR output = task_expected)"
CLOCK_SECONDS = 3600.0
"""How far the clocks of applications may be behind ours."""

# The condition stands on lines of its own, so that a comment at its end cannot swallow ours. Expected answers go in
# base64: no text can then end a literal.
SELECT_VERDICTS = """
SELECT test_id, trace_id, verdict, reason
FROM
(
    SELECT
        metadata['test_id'] AS test_id,
        trace_id,
        created,
        error AS reason,
        JSONExtractString(base64Decode({{expected:String}}), test_id) AS task_expected,
        (
{pass_when}
        ) AS verdict
    FROM logs
    WHERE project = {{project:String}} AND created >= {{since:DateTime64(3)}} AND parent_id = ''
        AND mapContains(metrics, 'end') AND has({{tests:Array(String)}}, metadata['test_id'])
)
WHERE isNotNull(verdict)
ORDER BY created
"""


async def read_verdicts(
    statements: Queries,
    project: str,
    pass_when: str,
    tests: Sequence[Test],
    tasks: Mapping[str, Task],
    *,
    since: float,
) -> list[Verdict]:
    """The verdicts that are known, earliest first; a condition that is NULL has none yet.

    Raises InvalidRequestError with ClickHouse's words for a condition that does not run.
    """
    expected = {test.id: _text(tasks[test.task_id].expected) for test in tests}
    parameters = {
        "project": project,
        "since": datetime.fromtimestamp(since - CLOCK_SECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "tests": "[" + ",".join(f"'{test.id}'" for test in tests) + "]",
        "expected": base64.b64encode(json.dumps(expected).encode()).decode(),
    }
    try:
        result = await statements.run(
            SELECT_VERDICTS.format(pass_when=pass_when or DEFAULT_PASS_WHEN),
            principal=Principal(key_id="variants", project=project, scopes=frozenset({Scope.READ})),
            parameters=parameters,
            settings={"session_timezone": "UTC"},
            default_format="JSONEachRow",
        )
    except QueryError as error:
        raise InvalidRequestError(f"pass_when: {error}", field="pass_when") from error
    rows = [json.loads(line) for line in result.data.splitlines()]
    return [Verdict(row["test_id"], _is_true(row["verdict"]), row["reason"], trace_id=row["trace_id"]) for row in rows]


def _is_true(verdict: object) -> bool:
    return verdict not in (0, False, "0", "")


def _text(expected: object) -> str:
    """The expected answer as the column `output` would hold it; empty for a task that expects none."""
    return "" if expected is None else write_json(expected)
