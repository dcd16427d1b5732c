"""Things that people manage, kept as the list of their changes.

ClickHouse has no transactions, but it keeps only the first of two inserts with the same deduplication token. Each
version of a thing is inserted under a token that follows from its name and number: whoever comes second inserts
nothing, reads the version back, and sees that it is not theirs. That also makes a lease of it.
Calls block: use them in a thread.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client

from spanloop_collector.store.bells import Bells

SEEN_WITHIN_SECONDS = 5.0
"""A replica may show the other writer's version a moment late."""
LOOK_EVERY_SECONDS = 0.02

READ_CHANGE_ID = """
SELECT change_id FROM {database:Identifier}.{table:Identifier}
WHERE kind = {kind:String} AND project = {project:String} AND id = {id:String} AND version = {version:UInt64}
LIMIT 1
"""

READ_LATEST = """
SELECT project, id, version, state
FROM {database:Identifier}.{table:Identifier}
WHERE kind = {kind:String}
    AND ({project:String} = '*' OR project = {project:String})
    AND (empty({ids:Array(String)}) OR id IN {ids:Array(String)})
ORDER BY version DESC
LIMIT 1 BY project, id
"""


class ChangeDatabase(Protocol):
    """The store, as far as changes need it."""

    @property
    def database(self) -> str: ...

    @property
    def bells(self) -> Bells: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...

    def client(self) -> AbstractContextManager[Client]: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change."""

    name: str
    """The person or program, as they call themselves."""
    key_id: str = ""
    """Public half of the key they came with."""


@dataclass(frozen=True, slots=True)
class Change:
    """One version of a thing."""

    project: str
    id: str
    version: int
    """1 for a new thing."""
    action: str
    """What was done, in the past tense: created, claimed, reviewed, …"""
    actor: Actor
    state: Mapping[str, Any]
    """Everything about the thing after the change; empty once it is deleted."""
    comment: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict)
    """By field: [before, after]."""


@dataclass(frozen=True, slots=True)
class Latest:
    """A thing as its newest version has it."""

    project: str
    id: str
    version: int
    state: Mapping[str, Any]


class ChangeLog:
    """The changes of all things of one kind."""

    def __init__(
        self, store: ChangeDatabase, kind: str, *, table: str = "changes", now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._kind = kind
        self._table = table
        self._now = now

    def append(self, change: Change) -> bool:
        """Adds a version; False when somebody else made that version first."""
        change_id = uuid.uuid4().hex
        self._insert([self._row(change, change_id)], token=self._token(change))
        return self._winner(change) == change_id

    def append_new(self, changes: Sequence[Change]) -> None:
        """Adds the first versions of many things at once; the same things again change nothing."""
        if changes:
            token = hashlib.sha256("\n".join(sorted(self._token(change) for change in changes)).encode()).hexdigest()
            self._insert([self._row(change, uuid.uuid4().hex) for change in changes], token=token)

    def find(self, project: str, id: str) -> Latest | None:
        """The thing of that name; None when there is none or it was deleted."""
        found = self.latest(project, [id])
        return found[0] if found else None

    def latest(self, project: str = "*", ids: Sequence[str] = ()) -> list[Latest]:
        """The things of a project, or of every project with `*`, without deleted ones."""
        return [latest for latest in self._read(project, ids) if latest.state]

    def last_version(self, project: str, id: str) -> int:
        """The newest version of that name, deleted or not; 0 when it never existed."""
        return max((latest.version for latest in self._read(project, [id])), default=0)

    def _read(self, project: str, ids: Sequence[str]) -> list[Latest]:
        parameters = self._names() | {"project": project, "ids": list(ids)}
        rows = self._store.query(READ_LATEST, parameters).result_rows
        return [Latest(project, id, version, json.loads(state)) for project, id, version, state in rows]

    def _insert(self, rows: list[dict[str, Any]], *, token: str) -> None:
        with self._store.client() as client:
            client.raw_insert(
                f"{self._store.database}.{self._table}",
                insert_block="\n".join(json.dumps(row) for row in rows).encode(),
                fmt="JSONEachRow",
                settings={"insert_deduplication_token": token},
            )
        self._store.bells.ring(self._table)

    def _winner(self, change: Change) -> str:
        """Who made that version, as soon as it can be seen."""
        parameters = self._names() | {"project": change.project, "id": change.id, "version": change.version}
        deadline = time.monotonic() + SEEN_WITHIN_SECONDS
        while True:
            rows = self._store.query(READ_CHANGE_ID, parameters).result_rows
            if rows:
                return str(rows[0][0])
            if time.monotonic() > deadline:
                return ""
            time.sleep(LOOK_EVERY_SECONDS)

    def _row(self, change: Change, change_id: str) -> dict[str, Any]:
        return {
            "kind": self._kind,
            "project": change.project,
            "id": change.id,
            "version": change.version,
            "change_id": change_id,
            "time": datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
            "action": change.action,
            "actor": change.actor.name,
            "key_id": change.actor.key_id,
            "comment": change.comment,
            "changed": json.dumps(change.changed, ensure_ascii=False) if change.changed else "",
            "state": json.dumps(change.state, ensure_ascii=False),
        }

    def _names(self) -> dict[str, Any]:
        return {"database": self._store.database, "table": self._table, "kind": self._kind}

    def _token(self, change: Change) -> str:
        name = "\0".join((self._table, self._kind, change.project, change.id, str(change.version)))
        return hashlib.sha256(name.encode()).hexdigest()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """By field that differs: [before, after]."""
    names = [*before, *(name for name in after if name not in before)]
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}
