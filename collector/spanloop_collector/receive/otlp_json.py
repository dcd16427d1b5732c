"""OTLP as JSON becomes OTLP as protobuf: hex ids, enums as integers, 64-bit numbers as text or number.

https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md#json-protobuf-encoding
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.message import Message

from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.receive.items import NOT_HEX

_ID_NAMES = ("traceId", "trace_id", "spanId", "span_id", "parentSpanId", "parent_span_id")


def to_protobuf(body: bytes, request: type[Message]) -> bytes:
    """The bytes of the same request; raises InvalidRequestError naming what cannot be read."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the body is not JSON: {error}", field="body") from error
    if not isinstance(document, dict):
        raise InvalidRequestError(f"the body is {_kind(document)}; expected a JSON object", field="body")
    for owner in _owners_of_ids(document):
        _turn_ids_to_base64(owner)
    try:
        message = json_format.ParseDict(document, request(), ignore_unknown_fields=True)
    except (json_format.ParseError, RecursionError) as error:
        raise InvalidRequestError(
            f"not a valid {request.DESCRIPTOR.name}: {error}", field=_top_level_name(document)
        ) from error
    return message.SerializeToString()


def _owners_of_ids(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every span, span link and log record."""
    for resource in _objects(document, "resourceSpans", "resource_spans", "resourceLogs", "resource_logs"):
        for scope in _objects(resource, "scopeSpans", "scope_spans", "scopeLogs", "scope_logs"):
            for item in _objects(scope, "spans", "logRecords", "log_records"):
                yield item
                yield from _objects(item, "links")


def _objects(parent: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """The objects in the lists of these names; what is no list of objects is left for the parser to refuse."""
    for name in names:
        children = parent.get(name)
        if isinstance(children, list):
            yield from (child for child in children if isinstance(child, dict))


def _turn_ids_to_base64(owner: dict[str, Any]) -> None:
    """JSON's protobuf mapping wants base64 where OTLP has hex."""
    for name in _ID_NAMES:
        value = owner.get(name)
        if isinstance(value, str):
            owner[name] = base64.b64encode(_id_bytes(value)).decode()


def _id_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        # Refused by the check like any other bad id, with the text in the message; its neighbours pass.
        return NOT_HEX + text.encode()


def _top_level_name(document: dict[str, Any]) -> str:
    return next(iter(document), "body")


_KINDS: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")
