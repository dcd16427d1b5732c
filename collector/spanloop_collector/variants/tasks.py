"""The tasks of an experiment, as a caller gives them or as rows of a view are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from spanloop.v1 import variants_pb2

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.errors import QueryError, invalid
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.expression import without_our_question
from spanloop_collector.query.queries import Queries
from spanloop_collector.variants.run import Task

MAX_TASKS = 10_000
"""Every variant runs all of them, and a run is one document, of 2 MB then, written again with every verdict."""
SOURCES = ("logs", "dataset_rows")

# The condition stands on lines of its own, so that a comment at its end cannot swallow ours.
SELECT_TASKS = """
SELECT id, input, expected
FROM {source}
WHERE project = {{project:String}} AND (
{where}
)
ORDER BY created DESC, id
LIMIT {limit}
"""


def read_tasks(given: Iterable[variants_pb2.VariantTask]) -> list[Task]:
    """The tasks of a request, each with an id of its own."""
    tasks = [
        Task(
            id=task.id or str(number),
            input=_value(task, "input"),
            expected=_value(task, "expected"),
            metadata=_value(task, "metadata"),
        )
        for number, task in enumerate(given, start=1)
    ]
    return _checked(tasks)


async def select_tasks(
    statements: Queries, principal: Principal, project: str, *, source: str, where: str, limit: int
) -> list[Task]:
    """The rows that match a condition, newest first, as tasks."""
    if source not in SOURCES:
        raise invalid("source", f"expected one of {', '.join(SOURCES)}, got {source!r:.100}")
    try:
        result = await statements.run(
            SELECT_TASKS.format(source=source, where=where.strip() or "1", limit=limit),
            principal=principal,
            parameters={"project": project},
            settings={},
            default_format="JSONEachRow",
        )
    except QueryError as error:
        raise invalid("where", without_our_question(str(error))) from error
    rows = [json.loads(line) for line in result.data.splitlines()]
    return _checked([Task(row["id"], _json(row["input"]), _json(row["expected"])) for row in rows])


def _checked(tasks: list[Task]) -> list[Task]:
    if not 0 < len(tasks) <= MAX_TASKS:
        raise invalid("tasks", f"expected 1 to {MAX_TASKS:,} tasks, each variant runs them all; got {len(tasks):,}")
    ids = [task.id for task in tasks]
    if len(set(ids)) != len(ids):
        raise invalid("tasks", f"the id {next(id for id in ids if ids.count(id) > 1)!r} is there twice")
    return tasks


def _value(task: variants_pb2.VariantTask, name: str) -> Any:
    if not task.HasField(name):
        return None
    try:
        return parse_json(getattr(task, name))
    except ValueError as error:
        raise invalid(f"tasks.{name}", f"is not JSON: {error}") from None


def _json(text: str) -> Any:
    return json.loads(text) if text else None
