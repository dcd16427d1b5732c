from spanloop.v1 import annotations_pb2 as _annotations_pb2
from spanloop.v1 import scoring_pb2 as _scoring_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RuleScorer(_message.Message):
    __slots__ = ("use", "name", "options", "concurrency", "timeout_seconds", "memory_mib", "calls_per_minute", "max_attempts")
    USE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_MIB_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    use: str
    name: str
    options: str
    concurrency: int
    timeout_seconds: float
    memory_mib: int
    calls_per_minute: float
    max_attempts: int
    def __init__(self, use: _Optional[str] = ..., name: _Optional[str] = ..., options: _Optional[str] = ..., concurrency: _Optional[int] = ..., timeout_seconds: _Optional[float] = ..., memory_mib: _Optional[int] = ..., calls_per_minute: _Optional[float] = ..., max_attempts: _Optional[int] = ...) -> None: ...

class ListScorersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListScorersResponse(_message.Message):
    __slots__ = ("scorers",)
    SCORERS_FIELD_NUMBER: _ClassVar[int]
    scorers: _containers.RepeatedCompositeFieldContainer[KnownScorer]
    def __init__(self, scorers: _Optional[_Iterable[_Union[KnownScorer, _Mapping]]] = ...) -> None: ...

class KnownScorer(_message.Message):
    __slots__ = ("use", "description")
    USE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    use: str
    description: str
    def __init__(self, use: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class RuleBoost(_message.Message):
    __slots__ = ("filter", "sampling_rate")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_RATE_FIELD_NUMBER: _ClassVar[int]
    filter: str
    sampling_rate: float
    def __init__(self, filter: _Optional[str] = ..., sampling_rate: _Optional[float] = ...) -> None: ...

class RuleScope(_message.Message):
    __slots__ = ("type", "root_spans", "span_names", "idle_seconds", "group_by", "placement", "interval_seconds", "max_traces")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ROOT_SPANS_FIELD_NUMBER: _ClassVar[int]
    SPAN_NAMES_FIELD_NUMBER: _ClassVar[int]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_TRACES_FIELD_NUMBER: _ClassVar[int]
    type: str
    root_spans: bool
    span_names: _containers.RepeatedScalarFieldContainer[str]
    idle_seconds: float
    group_by: str
    placement: str
    interval_seconds: float
    max_traces: int
    def __init__(self, type: _Optional[str] = ..., root_spans: _Optional[bool] = ..., span_names: _Optional[_Iterable[str]] = ..., idle_seconds: _Optional[float] = ..., group_by: _Optional[str] = ..., placement: _Optional[str] = ..., interval_seconds: _Optional[float] = ..., max_traces: _Optional[int] = ...) -> None: ...

class RuleBudget(_message.Message):
    __slots__ = ("scores_per_minute", "cost_per_day")
    SCORES_PER_MINUTE_FIELD_NUMBER: _ClassVar[int]
    COST_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    scores_per_minute: float
    cost_per_day: float
    def __init__(self, scores_per_minute: _Optional[float] = ..., cost_per_day: _Optional[float] = ...) -> None: ...

class ScoringRule(_message.Message):
    __slots__ = ("name", "project", "description", "scorers", "sampling_rate", "filter", "scope", "enabled", "boosts", "budget", "version", "revision", "failure")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SCORERS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_RATE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    BOOSTS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    description: str
    scorers: _containers.RepeatedCompositeFieldContainer[RuleScorer]
    sampling_rate: float
    filter: str
    scope: RuleScope
    enabled: bool
    boosts: _containers.RepeatedCompositeFieldContainer[RuleBoost]
    budget: RuleBudget
    version: int
    revision: int
    failure: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., description: _Optional[str] = ..., scorers: _Optional[_Iterable[_Union[RuleScorer, _Mapping]]] = ..., sampling_rate: _Optional[float] = ..., filter: _Optional[str] = ..., scope: _Optional[_Union[RuleScope, _Mapping]] = ..., enabled: _Optional[bool] = ..., boosts: _Optional[_Iterable[_Union[RuleBoost, _Mapping]]] = ..., budget: _Optional[_Union[RuleBudget, _Mapping]] = ..., version: _Optional[int] = ..., revision: _Optional[int] = ..., failure: _Optional[str] = ...) -> None: ...

class PutScoringRuleRequest(_message.Message):
    __slots__ = ("rule",)
    RULE_FIELD_NUMBER: _ClassVar[int]
    rule: ScoringRule
    def __init__(self, rule: _Optional[_Union[ScoringRule, _Mapping]] = ...) -> None: ...

class PutScoringRuleResponse(_message.Message):
    __slots__ = ("rule", "outcome")
    RULE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    rule: ScoringRule
    outcome: str
    def __init__(self, rule: _Optional[_Union[ScoringRule, _Mapping]] = ..., outcome: _Optional[str] = ...) -> None: ...

class ListScoringRulesRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListScoringRulesResponse(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[ScoringRule]
    def __init__(self, rules: _Optional[_Iterable[_Union[ScoringRule, _Mapping]]] = ...) -> None: ...

class EnableScoringRuleRequest(_message.Message):
    __slots__ = ("name", "project", "enabled")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    enabled: bool
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., enabled: _Optional[bool] = ...) -> None: ...

class DeleteScoringRuleRequest(_message.Message):
    __slots__ = ("name", "project")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class DeleteScoringRuleResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TestScoringRuleRequest(_message.Message):
    __slots__ = ("rule", "hours", "rows")
    RULE_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rule: ScoringRule
    hours: float
    rows: int
    def __init__(self, rule: _Optional[_Union[ScoringRule, _Mapping]] = ..., hours: _Optional[float] = ..., rows: _Optional[int] = ...) -> None: ...

class TestScoringRuleResponse(_message.Message):
    __slots__ = ("rule", "matched", "sampled", "calls", "estimated_cost", "sample")
    RULE_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_COST_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    rule: ScoringRule
    matched: int
    sampled: int
    calls: int
    estimated_cost: float
    sample: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rule: _Optional[_Union[ScoringRule, _Mapping]] = ..., matched: _Optional[int] = ..., sampled: _Optional[int] = ..., calls: _Optional[int] = ..., estimated_cost: _Optional[float] = ..., sample: _Optional[_Iterable[str]] = ...) -> None: ...

class TryScorerRequest(_message.Message):
    __slots__ = ("scorer", "rows")
    SCORER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    scorer: RuleScorer
    rows: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scorer: _Optional[_Union[RuleScorer, _Mapping]] = ..., rows: _Optional[_Iterable[str]] = ...) -> None: ...

class StartBackfillRequest(_message.Message):
    __slots__ = ("name", "project", "since", "until", "filter", "all", "again", "failed")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    since: str
    until: str
    filter: str
    all: bool
    again: bool
    failed: bool
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., since: _Optional[str] = ..., until: _Optional[str] = ..., filter: _Optional[str] = ..., all: _Optional[bool] = ..., again: _Optional[bool] = ..., failed: _Optional[bool] = ...) -> None: ...

class Backfill(_message.Message):
    __slots__ = ("id", "project", "rule", "state", "since", "until", "matched", "queued", "done", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    rule: str
    state: str
    since: str
    until: str
    matched: int
    queued: int
    done: int
    error: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., rule: _Optional[str] = ..., state: _Optional[str] = ..., since: _Optional[str] = ..., until: _Optional[str] = ..., matched: _Optional[int] = ..., queued: _Optional[int] = ..., done: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class ListBackfillsRequest(_message.Message):
    __slots__ = ("project", "rule")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    project: str
    rule: str
    def __init__(self, project: _Optional[str] = ..., rule: _Optional[str] = ...) -> None: ...

class ListBackfillsResponse(_message.Message):
    __slots__ = ("backfills",)
    BACKFILLS_FIELD_NUMBER: _ClassVar[int]
    backfills: _containers.RepeatedCompositeFieldContainer[Backfill]
    def __init__(self, backfills: _Optional[_Iterable[_Union[Backfill, _Mapping]]] = ...) -> None: ...

class StopBackfillRequest(_message.Message):
    __slots__ = ("id", "project")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...
