"""Addresses and signing secrets of webhooks: in a table of their own that no SQL from outside reads.

Calls block: use them in a thread.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.webhooks.address import read_url
from spanloop_collector.webhooks.signature import make_secret, read_secret

READ_TARGET = """
SELECT url, secret FROM {database:Identifier}.webhook_targets
WHERE owner = {owner:String}
ORDER BY version DESC
LIMIT 1
"""

# INSERT … SELECT rather than VALUES: never an asynchronous insert, so the target is there when the call returns.
WRITE_TARGET = """
INSERT INTO {database:Identifier}.webhook_targets (owner, url, secret, version)
SELECT {owner:String}, {url:String}, {secret:String}, {version:UInt64}
"""


class TargetDatabase(Protocol):
    """The store, as far as targets need it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes, and what signs it."""

    url: str
    secret: str


class Targets:
    """The table `webhook_targets`."""

    def __init__(self, store: TargetDatabase) -> None:
        self._store = store

    def find(self, owner: str) -> Target | None:
        """The newest target of an owner; None when it has none any more."""
        rows = self._store.query(READ_TARGET, {"database": self._store.database, "owner": owner}).result_rows
        return Target(*rows[0]) if rows and rows[0][0] else None

    def write(self, owner: str, target: Target) -> None:
        """Replaces an owner's target."""
        parameters = {"owner": owner, "url": target.url, "secret": target.secret, "version": time.time_ns()}
        self._store.command(WRITE_TARGET, {"database": self._store.database} | parameters)

    def remove(self, owner: str) -> None:
        """Forgets an owner's target; what still waits for it is not delivered."""
        self.write(owner, Target("", ""))


def choose_target(known: Target | None, url: str, secret: str, *, field: str) -> tuple[Target, str]:
    """The target to keep, and its secret where that was made here; raises InvalidRequestError naming what is wrong."""
    if url:
        read_url(url, field=field)
    if secret:
        read_secret(secret)
    url = url or (known.url if known else "")
    if not url:
        raise InvalidRequestError(f"{field}: say where messages are sent", field=field)
    if secret or known:
        return Target(url, secret or (known.secret if known else "")), ""
    made = make_secret()
    return Target(url, made), made


def target_owner(kind: str, project: str, name: str) -> str:
    """Whose target it is."""
    return "\0".join((kind, project, name))
