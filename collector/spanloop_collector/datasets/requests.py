"""Rows and schemas of dataset requests, read and checked: each fault names its field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from spanloop_collector.api.json_codec import Problem, parse_json
from spanloop_collector.api.row import Json
from spanloop_collector.api.row_input import MAX_ID_CHARACTERS, read_json_fields
from spanloop_collector.datasets.row import DatasetRow, content_id
from spanloop_collector.datasets.schema_check import check_schema
from spanloop_collector.datasets.writer import RowWrite
from spanloop_collector.errors import InvalidRequestError, invalid

MAX_NAME_CHARACTERS = 200
MAX_ROWS = 10_000

_ROW_PROBLEM = re.compile(r"(rows\[\d+\])(?:\.|$)")


def read_name(name: str) -> str:
    """The name of a dataset, checked."""
    if not name.strip():
        raise invalid("name", "a dataset needs a name")
    if len(name) > MAX_NAME_CHARACTERS:
        raise invalid("name", f"is longer than {MAX_NAME_CHARACTERS} characters")
    return name


def read_object(message: Any, field: str) -> str:
    """The JSON object in a field as text; '' where it is absent, null or empty."""
    value = read_json_fields(message, "request", (field,)).get(field)
    return getattr(message, field) if value else ""


def read_schema(message: Any, field: str) -> str:
    """The JSON Schema in a field as text; '' where it is absent or null."""
    if not message.HasField(field) or getattr(message, field) == "null":
        return ""
    text: str = getattr(message, field)
    try:
        check_schema(text, field)
    except ValueError as error:
        raise invalid(field, f"is not JSON: {error}") from None
    return text


def read_rows(rows: Sequence[Any], problems: Sequence[Problem], *, is_merge: bool) -> list[RowWrite]:
    """The rows of a request, each read or with its error.

    Raises InvalidRequestError for what is wrong outside the rows.
    """
    if len(rows) > MAX_ROWS:
        raise invalid("rows", f"{len(rows)} rows in one request; send at most {MAX_ROWS} at a time")
    found: dict[str, Problem] = {}
    for problem in problems:
        match = _ROW_PROBLEM.match(problem.path)
        if match is None:
            raise problem.error()
        found.setdefault(match[1], problem)
    return [_read_row(row, f"rows[{number}]", found, is_merge=is_merge) for number, row in enumerate(rows)]


def _read_row(row: Any, path: str, problems: Mapping[str, Problem], *, is_merge: bool) -> RowWrite:
    write = RowWrite(path, DatasetRow(row.id, {}))
    try:
        if path in problems:
            raise problems[path].error()
        fields = _fields(row, path)
        if is_merge and not row.id:
            raise invalid(f"{path}.id", "an update needs the id of its row")
        if len(row.id) > MAX_ID_CHARACTERS:
            raise invalid(f"{path}.id", f"is longer than {MAX_ID_CHARACTERS} characters")
        write.given = DatasetRow(row.id or content_id(fields), fields)
    except InvalidRequestError as error:
        write.error = error
    return write


def _fields(row: Any, path: str) -> dict[str, Json]:
    fields = read_json_fields(row, path, ("input", "expected", "metadata"))
    if row.HasField("origin"):
        fields["origin"] = _origin(row.origin, f"{path}.origin")
    if row.tags:
        fields["tags"] = list(dict.fromkeys(row.tags))
    return fields


def _origin(text: str, path: str) -> Json:
    try:
        origin = parse_json(text)
    except ValueError as error:
        raise invalid(path, f"is not JSON: {error}") from None
    if origin is not None and not (isinstance(origin, dict) and origin.get("object_type") and origin.get("id")):
        raise invalid(path, f"expected an object with object_type, object_id and id, got {text:.100}")
    return origin
