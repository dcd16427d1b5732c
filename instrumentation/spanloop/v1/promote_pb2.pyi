from spanloop.v1 import annotations_pb2 as _annotations_pb2
from spanloop.v1 import datasets_pb2 as _datasets_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PromoteRequest(_message.Message):
    __slots__ = ("project", "source", "where", "root_only", "fields", "dataset", "deduplicate", "update", "limit", "sample_rate", "group_by", "per_group", "seed", "dry_run")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    ROOT_ONLY_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    PER_GROUP_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    project: str
    source: str
    where: str
    root_only: bool
    fields: _containers.ScalarMap[str, str]
    dataset: str
    deduplicate: str
    update: bool
    limit: int
    sample_rate: float
    group_by: str
    per_group: int
    seed: str
    dry_run: bool
    def __init__(self, project: _Optional[str] = ..., source: _Optional[str] = ..., where: _Optional[str] = ..., root_only: _Optional[bool] = ..., fields: _Optional[_Mapping[str, str]] = ..., dataset: _Optional[str] = ..., deduplicate: _Optional[str] = ..., update: _Optional[bool] = ..., limit: _Optional[int] = ..., sample_rate: _Optional[float] = ..., group_by: _Optional[str] = ..., per_group: _Optional[int] = ..., seed: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class PromoteResponse(_message.Message):
    __slots__ = ("dataset", "matched", "inserted", "updated", "rejected", "version", "rows", "errors")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    dataset: _datasets_pb2.Dataset
    matched: int
    inserted: int
    updated: int
    rejected: int
    version: str
    rows: _containers.RepeatedCompositeFieldContainer[_datasets_pb2.DatasetRow]
    errors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset: _Optional[_Union[_datasets_pb2.Dataset, _Mapping]] = ..., matched: _Optional[int] = ..., inserted: _Optional[int] = ..., updated: _Optional[int] = ..., rejected: _Optional[int] = ..., version: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[_datasets_pb2.DatasetRow, _Mapping]]] = ..., errors: _Optional[_Iterable[str]] = ...) -> None: ...

class PromoteJob(_message.Message):
    __slots__ = ("id", "project", "dataset_id", "state", "total", "done", "written", "created", "updated")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    dataset_id: str
    state: str
    total: int
    done: int
    written: int
    created: str
    updated: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., dataset_id: _Optional[str] = ..., state: _Optional[str] = ..., total: _Optional[int] = ..., done: _Optional[int] = ..., written: _Optional[int] = ..., created: _Optional[str] = ..., updated: _Optional[str] = ...) -> None: ...

class CreatePromoteJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: PromoteJob
    def __init__(self, job: _Optional[_Union[PromoteJob, _Mapping]] = ...) -> None: ...

class ListPromoteJobsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListPromoteJobsResponse(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[PromoteJob]
    def __init__(self, jobs: _Optional[_Iterable[_Union[PromoteJob, _Mapping]]] = ...) -> None: ...

class GetPromoteJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class GetPromoteJobResponse(_message.Message):
    __slots__ = ("job",)
    JOB_FIELD_NUMBER: _ClassVar[int]
    job: PromoteJob
    def __init__(self, job: _Optional[_Union[PromoteJob, _Mapping]] = ...) -> None: ...

class FetchPromoteJobRowsRequest(_message.Message):
    __slots__ = ("job_id", "limit")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    limit: int
    def __init__(self, job_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class PromoteSourceRow(_message.Message):
    __slots__ = ("row", "output", "name", "type", "error", "scores", "metrics", "trace_id", "span_id", "created")
    ROW_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    row: _datasets_pb2.DatasetRow
    output: str
    name: str
    type: str
    error: str
    scores: str
    metrics: str
    trace_id: str
    span_id: str
    created: str
    def __init__(self, row: _Optional[_Union[_datasets_pb2.DatasetRow, _Mapping]] = ..., output: _Optional[str] = ..., name: _Optional[str] = ..., type: _Optional[str] = ..., error: _Optional[str] = ..., scores: _Optional[str] = ..., metrics: _Optional[str] = ..., trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., created: _Optional[str] = ...) -> None: ...

class FetchPromoteJobRowsResponse(_message.Message):
    __slots__ = ("rows", "done")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[PromoteSourceRow]
    done: int
    def __init__(self, rows: _Optional[_Iterable[_Union[PromoteSourceRow, _Mapping]]] = ..., done: _Optional[int] = ...) -> None: ...

class WritePromoteJobRowsRequest(_message.Message):
    __slots__ = ("job_id", "done", "rows")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    done: int
    rows: _containers.RepeatedCompositeFieldContainer[_datasets_pb2.DatasetRow]
    def __init__(self, job_id: _Optional[str] = ..., done: _Optional[int] = ..., rows: _Optional[_Iterable[_Union[_datasets_pb2.DatasetRow, _Mapping]]] = ...) -> None: ...

class WritePromoteJobRowsResponse(_message.Message):
    __slots__ = ("job", "results")
    JOB_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    job: PromoteJob
    results: _containers.RepeatedCompositeFieldContainer[_datasets_pb2.DatasetRowResult]
    def __init__(self, job: _Optional[_Union[PromoteJob, _Mapping]] = ..., results: _Optional[_Iterable[_Union[_datasets_pb2.DatasetRowResult, _Mapping]]] = ...) -> None: ...

class DeletePromoteJobRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: str
    def __init__(self, job_id: _Optional[str] = ...) -> None: ...

class DeletePromoteJobResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLineageRequest(_message.Message):
    __slots__ = ("project", "id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    id: str
    def __init__(self, project: _Optional[str] = ..., id: _Optional[str] = ...) -> None: ...

class LineageStep(_message.Message):
    __slots__ = ("from_type", "from_object_id", "from_id", "from_version", "to_type", "to_object_id", "to_id", "to_version", "from_name", "to_name")
    FROM_TYPE_FIELD_NUMBER: _ClassVar[int]
    FROM_OBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_TYPE_FIELD_NUMBER: _ClassVar[int]
    TO_OBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TO_ID_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    FROM_NAME_FIELD_NUMBER: _ClassVar[int]
    TO_NAME_FIELD_NUMBER: _ClassVar[int]
    from_type: str
    from_object_id: str
    from_id: str
    from_version: str
    to_type: str
    to_object_id: str
    to_id: str
    to_version: str
    from_name: str
    to_name: str
    def __init__(self, from_type: _Optional[str] = ..., from_object_id: _Optional[str] = ..., from_id: _Optional[str] = ..., from_version: _Optional[str] = ..., to_type: _Optional[str] = ..., to_object_id: _Optional[str] = ..., to_id: _Optional[str] = ..., to_version: _Optional[str] = ..., from_name: _Optional[str] = ..., to_name: _Optional[str] = ...) -> None: ...

class GetLineageResponse(_message.Message):
    __slots__ = ("sources", "uses")
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[LineageStep]
    uses: _containers.RepeatedCompositeFieldContainer[LineageStep]
    def __init__(self, sources: _Optional[_Iterable[_Union[LineageStep, _Mapping]]] = ..., uses: _Optional[_Iterable[_Union[LineageStep, _Mapping]]] = ...) -> None: ...
