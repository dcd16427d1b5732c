"""Takes bytes out of attributes that others wrote on spans: OpenTelemetry's and OpenInference's instrumentors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanloop._attachments.find import LARGE_CHARS
from spanloop._attachments.keeper import Keeper

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

OWN_PREFIX = "spanloop."  # written through `to_json`, which has looked already
SIGNS = (";base64,", "blob", "b64_json", "file_data", "inline", '"data"')


def lightened(span: ReadableSpan, keeper: Keeper) -> ReadableSpan:
    """The span, or a copy with references where its attributes hold large bytes."""
    given: Any = span.attributes  # of a span it is never None
    attributes: dict[str, Any] = given if type(given) is dict else given.copy()
    large = [name for name, value in attributes.items() if type(value) is str and len(value) >= LARGE_CHARS]
    if not large:  # as with most spans
        return span
    changed: dict[str, Any] = {}
    for name in large:
        if not name.startswith(OWN_PREFIX):
            text = _lightened_text(attributes[name], keeper)
            if text is not attributes[name]:
                changed[name] = text
    return _copy(span, {**attributes, **changed}) if changed else span


def _lightened_text(text: str, keeper: Keeper) -> str:
    """A data URI, or JSON that holds one somewhere."""
    value: Any = text
    if text[:5] != "data:":
        if text[:1] not in ("{", "[") or not any(sign in text for sign in SIGNS):
            return text
        try:
            value = json.loads(text)
        except ValueError:
            return text
    found = keeper.take_out(value)
    return text if found is value else json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _copy(span: ReadableSpan, attributes: dict[str, Any]) -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan

    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
