"""Messages as JSON: protobuf's JSON mapping with the names of the .proto files, and JSON fields as themselves.

A string field marked `(spanloop.v1.json)` holds JSON text; here it is the JSON value. 64-bit integers are numbers.
Reading does not stop at the first fault: each one is reported with its path, so that one bad row costs itself only.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from spanloop.v1 import annotations_pb2

from spanloop_collector.errors import InvalidRequestError

INT64_RANGE = range(-(2**63), 2**63)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_FIELDS: dict[str, tuple[list[FieldDescriptor], dict[str, FieldDescriptor]]] = {}
"""By message."""


class Problem(NamedTuple):
    """One thing that is wrong with a request."""

    path: str
    """The field, e.g. `rows[3].metrics`."""
    message: str
    """What is expected there and what was seen."""

    def error(self) -> InvalidRequestError:
        """The problem as the answer to a whole request."""
        return InvalidRequestError(f"{self.path}: {self.message}", field=self.path)


class _WrongType(ValueError):
    """A value does not fit its field."""


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text, integers of any size intact; raises ValueError for anything JSON does not have."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def write_json(value: Any) -> str:
    """The JSON text of a value, compact; raises ValueError for what JSON or UTF-8 cannot say."""
    text = _ENCODER.encode(value)
    text.encode()
    return text


def decode(message: Message, value: object) -> list[Problem]:
    """Fills the message from a JSON value; what does not fit is left out and reported."""
    problems: list[Problem] = []
    _decode_message(message, value, "", problems)
    return problems


def encode(message: Message) -> str:
    """The text of the message as a JSON object, with every field that is no optional one.

    JSON texts become part of it as they are: nobody reads a row's values on their way to the caller.
    """
    shown = (field for field in _fields(message) if _is_shown(message, field))
    return "{" + ",".join(f'"{field.name}":{_encode_field(message, field)}' for field in shown) + "}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _decode_message(message: Message, value: object, path: str, problems: list[Problem]) -> None:
    if not isinstance(value, Mapping):
        problems.append(Problem(path or "request", f"expected an object, got {_shown(value)}"))
        return
    known = _fields_by_name(message)
    for name, item in value.items():
        field_path = f"{path}.{name}" if path else str(name)
        field = known.get(name)
        if field is None:
            problems.append(Problem(field_path, "there is no such field"))
        elif item is not None or is_json_field(field):
            _decode_field(message, field, item, field_path, problems)


def _fields_by_name(message: Message) -> dict[str, FieldDescriptor]:
    return _fields_of(message)[1]


def _fields(message: Message) -> list[FieldDescriptor]:
    return _fields_of(message)[0]


def _fields_of(message: Message) -> tuple[list[FieldDescriptor], dict[str, FieldDescriptor]]:
    """In order, and by both names: kept, since protobuf makes an object of each field that it is asked for."""
    name = message.DESCRIPTOR.full_name
    if name not in _FIELDS:
        fields = cast("list[FieldDescriptor]", list(message.DESCRIPTOR.fields))
        _FIELDS[name] = fields, {name: field for field in fields for name in (field.name, field.json_name)}
    return _FIELDS[name]


def _decode_field(message: Message, field: FieldDescriptor, value: Any, path: str, problems: list[Problem]) -> None:
    try:
        if _is_map(field):
            getattr(message, field.name).update(_string_map(value))
        elif field.is_repeated:
            _decode_list(message, field, value, path, problems)
        elif field.message_type is not None:
            _decode_message(getattr(message, field.name), value, path, problems)
        else:
            setattr(message, field.name, _scalar(field, value))
    except ValueError as error:
        problems.append(Problem(path, str(error)))


def _decode_list(message: Message, field: FieldDescriptor, value: Any, path: str, problems: list[Problem]) -> None:
    if not isinstance(value, list):
        raise _WrongType(f"expected a list, got {_shown(value)}")
    items = getattr(message, field.name)
    for number, item in enumerate(value):
        item_path = f"{path}[{number}]"
        if field.message_type is not None:
            # Added even when it is bad: positions must stay those of the request.
            _decode_message(items.add(), item, item_path, problems)
            continue
        try:
            items.append(_scalar(field, item))
        except ValueError as error:
            problems.append(Problem(item_path, str(error)))


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    if is_json_field(field):
        return write_json(value)
    return _READERS[field.type](field, value)


def _read_string(field: FieldDescriptor, value: Any) -> str:
    if not isinstance(value, str):
        raise _WrongType(f"expected a string, got {_shown(value)}")
    value.encode()
    return value


def _read_bool(field: FieldDescriptor, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongType(f"expected true or false, got {_shown(value)}")
    return value


def _read_integer(field: FieldDescriptor, value: Any) -> int:
    is_text = isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii() and len(value) < 21
    if not is_text and (isinstance(value, bool) or not isinstance(value, int)):
        raise _WrongType(f"expected a whole number, got {_shown(value)}")
    number = int(value)
    if number not in INT64_RANGE:
        raise _WrongType(f"{number} does not fit 64 bits")
    return number


def _read_number(field: FieldDescriptor, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongType(f"expected a number, got {_shown(value)}")
    return float(value)


def _read_enum(field: FieldDescriptor, value: Any) -> int:
    values = field.enum_type.values_by_name if field.enum_type is not None else {}
    if value not in values:
        raise _WrongType(f"expected one of {', '.join(values)}, got {_shown(value)}")
    return values[value].number


_READERS: dict[int, Callable[[FieldDescriptor, Any], Any]] = {
    FieldDescriptor.TYPE_STRING: _read_string,
    FieldDescriptor.TYPE_BOOL: _read_bool,
    FieldDescriptor.TYPE_INT64: _read_integer,
    FieldDescriptor.TYPE_DOUBLE: _read_number,
    FieldDescriptor.TYPE_ENUM: _read_enum,
}


def _string_map(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
        raise _WrongType(f"expected an object of strings, got {_shown(value)}")
    return dict(value)


def _encode_field(message: Message, field: FieldDescriptor) -> str:
    value = getattr(message, field.name)
    if _is_map(field):
        return _ENCODER.encode(dict(value))
    if field.is_repeated:
        return "[" + ",".join(_encode_value(field, item) for item in value) + "]"
    return _encode_value(field, value)


def _encode_value(field: FieldDescriptor, value: Any) -> str:
    if field.message_type is not None:
        return encode(value)
    if field.enum_type is not None:
        return _ENCODER.encode(field.enum_type.values_by_number[value].name)
    # A JSON value that was never given is the text '', which is no JSON.
    return value or "null" if is_json_field(field) else _ENCODER.encode(value)


def _is_shown(message: Message, field: FieldDescriptor) -> bool:
    return not field.has_presence or message.HasField(field.name)


@functools.cache
def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


@functools.cache
def is_json_field(field: FieldDescriptor) -> bool:
    """True for a string field that holds JSON text."""
    extension: Any = annotations_pb2.json
    return bool(field.GetOptions().Extensions[extension])


def _shown(value: object) -> str:
    """The value as an error shows it."""
    text = json.dumps(value, ensure_ascii=True, default=repr)
    return text if len(text) <= 100 else f"{text[:100]}…"
