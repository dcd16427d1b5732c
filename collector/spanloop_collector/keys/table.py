"""Keys in ClickHouse, where every collector of a cluster finds them. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from spanloop_collector.keys.principal import Scope
from spanloop_collector.keys.record import KeyRecord
from spanloop_collector.store.bells import Bell, Bells

TABLE = "api_keys"

READ_KEYS = """
SELECT key_id, name, project, scopes, secret_sha256, toUnixTimestamp64Milli(created), is_revoked
FROM {database:Identifier}.api_keys FINAL
ORDER BY created, key_id
"""

# INSERT … SELECT rather than VALUES: never an asynchronous insert, so the key is there when the call returns.
WRITE_KEY = """
INSERT INTO {database:Identifier}.api_keys
    (key_id, name, project, scopes, secret_sha256, created, is_revoked, version)
SELECT {key_id:String}, {name:String}, {project:String}, {scopes:Array(String)}, {secret_sha256:String},
    fromUnixTimestamp64Milli({created_ms:Int64}), {is_revoked:Bool}, {version:UInt8}
"""


class QueryResult(Protocol):
    """The part of clickhouse-connect's result that is read here."""

    @property
    def result_rows(self) -> Sequence[Sequence[Any]]: ...


class KeyDatabase(Protocol):
    """The store, as far as keys need it."""

    @property
    def database(self) -> str: ...

    @property
    def bells(self) -> Bells: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> QueryResult: ...

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object: ...


class KeyTable:
    """The table `api_keys`."""

    def __init__(self, store: KeyDatabase) -> None:
        self._store = store

    def read(self) -> list[KeyRecord]:
        """Every key, oldest first, revoked ones included."""
        result = self._store.query(READ_KEYS, {"database": self._store.database})
        return [_key_record(row) for row in result.result_rows]

    @contextmanager
    def listen(self) -> Iterator[Bell]:
        """A bell that rings when a key was written, here or by another collector."""
        with self._store.bells.listen(TABLE) as bell:
            yield bell

    def write(self, record: KeyRecord) -> None:
        """Stores a new key, or the revocation of one."""
        self._store.command(WRITE_KEY, self._parameters(record))
        self._store.bells.ring(TABLE)

    def _parameters(self, record: KeyRecord) -> dict[str, Any]:
        return {
            "database": self._store.database,
            "key_id": record.key_id,
            "name": record.name,
            "project": record.project,
            "scopes": sorted(record.scopes),
            "secret_sha256": record.secret_sha256,
            "created_ms": round(record.created.timestamp() * 1000),
            "is_revoked": record.is_revoked,
            "version": 2 if record.is_revoked else 1,
        }


def _key_record(row: Sequence[Any]) -> KeyRecord:
    key_id, name, project, scopes, secret_sha256, created_ms, is_revoked = row
    return KeyRecord(
        key_id=key_id,
        name=name,
        project=project,
        scopes=known_scopes(scopes),
        secret_sha256=secret_sha256,
        created=datetime.fromtimestamp(created_ms / 1000, UTC),
        is_revoked=bool(is_revoked),
    )


def known_scopes(names: Sequence[str]) -> frozenset[Scope]:
    """The scopes among the names; one that a newer collector added gives no right here."""
    return frozenset(scope for scope in Scope if scope.value in names)
