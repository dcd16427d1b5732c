"""What the check at the door parses a request into: messages made to be validated, not to be read.

Parsing is the check (upb, in C): wire format, depth, UTF-8. The messages differ from OTLP's own in ways that
the wire format allows and that make a request of 100 spans cost a tenth of a millisecond:

- Attributes, events and links are declared singular. Every element is parsed into the same message, one after
  another; each is validated, none is kept.
- Arrays and maps carry a required field that never comes, so serializing fails with a message that is not
  initialized exactly when the request holds a nested value.
- Both signals use the same names: `resources`, `scopes`, `items`.

https://github.com/open-telemetry/opentelemetry-proto
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

# In ResourceSpans and ResourceLogs: what the collector itself adds (stamp.py). A sender must not.
STAMP_FIELD = 15000

RESOURCES, SCOPES, ITEMS = 1, 2, 2
"""Field numbers on the way from the request to an item, the same in both signals."""

_NEVER = "required bool never 536870911"

_COMMON = {
    "ArrayValue": ["AnyValue values 1", _NEVER],
    "KeyValueList": ["KeyValue values 1", _NEVER],
    # Not a oneof: several members of one value are all validated, and none hides another.
    "AnyValue": [
        "string string_value 1",
        "bool bool_value 2",
        "int64 int_value 3",
        "double double_value 4",
        "ArrayValue array_value 5",
        "KeyValueList kvlist_value 6",
        "bytes bytes_value 7",
        # What the writer itself puts there (write/nested.py): a sender's is noticed like a nested value, and emptied.
        "Never json_text 15",
    ],
    "KeyValue": ["string key 1", "AnyValue value 2"],
    "EntityRef": ["string schema_url 1", "string type 2", "string id_keys 3", "string description_keys 4"],
    "Resource": ["KeyValue attributes 1", "uint32 dropped_attributes_count 2", "EntityRef entity_refs 3"],
    "Scope": [
        "string name 1",
        "string version 2",
        "KeyValue attributes 3",
        "uint32 dropped_attributes_count 4",
    ],
    "Never": [_NEVER],
    "Request": ["repeated ResourceItems resources 1"],
    "ResourceItems": [
        "Resource resource 1",
        "repeated ScopeItems scopes 2",
        "string schema_url 3",
        f"Never stamp {STAMP_FIELD}",
    ],
    "ScopeItems": ["Scope scope 1", "repeated Item items 2", "string schema_url 3"],
}

_SPAN = {
    "Item": [
        "bytes trace_id 1",
        "bytes span_id 2",
        "string trace_state 3",
        "bytes parent_span_id 4",
        "string name 5",
        "int32 kind 6",
        "fixed64 start_time_unix_nano 7",
        "fixed64 end_time_unix_nano 8",
        "KeyValue attributes 9",
        "uint32 dropped_attributes_count 10",
        "Event events 11",
        "uint32 dropped_events_count 12",
        "Link links 13",
        "uint32 dropped_links_count 14",
        "Status status 15",
        "fixed32 flags 16",
    ],
    "Event": [
        "fixed64 time_unix_nano 1",
        "string name 2",
        "KeyValue attributes 3",
        "uint32 dropped_attributes_count 4",
    ],
    "Link": [
        "bytes trace_id 1",
        "bytes span_id 2",
        "string trace_state 3",
        "KeyValue attributes 4",
        "uint32 dropped_attributes_count 5",
        "fixed32 flags 6",
    ],
    "Status": ["string message 2", "int32 code 3"],
}

_LOG_RECORD = {
    "Item": [
        "fixed64 time_unix_nano 1",
        "int32 severity_number 2",
        "string severity_text 3",
        "AnyValue body 5",
        "KeyValue attributes 6",
        "uint32 dropped_attributes_count 7",
        "fixed32 flags 8",
        "bytes trace_id 9",
        "bytes span_id 10",
        "fixed64 observed_time_unix_nano 11",
        "string event_name 12",
    ],
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One signal as it is checked."""

    request: type[Message]
    """The whole request, made to be validated."""
    request_name: str
    """Full name of the request in OTLP."""
    resources_name: str
    scopes_name: str
    items_name: str
    """OTLP's names of the three levels, for messages to senders."""


def _build(package: str, messages: dict[str, list[str]]) -> type[Message]:
    """The class of `Request` among messages given as `[repeated|required] type name number`."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="editions", edition=descriptor_pb2.EDITION_2023
    )
    for name, lines in messages.items():
        message = file.message_type.add(name=name)
        for line in lines:
            _add_field(message, line, package=package)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.Request"))


def _add_field(message: descriptor_pb2.DescriptorProto, line: str, *, package: str) -> None:
    kinds = descriptor_pb2.FieldDescriptorProto
    *label, type_name, name, number = line.split()
    field = message.field.add(name=name, number=int(number))
    field.label = kinds.LABEL_REPEATED if label == ["repeated"] else kinds.LABEL_OPTIONAL
    presence = descriptor_pb2.FeatureSet
    if label == ["required"]:
        field.options.features.field_presence = presence.LEGACY_REQUIRED
    if type_name[0].isupper():
        field.type, field.type_name = kinds.TYPE_MESSAGE, f".{package}.{type_name}"
    else:
        field.type = kinds.Type.Value(f"TYPE_{type_name.upper()}")
        if not label:
            field.options.features.field_presence = presence.IMPLICIT


SPANS = Shape(
    request=_build("spans", _COMMON | _SPAN),
    request_name="opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
    resources_name="resource_spans",
    scopes_name="scope_spans",
    items_name="spans",
)
LOG_RECORDS = Shape(
    request=_build("log_records", _COMMON | _LOG_RECORD),
    request_name="opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
    resources_name="resource_logs",
    scopes_name="scope_logs",
    items_name="log_records",
)
