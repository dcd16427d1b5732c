"""First opinion on a statement: sqlglot's parse of it, which must be one plain SELECT over what we allow.

Works on the engine's own canonical text (no comments, one way to write a literal), which is also what runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.parsers.clickhouse import ClickHouseParser
from sqlglot.tokenizer_core import TokenType

from spanloop_collector.query.catalog import Catalog
from spanloop_collector.query.formats import known_format
from spanloop_collector.query.functions import is_allowed_function, is_allowed_table_function
from spanloop_collector.query.refusal import refuse

SELECTS = (exp.Select, exp.SetOperation, exp.Subquery)
UNCHECKED_NODES = (
    exp.Into,
    exp.Lateral,
    exp.Command,
    exp.DDL,
    exp.DML,
    exp.Set,
    exp.Use,
    exp.Kill,
    exp.PreWhere,
)

_FORMAT_CLAUSE = re.compile(r" FORMAT (\w+)$")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that passed, ready to run."""

    sql: str
    """Canonical text without its FORMAT clause."""
    format: str
    """Output format it asks for; empty for the caller's choice."""
    ctes: frozenset[str]
    """Names that its WITH clauses give to queries."""


class _Parser(ClickHouseParser):
    """sqlglot's ClickHouse parser, taught that `LIMIT n BY x` may be followed by `LIMIT m`."""

    def _parse_any_limit(self) -> tuple[str, exp.Expr | None]:
        limit: Any = self._parse_limit()
        return ("limit_by" if limit is not None and limit.args.get("expressions") else "limit"), limit

    QUERY_MODIFIER_PARSERS: ClassVar = {
        **ClickHouseParser.QUERY_MODIFIER_PARSERS,
        TokenType.LIMIT: _parse_any_limit,
    }


class _Dialect(ClickHouse):
    Parser = _Parser


def read_statement(canonical: str, catalog: Catalog) -> Statement:
    """The statement, or QueryError naming what is refused."""
    tree = _parse(canonical)
    ctes = frozenset(cte.alias for cte in tree.find_all(exp.CTE) if not cte.args.get("scalar"))
    _check_cte_names(ctes, catalog)
    for node in tree.walk():
        _check_node(node, catalog, ctes)
    sql, output_format = _split_format(canonical, tree)
    return Statement(sql, output_format, ctes)


def _parse(canonical: str) -> exp.Expr:
    try:
        trees = sqlglot.parse(canonical, dialect=_Dialect)
    except (sqlglot.ParseError, sqlglot.TokenError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise refuse("ACCESS_DENIED", f"cannot check this statement, so it does not run: {reason}") from None
    if len(trees) != 1 or not isinstance(trees[0], SELECTS):
        raise refuse("READONLY", "only a single SELECT is allowed here")
    return trees[0]


def _check_cte_names(ctes: frozenset[str], catalog: Catalog) -> None:
    # Outside its scope the same name would mean the table.
    taken = ctes & catalog.hidden
    if taken:
        raise refuse("ACCESS_DENIED", f"WITH {min(taken)}: the name is taken by an internal table")


def _check_node(node: exp.Expr, catalog: Catalog, ctes: frozenset[str]) -> None:
    if isinstance(node, UNCHECKED_NODES):
        raise refuse("READONLY", f"{node.key.upper()} is not allowed here")
    if node.args.get("settings"):
        raise refuse("READONLY", "SETTINGS is not allowed here; send settings beside the statement")
    for kind, check in _CHECKS.items():
        if isinstance(node, kind):
            check(node, catalog, ctes)


def _check_table(node: Any, catalog: Catalog, ctes: frozenset[str]) -> None:
    if isinstance(node.this, exp.Identifier):
        check_table_name(node.db, node.name, catalog, ctes, has_catalog=bool(node.catalog))
    elif not isinstance(node.this, exp.Func) or not is_allowed_table_function(_function_name(node.this)):
        raise refuse("ACCESS_DENIED", f"table function {_function_name(node.this)} is not allowed here")


def check_table_name(
    database: str, table: str, catalog: Catalog, ctes: frozenset[str], *, has_catalog: bool = False
) -> None:
    """Raise unless the name is one of our views, an allowed system table or one of the statement's own."""
    is_own = not database and table in ctes
    if has_catalog or not (is_own or catalog.allows(database, table)):
        name = f"{database}.{table}" if database else table
        known = ", ".join(sorted(catalog.visible))
        raise refuse("ACCESS_DENIED", f"table {name} is not allowed here; there are: {known}")


def _check_in(node: Any, catalog: Catalog, ctes: frozenset[str]) -> None:
    # `x IN name` reads a table of that name.
    name = node.args.get("field")
    if isinstance(name, exp.Column):
        check_table_name(name.table, name.name, catalog, ctes)


def _check_function(node: Any, catalog: Catalog, ctes: frozenset[str]) -> None:
    if isinstance(node.parent, exp.Table):
        return
    name = _function_name(node)
    if not is_allowed_function(name):
        raise refuse("ACCESS_DENIED", f"function {name} is not allowed here")


def _check_placeholder(node: Any, catalog: Catalog, ctes: frozenset[str]) -> None:
    kind = node.args.get("kind")
    if kind is None or str(kind).lower() == "identifier":
        raise refuse("ACCESS_DENIED", f"placeholder {{{node.name}}}: a parameter cannot be an identifier here")


def _function_name(node: Any) -> str:
    return str(node.this if isinstance(node.this, str) else node.name or node.key)


_CHECKS: dict[type[Any], Callable[[Any, Catalog, frozenset[str]], None]] = {
    exp.Table: _check_table,
    exp.In: _check_in,
    exp.Anonymous: _check_function,
    exp.AnonymousAggFunc: _check_function,
    exp.Placeholder: _check_placeholder,
}


def _split_format(canonical: str, tree: exp.Expr) -> tuple[str, str]:
    """The text without its FORMAT clause, and that format."""
    queries = [node for node in tree.walk() if isinstance(node, SELECTS)]
    clauses = [node.args["format"] for node in queries if node.args.get("format")]
    if not clauses:
        return canonical, ""
    match = _FORMAT_CLAUSE.search(canonical)
    if len(clauses) != 1 or match is None or match[1] != clauses[0].name:
        raise refuse("ACCESS_DENIED", "cannot check this statement, so it does not run: unclear FORMAT clause")
    return canonical[: match.start()], known_format(match[1])
