"""A whole trace as a scorer sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Span = Mapping[str, Any]
"""One row of the trace: id, span_id, parent_id, name, type, input, output, error, scores, metrics, metadata, …"""


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans of one trace, or of several that belong together, oldest first.

    def used_search(trace): return any(span["name"] == "search" for span in trace.of_type("tool"))
    """

    spans: Sequence[Span] = field(default_factory=tuple)

    @property
    def root(self) -> Span | None:
        """The first span without a parent in the trace; the oldest span where every one has a parent."""
        roots = (span for span in self.spans if not span.get("parent_id"))
        return next(roots, self.spans[0] if self.spans else None)

    def of_type(self, type: str) -> list[Span]:
        """The spans of one type: llm, tool, task, …"""
        return [span for span in self.spans if span.get("type") == type]

    def named(self, name: str) -> list[Span]:
        """The spans of one name."""
        return [span for span in self.spans if span.get("name") == name]

    def children(self, span: Span) -> list[Span]:
        """The spans directly below this one."""
        return [each for each in self.spans if each.get("parent_id") == span["span_id"]]
