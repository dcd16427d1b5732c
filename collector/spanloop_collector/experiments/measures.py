"""What is measured for each case: its scores, scores made of these, and metrics; each as SQL over a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.row_input import is_number
from spanloop_collector.errors import invalid
from spanloop_collector.schema.fragments import sql_text

if TYPE_CHECKING:
    from spanloop_collector.experiments.statistics import Numbers

TASK_SECONDS = "task_duration"
"""Metric of a case's row: how long its task took, without the scorers."""
HIDDEN_METRICS = frozenset({"start", "end", TASK_SECONDS})

USAGE = {
    "llm_calls": ("count()", ""),
    "llm_duration": ("sum(duration)", "s"),
    "prompt_tokens": ("sum(metrics['prompt_tokens'])", "tokens"),
    "completion_tokens": ("sum(metrics['completion_tokens'])", "tokens"),
    "total_tokens": ("sum(tokens)", "tokens"),
    "cost": ("sum(cost)", "$"),
}
"""What a case's model calls add up to: SQL over its rows of type llm, and the unit."""

LOWER_IS_BETTER = frozenset({"duration", "errors", "time_to_first_token", *USAGE})


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that each row of an experiment may have a value of."""

    name: str
    sql: str
    """Its value, NaN for a row without."""
    is_score: bool
    unit: str = ""
    is_lower_better: bool = False

    def gain(self, difference: Numbers) -> Numbers:
        """The differences, counted so that more is better."""
        return -difference if self.is_lower_better else difference


def quantities(
    score_names: Iterable[str],
    metric_names: Iterable[str],
    aggregates: Sequence[pb.AggregateScore],
    *,
    has_usage: bool,
    lower_is_better: Iterable[str],
) -> list[Quantity]:
    """Everything that can be measured, scores first."""
    lower = LOWER_IS_BETTER | set(lower_is_better)
    known = sorted(score_names)
    scores = {name: _member("scores", name) for name in known}
    for number, aggregate in enumerate(aggregates):
        name, sql = aggregate_sql(aggregate, path=f"aggregates[{number}]", known=known)
        scores[name] = sql
    metrics = {"duration": (f"if(mapContains(metrics, '{TASK_SECONDS}'), metrics['{TASK_SECONDS}'], duration)", "s")}
    if has_usage:
        metrics |= {name: (f"if(usage.llm_calls > 0, usage.{name}, nan)", unit) for name, (_, unit) in USAGE.items()}
    for name in sorted(set(metric_names) - HIDDEN_METRICS - metrics.keys()):
        metrics[name] = (_member("metrics", name), "")
    return [
        *(Quantity(name, sql, True, is_lower_better=name in lower) for name, sql in scores.items()),
        *(Quantity(name, sql, False, unit, name in lower) for name, (sql, unit) in metrics.items()),
    ]


def _member(column: str, name: str) -> str:
    key = sql_text(name)
    return f"if(mapContains({column}, {key}), {column}[{key}], nan)"


def asked_change(order_by: str) -> tuple[str, str]:
    """Of `regressions:accuracy`: regressions or improvements, and the score, empty for all; two empty texts for SQL."""
    change, _, score = (order_by or "regressions").partition(":")
    return (change, score) if change in ("regressions", "improvements") else ("", "")


def aggregate_sql(aggregate: pb.AggregateScore, *, path: str, known: Sequence[str]) -> tuple[str, str]:
    """Name and SQL of a score made of others."""
    given = [name for name in ("weights", "minimum", "maximum", "formula") if getattr(aggregate, name)]
    if not aggregate.name or len(given) != 1:
        raise invalid(path, "needs a name and exactly one of weights, minimum, maximum and formula")
    if aggregate.formula:
        return aggregate.name, f"toFloat64({aggregate.formula})"
    weights = _weights(aggregate, path)
    unknown = sorted(set(weights) - set(known))
    if unknown:
        raise invalid(f"{path}.{given[0]}", f"there is no score {unknown[0]!r}; scores are: {', '.join(known)}")
    if given[0] == "weights":
        return aggregate.name, _weighted(weights)
    values = ", ".join(_member("scores", name) for name in weights)
    present = f"arrayFilter(value -> NOT isNaN(value), [{values}])"
    function = "arrayMin" if given[0] == "minimum" else "arrayMax"
    return aggregate.name, f"if(empty({present}), nan, {function}({present}))"


def _weights(aggregate: pb.AggregateScore, path: str) -> Mapping[str, float]:
    if not aggregate.weights:
        return dict.fromkeys([*aggregate.minimum, *aggregate.maximum], 1.0)
    weights = parse_json(aggregate.weights)
    if not isinstance(weights, dict) or not weights or not all(is_number(w) and w >= 0 for w in weights.values()):
        raise invalid(f"{path}.weights", f"expected an object of score → number of at least 0, got {weights!r:.100}")
    return {name: float(weight) for name, weight in weights.items()}


def _weighted(weights: Mapping[str, float]) -> str:
    """The weighted mean of the scores that a row has."""
    parts = [(f"mapContains(scores, {sql_text(name)})", name, weight) for name, weight in weights.items()]
    total = " + ".join(f"if({has}, scores[{sql_text(name)}] * {weight!r}, 0)" for has, name, weight in parts)
    weight = " + ".join(f"if({has}, {weight!r}, 0)" for has, _, weight in parts)
    return f"if(({weight}) > 0, ({total}) / ({weight}), nan)"
