"""What a Python object looks like in JSON, one level deep.

Returns dictionaries, lists and scalars whose members may again need `plain`. Nothing is imported for
it: numpy, pydantic and attrs are recognised by what their objects carry.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import pathlib
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any

from spanloop._attachments.objects import Attachment, ExternalAttachment, ReadonlyAttachment

MAX_BYTES_SHOWN = 4096
MAX_ARRAY_ITEMS = 1000
MAX_REPR_CHARS = 10_000


def plain(value: Any) -> Any:
    """The nearest JSON type of `value`; raises whatever the value's own methods raise."""
    for matches, convert in _CONVERSIONS:
        if matches(value):
            return convert(value)
    return _described(value)


def _is_dataclass(value: object) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _dataclass(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name, None) for each in dataclasses.fields(value) if each.repr}


def _is_pydantic(value: object) -> bool:
    return hasattr(type(value), "model_fields") and hasattr(type(value), "model_dump")


def _pydantic(value: Any) -> Any:
    # Replies of the OpenAI and Anthropic clients have dozens of fields that were never sent.
    is_reply = type(value).__module__.partition(".")[0] in ("openai", "anthropic")
    return value.model_dump(exclude_unset=is_reply, warnings=False)


def _is_attrs(value: object) -> bool:
    return hasattr(type(value), "__attrs_attrs__")


def _attrs(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name, None) for each in type(value).__attrs_attrs__ if each.repr}


def _is_numpy(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist")


def _numpy(value: Any) -> Any:
    if value.size <= MAX_ARRAY_ITEMS:
        return value.tolist()
    return {
        "dtype": str(value.dtype),
        "shape": list(value.shape),
        "first": value.ravel()[:10].tolist(),
        "[truncated]": f"{value.size - 10} more items",
    }


def _bytes(value: bytes | bytearray | memoryview) -> str:
    """A data URI, which attachments and browsers understand."""
    shown = base64.b64encode(bytes(value[:MAX_BYTES_SHOWN])).decode()
    uri = f"data:application/octet-stream;base64,{shown}"
    left = len(value) - MAX_BYTES_SHOWN
    return uri if left <= 0 else f"{uri}… [truncated: {left} more bytes]"


def _set(value: Any) -> list[Any]:
    try:
        return sorted(value)
    except TypeError:
        return list(value)


def _exception(value: BaseException) -> dict[str, str]:
    return {"type": type(value).__name__, "message": str(value)}


def _is_named(value: object) -> bool:
    return callable(value) and hasattr(value, "__qualname__")


def _named(value: Any) -> str:
    kind = "class" if isinstance(value, type) else "function"
    return f"<{kind} {value.__module__}.{value.__qualname__}>"


def _described(value: object) -> str:
    """`repr`, except where it would only be a memory address."""
    if type(value).__repr__ is object.__repr__ or hasattr(value, "__next__") or hasattr(value, "cr_code"):
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
    text = repr(value)
    if len(text) <= MAX_REPR_CHARS:
        return text
    return f"{text[:MAX_REPR_CHARS]}… [truncated: {MAX_REPR_CHARS} of {len(text)} characters]"


def _instance_of(*kinds: type) -> Any:
    return lambda value: isinstance(value, kinds)


_CONVERSIONS: tuple[tuple[Any, Any], ...] = (
    (_instance_of(Attachment, ExternalAttachment, ReadonlyAttachment), lambda value: value.reference),
    (_is_dataclass, _dataclass),
    (_is_pydantic, _pydantic),
    (_instance_of(bytes, bytearray, memoryview), _bytes),
    (_instance_of(datetime.date, datetime.time), lambda value: value.isoformat()),
    (_instance_of(datetime.timedelta), lambda value: value.total_seconds()),
    (_instance_of(decimal.Decimal, uuid.UUID, pathlib.PurePath), str),
    (_instance_of(enum.Enum), lambda value: value.value),
    (_instance_of(set, frozenset), _set),
    (_instance_of(Mapping), dict),
    (_instance_of(deque, range), list),
    (_instance_of(BaseException), _exception),
    (_is_numpy, _numpy),
    (_is_attrs, _attrs),
    (_is_named, _named),
)
