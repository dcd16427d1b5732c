"""The rows of a request, one by one: a bad one keeps its error, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spanloop.v1 import rows_pb2

from spanloop_collector.api.json_codec import Problem
from spanloop_collector.api.row import StoredRow
from spanloop_collector.api.row_input import RowInput, read_json_fields, read_row
from spanloop_collector.errors import InvalidRequestError, invalid

FEEDBACK_SOURCES = ("", "app", "api", "external")

RowKey = tuple[str, str]
"""Project and id."""


@dataclass(slots=True)
class Outcome:
    """What becomes of one row of a request."""

    input: RowInput | None = None
    row: StoredRow | None = None
    error: InvalidRequestError | None = None

    @property
    def key(self) -> RowKey | None:
        """Project and id of a row that may exist already."""
        return (self.input.project, self.input.id) if self.input and self.input.id and not self.error else None


def read_items(
    list_name: str,
    items: Sequence[Any],
    read: Callable[[Any, str, str], RowInput],
    project: str,
    problems: Sequence[Problem],
) -> list[Outcome]:
    """Each item of the list, read or with its error; `problems` are those that the transport found already.

    Raises InvalidRequestError for a problem outside the list.
    """
    found: dict[str, Problem] = {}
    for problem in problems:
        item, _, _ = problem.path.partition("]")
        if not item.startswith(f"{list_name}["):
            raise problem.error()
        found.setdefault(f"{item}]", problem)
    return [_read_item(f"{list_name}[{number}]", item, read, project, found) for number, item in enumerate(items)]


def _read_item(
    path: str, item: Any, read: Callable[[Any, str, str], RowInput], project: str, found: Mapping[str, Problem]
) -> Outcome:
    if path in found:
        return Outcome(error=found[path].error())
    try:
        return Outcome(input=read(item, path, project))
    except InvalidRequestError as error:
        return Outcome(error=error)


def read_written_row(row: Any, path: str, project: str) -> RowInput:
    """A row to write or merge; what names no project belongs to `project`."""
    given = read_row(row, path)
    return replace(given, project=given.project or project, id=given.id or given.span_id)


def read_feedback(item: Any, path: str, project: str) -> RowInput:
    """An item of feedback as the merge that it is."""
    if not item.id:
        raise invalid(f"{path}.id", "feedback needs the id of its row")
    if item.source not in FEEDBACK_SOURCES:
        raise invalid(f"{path}.source", f"expected app, api or external, got {item.source!r:.100}")
    fields = read_json_fields(item, path, ("scores", "expected", "metadata"))
    notes = {"comment": item.comment, "feedback_source": item.source}
    metadata = (fields.get("metadata") or {}) | {name: text for name, text in notes.items() if text}
    if metadata:
        fields["metadata"] = metadata
    row = read_row(rows_pb2.Row(id=item.id, tags=item.tags), path)
    return replace(row, project=project, fields={**row.fields, **fields})
