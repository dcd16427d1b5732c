from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Attachment(_message.Message):
    __slots__ = ("key", "project", "size", "content_type", "filename", "created")
    KEY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    FILENAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    key: str
    project: str
    size: int
    content_type: str
    filename: str
    created: str
    def __init__(self, key: _Optional[str] = ..., project: _Optional[str] = ..., size: _Optional[int] = ..., content_type: _Optional[str] = ..., filename: _Optional[str] = ..., created: _Optional[str] = ...) -> None: ...

class ListAttachmentsRequest(_message.Message):
    __slots__ = ("project", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    limit: int
    def __init__(self, project: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListAttachmentsResponse(_message.Message):
    __slots__ = ("attachments",)
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    attachments: _containers.RepeatedCompositeFieldContainer[Attachment]
    def __init__(self, attachments: _Optional[_Iterable[_Union[Attachment, _Mapping]]] = ...) -> None: ...

class SweepAttachmentsRequest(_message.Message):
    __slots__ = ("project", "older_than_seconds", "dry_run")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    OLDER_THAN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    project: str
    older_than_seconds: int
    dry_run: bool
    def __init__(self, project: _Optional[str] = ..., older_than_seconds: _Optional[int] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class SweepAttachmentsResponse(_message.Message):
    __slots__ = ("examined", "removed", "removed_bytes")
    EXAMINED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    examined: int
    removed: int
    removed_bytes: int
    def __init__(self, examined: _Optional[int] = ..., removed: _Optional[int] = ..., removed_bytes: _Optional[int] = ...) -> None: ...
