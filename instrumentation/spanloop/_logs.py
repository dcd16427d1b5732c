"""The bridge from Python's `logging`: records become OTLP log records that know their span."""

from __future__ import annotations

import logging
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._failsafe import guarded
from spanloop._fields import encodable
from spanloop._json import to_json

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
    from opentelemetry.sdk.resources import Resource

    from spanloop._mask import Mask

# Our own lines, and those of libraries we deliver through, would feed on themselves.
OWN_LOGGERS = ("spanloop", "grpc")
BYTES_OF_A_RECORD = 600

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def logging_handler(level: int = logging.NOTSET) -> logging.Handler:
    """A handler that sends log records to the collector, joined to the span they were written in.

    logging.getLogger().addHandler(spanloop.logging_handler())
    """
    return SpanloopHandler(level)


class SpanloopHandler(logging.Handler):
    """Queues each record with the ids of the current span, masked; does nothing before `init`."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] not in OWN_LOGGERS:
            self._queue(record)

    @guarded
    def _queue(self, record: logging.LogRecord) -> None:
        runtime = _runtime.active()
        if runtime is None or runtime.delivery is None:
            return
        message = _as_otlp(record, runtime.settings.max_value_chars, runtime.mask)
        size = BYTES_OF_A_RECORD + len(message.body.string_value)
        runtime.delivery.logs.put((record.name, message), size)


def _as_otlp(record: logging.LogRecord, max_chars: int, mask: Mask | None) -> LogRecord:
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

    number, text = _severity(record)
    body, attributes = _message(record, max_chars), _attributes(record, max_chars)
    if mask is not None:
        body, attributes = str(mask.body(body)), mask.attributes(attributes)
    message = LogRecord(
        time_unix_nano=int(record.created * 1e9),
        observed_time_unix_nano=time.time_ns(),
        severity_number=number,  # type: ignore[arg-type]  # the enum is an int on the wire
        severity_text=text,
        body=_any_value(body),
        attributes=_key_values(attributes),
    )
    span = _context.current()
    if span is not None:
        context = span.get_span_context()
        message.trace_id = context.trace_id.to_bytes(16, "big")
        message.span_id = context.span_id.to_bytes(8, "big")
        message.flags = context.trace_flags
    return message


def _severity(record: logging.LogRecord) -> tuple[int, str]:
    """OpenTelemetry's numbers: DEBUG 5, INFO 9, WARN 13, ERROR 17, FATAL 21, TRACE 1 below."""
    rank = min(max(record.levelno // 10, 0), 5)
    number = 1 if rank == 0 else 4 * rank + 1
    text = {"WARNING": "WARN", "CRITICAL": "FATAL"}.get(record.levelname, record.levelname)
    return number, text


def _message(record: logging.LogRecord, max_chars: int) -> str:
    text = _formatted(record) if record.args or isinstance(record.msg, str) else to_json(record.msg)
    return text if len(text) <= max_chars else f"{text[:max_chars]}… [truncated: {len(text)} characters]"


def _formatted(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # the call's arguments do not fit its format: a mistake, and no reason to lose it
        return f"{record.msg} {record.args}"


def _attributes(record: logging.LogRecord, max_chars: int) -> dict[str, Any]:
    """Where the line was written, its exception, and what `extra=` added."""
    found: dict[str, Any] = {
        "code.file.path": record.pathname,
        "code.function.name": record.funcName,
        "code.line.number": record.lineno,
    }
    if record.exc_info and record.exc_info[0] is not None:
        found["exception.type"] = record.exc_info[0].__qualname__
        found["exception.message"] = str(record.exc_info[1])
        found["exception.stacktrace"] = "".join(traceback.format_exception(*record.exc_info))
    for key, value in vars(record).items():
        if key not in _STANDARD_FIELDS:
            found[key] = value if isinstance(value, str | bool | int | float) else to_json(value, max_chars)
    return found


def encoder(project: str, resource: Resource) -> Callable[[Sequence[Any]], bytes]:
    """Encodes queued records, one scope per logger."""
    described = {**({names.PROJECT: project} if project else {}), **resource.attributes}

    def encode(items: Sequence[tuple[str, LogRecord]]) -> bytes:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        request = ExportLogsServiceRequest()
        logs = request.resource_logs.add()
        logs.resource.attributes.extend(_key_values(described))
        by_logger: dict[str, list[LogRecord]] = defaultdict(list)
        for logger, message in items:
            by_logger[logger].append(message)
        for logger, messages in by_logger.items():
            scope = logs.scope_logs.add()
            scope.scope.name = encodable(logger)
            scope.log_records.extend(messages)
        return request.SerializeToString()

    return encode


def _key_values(values: Mapping[str, Any]) -> list[KeyValue]:
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    return [KeyValue(key=encodable(str(key)), value=_any_value(value)) for key, value in values.items()]


def _any_value(value: Any) -> AnyValue:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=encodable(value if isinstance(value, str) else to_json(value)))
