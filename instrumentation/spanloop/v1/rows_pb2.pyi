from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Row(_message.Message):
    __slots__ = ("id", "trace_id", "span_id", "parent_id", "project", "name", "type", "input", "output", "expected", "error", "scores", "metrics", "metadata", "tags", "created", "origin", "experiment_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    trace_id: str
    span_id: str
    parent_id: str
    project: str
    name: str
    type: str
    input: str
    output: str
    expected: str
    error: str
    scores: str
    metrics: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    created: str
    origin: str
    experiment_id: str
    def __init__(self, id: _Optional[str] = ..., trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., parent_id: _Optional[str] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., type: _Optional[str] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., expected: _Optional[str] = ..., error: _Optional[str] = ..., scores: _Optional[str] = ..., metrics: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., created: _Optional[str] = ..., origin: _Optional[str] = ..., experiment_id: _Optional[str] = ...) -> None: ...

class WriteRowsRequest(_message.Message):
    __slots__ = ("project", "rows")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    project: str
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, project: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class MergeRowsRequest(_message.Message):
    __slots__ = ("project", "rows")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    project: str
    rows: _containers.RepeatedCompositeFieldContainer[Row]
    def __init__(self, project: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[Row, _Mapping]]] = ...) -> None: ...

class FeedbackRequest(_message.Message):
    __slots__ = ("project", "items")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    project: str
    items: _containers.RepeatedCompositeFieldContainer[FeedbackItem]
    def __init__(self, project: _Optional[str] = ..., items: _Optional[_Iterable[_Union[FeedbackItem, _Mapping]]] = ...) -> None: ...

class FeedbackItem(_message.Message):
    __slots__ = ("id", "scores", "expected", "comment", "metadata", "tags", "source")
    ID_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    id: str
    scores: str
    expected: str
    comment: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    source: str
    def __init__(self, id: _Optional[str] = ..., scores: _Optional[str] = ..., expected: _Optional[str] = ..., comment: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ...) -> None: ...

class WriteRowsResponse(_message.Message):
    __slots__ = ("results", "stored", "rejected")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RowResult]
    stored: int
    rejected: int
    def __init__(self, results: _Optional[_Iterable[_Union[RowResult, _Mapping]]] = ..., stored: _Optional[int] = ..., rejected: _Optional[int] = ...) -> None: ...

class RowResult(_message.Message):
    __slots__ = ("id", "trace_id", "span_id", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    trace_id: str
    span_id: str
    error: str
    def __init__(self, id: _Optional[str] = ..., trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...
