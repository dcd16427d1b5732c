"""Finds which field of a refused item is wrong, for the message to its sender."""

from __future__ import annotations

from collections import Counter

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from spanloop_collector.receive.wire import LENGTH_DELIMITED, WireError, fields

SHOWN_BYTES = 40


def find_bad_text(data: bytes, descriptor: Descriptor) -> tuple[str, str] | None:
    """Path of the first text that is not UTF-8, and what it holds; None when all text is good."""
    try:
        return _search(data, descriptor)
    except WireError:
        return None


def _search(data: bytes, descriptor: Descriptor) -> tuple[str, str] | None:
    seen: Counter[int] = Counter()
    for field in fields(data, 0, len(data)):
        declared = descriptor.fields_by_number.get(field.number)
        if declared is None or field.wire_type != LENGTH_DELIMITED:
            continue
        name = f"{declared.name}[{seen[field.number]}]" if declared.is_repeated else declared.name
        seen[field.number] += 1
        value = data[field.start : field.end]
        if declared.type == FieldDescriptor.TYPE_STRING and (problem := _text_problem(value)):
            return name, problem
        if declared.message_type is not None and (found := _search(value, declared.message_type)):
            return f"{name}.{found[0]}", found[1]
    return None


def _text_problem(value: bytes) -> str | None:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        around = value[max(error.start - 10, 0) : error.start + SHOWN_BYTES]
        return f"is not UTF-8 at byte {error.start}: {around!r}"
    return None
