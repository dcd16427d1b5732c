"""Saved views in ClickHouse. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

READ_VIEWS = """
SELECT project, id, page, name, definition, is_default, is_deleted,
    toUnixTimestamp64Milli(created) AS created_ms, version
FROM {database:Identifier}.saved_views FINAL
WHERE project = {project:String} AND ({page:String} = '' OR page = {page:String})
    AND ({id:String} = '' OR id = {id:String}) AND NOT is_deleted
ORDER BY name, id
"""

# INSERT … SELECT rather than VALUES: never an asynchronous insert, so the view is there when the call returns.
WRITE_VIEW = """
INSERT INTO {database:Identifier}.saved_views
    (project, id, page, name, definition, is_default, is_deleted, created, version)
SELECT {project:String}, {id:String}, {page:String}, {name:String}, {definition:String}, {is_default:Bool},
    {is_deleted:Bool}, fromUnixTimestamp64Milli({created_ms:Int64}), {version:UInt64}
"""

READ_CHOSEN = """
SELECT view_id FROM {database:Identifier}.chosen_views FINAL
WHERE project = {project:String} AND key_id = {key_id:String} AND view_id != ''
"""

WRITE_CHOSEN = """
INSERT INTO {database:Identifier}.chosen_views (project, page, key_id, view_id, version)
SELECT {project:String}, {page:String}, {key_id:String}, {view_id:String}, {version:UInt64}
"""


class QueryResult(Protocol):
    """The part of clickhouse-connect's result that is read here."""

    @property
    def result_rows(self) -> Sequence[Sequence[Any]]: ...


class ViewDatabase(Protocol):
    """The store, as far as views need it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> QueryResult: ...

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object: ...


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """A saved view."""

    project: str
    id: str
    page: str
    name: str
    definition: str
    """JSON object."""
    is_default: bool
    is_deleted: bool
    created_ms: int
    version: int

    @property
    def created(self) -> str:
        """When it was first saved, RFC 3339."""
        return datetime.fromtimestamp(self.created_ms / 1000, UTC).isoformat()


class ViewTable:
    """The tables `saved_views` and `chosen_views`."""

    def __init__(self, store: ViewDatabase) -> None:
        self._store = store

    def read(self, project: str, *, page: str = "", id: str = "") -> list[ViewRecord]:
        """Views that were not deleted, by name."""
        asked = {"database": self._store.database, "project": project, "page": page, "id": id}
        return [_record(row) for row in self._store.query(READ_VIEWS, asked).result_rows]

    def write(self, record: ViewRecord) -> None:
        """Stores a version of a view."""
        self._store.command(WRITE_VIEW, {"database": self._store.database, **asdict(record)})

    def chosen(self, project: str, key_id: str) -> set[str]:
        """Ids of the views that pages of the project open with for a key."""
        asked = {"database": self._store.database, "project": project, "key_id": key_id}
        return {str(id) for (id,) in self._store.query(READ_CHOSEN, asked).result_rows}

    def choose(self, project: str, page: str, key_id: str, *, id: str, version: int) -> None:
        """Stores which view a page opens with for a key."""
        given = {"project": project, "page": page, "key_id": key_id, "view_id": id, "version": version}
        self._store.command(WRITE_CHOSEN, {"database": self._store.database, **given})


def _record(row: Sequence[Any]) -> ViewRecord:
    project, id, page, name, definition, is_default, is_deleted, created_ms, version = row
    return ViewRecord(
        project=project,
        id=id,
        page=page,
        name=name,
        definition=definition,
        is_default=bool(is_default),
        is_deleted=bool(is_deleted),
        created_ms=created_ms,
        version=version,
    )
