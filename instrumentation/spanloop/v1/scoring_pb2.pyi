from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClaimTasksRequest(_message.Message):
    __slots__ = ("worker", "max_tasks", "wait_seconds", "modules")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    MAX_TASKS_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MODULES_FIELD_NUMBER: _ClassVar[int]
    worker: str
    max_tasks: int
    wait_seconds: float
    modules: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, worker: _Optional[str] = ..., max_tasks: _Optional[int] = ..., wait_seconds: _Optional[float] = ..., modules: _Optional[_Iterable[str]] = ...) -> None: ...

class ClaimTasksResponse(_message.Message):
    __slots__ = ("tasks", "lease_seconds")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[ScoringTask]
    lease_seconds: float
    def __init__(self, tasks: _Optional[_Iterable[_Union[ScoringTask, _Mapping]]] = ..., lease_seconds: _Optional[float] = ...) -> None: ...

class ScoringTask(_message.Message):
    __slots__ = ("id", "ticket", "scorer", "row", "attempt")
    ID_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    SCORER_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    id: str
    ticket: str
    scorer: str
    row: str
    attempt: int
    def __init__(self, id: _Optional[str] = ..., ticket: _Optional[str] = ..., scorer: _Optional[str] = ..., row: _Optional[str] = ..., attempt: _Optional[int] = ...) -> None: ...

class ExtendTasksRequest(_message.Message):
    __slots__ = ("worker", "ids")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    worker: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, worker: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ExtendTasksResponse(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CompleteTasksRequest(_message.Message):
    __slots__ = ("worker", "results")
    WORKER_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    worker: str
    results: _containers.RepeatedCompositeFieldContainer[TaskResult]
    def __init__(self, worker: _Optional[str] = ..., results: _Optional[_Iterable[_Union[TaskResult, _Mapping]]] = ...) -> None: ...

class TaskResult(_message.Message):
    __slots__ = ("id", "ticket", "status", "scores", "error", "is_retryable", "retry_after_seconds", "duration_seconds", "cost", "scorer_version", "prompt_tokens", "completion_tokens", "model")
    ID_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    IS_RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DURATION_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    SCORER_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    id: str
    ticket: str
    status: str
    scores: _containers.RepeatedCompositeFieldContainer[TaskScore]
    error: str
    is_retryable: bool
    retry_after_seconds: float
    duration_seconds: float
    cost: float
    scorer_version: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    def __init__(self, id: _Optional[str] = ..., ticket: _Optional[str] = ..., status: _Optional[str] = ..., scores: _Optional[_Iterable[_Union[TaskScore, _Mapping]]] = ..., error: _Optional[str] = ..., is_retryable: _Optional[bool] = ..., retry_after_seconds: _Optional[float] = ..., duration_seconds: _Optional[float] = ..., cost: _Optional[float] = ..., scorer_version: _Optional[str] = ..., prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., model: _Optional[str] = ...) -> None: ...

class TaskScore(_message.Message):
    __slots__ = ("name", "score", "reason", "metadata")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    score: float
    reason: str
    metadata: str
    def __init__(self, name: _Optional[str] = ..., score: _Optional[float] = ..., reason: _Optional[str] = ..., metadata: _Optional[str] = ...) -> None: ...

class CompleteTasksResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
