"""A ClickHouse user that can only read our views, made where the server lets us make users.

Every collector of a cluster derives the same password from the one it connects with, so none locks out another.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.query.catalog import SECRETS, SYSTEM_TABLES
from spanloop_collector.schema.cluster import on_cluster, stored

logger = logging.getLogger(__name__)


class UserDatabase(Protocol):
    """What making a user asks of the store."""

    @property
    def database(self) -> str: ...

    @property
    def cluster(self) -> str: ...

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object: ...


def reader_url(store: UserDatabase, url: str) -> str:
    """The server's address with the restricted user's name and password.

    Returns the address as it was where the server does not let us make users: statements are then held by the
    read-only session and the guard alone. Blocks; raises StoreUnavailableError where the server is away.
    """
    name = f"{store.database}_reader"
    password = derive_password(url, name)
    try:
        for statement in user_statements(store, name, password):
            store.command(statement)
    except Error as error:
        logger.warning("query: no restricted ClickHouse user, relying on checked statements error=%s", error)
        return url
    return with_user(url, name, password)


def user_statements(store: UserDatabase, name: str, password: str) -> list[str]:
    """What makes the user, or brings it up to date: SELECT on our database but not on secrets, nothing else."""
    everywhere = f" {on_cluster(store.cluster)}".rstrip()
    system = ", ".join(f"SELECT ON system.{table}" for table in sorted(SYSTEM_TABLES))
    secrets = {*SECRETS, *(stored(table, store.cluster) for table in SECRETS)}
    identified = f"IDENTIFIED WITH sha256_password BY '{password}'"
    return [
        f"CREATE USER IF NOT EXISTS {name}{everywhere} {identified}",
        f"ALTER USER {name}{everywhere} {identified}",
        f"REVOKE{everywhere} ALL ON *.* FROM {name}",
        f"GRANT{everywhere} SELECT ON {store.database}.* TO {name}",
        *(f"REVOKE{everywhere} SELECT ON {store.database}.{table} FROM {name}" for table in sorted(secrets)),
        f"GRANT{everywhere} {system} TO {name}",
    ]


def derive_password(url: str, name: str) -> str:
    """The user's password: as secret as the one in the address, and the same for everyone who knows that."""
    secret = unquote(urlsplit(url).password or "")
    return hmac.new(secret.encode(), f"spanloop reader {name}".encode(), hashlib.sha256).hexdigest()


def with_user(url: str, name: str, password: str) -> str:
    """The address with another user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{quote(password)}@{host}"))
