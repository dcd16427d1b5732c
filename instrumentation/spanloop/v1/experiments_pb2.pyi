from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Experiment(_message.Message):
    __slots__ = ("id", "project", "name", "description", "created", "finished", "base_id", "dataset_id", "dataset_version", "metadata", "tags", "repo_info")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    REPO_INFO_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    name: str
    description: str
    created: str
    finished: str
    base_id: str
    dataset_id: str
    dataset_version: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    repo_info: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., created: _Optional[str] = ..., finished: _Optional[str] = ..., base_id: _Optional[str] = ..., dataset_id: _Optional[str] = ..., dataset_version: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., repo_info: _Optional[str] = ...) -> None: ...

class CreateExperimentRequest(_message.Message):
    __slots__ = ("project", "name", "description", "metadata", "tags", "repo_info", "base", "dataset_id", "dataset_version", "update")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    REPO_INFO_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    description: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    repo_info: str
    base: str
    dataset_id: str
    dataset_version: str
    update: bool
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., repo_info: _Optional[str] = ..., base: _Optional[str] = ..., dataset_id: _Optional[str] = ..., dataset_version: _Optional[str] = ..., update: _Optional[bool] = ...) -> None: ...

class CreateExperimentResponse(_message.Message):
    __slots__ = ("experiment", "is_new")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    is_new: bool
    def __init__(self, experiment: _Optional[_Union[Experiment, _Mapping]] = ..., is_new: _Optional[bool] = ...) -> None: ...

class ListExperimentsRequest(_message.Message):
    __slots__ = ("project", "name", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListExperimentsResponse(_message.Message):
    __slots__ = ("experiments",)
    EXPERIMENTS_FIELD_NUMBER: _ClassVar[int]
    experiments: _containers.RepeatedCompositeFieldContainer[Experiment]
    def __init__(self, experiments: _Optional[_Iterable[_Union[Experiment, _Mapping]]] = ...) -> None: ...

class GetExperimentRequest(_message.Message):
    __slots__ = ("experiment", "project", "base")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    project: str
    base: str
    def __init__(self, experiment: _Optional[str] = ..., project: _Optional[str] = ..., base: _Optional[str] = ...) -> None: ...

class GetExperimentResponse(_message.Message):
    __slots__ = ("experiment", "base", "base_reason")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    BASE_REASON_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    base: Experiment
    base_reason: str
    def __init__(self, experiment: _Optional[_Union[Experiment, _Mapping]] = ..., base: _Optional[_Union[Experiment, _Mapping]] = ..., base_reason: _Optional[str] = ...) -> None: ...

class FinishExperimentRequest(_message.Message):
    __slots__ = ("experiment", "project")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    project: str
    def __init__(self, experiment: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class FinishExperimentResponse(_message.Message):
    __slots__ = ("experiment",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    def __init__(self, experiment: _Optional[_Union[Experiment, _Mapping]] = ...) -> None: ...

class SetBaseExperimentRequest(_message.Message):
    __slots__ = ("experiment", "project", "base")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    project: str
    base: str
    def __init__(self, experiment: _Optional[str] = ..., project: _Optional[str] = ..., base: _Optional[str] = ...) -> None: ...

class SetBaseExperimentResponse(_message.Message):
    __slots__ = ("experiment",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    def __init__(self, experiment: _Optional[_Union[Experiment, _Mapping]] = ...) -> None: ...

class AddScoresRequest(_message.Message):
    __slots__ = ("experiment", "project", "scores")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    project: str
    scores: _containers.RepeatedCompositeFieldContainer[LaterScore]
    def __init__(self, experiment: _Optional[str] = ..., project: _Optional[str] = ..., scores: _Optional[_Iterable[_Union[LaterScore, _Mapping]]] = ...) -> None: ...

class LaterScore(_message.Message):
    __slots__ = ("id", "name", "score", "metadata", "source")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    score: float
    metadata: str
    source: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., score: _Optional[float] = ..., metadata: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class AddScoresResponse(_message.Message):
    __slots__ = ("stored",)
    STORED_FIELD_NUMBER: _ClassVar[int]
    stored: int
    def __init__(self, stored: _Optional[int] = ...) -> None: ...

class CompareExperimentsRequest(_message.Message):
    __slots__ = ("project", "experiments", "base", "key", "where", "group_by", "aggregates", "lower_is_better", "limit", "offset", "order_by", "columns")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENTS_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    AGGREGATES_FIELD_NUMBER: _ClassVar[int]
    LOWER_IS_BETTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    project: str
    experiments: _containers.RepeatedScalarFieldContainer[str]
    base: str
    key: str
    where: str
    group_by: str
    aggregates: _containers.RepeatedCompositeFieldContainer[AggregateScore]
    lower_is_better: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    offset: int
    order_by: str
    columns: str
    def __init__(self, project: _Optional[str] = ..., experiments: _Optional[_Iterable[str]] = ..., base: _Optional[str] = ..., key: _Optional[str] = ..., where: _Optional[str] = ..., group_by: _Optional[str] = ..., aggregates: _Optional[_Iterable[_Union[AggregateScore, _Mapping]]] = ..., lower_is_better: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ..., offset: _Optional[int] = ..., order_by: _Optional[str] = ..., columns: _Optional[str] = ...) -> None: ...

class AggregateScore(_message.Message):
    __slots__ = ("name", "weights", "minimum", "maximum", "formula")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    name: str
    weights: str
    minimum: _containers.RepeatedScalarFieldContainer[str]
    maximum: _containers.RepeatedScalarFieldContainer[str]
    formula: str
    def __init__(self, name: _Optional[str] = ..., weights: _Optional[str] = ..., minimum: _Optional[_Iterable[str]] = ..., maximum: _Optional[_Iterable[str]] = ..., formula: _Optional[str] = ...) -> None: ...

class CompareExperimentsResponse(_message.Message):
    __slots__ = ("experiments", "base_id", "base_reason", "scores", "metrics", "groups", "cases", "case_count", "text")
    EXPERIMENTS_FIELD_NUMBER: _ClassVar[int]
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_REASON_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    CASE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    experiments: _containers.RepeatedCompositeFieldContainer[ComparedExperiment]
    base_id: str
    base_reason: str
    scores: _containers.RepeatedCompositeFieldContainer[Measure]
    metrics: _containers.RepeatedCompositeFieldContainer[Measure]
    groups: _containers.RepeatedCompositeFieldContainer[MeasureGroup]
    cases: _containers.RepeatedCompositeFieldContainer[ComparedCase]
    case_count: int
    text: str
    def __init__(self, experiments: _Optional[_Iterable[_Union[ComparedExperiment, _Mapping]]] = ..., base_id: _Optional[str] = ..., base_reason: _Optional[str] = ..., scores: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[MeasureGroup, _Mapping]]] = ..., cases: _Optional[_Iterable[_Union[ComparedCase, _Mapping]]] = ..., case_count: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class ComparedExperiment(_message.Message):
    __slots__ = ("experiment", "cases", "trials", "errors")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    experiment: Experiment
    cases: int
    trials: int
    errors: int
    def __init__(self, experiment: _Optional[_Union[Experiment, _Mapping]] = ..., cases: _Optional[int] = ..., trials: _Optional[int] = ..., errors: _Optional[int] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("name", "unit", "is_lower_better", "sides", "differences")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    IS_LOWER_BETTER_FIELD_NUMBER: _ClassVar[int]
    SIDES_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    name: str
    unit: str
    is_lower_better: bool
    sides: _containers.RepeatedCompositeFieldContainer[MeasureSide]
    differences: _containers.RepeatedCompositeFieldContainer[Difference]
    def __init__(self, name: _Optional[str] = ..., unit: _Optional[str] = ..., is_lower_better: _Optional[bool] = ..., sides: _Optional[_Iterable[_Union[MeasureSide, _Mapping]]] = ..., differences: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ...) -> None: ...

class MeasureSide(_message.Message):
    __slots__ = ("experiment_id", "mean", "deviation", "cases")
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    DEVIATION_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    experiment_id: str
    mean: float
    deviation: float
    cases: int
    def __init__(self, experiment_id: _Optional[str] = ..., mean: _Optional[float] = ..., deviation: _Optional[float] = ..., cases: _Optional[int] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("experiment_id", "difference", "pairs", "improvements", "regressions", "p_value", "p_adjusted", "low", "high", "detectable", "verdict", "words")
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    IMPROVEMENTS_FIELD_NUMBER: _ClassVar[int]
    REGRESSIONS_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    P_ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    DETECTABLE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    experiment_id: str
    difference: float
    pairs: int
    improvements: int
    regressions: int
    p_value: float
    p_adjusted: float
    low: float
    high: float
    detectable: float
    verdict: str
    words: str
    def __init__(self, experiment_id: _Optional[str] = ..., difference: _Optional[float] = ..., pairs: _Optional[int] = ..., improvements: _Optional[int] = ..., regressions: _Optional[int] = ..., p_value: _Optional[float] = ..., p_adjusted: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., detectable: _Optional[float] = ..., verdict: _Optional[str] = ..., words: _Optional[str] = ...) -> None: ...

class MeasureGroup(_message.Message):
    __slots__ = ("value", "cases", "scores", "metrics")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CASES_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    value: str
    cases: int
    scores: _containers.RepeatedCompositeFieldContainer[Measure]
    metrics: _containers.RepeatedCompositeFieldContainer[Measure]
    def __init__(self, value: _Optional[str] = ..., cases: _Optional[int] = ..., scores: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ...) -> None: ...

class ComparedCase(_message.Message):
    __slots__ = ("key", "input", "expected", "metadata", "improvements", "regressions", "sides")
    KEY_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    IMPROVEMENTS_FIELD_NUMBER: _ClassVar[int]
    REGRESSIONS_FIELD_NUMBER: _ClassVar[int]
    SIDES_FIELD_NUMBER: _ClassVar[int]
    key: str
    input: str
    expected: str
    metadata: str
    improvements: int
    regressions: int
    sides: _containers.RepeatedCompositeFieldContainer[CaseSide]
    def __init__(self, key: _Optional[str] = ..., input: _Optional[str] = ..., expected: _Optional[str] = ..., metadata: _Optional[str] = ..., improvements: _Optional[int] = ..., regressions: _Optional[int] = ..., sides: _Optional[_Iterable[_Union[CaseSide, _Mapping]]] = ...) -> None: ...

class CaseSide(_message.Message):
    __slots__ = ("experiment_id", "trials", "scores", "metrics", "rows")
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    experiment_id: str
    trials: int
    scores: str
    metrics: str
    rows: str
    def __init__(self, experiment_id: _Optional[str] = ..., trials: _Optional[int] = ..., scores: _Optional[str] = ..., metrics: _Optional[str] = ..., rows: _Optional[str] = ...) -> None: ...

class ExportExperimentRequest(_message.Message):
    __slots__ = ("experiment", "project", "format")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    experiment: str
    project: str
    format: str
    def __init__(self, experiment: _Optional[str] = ..., project: _Optional[str] = ..., format: _Optional[str] = ...) -> None: ...

class ExportExperimentResponse(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...
