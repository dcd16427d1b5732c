"""SQL that a rule carries: one expression over the columns of `logs`, without queries of its own.

It later runs inside the collector's own statements, for every batch that is stored. So it is checked that it is one
expression and nothing else, then it runs once, as its author, over recent rows with a time limit.
"""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

from spanloop_collector.errors import QueryError, invalid
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.expression import FormatDatabase, select_of, without_our_question
from spanloop_collector.query.queries import Queries
from spanloop_collector.query.syntax_tree import IN_FUNCTIONS, read_nodes
from spanloop_collector.schema.fragments import sql_text

DRY_RUN_ROWS = 10_000
DRY_RUN_SECONDS = 5
# Two levels, so that the limit comes before the condition.
DRY_RUN = """
SELECT count() FROM (SELECT * FROM logs WHERE {is_project} created > now() - INTERVAL 1 DAY LIMIT {rows}) AS logs
WHERE {condition}
"""
DRY_RUN_VALUE = """
SELECT count() FROM (SELECT * FROM logs WHERE {is_project} created > now() - INTERVAL 1 DAY LIMIT {rows}) AS logs
WHERE toString({condition}) != ''
"""

_CANONICAL = re.compile(r"SELECT (.*) AS expression FROM logs", re.DOTALL)


def parse_condition(store: FormatDatabase, text: str, *, field: str) -> str:
    """The expression in the engine's own words; blocks. Raises InvalidRequestError that says where it is wrong."""
    canonical = select_of(store, text, field=field)
    match = _CANONICAL.fullmatch(canonical)
    is_sound = match is not None and _is_one_expression(canonical) and not _names_a_table(store, canonical)
    if match is None or not is_sound:
        raise invalid(field, "expected one SQL expression over the columns of logs, without a query inside")
    return _without_outer_parentheses(match[1])


async def try_condition(
    statements: Queries, condition: str, *, principal: Principal, project: str, field: str, is_value: bool = False
) -> None:
    """Runs the condition over recent rows; raises InvalidRequestError with what the engine says of it."""
    sql = (DRY_RUN_VALUE if is_value else DRY_RUN).format(
        rows=DRY_RUN_ROWS,
        condition=condition,
        is_project=f"project = {sql_text(project)} AND" if project else "",
    )
    try:
        await statements.run(sql, principal=principal, settings={"max_execution_time": str(DRY_RUN_SECONDS)})
    except QueryError as error:
        raise invalid(field, without_our_question(str(error))) from None


def _without_outer_parentheses(text: str) -> str:
    """The expression without the pair that we put around it, so that it stays the same when it comes back."""
    while text.startswith("(") and text.endswith(")"):
        inner = text[1:-1]
        tree = sqlglot.parse_one(f"SELECT {text}", dialect="clickhouse").find(exp.Select)
        if tree is None or not isinstance(tree.expressions[0], exp.Paren):
            return text
        text = inner
    return text


def _is_one_expression(canonical: str) -> bool:
    """Whether the statement is what we wrote around the text, and the text only an expression."""
    try:
        trees = sqlglot.parse(canonical, dialect="clickhouse")
    except (sqlglot.ParseError, sqlglot.TokenError, RecursionError):
        return False
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        return False
    tree = trees[0]
    present = {name for name, value in tree.args.items() if value}
    queries = list(tree.find_all(exp.Select, exp.SetOperation, exp.Subquery, exp.Table))
    return (
        present <= {"expressions", "from", "from_", "kind"}
        and len(tree.expressions) == 1
        and len([query for query in queries if not isinstance(query, exp.Table)]) == 1
        and len([query for query in queries if isinstance(query, exp.Table)]) == 1
    )


def _names_a_table(store: FormatDatabase, canonical: str) -> bool:
    """Whether the expression reads a table without a query, as `id IN name` does."""
    with store.client() as client:
        lines = client.raw_query(f"EXPLAIN AST {canonical}", fmt="TabSeparated").decode().splitlines()
    return any(
        node.kind == "Identifier"
        and node.position == 1
        and (function := node.ancestor(2)) is not None
        and function.kind == "Function"
        and function.name.lower() in IN_FUNCTIONS
        for node in read_nodes(lines)
    )
