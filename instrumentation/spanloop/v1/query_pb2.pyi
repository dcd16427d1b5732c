from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResultFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESULT_FORMAT_UNSPECIFIED: _ClassVar[ResultFormat]
    RESULT_FORMAT_JSON_ROWS: _ClassVar[ResultFormat]
    RESULT_FORMAT_ARROW_STREAM: _ClassVar[ResultFormat]
    RESULT_FORMAT_CSV_WITH_NAMES: _ClassVar[ResultFormat]
    RESULT_FORMAT_PARQUET: _ClassVar[ResultFormat]
RESULT_FORMAT_UNSPECIFIED: ResultFormat
RESULT_FORMAT_JSON_ROWS: ResultFormat
RESULT_FORMAT_ARROW_STREAM: ResultFormat
RESULT_FORMAT_CSV_WITH_NAMES: ResultFormat
RESULT_FORMAT_PARQUET: ResultFormat

class QueryRequest(_message.Message):
    __slots__ = ("sql", "parameters", "format")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SQL_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    sql: str
    parameters: _containers.ScalarMap[str, str]
    format: ResultFormat
    def __init__(self, sql: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., format: _Optional[_Union[ResultFormat, str]] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...
