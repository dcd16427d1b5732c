"""SQL that says which rows a rule matches, and which of those are in its sample.

Sampling hashes the trace, or the group: whole traces together, the same on every collector, and a small rate's sample
lies inside a larger one's.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from spanloop_collector.schema import fragments
from spanloop_collector.schema.fragments import HAS_ENDED, sql_text
from spanloop_collector.score.rule import EACH, GROUP, SPAN, Rule

# Rows that are fully logged, by an application: what scorers write is never scored.
SCORABLE = (
    f"{HAS_ENDED} AND type != 'score' AND resource['spanloop.purpose'] != 'scorer' "
    "AND metadata['spanloop.purpose'] != 'scorer'"
)

NEEDED_COLUMNS = frozenset(
    {
        "project",
        "trace_id",
        "span_id",
        "parent_id",
        "name",
        "type",
        "metadata",
        "resource",
        "created",
        "end_time",
    }
)
"""What every rule's SQL reads."""

MATCH_COLUMNS = (
    "project, rule_id, rule_version, scorers, trace_id, span_id, group_key, created, ended, probability, is_sampled, "
    "run, backfill, matched, sampled"
)


@functools.cache
def row_columns() -> dict[str, str]:
    """The columns of `logs` by name, each as it is selected from `spans`."""
    lines = [
        line.strip().removesuffix(",")
        for line in fragments.row_columns().splitlines()
        if line.strip() and "--" not in line
    ]
    return {line.rpartition(" AS ")[2]: line for line in lines}


def rows_of(database: str, where: str, *, is_final: bool = False, mentioned_in: str | None = None) -> str:
    """SQL for production's rows in the shape of `logs`; without FINAL, every version that the condition finds.

    With `mentioned_in` only the columns that this text names: each one more costs time before the first row.
    """
    final = " FINAL" if is_final else ""
    words = None if mentioned_in is None else set(re.findall(r"\w+", mentioned_in)) | NEEDED_COLUMNS
    columns = ", ".join(text for name, text in row_columns().items() if words is None or name in words)
    return f"(SELECT {columns} FROM {database}.spans{final} WHERE experiment_id = '' AND {where})"


def is_match(rule: Rule) -> str:
    """SQL for whether a row is one of those that the rule is for."""
    # With AND any number is a truth, as it is after WHERE.
    parts = ["1"] + ([f"({rule.filter})"] if rule.filter else [])
    if rule.project:
        parts.append(f"project = {sql_text(rule.project)}")
    if rule.scope.type == SPAN and (rule.scope.root_spans or rule.scope.span_names):
        names = ", ".join(map(sql_text, rule.scope.span_names))
        either = [f"name IN ({names})"] if names else []
        either += ["parent_id = ''"] if rule.scope.root_spans else []
        parts.append(f"({' OR '.join(either)})")
    if rule.scope.type == GROUP:
        parts.append(f"toString({rule.scope.group_by}) != ''")
    return " AND ".join(parts)


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


def match_tuple(rule: Rule, *, run: str = "", backfill: str = "", rate: str = "", among: str = "") -> str:
    """SQL for a row's line in `scoring_matches`, without what is the same for every rule: see `select_matches`."""
    scope, chance = rule.scope.type, rate or probability(rule)
    key = group_key(rule)
    sample_key = f"toString({rule.scope.group_by})" if scope == GROUP else "trace_id"
    scorers = f"[{', '.join(sql_text(scorer.name) for scorer in rule.scorers)}]"
    if among:
        scorers = f"arrayFilter(name -> has({among}, name), {scorers})"
    return (
        f"tuple({sql_text(rule.rule_id)}, toUInt32({rule.revision}), {scorers}, "
        f"{'trace_id' if scope != GROUP else sql_text('')}, {'span_id' if scope == SPAN else sql_text('')}, {key}, "
        f"toFloat64({chance}), {is_sampled(sample_key, chance)}, {sql_text(run)}, {sql_text(backfill)})"
    )


def select_matches(
    rules: Sequence[Rule], rows: str, *, run: str = "", backfill: str = "", rate: str = "", among: str = ""
) -> str:
    """A SELECT of the columns of `scoring_matches`: each row once for each rule that it matches.

    `rows` is read once, whatever the number of rules. A trace or a group is one line, however many rows it has.
    `among` is a column of `rows` with the names of the only scorers that count for the row.
    """
    cases = ", ".join(
        f"if({is_match(rule)}, [{match_tuple(rule, run=run, backfill=backfill, rate=rate, among=among)}], [])"
        for rule in rules
    )
    spans = (
        f"SELECT project, hit.1 AS rule_id, hit.2 AS rule_version, hit.3 AS scorers, hit.4 AS trace_id, "
        f"hit.5 AS span_id, hit.6 AS group_key, row_created AS created, row_ended AS ended, hit.7 AS probability, "
        f"hit.8 AS is_sampled, hit.9 AS run, hit.10 AS backfill FROM (SELECT project, created AS row_created, "
        f"end_time AS row_ended, arrayConcat({cases}) AS hits FROM {rows} WHERE {SCORABLE}) ARRAY JOIN hits AS hit"
    )
    if all(rule.scope.type == SPAN for rule in rules):
        return f"SELECT {MATCH_COLUMNS} FROM (SELECT *, 1 AS matched, toUInt64(is_sampled) AS sampled FROM ({spans}))"
    # The earliest row stands for a trace or a group; a boost on any of its rows counts for all of it.
    return (
        "SELECT project, rule_id, rule_version, any(scorers) AS scorers, trace_id, span_id, group_key, "
        "min(spans.created) AS created, max(spans.ended) AS ended, max(spans.probability) AS probability, "
        "max(spans.is_sampled) AS is_sampled, any(spans.run) AS run, any(spans.backfill) AS backfill, "
        "1 AS matched, toUInt64(is_sampled) AS sampled "
        f"FROM ({spans}) AS spans GROUP BY project, rule_id, rule_version, trace_id, span_id, group_key"
    )


def select_tasks(rules: Sequence[Rule], rows: str) -> str:
    """A SELECT of the columns of `scoring_matches` for rows that just came: tasks, and a line of counts for each rule.

    Says what `select_matches` says for a fraction of its cost, since this runs for everything that comes in. What
    matches is one byte for each rule and row; only rows in a sample become more than that.
    """
    count = len(rules)
    return f"""
        SELECT project, {_by_rule([r.rule_id for r in rules])} AS rule_id, {_by_rule([r.revision for r in rules])}
            AS rule_version, {_by_rule([[s.name for s in r.scorers] for r in rules])} AS scorers,
            line.2 AS trace_id, line.3 AS span_id, line.4 AS group_key, line.5 AS created, line.6 AS ended,
            line.7 AS probability, line.8 AS is_sampled, '' AS run, '' AS backfill, line.9 AS matched,
            line.10 AS sampled
        FROM
        (
            SELECT project, arrayJoin(arrayConcat(
                arrayMap((number, matched, sampled) -> (number, '', '', '', {EPOCH}, {EPOCH}, 0., false,
                    toUInt64(matched), toUInt64(sampled)), range(1, {count + 1}), [{_counts("is_match", rules)}],
                    [{_counts("is_chosen", rules)}]),
                arrayFlatten(arrayMap(row -> arrayMap(number -> (number, if({_by_number(_traces(rules))}, row.1, ''),
                    if({_by_number(_spans(rules))}, row.2, ''), row.6[number], row.3, row.4, row.5[number], true,
                    toUInt64(0), toUInt64(0)), arrayFilter(number -> row.7[number] = 1, range(1, {count + 1}))),
                    groupArrayIf((trace_id, span_id, created, end_time, rates, keys, is_chosen), has(is_chosen, 1))))
            )) AS line
            FROM
            (
                SELECT project, trace_id, span_id, created, end_time,
                    cityHash64(trace_id) / 18446744073709551616. AS position,
                    [{", ".join(f"toUInt8({is_match(rule)})" for rule in rules)}] AS is_match,
                    [{", ".join(_is_chosen(number, rule) for number, rule in enumerate(rules, 1))}] AS is_chosen,
                    {_of_chosen([f"toFloat64({probability(rule)})" for rule in rules])} AS rates,
                    {_of_chosen([group_key(rule) for rule in rules])} AS keys
                FROM {rows}
                WHERE {SCORABLE}
            )
            GROUP BY project
        )
        WHERE is_sampled OR matched > 0
        LIMIT 1 BY project, rule_id, trace_id, span_id, group_key, is_sampled
    """


EPOCH = "toDateTime64(0, 9, 'UTC')"


def _is_chosen(number: int, rule: Rule) -> str:
    if rule.scope.type == GROUP:
        return f"toUInt8(is_match[{number}] AND {is_sampled(f'toString({rule.scope.group_by})', probability(rule))})"
    if not rule.boosts and rule.sampling_rate >= 1:
        return f"is_match[{number}]"
    rate = probability(rule)
    return f"toUInt8(is_match[{number}] AND ({rate} >= 1 OR position < {rate}))"


def _of_chosen(values: Sequence[str]) -> str:
    """SQL for an array that is made for rows in a sample only, or once where it is the same for all."""
    text = f"[{', '.join(values)}]"
    is_constant = all(re.fullmatch(r"''|toFloat64\([\d.e+-]+\)", value) for value in values)
    return text if is_constant else f"if(has(is_chosen, 1), {text}, [])"


def _counts(flags: str, rules: Sequence[Rule]) -> str:
    """SQL for how many each rule has: rows, or traces where it is these that are scored."""
    return ", ".join(
        f"countIf({flags}[{number}])" if rule.scope.type == SPAN else f"uniqExactIf(trace_id, {flags}[{number}])"
        for number, rule in enumerate(rules, 1)
    )


def _traces(rules: Sequence[Rule]) -> list[int]:
    return [int(rule.scope.type != GROUP) for rule in rules]


def _spans(rules: Sequence[Rule]) -> list[int]:
    return [int(rule.scope.type == SPAN) for rule in rules]


def _by_number(flags: Sequence[int]) -> str:
    return f"{list(flags)}[number]"


def _by_rule(values: Sequence[object]) -> str:
    """SQL for the value of the line's rule."""
    return f"[{', '.join(map(_literal, values))}][line.1]"


def _literal(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return sql_text(value) if isinstance(value, str) else f"toUInt32({value})"
