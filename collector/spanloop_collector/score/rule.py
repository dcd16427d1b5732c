"""A scoring rule, as it is kept: checked, with every default filled in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

DEFAULT_IDLE_SECONDS = 30.0
DEFAULT_MAX_TRACES = 16
DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_MEMORY_MIB = 1024
DEFAULT_ATTEMPTS = 4
DEFAULT_CONCURRENCY = 4

OPENAI, AUTOEVALS = "openai", "autoevals"
LIBRARIES = (OPENAI, AUTOEVALS)
"""What scorers that ask models need."""

SPAN, TRACE, GROUP = "span", "trace", "group"
SCOPES = (SPAN, TRACE, GROUP)
FIRST, EACH = "first", "each"


@dataclass(frozen=True, slots=True)
class RuleScorer:
    """A scorer with its limits; see `RuleScorer` in rules.proto."""

    use: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int = DEFAULT_CONCURRENCY
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    memory_mib: int = DEFAULT_MEMORY_MIB
    calls_per_minute: float = 0.0
    max_attempts: int = DEFAULT_ATTEMPTS

    @property
    def module(self) -> str:
        """What a worker must have to call it; empty when any worker can."""
        if ":" in self.use:
            return self.use.partition(":")[0]
        return OPENAI if self.use == "judge" else AUTOEVALS if self.use.startswith("autoevals.") else ""


@dataclass(frozen=True, slots=True)
class Boost:
    """A condition under which more rows are sampled."""

    filter: str
    sampling_rate: float


@dataclass(frozen=True, slots=True)
class RuleScope:
    """What is scored: rows, traces or groups; see `RuleScope` in rules.proto."""

    type: str = SPAN
    root_spans: bool = False
    span_names: tuple[str, ...] = ()
    idle_seconds: float = DEFAULT_IDLE_SECONDS
    group_by: str = ""
    placement: str = FIRST
    interval_seconds: float = 0.0
    max_traces: int = DEFAULT_MAX_TRACES


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a rule may score; 0 means no limit."""

    scores_per_minute: float = 0.0
    cost_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of one project, or of every project."""

    project: str
    name: str
    scorers: tuple[RuleScorer, ...]
    description: str = ""
    sampling_rate: float = 1.0
    filter: str = ""
    scope: RuleScope = field(default_factory=RuleScope)
    enabled: bool = True
    boosts: tuple[Boost, ...] = ()
    budget: Budget = field(default_factory=Budget)
    revision: int = 1
    version: int = 1

    @property
    def rule_id(self) -> str:
        """The same in every version."""
        return rule_id(self.project, self.name)

    def scorer(self, name: str) -> RuleScorer | None:
        """The scorer whose scores have this name."""
        return next((scorer for scorer in self.scorers if scorer.name == name), None)

    def conditions(self) -> list[str]:
        """All SQL that the rule carries."""
        return [self.filter, self.scope.group_by, *(boost.filter for boost in self.boosts)]

    def state(self) -> dict[str, Any]:
        """The rule as JSON, without its version."""
        return {name: value for name, value in asdict(self).items() if name != "version"}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, version: int) -> Rule:
        """The rule that `state` was made of."""
        fields = dict(state)
        scope = dict(fields["scope"])
        scope["span_names"] = tuple(scope["span_names"])
        fields["scope"] = RuleScope(**scope)
        fields["scorers"] = tuple(RuleScorer(**scorer) for scorer in fields["scorers"])
        fields["boosts"] = tuple(Boost(**boost) for boost in fields["boosts"])
        fields["budget"] = Budget(**fields["budget"])
        return cls(**fields, version=version)

    def is_same(self, other: Rule) -> bool:
        """Whether both say the same."""
        return replace(self, version=0, revision=0) == replace(other, version=0, revision=0)

    def scores_the_same(self, other: Rule) -> bool:
        """Whether a row scored by one needs no scoring by the other: only what is scored, and by what, counts."""
        return (self.filter, self.scope, self._calls()) == (other.filter, other.scope, other._calls())

    def _calls(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        return [(scorer.use, scorer.name, scorer.options) for scorer in self.scorers]


def rule_id(project: str, name: str) -> str:
    """16 digits for a rule; `views/scoring_rules.sql` computes the same."""
    return hashlib.sha256(f"{project}\0{name}".encode()).hexdigest()[:16]
