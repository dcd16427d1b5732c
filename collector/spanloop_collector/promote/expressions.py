"""SQL expressions of fields: whether an expression gives JSON text, or a value that becomes JSON."""

from __future__ import annotations

import re
from typing import Any

import sqlglot
from sqlglot import exp

JSON_COLUMNS = frozenset({"input", "output", "expected", "correction", "origin"})
JSON_MAPS = frozenset({"outputs", "inputs"})
"""Maps from a span's name to JSON text."""
JSON_FUNCTIONS = frozenset({"jsonextractraw", "simplejsonextractraw", "tojsonstring"})
CHOICES = frozenset({"if", "multiif", "ifnull", "coalesce", "nullif"})
"""Functions that give one of their arguments."""

TRACE_MAP_NAME = re.compile(r"\b(?:outputs|inputs)\b")


def gives_json(expression: str) -> bool:
    """Whether the expression's value is JSON text, as a whole row field is.

    `output`, `JSONExtractRaw(output, 'answer')` and `if(expected != '', expected, output)` are; the text that
    `JSONExtractString(output, 'answer')` gives is a text, whatever it says, and becomes a JSON string.
    """
    try:
        tree = sqlglot.parse_one(expression, dialect="clickhouse")
    except (sqlglot.ParseError, sqlglot.TokenError, RecursionError):
        # The guard says what is wrong with it.
        return False
    return _gives_json(tree)


def is_plain_column(expression: str) -> bool:
    """Whether the expression is one of the columns that hold valid JSON or nothing."""
    return expression.strip() in JSON_COLUMNS


def mentions_trace(*expressions: str) -> bool:
    """Whether what other spans of the trace say is asked for."""
    return any(TRACE_MAP_NAME.search(expression) for expression in expressions)


def _gives_json(node: Any) -> bool:
    if isinstance(node, exp.Paren):
        return _gives_json(node.this)
    if isinstance(node, exp.Column):
        return node.name in JSON_COLUMNS
    if isinstance(node, exp.Bracket):
        return isinstance(node.this, exp.Column) and node.this.name in JSON_MAPS
    if isinstance(node, exp.If):
        return _any_json(node.args.get("true"), node.args.get("false"))
    if isinstance(node, exp.Case):
        return _any_json(*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default"))
    if isinstance(node, exp.Coalesce):
        return _any_json(node.this, *node.expressions)
    if isinstance(node, exp.Nullif):
        return _gives_json(node.this)
    if isinstance(node, exp.Anonymous):
        return _function_gives_json(str(node.this).lower(), node.expressions)
    # What sqlglot has a class for keeps ClickHouse's name beside it.
    return str(node.meta.get("clickhouse_name", "")).lower() in JSON_FUNCTIONS


def _function_gives_json(name: str, arguments: list[Any]) -> bool:
    if name == "multiif":
        return _any_json(*arguments[1::2], arguments[-1] if arguments else None)
    if name in CHOICES:
        return _any_json(*arguments)
    return name in JSON_FUNCTIONS


def _any_json(*nodes: Any) -> bool:
    return any(_gives_json(node) for node in nodes if node is not None)
