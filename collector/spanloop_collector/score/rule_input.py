"""A rule of a request, read and checked field by field; what SQL says is checked in `condition.py`."""

from __future__ import annotations

import math
import re
from typing import Any

from spanloop.scoring import ScoreError, ScorerSpec, check_spec
from spanloop.v1 import rules_pb2

from spanloop_collector.api.json_codec import parse_json, write_json
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.score import rule as defaults
from spanloop_collector.score.rule import EACH, FIRST, GROUP, SCOPES, SPAN, Boost, Budget, Rule, RuleScope, RuleScorer

MAX_NAME_CHARACTERS = 100
MAX_TRACES = 64
OPERATORS_OPTIONS = ("api_key", "base_url", "client")
"""Where a model is asked and with which key: whoever may make rules must not send the operator's key elsewhere."""

_NAME = re.compile(r"[\w.\- ]+")
_USE = re.compile(r"[\w.]+(?::\w+)?|[\w./\-]+\.py:\w+")
_PATH = re.compile(r"(metadata|metrics)\.([\w.\-]+)")


def read_rule(given: rules_pb2.ScoringRule, *, project: str) -> Rule:
    """The rule; raises InvalidRequestError that names the field."""
    rule = Rule(
        project=given.project or project,
        name=_name(given.name, "rule.name"),
        description=given.description,
        scorers=_scorers(given),
        sampling_rate=_rate(given.sampling_rate if given.HasField("sampling_rate") else 1.0, "rule.sampling_rate"),
        filter=given.filter.strip(),
        scope=_scope(given.scope),
        enabled=given.enabled if given.HasField("enabled") else True,
        boosts=tuple(_boost(boost, f"rule.boosts[{number}]") for number, boost in enumerate(given.boosts)),
        budget=Budget(
            _not_negative(given.budget.scores_per_minute, "rule.budget.scores_per_minute"),
            _not_negative(given.budget.cost_per_day, "rule.budget.cost_per_day"),
        ),
    )
    return rule


def read_scorer(given: rules_pb2.RuleScorer, path: str) -> RuleScorer:
    """The scorer with every default filled in; raises InvalidRequestError that names the field below `path`."""
    if not _USE.fullmatch(given.use):
        raise _invalid(
            f"{path}.use", f"expected a built-in, judge, autoevals.NAME or module:function, got {given.use!r:.100}"
        )
    options = _options(given, path)
    spec = ScorerSpec(given.use, given.name, options)
    _try(spec, path)
    needs_model = spec.is_code or given.use == "judge" or given.use.startswith("autoevals.")
    return RuleScorer(
        use=given.use,
        name=_name(spec.score_name, f"{path}.name"),
        options=options,
        concurrency=_whole(given.concurrency, f"{path}.concurrency")
        or (defaults.DEFAULT_CONCURRENCY if needs_model else 1),
        timeout_seconds=_not_negative(given.timeout_seconds, f"{path}.timeout_seconds")
        or defaults.DEFAULT_TIMEOUT_SECONDS,
        memory_mib=_whole(given.memory_mib, f"{path}.memory_mib") or defaults.DEFAULT_MEMORY_MIB,
        calls_per_minute=_not_negative(given.calls_per_minute, f"{path}.calls_per_minute"),
        max_attempts=_whole(given.max_attempts, f"{path}.max_attempts") or defaults.DEFAULT_ATTEMPTS,
    )


def write_rule(rule: Rule, *, failure: str = "") -> rules_pb2.ScoringRule:
    """The rule as a message."""
    scope, budget = rule.scope, rule.budget
    return rules_pb2.ScoringRule(
        name=rule.name,
        project=rule.project,
        description=rule.description,
        scorers=[_write_scorer(scorer) for scorer in rule.scorers],
        sampling_rate=rule.sampling_rate,
        filter=rule.filter,
        scope=rules_pb2.RuleScope(
            type=scope.type,
            root_spans=scope.root_spans,
            span_names=scope.span_names,
            idle_seconds=scope.idle_seconds,
            group_by=scope.group_by,
            placement=scope.placement,
            interval_seconds=scope.interval_seconds,
            max_traces=scope.max_traces,
        ),
        enabled=rule.enabled,
        boosts=[rules_pb2.RuleBoost(filter=boost.filter, sampling_rate=boost.sampling_rate) for boost in rule.boosts],
        budget=rules_pb2.RuleBudget(scores_per_minute=budget.scores_per_minute, cost_per_day=budget.cost_per_day),
        version=rule.version,
        revision=rule.revision,
        failure=failure,
    )


def _write_scorer(scorer: RuleScorer) -> rules_pb2.RuleScorer:
    return rules_pb2.RuleScorer(
        use=scorer.use,
        name=scorer.name,
        options=write_json(dict(scorer.options)) if scorer.options else None,
        concurrency=scorer.concurrency,
        timeout_seconds=scorer.timeout_seconds,
        memory_mib=scorer.memory_mib,
        calls_per_minute=scorer.calls_per_minute,
        max_attempts=scorer.max_attempts,
    )


def _name(name: str, path: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_CHARACTERS:
        raise _invalid(
            path,
            f"expected 1 to {MAX_NAME_CHARACTERS} letters, digits, dots, dashes, underscores and spaces, "
            f"got {name!r:.120}",
        )
    return name


def _scorers(given: rules_pb2.ScoringRule) -> tuple[RuleScorer, ...]:
    if not given.scorers:
        raise _invalid("rule.scorers", "a rule needs at least one scorer")
    scorers = tuple(read_scorer(scorer, f"rule.scorers[{number}]") for number, scorer in enumerate(given.scorers))
    names = [scorer.name for scorer in scorers]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise _invalid("rule.scorers", f"two scorers are called {repeated!r}; give one of them a name of its own")
    return scorers


def _options(given: rules_pb2.RuleScorer, path: str) -> dict[str, Any]:
    options = parse_json(given.options) if given.HasField("options") else {}
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise _invalid(f"{path}.options", "expected an object")
    for name in OPERATORS_OPTIONS:
        if name in options:
            raise _invalid(
                f"{path}.options.{name}",
                "is not taken from callers; OPENAI_BASE_URL and OPENAI_API_KEY of the workers say which model is asked",
            )
    return options


def _try(spec: ScorerSpec, path: str) -> None:
    try:
        check_spec(spec)
    except ScoreError as error:
        raise _invalid(path, str(error)) from None


def _scope(given: rules_pb2.RuleScope) -> RuleScope:
    path = "rule.scope"
    kind = given.type or SPAN
    if kind not in SCOPES:
        raise _invalid(f"{path}.type", f"expected one of {', '.join(SCOPES)}, got {given.type!r:.50}")
    if kind != SPAN and (given.root_spans or given.span_names):
        raise _invalid(f"{path}.span_names", f"only scope span has root_spans and span_names, not {kind}")
    group_by = _PATH.sub(lambda match: f"{match[1]}['{match[2]}']", given.group_by.strip())
    if (kind == GROUP) != bool(group_by):
        raise _invalid(f"{path}.group_by", "is needed for scope group, and for no other")
    placement = given.placement or FIRST
    if placement not in (FIRST, EACH):
        raise _invalid(f"{path}.placement", f"expected first or each, got {given.placement!r:.50}")
    interval = _not_negative(given.interval_seconds, f"{path}.interval_seconds")
    if (placement == EACH) != bool(interval):
        raise _invalid(f"{path}.interval_seconds", "is needed for placement each, and for no other")
    max_traces = _whole(given.max_traces, f"{path}.max_traces") or defaults.DEFAULT_MAX_TRACES
    if max_traces > MAX_TRACES:
        raise _invalid(f"{path}.max_traces", f"expected at most {MAX_TRACES}, got {max_traces}")
    return RuleScope(
        type=kind,
        root_spans=given.root_spans,
        span_names=tuple(given.span_names),
        idle_seconds=_not_negative(given.idle_seconds, f"{path}.idle_seconds") or defaults.DEFAULT_IDLE_SECONDS,
        group_by=group_by,
        placement=placement,
        interval_seconds=interval,
        max_traces=max_traces,
    )


def _boost(given: rules_pb2.RuleBoost, path: str) -> Boost:
    if not given.filter.strip():
        raise _invalid(f"{path}.filter", "is empty; say when more rows are sampled")
    return Boost(given.filter.strip(), _rate(given.sampling_rate, f"{path}.sampling_rate"))


def _rate(rate: float, path: str) -> float:
    if not 0 <= rate <= 1:
        raise _invalid(path, f"expected a number from 0 to 1, got {rate}")
    return rate


def _not_negative(number: float, path: str) -> float:
    if not (number >= 0 and math.isfinite(number)):
        raise _invalid(path, f"expected 0 or more, got {number}")
    return number


def _whole(number: int, path: str) -> int:
    if not 0 <= number <= 1_000_000:
        raise _invalid(path, f"expected 0 to 1000000, got {number}")
    return number


def _invalid(path: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(f"{path}: {message}", field=path)
