"""Rows against the JSON Schemas of their dataset."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.row import Json
from spanloop_collector.api.row_input import is_number
from spanloop_collector.errors import InvalidRequestError, invalid

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MAX_SCHEMAS = 256
SIZES = ("Length", "Items", "Properties")


def check_schema(text: str, field: str) -> None:
    """Raise InvalidRequestError unless the text is a JSON Schema."""
    schema = parse_json(text)
    if not isinstance(schema, dict | bool):
        raise invalid(field, f"expected a JSON Schema, which is an object, got {text:.100}")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise invalid(field, f"is not a JSON Schema: {error.message} at {error.json_path}") from None


def check_value(value: Json, schema_text: str, field: str) -> None:
    """Raise InvalidRequestError naming the first place where the value does not follow the schema."""
    if not schema_text:
        return
    fault = _fault(value, schema_text, field)
    if fault is not None:
        raise fault


def _fault(value: Json, schema_text: str, field: str) -> InvalidRequestError | None:
    try:
        error = best_match(_validator(schema_text).iter_errors(value))
    except Unresolvable as unresolvable:
        return invalid(field, f"the dataset's schema refers to {unresolvable.ref!r}, which is not part of it")
    if error is None:
        return None
    # Says only that it is "too long".
    is_of_size = str(error.validator).endswith(SIZES) and is_number(error.validator_value)
    limit = f" ({error.validator}: {error.validator_value})" if is_of_size else ""
    return invalid(field + error.json_path.removeprefix("$"), f"{error.message:.500}{limit}")


@lru_cache(MAX_SCHEMAS)
def _validator(schema_text: str) -> Validator:
    # An empty registry: a schema cannot make the collector fetch addresses.
    return Draft202012Validator(parse_json(schema_text), registry=Registry())
