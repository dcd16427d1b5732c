from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VariantExperiment(_message.Message):
    __slots__ = ("name", "project", "description", "steps", "status", "task_count", "target", "pass_when", "timeout_seconds", "max_at_once", "variants")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TASK_COUNT_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PASS_WHEN_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    description: str
    steps: _containers.RepeatedScalarFieldContainer[str]
    status: str
    task_count: int
    target: str
    pass_when: str
    timeout_seconds: float
    max_at_once: int
    variants: _containers.RepeatedCompositeFieldContainer[Variant]
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., description: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., status: _Optional[str] = ..., task_count: _Optional[int] = ..., target: _Optional[str] = ..., pass_when: _Optional[str] = ..., timeout_seconds: _Optional[float] = ..., max_at_once: _Optional[int] = ..., variants: _Optional[_Iterable[_Union[Variant, _Mapping]]] = ...) -> None: ...

class Variant(_message.Message):
    __slots__ = ("name", "parent", "step", "parameter", "value", "effective", "outcome", "run_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    parent: str
    step: str
    parameter: str
    value: str
    effective: str
    outcome: VariantOutcome
    run_id: str
    def __init__(self, name: _Optional[str] = ..., parent: _Optional[str] = ..., step: _Optional[str] = ..., parameter: _Optional[str] = ..., value: _Optional[str] = ..., effective: _Optional[str] = ..., outcome: _Optional[_Union[VariantOutcome, _Mapping]] = ..., run_id: _Optional[str] = ...) -> None: ...

class VariantOutcome(_message.Message):
    __slots__ = ("total", "passed", "failed", "pass_rate", "against_baseline", "completed")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    PASS_RATE_FIELD_NUMBER: _ClassVar[int]
    AGAINST_BASELINE_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    total: int
    passed: int
    failed: int
    pass_rate: float
    against_baseline: float
    completed: str
    def __init__(self, total: _Optional[int] = ..., passed: _Optional[int] = ..., failed: _Optional[int] = ..., pass_rate: _Optional[float] = ..., against_baseline: _Optional[float] = ..., completed: _Optional[str] = ...) -> None: ...

class CreateVariantExperimentRequest(_message.Message):
    __slots__ = ("name", "project", "description", "steps", "url", "secret", "pass_when", "timeout_seconds", "max_at_once", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    PASS_WHEN_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    description: str
    steps: _containers.RepeatedScalarFieldContainer[str]
    url: str
    secret: str
    pass_when: str
    timeout_seconds: float
    max_at_once: int
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., description: _Optional[str] = ..., steps: _Optional[_Iterable[str]] = ..., url: _Optional[str] = ..., secret: _Optional[str] = ..., pass_when: _Optional[str] = ..., timeout_seconds: _Optional[float] = ..., max_at_once: _Optional[int] = ..., actor: _Optional[str] = ...) -> None: ...

class CreateVariantExperimentResponse(_message.Message):
    __slots__ = ("experiment", "secret")
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    experiment: VariantExperiment
    secret: str
    def __init__(self, experiment: _Optional[_Union[VariantExperiment, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class ListVariantExperimentsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListVariantExperimentsResponse(_message.Message):
    __slots__ = ("experiments",)
    EXPERIMENTS_FIELD_NUMBER: _ClassVar[int]
    experiments: _containers.RepeatedCompositeFieldContainer[VariantExperiment]
    def __init__(self, experiments: _Optional[_Iterable[_Union[VariantExperiment, _Mapping]]] = ...) -> None: ...

class GetVariantExperimentRequest(_message.Message):
    __slots__ = ("name", "project")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class SetVariantTasksRequest(_message.Message):
    __slots__ = ("name", "project", "tasks", "source", "where", "limit", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    tasks: _containers.RepeatedCompositeFieldContainer[VariantTask]
    source: str
    where: str
    limit: int
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[VariantTask, _Mapping]]] = ..., source: _Optional[str] = ..., where: _Optional[str] = ..., limit: _Optional[int] = ..., actor: _Optional[str] = ...) -> None: ...

class VariantTask(_message.Message):
    __slots__ = ("id", "input", "expected", "metadata")
    ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    id: str
    input: str
    expected: str
    metadata: str
    def __init__(self, id: _Optional[str] = ..., input: _Optional[str] = ..., expected: _Optional[str] = ..., metadata: _Optional[str] = ...) -> None: ...

class RunBaselineRequest(_message.Message):
    __slots__ = ("name", "project", "configuration", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    configuration: str
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., configuration: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class AddVariantRequest(_message.Message):
    __slots__ = ("name", "project", "variant", "parent", "step", "parameter", "value", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    variant: str
    parent: str
    step: str
    parameter: str
    value: str
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., variant: _Optional[str] = ..., parent: _Optional[str] = ..., step: _Optional[str] = ..., parameter: _Optional[str] = ..., value: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class RunVariantRequest(_message.Message):
    __slots__ = ("name", "project", "variant", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    variant: str
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., variant: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class ReportTestRequest(_message.Message):
    __slots__ = ("test_id", "project", "passed", "reason")
    TEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    test_id: str
    project: str
    passed: bool
    reason: str
    def __init__(self, test_id: _Optional[str] = ..., project: _Optional[str] = ..., passed: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class ReportTestResponse(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: str
    def __init__(self, status: _Optional[str] = ...) -> None: ...

class CompleteVariantExperimentRequest(_message.Message):
    __slots__ = ("name", "project", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class ArchiveVariantExperimentRequest(_message.Message):
    __slots__ = ("name", "project", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...
