"""Sampling: as much as was asked for, the same every time, small samples inside larger ones."""

from __future__ import annotations

import math

from spanloop_collector.score.matching import is_sampled, rows_of, select_matches, select_tasks
from spanloop_collector.score.rule import Rule, RuleScorer
from spanloop_collector.store import Store

TRACES = 1_000_000
RATES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.9, 1.0)
TRACE_IDS = f"(SELECT lower(hex(sipHash128(number))) AS trace_id FROM numbers({TRACES}))"


def test_observed_rates_are_within_three_standard_errors(store: Store) -> None:
    counts = ", ".join(f"countIf({is_sampled('trace_id', repr(rate))})" for rate in RATES)
    (observed,) = store.query(f"SELECT {counts} FROM {TRACE_IDS}").result_rows

    for rate, count in zip(RATES, observed, strict=True):
        error = math.sqrt(rate * (1 - rate) / TRACES)
        assert abs(count / TRACES - rate) <= 3 * error, rate


def test_a_small_sample_lies_inside_a_larger_one(store: Store) -> None:
    outside = f"countIf({is_sampled('trace_id', '0.05')} AND NOT {is_sampled('trace_id', '0.1')})"
    assert store.column(f"SELECT {outside} FROM {TRACE_IDS}") == [0]
    nothing, everything = (f"countIf({is_sampled('trace_id', rate)})" for rate in ("0.", "1."))
    assert store.query(f"SELECT {nothing}, {everything} FROM {TRACE_IDS}").result_rows[0] == (0, TRACES)


def test_one_statement_serves_rules_of_every_scope(store: Store) -> None:
    from spanloop_collector.score.rule import RuleScope

    scorers = (RuleScorer("is_json", "is_json"),)
    rules = [
        Rule("p", "spans", scorers, filter="type = 'llm'"),
        Rule("p", "traces", scorers, scope=RuleScope(type="trace")),
        Rule("", "groups", scorers, scope=RuleScope(type="group", group_by="metadata['s']")),
        Rule("other", "elsewhere", scorers),
    ]
    store.command(
        f"INSERT INTO {store.database}.spans (project, created, end_time, trace_id, span_id, type, metrics, metadata) "
        "SELECT 'p', now64(9), now64(9), toString(intDiv(number, 3)), toString(number), "
        "['llm', 'tool', 'score'][number % 3 + 1], map('end', 1), map('s', 'x') FROM numbers(6)"
    )
    # What came is looked at in a cheaper way than what is tried or backfilled; both must say the same.
    named = " ".join(condition for rule in rules for condition in rule.conditions())
    just_came = select_tasks(rules, rows_of(store.database, "1", mentioned_in=named))
    select = select_matches(rules, rows_of(store.database, "1"))
    (found, again) = (
        store.query(
            f"SELECT rule_id, trace_id, span_id, group_key FROM ({each}) WHERE is_sampled "
            "ORDER BY rule_id, trace_id, span_id"
        ).result_rows
        for each in (select, just_came)
    )
    assert found == again
    counts = store.query(f"SELECT rule_id, sum(matched), sum(sampled) FROM ({just_came}) GROUP BY rule_id").result_rows
    assert {rule.name: (m, n) for rule in rules for id, m, n in counts if id == rule.rule_id} == {
        "spans": (2, 2),
        "traces": (2, 2),
        "groups": (2, 2),
    }

    by_rule = {rule.name: [tuple(row[1:]) for row in found if row[0] == rule.rule_id] for rule in rules}
    assert by_rule == {
        "spans": [("0", "0", ""), ("1", "3", "")],
        "traces": [("0", "", ""), ("1", "", "")],
        "groups": [("", "", "x")],
        "elsewhere": [],
    }
