"""What a rule would do: its matches over a past window, without storing anything. Calls block."""

from __future__ import annotations

import time
from typing import Any

from spanloop.v1 import rules_pb2

from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.query.errands import Errand
from spanloop_collector.score.matching import rows_of, select_matches
from spanloop_collector.score.rule import Rule
from spanloop_collector.score.rule_input import write_rule
from spanloop_collector.score.scored_rows import RowReader
from spanloop_collector.score.task import Task

DEFAULT_HOURS = 24.0
MAX_HOURS = 24.0 * 366
DEFAULT_ROWS = 10
MAX_ROWS = 100
MAX_SECONDS = 60

COST_OF_A_CALL = """
SELECT sum(cost) / uniqExact(task_id) AS per_call, uniqExact(task_id) AS calls
FROM {database:Identifier}.online_scores FINAL
WHERE scorer = {scorer:String} AND status = 'scored' AND scored > now() - INTERVAL 7 DAY
    AND ({project:String} = '' OR project = {project:String})
"""


def try_rule(errand: Errand, rule: Rule, *, hours: float, rows: int) -> rules_pb2.TestScoringRuleResponse:
    """What the rule would have matched, sampled and cost, and some of the sampled rows."""
    hours, rows = hours or DEFAULT_HOURS, rows or DEFAULT_ROWS
    if not 0 < hours <= MAX_HOURS:
        raise InvalidRequestError(
            f"hours: expected more than 0 and at most {MAX_HOURS:.0f}, got {hours}", field="hours"
        )
    if not 0 < rows <= MAX_ROWS:
        raise InvalidRequestError(f"rows: expected 1 to {MAX_ROWS}, got {rows}", field="rows")
    since = int((time.time() - hours * 3600) * 1e9)
    matches = select_matches(
        [rule], rows_of(errand.database, f"created >= fromUnixTimestamp64Nano({since}, 'UTC')", is_final=True)
    )
    settings = {"max_execution_time": MAX_SECONDS}
    ((matched, sampled),) = errand.query(
        f"SELECT count(), countIf(is_sampled) FROM ({matches})", settings=settings
    ).result_rows
    calls = sampled * len(rule.scorers)
    return rules_pb2.TestScoringRuleResponse(
        rule=write_rule(rule),
        matched=matched,
        sampled=sampled,
        calls=calls,
        estimated_cost=_estimated_cost(errand, rule, sampled),
        sample=_sample(errand, rule, matches, rows),
    )


def _sample(errand: Errand, rule: Rule, matches: str, rows: int) -> list[str]:
    """Sampled rows as JSON, newest first."""
    found = errand.query(
        "SELECT project, trace_id, span_id, group_key, toUnixTimestamp64Nano(created) AS created_ns, "
        f"toUnixTimestamp64Nano(ended) AS ended_ns, probability FROM ({matches}) WHERE is_sampled "
        f"ORDER BY created_ns DESC LIMIT {rows}"
    ).named_results()
    tasks = [_task(rule, number, row) for number, row in enumerate(found)]
    if not tasks:
        return []
    read = RowReader(errand, lambda *_: rule).read(tasks)
    return [read[task.id].text for task in tasks if task.id in read]


def _task(rule: Rule, number: int, row: Any) -> Task:
    return Task(
        id=str(number), rule_id=rule.rule_id, revision=rule.revision, scorer="", run="", backfill="", **dict(row)
    )


def _estimated_cost(errand: Errand, rule: Rule, sampled: int) -> float | None:
    """US dollars; None when some scorer asks a model and was never called."""
    total = 0.0
    for scorer in rule.scorers:
        parameters = {"database": errand.database, "scorer": scorer.name, "project": rule.project}
        ((per_call, calls),) = errand.query(COST_OF_A_CALL, parameters).result_rows
        if not calls and scorer.module:
            return None
        total += (per_call if calls else 0.0) * sampled
    return total
