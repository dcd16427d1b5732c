"""Second opinion on a statement: the engine's own parse of it, as EXPLAIN AST prints it.

Each line is a node: depth as spaces, its kind, then what it names. A kind that is not expected is refused, so
that grammar of a later engine is refused until someone has looked at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spanloop_collector.query.catalog import Catalog
from spanloop_collector.query.functions import allowed_names, is_allowed_function, is_allowed_table_function
from spanloop_collector.query.refusal import refuse
from spanloop_collector.query.statement import check_table_name

EXPECTED_KINDS = frozenset(
    {
        "ArrayJoin",
        "Asterisk",
        "ColumnsExceptTransformer",
        "ColumnsListMatcher",
        "ColumnsRegexpMatcher",
        "ColumnsReplaceTransformer",
        "ColumnsReplaceTransformer::Replacement",
        "ColumnsTransformerList",
        "ExpressionList",
        "Function",
        "Identifier",
        "InterpolateElement",
        "Literal",
        "OrderByElement",
        "QualifiedAsterisk",
        "QualifiedColumnsListMatcher",
        "QualifiedColumnsRegexpMatcher",
        "SampleRatio",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "SelectWithUnionQuery",
        "StorageOrderByElement",
        "Subquery",
        "TableExpression",
        "TableIdentifier",
        "TableJoin",
        "TablesInSelectQuery",
        "TablesInSelectQueryElement",
        "WindowDefinition",
        "WindowListElement",
        "WithElement",
    }
)
"""What a SELECT may consist of. Left out: `Set` (SETTINGS) and `ColumnsApplyTransformer`, whose function the
engine does not print."""

IN_FUNCTIONS = frozenset(
    f"{scope}{function}{variant}"
    for scope in ("", "global")
    for function in ("in", "notin", "nullin", "notnullin")
    for variant in ("", "ignoreset")
)
"""Functions whose second argument may be the name of a table; lower case."""

_NODE = re.compile(
    r"^( *)(\S+)(?: (?!\(children |\(alias )(.*?))?(?: \(alias .*?\))?(?: \(children (\d+)\))?$", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the engine's tree."""

    kind: str
    name: str
    """What it names; empty for a node that names nothing."""
    parents: tuple[Node, ...]
    """From the root down."""
    position: int
    """How many siblings come before it."""
    children: int
    """How many nodes it has below it."""

    def ancestor(self, steps: int) -> Node | None:
        """The node so many steps up."""
        return self.parents[-steps] if len(self.parents) >= steps else None


def check_syntax_tree(lines: list[str], catalog: Catalog, ctes: frozenset[str]) -> None:
    """Raise QueryError unless every node of the tree is allowed."""
    for node in read_nodes(lines):
        if node.kind not in EXPECTED_KINDS:
            raise refuse("ACCESS_DENIED", f"{node.kind} is not allowed here")
        if node.kind == "Function":
            _check_function(node)
        elif _names_a_function(node):
            _check_function_name(node)
        elif node.kind == "TableIdentifier" or _names_a_table(node):
            database, _, table = node.name.rpartition(".")
            check_table_name(database, table, catalog, ctes)


def read_nodes(lines: list[str]) -> Iterator[Node]:
    """The nodes of EXPLAIN AST's lines, each with its parents."""
    open_nodes: list[Node] = []
    counts: list[int] = []
    for line in lines:
        match = _NODE.match(line)
        if match is None:
            raise refuse("ACCESS_DENIED", "cannot check this statement, so it does not run")
        depth = len(match[1])
        if depth > len(open_nodes):
            raise refuse("ACCESS_DENIED", "cannot check this statement, so it does not run")
        del open_nodes[depth:]
        del counts[depth + 1 :]
        counts += [0] * (depth + 1 - len(counts))
        node = Node(match[2], match[3] or "", tuple(open_nodes), counts[depth], int(match[4] or 0))
        counts[depth] += 1
        open_nodes.append(node)
        yield node


def _check_function(node: Node) -> None:
    parent = node.ancestor(1)
    if parent is not None and parent.kind == "TableExpression":
        if not is_allowed_table_function(node.name):
            raise refuse("ACCESS_DENIED", f"table function {node.name} is not allowed here")
    elif not is_allowed_function(node.name):
        raise refuse("ACCESS_DENIED", f"function {node.name} is not allowed here")


def _check_function_name(node: Node) -> None:
    if not is_allowed_function(node.name):
        raise refuse("ACCESS_DENIED", f"{node.name} as a function is not allowed here; write x -> {node.name}(x)")


def _names_a_function(node: Node) -> bool:
    """True for a bare name where a lambda is expected: `arrayMap(upper, names)` calls the function."""
    arguments, function = node.ancestor(1), node.ancestor(2)
    return (
        node.kind == "Identifier"
        and node.position == 0
        and arguments is not None
        and arguments.children > 1
        and function is not None
        and function.kind == "Function"
        and function.name.lower() in allowed_names().higher_order
    )


def _names_a_table(node: Node) -> bool:
    """True for the right side of IN when it is a bare name."""
    function = node.ancestor(2)
    return (
        node.kind == "Identifier"
        and node.position == 1
        and function is not None
        and function.kind == "Function"
        and function.name.lower() in IN_FUNCTIONS
    )
