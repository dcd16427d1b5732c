from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Alert(_message.Message):
    __slots__ = ("name", "project", "description", "sql", "comparison", "threshold", "every_seconds", "window_seconds", "hold_off_seconds", "url", "format", "is_paused")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EVERY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SECONDS_FIELD_NUMBER: _ClassVar[int]
    HOLD_OFF_SECONDS_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    IS_PAUSED_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    description: str
    sql: str
    comparison: str
    threshold: float
    every_seconds: float
    window_seconds: float
    hold_off_seconds: float
    url: str
    format: str
    is_paused: bool
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., description: _Optional[str] = ..., sql: _Optional[str] = ..., comparison: _Optional[str] = ..., threshold: _Optional[float] = ..., every_seconds: _Optional[float] = ..., window_seconds: _Optional[float] = ..., hold_off_seconds: _Optional[float] = ..., url: _Optional[str] = ..., format: _Optional[str] = ..., is_paused: _Optional[bool] = ...) -> None: ...

class SaveAlertRequest(_message.Message):
    __slots__ = ("alert", "secret", "actor")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    alert: Alert
    secret: str
    actor: str
    def __init__(self, alert: _Optional[_Union[Alert, _Mapping]] = ..., secret: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class SaveAlertResponse(_message.Message):
    __slots__ = ("alert", "outcome", "secret")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    alert: Alert
    outcome: str
    secret: str
    def __init__(self, alert: _Optional[_Union[Alert, _Mapping]] = ..., outcome: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts",)
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[AlertStatus]
    def __init__(self, alerts: _Optional[_Iterable[_Union[AlertStatus, _Mapping]]] = ...) -> None: ...

class AlertStatus(_message.Message):
    __slots__ = ("alert", "status", "firing", "error", "evaluated")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FIRING_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    EVALUATED_FIELD_NUMBER: _ClassVar[int]
    alert: Alert
    status: str
    firing: _containers.RepeatedScalarFieldContainer[str]
    error: str
    evaluated: str
    def __init__(self, alert: _Optional[_Union[Alert, _Mapping]] = ..., status: _Optional[str] = ..., firing: _Optional[_Iterable[str]] = ..., error: _Optional[str] = ..., evaluated: _Optional[str] = ...) -> None: ...

class TestAlertRequest(_message.Message):
    __slots__ = ("alert", "send")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    alert: Alert
    send: bool
    def __init__(self, alert: _Optional[_Union[Alert, _Mapping]] = ..., send: _Optional[bool] = ...) -> None: ...

class TestAlertResponse(_message.Message):
    __slots__ = ("groups", "error", "http_status")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HTTP_STATUS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[AlertGroup]
    error: str
    http_status: int
    def __init__(self, groups: _Optional[_Iterable[_Union[AlertGroup, _Mapping]]] = ..., error: _Optional[str] = ..., http_status: _Optional[int] = ...) -> None: ...

class AlertGroup(_message.Message):
    __slots__ = ("labels", "value", "is_firing")
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    IS_FIRING_FIELD_NUMBER: _ClassVar[int]
    labels: str
    value: str
    is_firing: bool
    def __init__(self, labels: _Optional[str] = ..., value: _Optional[str] = ..., is_firing: _Optional[bool] = ...) -> None: ...

class DeleteAlertRequest(_message.Message):
    __slots__ = ("name", "project", "actor")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    project: str
    actor: str
    def __init__(self, name: _Optional[str] = ..., project: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class DeleteAlertResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
