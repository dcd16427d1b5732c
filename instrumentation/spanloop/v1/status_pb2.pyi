from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "now_unix_nano", "uptime_seconds", "data_dir", "disk_free_bytes", "keys_required", "store", "spools", "warnings")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_UNIX_NANO_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEYS_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    SPOOLS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    version: str
    now_unix_nano: int
    uptime_seconds: float
    data_dir: str
    disk_free_bytes: int
    keys_required: bool
    store: StoreStatus
    spools: _containers.RepeatedCompositeFieldContainer[SpoolStatus]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., now_unix_nano: _Optional[int] = ..., uptime_seconds: _Optional[float] = ..., data_dir: _Optional[str] = ..., disk_free_bytes: _Optional[int] = ..., keys_required: _Optional[bool] = ..., store: _Optional[_Union[StoreStatus, _Mapping]] = ..., spools: _Optional[_Iterable[_Union[SpoolStatus, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class StoreStatus(_message.Message):
    __slots__ = ("is_embedded", "address", "database", "is_reachable", "version", "error", "reader_isolation")
    IS_EMBEDDED_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    IS_REACHABLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    READER_ISOLATION_FIELD_NUMBER: _ClassVar[int]
    is_embedded: bool
    address: str
    database: str
    is_reachable: bool
    version: str
    error: str
    reader_isolation: str
    def __init__(self, is_embedded: _Optional[bool] = ..., address: _Optional[str] = ..., database: _Optional[str] = ..., is_reachable: _Optional[bool] = ..., version: _Optional[str] = ..., error: _Optional[str] = ..., reader_isolation: _Optional[str] = ...) -> None: ...

class SpoolStatus(_message.Message):
    __slots__ = ("signal", "bytes", "max_bytes", "segments", "oldest_age_seconds", "dead_letters")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    signal: str
    bytes: int
    max_bytes: int
    segments: int
    oldest_age_seconds: float
    dead_letters: int
    def __init__(self, signal: _Optional[str] = ..., bytes: _Optional[int] = ..., max_bytes: _Optional[int] = ..., segments: _Optional[int] = ..., oldest_age_seconds: _Optional[float] = ..., dead_letters: _Optional[int] = ...) -> None: ...
