"""QueryService: SQL for callers that already speak the API."""

from __future__ import annotations

from collections.abc import AsyncIterator

from spanloop.v1 import query_pb2

from spanloop_collector.api.operations import Call
from spanloop_collector.query.queries import Queries

PIECE_BYTES = 1024 * 1024

FORMATS = {
    query_pb2.RESULT_FORMAT_UNSPECIFIED: "JSONEachRow",
    query_pb2.RESULT_FORMAT_JSON_ROWS: "JSONEachRow",
    query_pb2.RESULT_FORMAT_ARROW_STREAM: "ArrowStream",
    query_pb2.RESULT_FORMAT_CSV_WITH_NAMES: "CSVWithNames",
    query_pb2.RESULT_FORMAT_PARQUET: "Parquet",
}


class QueryOperations:
    """The operations of QueryService."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def query(self, request: query_pb2.QueryRequest, call: Call) -> AsyncIterator[query_pb2.QueryResponse]:
        """The result in pieces that fit a gRPC message."""
        result = await self._queries.run(
            request.sql,
            principal=call.principal,
            parameters=dict(request.parameters),
            default_format=FORMATS[request.format],
        )
        view = memoryview(result.data)
        for start in range(0, len(view), PIECE_BYTES):
            yield query_pb2.QueryResponse(data=bytes(view[start : start + PIECE_BYTES]))
