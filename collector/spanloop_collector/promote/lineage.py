"""The way back from a row to what it was copied from, and on to everything made of it. Calls block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop_collector.datasets.database import Database

MAX_STEPS_AWAY = 16
MAX_COPIES = 10_000
IDS_PER_QUERY = 500

COLUMNS = "from_type, from_object_id, from_id, from_version, to_type, to_object_id, to_id, to_version"

READ_SOURCES = f"""
SELECT {COLUMNS} FROM {{database:Identifier}}.lineage
WHERE project = {{project:String}} AND to_id IN {{ids:Array(String)}} ORDER BY created, to_id
"""
READ_USES = f"""
SELECT {COLUMNS} FROM {{database:Identifier}}.lineage
WHERE project = {{project:String}} AND from_id IN {{ids:Array(String)}} ORDER BY created, to_id
"""
READ_NAMES = """
SELECT toString(id), name FROM {database:Identifier}.datasets WHERE project = {project:String}
    AND toString(id) IN {ids:Array(String)}
UNION ALL
SELECT id, name FROM {database:Identifier}.experiments WHERE project = {project:String} AND id IN {ids:Array(String)}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One copy."""

    from_type: str
    """project_logs, dataset or experiment."""
    from_object_id: str
    from_id: str
    from_version: str
    to_type: str
    to_object_id: str
    to_id: str
    to_version: str

    @property
    def source(self) -> tuple[str, str, str]:
        """The row that was copied."""
        return self.from_type, self.from_object_id, self.from_id

    @property
    def copy(self) -> tuple[str, str, str]:
        """The row that was made."""
        return self.to_type, self.to_object_id, self.to_id


class Lineage:
    """Follows `origin` both ways within one project."""

    def __init__(self, store: Database, project: str) -> None:
        self._store = store
        self._project = project

    def sources(self, id: str) -> list[Step]:
        """The copies that led to the rows of this id, nearest first."""
        return self._walk(id, READ_SOURCES, backwards=True)

    def uses(self, id: str) -> list[Step]:
        """The copies made of the rows of this id and of their copies, nearest first."""
        return self._walk(id, READ_USES, backwards=False)

    def names(self, steps: Iterable[Step]) -> dict[str, str]:
        """The names of the datasets and experiments in these steps, by id; those deleted since have none."""
        ids = {object_id for step in steps for object_id in (step.from_object_id, step.to_object_id)}
        return {str(row[0]): str(row[1]) for row in self._rows(READ_NAMES, ids)}

    def _walk(self, id: str, sql: str, *, backwards: bool) -> list[Step]:
        found: dict[Step, None] = {}
        # Rows reached so far; of the first step only the id is known.
        reached: set[tuple[str, str, str]] | None = None
        ids: Iterable[str] = [id]
        for _ in range(MAX_STEPS_AWAY):
            steps = [
                step
                for step in self._read(sql, ids)
                if reached is None or (step.copy if backwards else step.source) in reached
            ]
            new = [step for step in steps if step not in found]
            found |= dict.fromkeys(new)
            if not new or len(found) > MAX_COPIES:
                break
            reached = {step.source if backwards else step.copy for step in new}
            ids = {row_id for _, _, row_id in reached}
        return list(found)

    def _read(self, sql: str, ids: Iterable[str]) -> list[Step]:
        return [Step(*row) for row in self._rows(sql, ids)]

    def _rows(self, sql: str, ids: Iterable[str]) -> Iterator[Sequence[Any]]:
        wanted = sorted(ids)
        for start in range(0, len(wanted), IDS_PER_QUERY):
            parameters: dict[str, Any] = {
                "database": self._store.database,
                "project": self._project,
                "ids": wanted[start : start + IDS_PER_QUERY],
            }
            yield from self._store.query(sql, parameters).result_rows
