"""Masks what must not leave the process: by key, by pattern, by a function of the application's.

Works on whole spans just before they are encoded, so nothing that writes to a span can get around it. Masking
that fails masks everything it was asked about: better no value than the wrong one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from spanloop import _attributes as names
from spanloop._failsafe import log
from spanloop._json import to_json
from spanloop._settings import Settings

MASKED = "[masked]"
FAILED = "[masked: the masking function failed]"

# Attributes whose text is JSON, and the names their fields have for whoever writes masks.
JSON_ATTRIBUTES = {
    names.INPUT: "input",
    names.OUTPUT: "output",
    names.EXPECTED: "expected",
    names.METADATA: "metadata",
    names.METRICS: "metrics",
    names.SCORES: "scores",
}
NEVER_MASKED = (names.TYPE,)

Path = tuple[str, ...]


class Mask:
    """The masks of one application."""

    def __init__(self, settings: Settings) -> None:
        self._keys = [tuple(key.lower().split(".")) for key in settings.mask_keys]
        # One by one: joined, a pattern could not begin with flags such as (?i).
        self._patterns = [re.compile(pattern) for pattern in settings.mask_patterns]
        self._function: Callable[[str, Any], Any] | None = settings.mask
        self._has_failed = False

    def span(self, span: ReadableSpan) -> ReadableSpan:
        """A copy of the span with everything masked that has to be."""
        return ReadableSpan(
            name=self.text(span.name),
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes=self.attributes(span.attributes or {}),
            events=[Event(self.text(e.name), self.attributes(e.attributes or {}), e.timestamp) for e in span.events],
            links=[Link(link.context, self.attributes(link.attributes or {})) for link in span.links],
            kind=span.kind,
            status=Status(span.status.status_code, self.text(span.status.description or "") or None),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._attribute(name, value) for name, value in attributes.items()}

    def _attribute(self, name: str, value: Any) -> Any:
        if name in NEVER_MASKED:
            return value
        if name in JSON_ATTRIBUTES and isinstance(value, str):
            try:
                parsed = json.loads(value)
            except ValueError:  # somebody else's text under our name
                return self._field(name, value)
            return to_json(self._field(JSON_ATTRIBUTES[name], parsed), len(value) * 2 + 1000)
        return self._field(name, value)

    def _field(self, name: str, value: Any) -> Any:
        """A row field or an attribute: first the function, then keys and patterns on what it returns."""
        if self._function is not None:
            value = self._by_function(name, value)
        return self._value(value, tuple(name.lower().split(".")))

    def _by_function(self, name: str, value: Any) -> Any:
        assert self._function is not None
        try:
            return self._function(name, value)
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                log.exception("mask= failed on %r; what it fails on is masked whole", name)
            return FAILED

    def _value(self, value: Any, path: Path) -> Any:
        if self._keys and self._is_masked(path):
            return MASKED
        if isinstance(value, str):
            return self.text(self._json_text(value, path) if self._keys else value)
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self._value(each, (*path, *str(key).lower().split(".")))
                for key, each in value.items()
            }
        if isinstance(value, list | tuple):  # positions in a list are no part of the path
            return [self._value(each, path) for each in value]
        if isinstance(value, int | float) and any(pattern.search(str(value)) for pattern in self._patterns):
            return MASKED
        return value

    def _json_text(self, text: str, path: Path) -> str:
        """A text that is JSON, such as the arguments of a tool call, masked like the values it stands for."""
        if text.lstrip()[:1] not in ("{", "["):
            return text
        try:
            parsed = json.loads(text)
            masked = self._value(parsed, path)
        except ValueError:
            return text
        except RecursionError:
            return MASKED
        return text if masked == parsed else to_json(masked, len(text) * 2 + 1000)

    def _is_masked(self, path: Path) -> bool:
        return any(path[-len(key) :] == key for key in self._keys)

    def body(self, text: str) -> Any:
        """What a log record says."""
        return self._field("body", text)

    def text(self, text: str) -> str:
        """Text without what the patterns match."""
        for pattern in self._patterns:
            text = pattern.sub(MASKED, text)
        return text


def make_mask(settings: Settings) -> Mask | None:
    """The masks of the settings; None if there are none."""
    if settings.mask is None and not settings.mask_keys and not settings.mask_patterns:
        return None
    return Mask(settings)
