"""Datasets and promotion without a transport: operations called with JSON, for a caller of one project or of all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from spanloop.v1 import datasets_pb2, promote_pb2
from spanloop_collector.api.json_codec import decode, encode, parse_json
from spanloop_collector.api.operations import Call, operation_of
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.store import Store

from tests.collector.schema.spans import span, store_spans

SERVICES = (
    ("DatasetService", datasets_pb2.DESCRIPTOR.services_by_name["DatasetService"]),
    ("PromoteService", promote_pb2.DESCRIPTOR.services_by_name["PromoteService"]),
)
METHODS = {method.name: (name, method) for name, service in SERVICES for method in service.methods}


@dataclass(frozen=True)
class Service:
    """Both services over one store."""

    store: Store
    implementations: Mapping[str, Any]
    caller: Principal

    async def call(self, method: str, **fields: Any) -> dict[str, Any]:
        """The answer of a method, named as in the .proto file, as JSON."""
        service, descriptor = METHODS[method]
        message: Message = GetMessageClass(descriptor.input_type)()
        problems = decode(message, fields)
        operation = operation_of(descriptor, self.implementations[service])
        answer: dict[str, Any] = parse_json(encode(await operation.call(message, Call(self.caller, problems))))
        return answer

    def of_project(self, project: str, *scopes: Scope) -> Service:
        """The same for the holder of a project's key."""
        caller = Principal("k1", project, frozenset(scopes or (Scope.READ, Scope.INGEST)))
        return replace(self, caller=caller)

    async def create(self, name: str = "golden", **fields: Any) -> str:
        """The id of a new dataset of project p."""
        answer = await self.call("CreateDataset", **{"project": "p", "name": name, **fields})
        return str(answer["dataset"]["id"])

    async def write(self, dataset_id: str, *rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The answer to writing rows."""
        return await self.call("WriteDatasetRows", dataset_id=dataset_id, rows=list(rows), **fields)

    async def rows(self, dataset_id: str, *fields: str, version: str = "") -> list[tuple[Any, ...]]:
        """All rows of a dataset in the order they were written, as tuples of these fields."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.call("FetchDatasetRows", dataset_id=dataset_id, version=version, cursor=cursor)
            found += page["rows"]
            cursor = page["next_cursor"]
            if not cursor:
                return [tuple(row.get(field) for field in fields) for row in found]

    async def promote(self, dataset: str = "golden", **fields: Any) -> dict[str, Any]:
        """The answer to a promotion in project p."""
        return await self.call("Promote", **{"project": "p", "dataset": dataset, **fields})

    def spans(self, *rows: Mapping[str, Any], project: str = "p") -> None:
        """Stores spans; `input`, `metadata` and so on are row fields, the rest are fields of an OTLP span."""
        spans = []
        for row in rows:
            attributes = {f"spanloop.{name}": _text(row[name]) for name in ROW_FIELDS if name in row}
            spans.append(span(attributes, **{name: value for name, value in row.items() if name not in ROW_FIELDS}))
        store_spans(self.store, *spans, project=project)


ROW_FIELDS = ("id", "input", "output", "expected", "metadata", "scores", "tags", "origin", "experiment_id", "error")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
