from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReviewItem(_message.Message):
    __slots__ = ("id", "project", "queue", "status", "assignee", "claimed_by", "claimed_until", "source", "object_id", "row_id", "trace_id", "reviewed_by", "scores", "expected", "comment", "created", "version", "row")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_BY_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    OBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    ROW_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_BY_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    queue: str
    status: str
    assignee: str
    claimed_by: str
    claimed_until: str
    source: str
    object_id: str
    row_id: str
    trace_id: str
    reviewed_by: str
    scores: str
    expected: str
    comment: str
    created: str
    version: int
    row: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., queue: _Optional[str] = ..., status: _Optional[str] = ..., assignee: _Optional[str] = ..., claimed_by: _Optional[str] = ..., claimed_until: _Optional[str] = ..., source: _Optional[str] = ..., object_id: _Optional[str] = ..., row_id: _Optional[str] = ..., trace_id: _Optional[str] = ..., reviewed_by: _Optional[str] = ..., scores: _Optional[str] = ..., expected: _Optional[str] = ..., comment: _Optional[str] = ..., created: _Optional[str] = ..., version: _Optional[int] = ..., row: _Optional[str] = ...) -> None: ...

class QueueReviewsRequest(_message.Message):
    __slots__ = ("project", "queue", "source", "where", "limit", "assignee", "reviewer")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    project: str
    queue: str
    source: str
    where: str
    limit: int
    assignee: str
    reviewer: str
    def __init__(self, project: _Optional[str] = ..., queue: _Optional[str] = ..., source: _Optional[str] = ..., where: _Optional[str] = ..., limit: _Optional[int] = ..., assignee: _Optional[str] = ..., reviewer: _Optional[str] = ...) -> None: ...

class QueueReviewsResponse(_message.Message):
    __slots__ = ("queued", "known")
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    queued: int
    known: int
    def __init__(self, queued: _Optional[int] = ..., known: _Optional[int] = ...) -> None: ...

class ListReviewsRequest(_message.Message):
    __slots__ = ("project", "queue", "status", "assignee", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    queue: str
    status: str
    assignee: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., queue: _Optional[str] = ..., status: _Optional[str] = ..., assignee: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListReviewsResponse(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ReviewItem]
    def __init__(self, items: _Optional[_Iterable[_Union[ReviewItem, _Mapping]]] = ...) -> None: ...

class GetReviewRequest(_message.Message):
    __slots__ = ("id", "project")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ...) -> None: ...

class ClaimReviewRequest(_message.Message):
    __slots__ = ("project", "queue", "reviewer", "id", "minutes")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    project: str
    queue: str
    reviewer: str
    id: str
    minutes: int
    def __init__(self, project: _Optional[str] = ..., queue: _Optional[str] = ..., reviewer: _Optional[str] = ..., id: _Optional[str] = ..., minutes: _Optional[int] = ...) -> None: ...

class ClaimReviewResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: ReviewItem
    def __init__(self, item: _Optional[_Union[ReviewItem, _Mapping]] = ...) -> None: ...

class AssignReviewRequest(_message.Message):
    __slots__ = ("id", "project", "assignee", "reviewer")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ASSIGNEE_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    assignee: str
    reviewer: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., assignee: _Optional[str] = ..., reviewer: _Optional[str] = ...) -> None: ...

class SubmitReviewRequest(_message.Message):
    __slots__ = ("id", "project", "reviewer", "scores", "expected", "comment", "tags")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    reviewer: str
    scores: str
    expected: str
    comment: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., reviewer: _Optional[str] = ..., scores: _Optional[str] = ..., expected: _Optional[str] = ..., comment: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

class SkipReviewRequest(_message.Message):
    __slots__ = ("id", "project", "reviewer", "comment")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    reviewer: str
    comment: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., reviewer: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class RequeueReviewRequest(_message.Message):
    __slots__ = ("id", "project", "reviewer", "comment")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REVIEWER_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    reviewer: str
    comment: str
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., reviewer: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...
