"""The SQL that the request for a comparison brings along: where it stands there, and which of it is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.errors import QueryError, invalid
from spanloop_collector.experiments.cases import group_sql
from spanloop_collector.experiments.measures import asked_change
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.expression import without_our_question
from spanloop_collector.query.queries import Queries


def expressions(request: pb.CompareExperimentsRequest) -> dict[str, str]:
    """Each expression by the name of its field."""
    order = "" if asked_change(request.order_by)[0] else request.order_by
    group = group_sql(request.group_by) if request.group_by else ""
    found = {"key": request.key, "where": request.where, "group_by": group, "order_by": order}
    found |= {f"columns.{name}": sql for name, sql in own_columns(request).items()}
    found |= {f"aggregates[{number}].formula": each.formula for number, each in enumerate(request.aggregates)}
    return {field: sql for field, sql in found.items() if sql}


def own_columns(request: pb.CompareExperimentsRequest) -> Mapping[str, str]:
    """Further columns of the cases: SQL by name."""
    columns = parse_json(request.columns) if request.columns else {}
    if not isinstance(columns, dict) or not all(isinstance(sql, str) for sql in columns.values()):
        raise invalid("columns", f"expected an object of name → SQL, got {columns!r:.100}")
    return columns


async def explained(
    error: QueryError, request: pb.CompareExperimentsRequest, queries: Queries, principal: Principal
) -> QueryError:
    """The error of a whole statement as one of the expression that causes it, where one does."""
    for field, sql in expressions(request).items():
        try:
            await queries.run(f"SELECT ({sql}) FROM eval_rows AS run LIMIT 0", principal=principal)
        except QueryError as own:
            return QueryError(f"{field}: {without_our_question(str(own))}", code=own.code)
    return QueryError(without_our_question(str(error)), code=error.code)
