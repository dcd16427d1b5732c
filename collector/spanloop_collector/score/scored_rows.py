"""What there is to score: rows as a scorer sees them, read in one go for many tasks. Calls block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import orjson

from spanloop_collector.schema.fragments import sql_text
from spanloop_collector.score.idle import task_parameters, task_rows
from spanloop_collector.score.matching import SCORABLE, rows_of
from spanloop_collector.score.rule import Rule
from spanloop_collector.score.task import Subject, Task

COLUMNS = """
    project, id, trace_id, span_id, parent_id, name, type, input, output, expected, error, scores, metrics, metadata,
    metadata_json, tags, toUnixTimestamp64Nano(created) AS created_ns, toUnixTimestamp64Nano(end_time) AS ended_ns
"""
KEY_COLUMNS = "project String, created_ns Int64, trace_id String, span_id String"
RowKey: TypeAlias = tuple[str, int, str, str]
"""The key of a row of `spans`: project, created in Unix nanoseconds, trace_id, span_id."""
PLAIN_FIELDS = (
    *("id", "trace_id", "span_id", "parent_id", "project", "name", "type", "error"),
    *("scores", "metrics", "tags"),
)
JSON_FIELDS = ("input", "output", "expected")
SETTINGS = {"max_threads": "1"}
"""Beside what comes in, which comes first."""
ROOT_FIRST = "ORDER BY parent_id != '', created_ns LIMIT 1 BY project, trace_id"


class RowDatabase(Protocol):
    """The store, as far as reading rows needs it."""

    @property
    def database(self) -> str: ...

    def query(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """A row that is about to be scored."""

    subject: Subject
    text: str
    """JSON text of the row; `trace_ids` are the traces that a scorer may want to see."""


class RowReader:
    """Finds the rows of tasks."""

    def __init__(self, store: RowDatabase, rule_of: Callable[[str, int], Rule | None]) -> None:
        """`rule_of` finds a rule by id and revision."""
        self._store = store
        self._rule_of = rule_of

    def read(self, tasks: Sequence[Task]) -> dict[str, ScoredRow]:
        """By task: its row; tasks whose row is gone are left out."""
        spans = [task for task in tasks if task.is_span]
        found = self._read_spans(spans) if spans else {}
        by_rule: dict[tuple[str, int], list[Task]] = {}
        for task in tasks:
            if not task.is_span:
                by_rule.setdefault((task.rule_id, task.revision), []).append(task)
        for key, its_tasks in by_rule.items():
            rule = self._rule_of(*key)
            if rule is not None:
                found |= self._read_traces(rule, its_tasks)
        return found

    def _read_spans(self, tasks: Sequence[Task]) -> dict[str, ScoredRow]:
        keys = {(task.project, task.created_ns, task.trace_id, task.span_id) for task in tasks}
        rows = self._query(rows_of(self._store.database, f"{is_one_of(keys)}", is_final=True))
        by_key = {(row["project"], row["trace_id"], row["span_id"]): row for row in rows}
        found: dict[str, ScoredRow] = {}
        for task in tasks:
            row = by_key.get((task.project, task.trace_id, task.span_id))
            if row is not None:
                found[task.id] = _scored_row(row, [task.trace_id])
        return found

    def _read_traces(self, rule: Rule, tasks: Sequence[Task]) -> dict[str, ScoredRow]:
        """By task: the root of its newest trace, which stands for all of it."""
        key, where = task_rows(rule, tasks)
        sql = (
            f"SELECT project, {key} AS key, trace_id FROM {rows_of(self._store.database, where)} WHERE {SCORABLE} "
            f"GROUP BY project, key, trace_id ORDER BY max(created) DESC LIMIT {rule.scope.max_traces} BY project, key"
        )
        traces: dict[tuple[str, str], list[str]] = {}
        for project, its_key, trace_id in self._store.query(sql, task_parameters(tasks)).result_rows:
            traces.setdefault((project, its_key), []).append(trace_id)
        newest = {(project, ids[0]) for (project, _), ids in traces.items()}
        roots = self._roots(newest)
        found: dict[str, ScoredRow] = {}
        for task in tasks:
            ids = traces.get((task.project, task.trace_id or task.group_key))
            row = roots.get((task.project, ids[0])) if ids else None
            if row is not None and ids:
                found[task.id] = _scored_row(row, ids)
        return found

    def _roots(self, traces: set[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, Any]]:
        if not traces:
            return {}
        pairs = ", ".join(f"({sql_text(project)}, {sql_text(trace_id)})" for project, trace_id in sorted(traces))
        rows = self._query(
            rows_of(self._store.database, f"(project, trace_id) IN ({pairs}) AND type != 'score'", is_final=True),
            ROOT_FIRST,
        )
        return {(row["project"], row["trace_id"]): row for row in rows}

    def _query(self, rows: str, order: str = "") -> list[Mapping[str, Any]]:
        return list(self._store.query(f"SELECT {COLUMNS} FROM {rows} {order}", settings=SETTINGS).named_results())


def is_one_of(keys: Iterable[RowKey]) -> str:
    """SQL for whether a row of `spans` has one of these keys."""
    return (
        "(project, created, trace_id, span_id) IN (SELECT project, fromUnixTimestamp64Nano(created_ns, 'UTC'), "
        f"trace_id, span_id FROM {table_of(KEY_COLUMNS, sorted(keys))})"
    )


def table_of(columns: str, rows: Iterable[Sequence[Any]]) -> str:
    """SQL for a table with these rows: as JSON they cost ClickHouse a tenth of what a list of tuples does."""
    text = b"\n".join(map(orjson.dumps, rows)).decode()
    return f"format(JSONCompactEachRow, {sql_text(columns)}, {sql_text(text)})"


def _scored_row(row: Mapping[str, Any], trace_ids: Sequence[str]) -> ScoredRow:
    subject = Subject(row["trace_id"], row["span_id"], row["id"], row["name"], row["created_ns"], row["ended_ns"])
    return ScoredRow(subject, row_text(row, trace_ids))


def row_text(row: Mapping[str, Any], trace_ids: Sequence[str] = ()) -> str:
    """The row as JSON text; what is stored as JSON goes in as it is."""
    fields = {name: row[name] for name in PLAIN_FIELDS}
    fields |= {name: orjson.Fragment(row[name] or "null") for name in JSON_FIELDS}
    fields["metadata"] = {
        name: orjson.Fragment(text) if name in row["metadata_json"] else text for name, text in row["metadata"].items()
    }
    return orjson.dumps(fields | {"trace_ids": list(trace_ids)}).decode()
