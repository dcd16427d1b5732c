"""One read-only connection to ClickHouse, embedded or a server. Calls block: use them in a thread."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import clickhouse_connect
from clickhouse_connect.driver.exceptions import Error as ClickHouseError

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.query.refusal import from_engine
from spanloop_collector.store.address import server_address

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

CONNECT_TIMEOUT_SECONDS = 5

FORMAT_QUERY = "SELECT formatQuerySingleLine({statement:String})"

# What the engine appends to an error inside formatQuerySingleLine: our own question.
_OUR_QUESTION = re.compile(r":? In scope SELECT formatQuerySingleLine\(.*(?=\. \([A-Z_]+\))", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(\w+):[^}]+\}")


@dataclass(frozen=True, slots=True)
class ReaderAddress:
    """Where readers connect."""

    database: str
    """The database whose views they read."""
    url: str = ""
    """`http[s]://user:password@host:port`; empty for an embedded ClickHouse."""
    path: Path | None = None
    """Directory of an embedded ClickHouse that this process has open."""


class _AsSent:
    """A parameter's value that goes to the engine as the client wrote it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


class Reader:
    """A connection that cannot write and whose settings no statement can change."""

    def __init__(self, address: ReaderAddress, settings: Mapping[str, str]) -> None:
        try:
            self._client = _connect(address, settings)
        except Exception as error:
            translate(error)
        self.has_failed = False
        """Whether the engine refused a statement or broke it off."""

    @property
    def timezone(self) -> str:
        """Time zone of the server, as it names it."""
        return str(self._client.server_tz)

    def canonical(self, sql: str) -> str:
        """The statement in the engine's own words; raises its syntax error."""
        try:
            result = self._client.query(FORMAT_QUERY, parameters={"statement": sql})
        except Exception as error:
            self.has_failed = True
            translate(error)
        return str(result.result_rows[0][0])

    def syntax_tree(self, sql: str, parameters: Mapping[str, str]) -> list[str]:
        """Lines of EXPLAIN AST."""
        return self.run(f"EXPLAIN AST {sql}", parameters, "TabSeparated").decode().splitlines()

    def run(self, sql: str, parameters: Mapping[str, str], output_format: str) -> bytes:
        """The result of a checked statement, in the format's bytes."""
        try:
            return self._client.raw_query(sql, parameters=_used(parameters, sql), fmt=output_format)
        except Exception as error:
            self.has_failed = True
            translate(error)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()


def _connect(address: ReaderAddress, settings: Mapping[str, str]) -> Client:
    # `readonly` comes last: after it, nothing can be set.
    session: dict[str, Any] = {**settings, "readonly": "1"}
    if address.url:
        return clickhouse_connect.get_client(
            **server_address(address.url).client_options(),
            database=address.database,
            settings=session,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            autogenerate_session_id=False,
        )
    return clickhouse_connect.get_client(
        interface="chdb", path=str(address.path), database=address.database, settings=session
    )


def _used(parameters: Mapping[str, str], sql: str) -> dict[str, _AsSent] | None:
    """The parameters that the statement has placeholders for.

    With none of them clickhouse-connect would take the others for `%` formatting.
    """
    names = set(_PLACEHOLDER.findall(sql))
    used = {name: _AsSent(value) for name, value in parameters.items() if name in names}
    return used or None


def translate(error: Exception) -> NoReturn:
    """Raise ClickHouse's own error as a QueryError, any other trouble as an unreachable store."""
    if not isinstance(error, ClickHouseError):
        raise error
    found = from_engine(_OUR_QUESTION.sub("", str(error)), code=error.code)
    if found is not None:
        raise found from error
    raise StoreUnavailableError(f"ClickHouse cannot be reached: {error}") from error
