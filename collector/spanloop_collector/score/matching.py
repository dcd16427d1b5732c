"""SQL that says which rows a rule matches, and which of those are in its sample.

Sampling hashes the trace, or the group: whole traces together, the same on every collector, and a small rate's sample
lies inside a larger one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from spanloop_collector.query.catalog import sql_text
from spanloop_collector.score.rule import EACH, GROUP, SPAN, TRACE, Rule

# Rows that are fully logged, by an application: what scorers write is never scored.
SCORABLE = (
    "mapContains(metrics, 'end') AND type != 'score' AND resource['spanloop.purpose'] != 'scorer' "
    "AND metadata['spanloop.purpose'] != 'scorer'"
)

MATCH_COLUMNS = (
    "project, rule_id, rule_version, scorers, trace_id, span_id, group_key, created, ended, probability, is_sampled, "
    "run, backfill"
)


def row_columns() -> str:
    """The columns of `logs`, to be selected from `spans`."""
    return (files("spanloop_collector.schema") / "row_columns.sql").read_text()


def rows_of(database: str, where: str, *, is_final: bool = False) -> str:
    """SQL for production's rows in the shape of `logs`; without FINAL, every version that the condition finds."""
    final = " FINAL" if is_final else ""
    return f"(SELECT {row_columns()} FROM {database}.spans{final} WHERE experiment_id = '' AND {where})"


def is_match(rule: Rule) -> str:
    """SQL for whether a row is one of those that the rule is for."""
    parts = [f"({rule.filter})"] if rule.filter else []
    if rule.project:
        parts.append(f"project = {sql_text(rule.project)}")
    if rule.scope.type == SPAN and (rule.scope.root_spans or rule.scope.span_names):
        names = ", ".join(map(sql_text, rule.scope.span_names))
        either = [f"name IN ({names})"] if names else []
        either += ["parent_id = ''"] if rule.scope.root_spans else []
        parts.append(f"({' OR '.join(either)})")
    if rule.scope.type == GROUP:
        parts.append(f"toString({rule.scope.group_by}) != ''")
    return " AND ".join(parts) or "1"


def probability(rule: Rule) -> str:
    """SQL for how likely the row is to be in the sample: the highest of the rates that hold for it."""
    rates = [repr(float(rule.sampling_rate))]
    rates += [f"if({boost.filter}, {float(boost.sampling_rate)!r}, 0.)" for boost in rule.boosts]
    return f"greatest({', '.join(rates)})" if len(rates) > 1 else rates[0]


def is_sampled(key: str, rate: str) -> str:
    """SQL for whether the trace or group of this key is in the sample."""
    return f"({rate} >= 1 OR cityHash64({key}) / 18446744073709551616. < {rate})"


def group_key(rule: Rule) -> str:
    """SQL for what is scored together: the value, with the interval when there is one for each."""
    if rule.scope.type != GROUP:
        return "''"
    if rule.scope.placement != EACH:
        return f"toString({rule.scope.group_by})"
    number = f"intDiv(toUnixTimestamp(toDateTime(end_time)), {max(int(rule.scope.interval_seconds), 1)})"
    return f"concat(toString({rule.scope.group_by}), '\\n', toString({number}))"


def match_tuple(rule: Rule, *, run: str = "", backfill: str = "", rate: str = "") -> str:
    """SQL for a row's line in `scoring_matches`, without what is the same for every rule: see `select_matches`."""
    scope, chance = rule.scope.type, rate or probability(rule)
    key = group_key(rule)
    sample_key = f"toString({rule.scope.group_by})" if scope == GROUP else "trace_id"
    scorers = ", ".join(sql_text(scorer.name) for scorer in rule.scorers)
    return (
        f"tuple({sql_text(rule.rule_id)}, toUInt32({rule.revision}), [{scorers}], "
        f"{'trace_id' if scope != GROUP else sql_text('')}, {'span_id' if scope == SPAN else sql_text('')}, {key}, "
        f"toFloat64({chance}), {is_sampled(sample_key, chance)}, {sql_text(run)}, {sql_text(backfill)})"
    )


def select_matches(rules: Sequence[Rule], rows: str, *, run: str = "", backfill: str = "", rate: str = "") -> str:
    """A SELECT of the columns of `scoring_matches`: each row once for each rule that it matches.

    `rows` is read once, whatever the number of rules. A trace or a group is one line, however many rows it has.
    """
    cases = ", ".join(
        f"if({is_match(rule)}, [{match_tuple(rule, run=run, backfill=backfill, rate=rate)}], [])" for rule in rules
    )
    spans = (
        f"SELECT project, hit.1 AS rule_id, hit.2 AS rule_version, hit.3 AS scorers, hit.4 AS trace_id, "
        f"hit.5 AS span_id, hit.6 AS group_key, row_created AS created, row_ended AS ended, hit.7 AS probability, "
        f"hit.8 AS is_sampled, hit.9 AS run, hit.10 AS backfill FROM (SELECT project, created AS row_created, "
        f"end_time AS row_ended, arrayConcat({cases}) AS hits FROM {rows} WHERE {SCORABLE}) ARRAY JOIN hits AS hit"
    )
    if all(rule.scope.type == SPAN for rule in rules):
        return f"SELECT {MATCH_COLUMNS} FROM ({spans})"
    # The earliest row stands for a trace or a group; a boost on any of its rows counts for all of it.
    return (
        "SELECT project, rule_id, rule_version, any(scorers) AS scorers, trace_id, span_id, group_key, "
        "min(spans.created) AS created, max(spans.ended) AS ended, max(spans.probability) AS probability, "
        "max(spans.is_sampled) AS is_sampled, any(spans.run) AS run, any(spans.backfill) AS backfill "
        f"FROM ({spans}) AS spans GROUP BY project, rule_id, rule_version, trace_id, span_id, group_key"
    )


TRACES = (TRACE, GROUP)
"""Scopes whose tasks wait until nothing new comes."""
