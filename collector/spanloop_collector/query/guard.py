"""The door for SQL from outside: nothing passes that is not known to read our views and nothing else.

1. The engine writes the statement in its canonical form: comments, heredocs and odd quoting are gone, and
   there is no second statement. This canonical text is what is checked and what runs.
2. sqlglot parses it: one SELECT, known tables, no SETTINGS, no INTO OUTFILE (`statement.py`).
3. The engine's own syntax tree of it must agree: known kinds of nodes, known functions (`syntax_tree.py`).

The reader that runs it is read-only on top, and its filters hide other projects' rows (`readers.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from spanloop_collector.query.catalog import Catalog
from spanloop_collector.query.client_settings import CHANGEABLE
from spanloop_collector.query.formats import known_format
from spanloop_collector.query.refusal import refuse
from spanloop_collector.query.statement import Statement, check_table_name, read_statement
from spanloop_collector.query.syntax_tree import check_syntax_tree
from spanloop_collector.schema.fragments import sql_text

MAX_STATEMENT_CHARACTERS = 256 * 1024

READING_WORDS = frozenset({"SELECT", "WITH", "DESCRIBE", "DESC", "SHOW", "("})

# clickhouse-connect sends this when it connects, and uses only settings that the answer calls changeable.
_SETTINGS_AT_CONNECT = re.compile(
    r"\s*SELECT name, value, readonly FROM system\.settings LIMIT 10000(?:\s+FORMAT (\w+))?\s*"
)
SETTINGS_ANSWER = "SELECT name, value, toUInt8(name NOT IN ({names})) AS readonly FROM system.settings LIMIT 10000"

_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(\(|\w*)", re.DOTALL)
_DESCRIBE = re.compile(r"DESCRIBE TABLE (?:(\w+)\.)?(\w+)(?: FORMAT (\w+))?")
_SHOW = re.compile(r"SHOW (TABLES|DATABASES)(?: FROM (\w+))?(?: FORMAT (\w+))?")


class Engine(Protocol):
    """What the guard asks ClickHouse, over a read-only connection."""

    def canonical(self, sql: str) -> str:
        """The statement in the engine's own words; raises its syntax error."""
        ...

    def syntax_tree(self, sql: str, parameters: Mapping[str, str]) -> list[str]:
        """Lines of EXPLAIN AST."""
        ...


def check(sql: str, *, parameters: Mapping[str, str], catalog: Catalog, engine: Engine) -> Statement:
    """The statement to run, or QueryError with ClickHouse's code naming what is refused."""
    at_connect = _SETTINGS_AT_CONNECT.fullmatch(sql)
    if at_connect is not None:
        return Statement(_settings_answer(), _format(at_connect[1]), frozenset())
    _check_first_word(sql)
    if len(sql) > MAX_STATEMENT_CHARACTERS:
        raise refuse("SYNTAX_ERROR", f"Max query size exceeded ({MAX_STATEMENT_CHARACTERS} characters)")
    canonical = engine.canonical(sql)
    if canonical.startswith("DESCRIBE "):
        return _read_describe(canonical, catalog)
    if canonical.startswith("SHOW "):
        return _read_show(canonical, catalog)
    statement = read_statement(canonical, catalog)
    check_syntax_tree(engine.syntax_tree(statement.sql, parameters), catalog, statement.ctes)
    return statement


def _check_first_word(sql: str) -> None:
    """Raise the friendlier error for what is plainly no query; what passes is still checked."""
    match = _FIRST_WORD.match(sql)
    word = match[1].upper() if match else ""
    if word not in READING_WORDS:
        raise refuse("READONLY", f"{word or 'this'} is not allowed here: this endpoint only reads")


def _read_describe(canonical: str, catalog: Catalog) -> Statement:
    match = _DESCRIBE.fullmatch(canonical)
    if match is None:
        raise refuse("ACCESS_DENIED", "only DESCRIBE TABLE with the name of a table is allowed here")
    check_table_name(match[1] or "", match[2], catalog, frozenset())
    return Statement(canonical.partition(" FORMAT ")[0], _format(match[3]), frozenset())


def _read_show(canonical: str, catalog: Catalog) -> Statement:
    """SHOW TABLES and SHOW DATABASES, answered from the tables that hide what is internal."""
    match = _SHOW.fullmatch(canonical)
    if match is None or match[2] not in (None, catalog.database):
        raise refuse("ACCESS_DENIED", "of SHOW, only SHOW TABLES and SHOW DATABASES are allowed here")
    return Statement(f"SELECT name FROM system.{match[1].lower()} ORDER BY name", _format(match[3]), frozenset())


def _settings_answer() -> str:
    return SETTINGS_ANSWER.format(names=", ".join(sql_text(name) for name in CHANGEABLE))


def _format(name: str | None) -> str:
    return known_format(name) if name else ""
