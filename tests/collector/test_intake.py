"""Intake: checked, stamped, durable, counted; whoever calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from spanloop_collector.errors import InvalidRequestError, PermissionDeniedError, SpoolFullError
from spanloop_collector.intake import Accepted, Intake
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.receive.check import LARGE_BYTES
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool import Record, RecordFlags, Spool
from spanloop_collector.telemetry import REGISTRY

from tests.collector.receive.otlp import log_request, nested, span, trace_request, with_attribute

NOW = 1_800_000_000_000_000_000
ANYONE = Principal.anonymous()


class Stored:
    """An intake with its spools."""

    def __init__(self, directory: Path, spool: SpoolSettings) -> None:
        self.traces = Spool.open(directory / "traces", spool, signal="traces", flush_after_seconds=0)
        self.logs = Spool.open(directory / "logs", spool, signal="logs", flush_after_seconds=0)
        self.intake = Intake(traces=self.traces, logs=self.logs, default_project="default", now=lambda: NOW)

    async def close(self) -> None:
        await self.traces.close()
        await self.logs.close()


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[Stored]:
    stored = Stored(tmp_path, SpoolSettings(max_bytes=8 * 1024 * 1024, min_free_disk_bytes=0))
    yield stored
    await stored.close()


async def records(spool: Spool) -> list[Record]:
    spool.seal()
    found: list[Record] = []
    while segment := await spool.take(timeout=0.05):
        found.extend(segment.records())
    return found


def stamp_of(record: Record) -> bytes:
    (resource,) = ExportTraceServiceRequest.FromString(bytes(record.payload)).resource_spans
    stamp: bytes = UnknownFieldSet(resource)[0].data
    return stamp


def counted(name: str, signal: str = "traces") -> float:
    return REGISTRY.get_sample_value(f"spanloop_receive_{name}", {"signal": signal}) or 0


async def test_request_is_stored_with_its_stamp_and_flags(stored: Stored) -> None:
    plain = trace_request(span(1), span(2)).SerializeToString()
    deep = trace_request(with_attribute(span(3), nested(1))).SerializeToString()
    assert await stored.intake.accept_traces(plain, principal=ANYONE) == Accepted()
    assert await stored.intake.accept_traces(deep, principal=ANYONE) == Accepted()
    first, second = await records(stored.traces)
    assert (first.item_count, first.flags) == (2, RecordFlags.NONE)
    assert (second.item_count, second.flags) == (1, RecordFlags.HAS_NESTED)
    assert stamp_of(first) == b"\x0a\x00\x11" + NOW.to_bytes(8, "little") + b"\x1a\x07default"
    assert stamp_of(second) == b"\x0a\x00\x11" + (NOW + 1).to_bytes(8, "little") + b"\x1a\x07default"


async def test_key_and_header_decide_the_projects(stored: Stored) -> None:
    principal = Principal("key", "shop", frozenset({Scope.INGEST}))
    payload = trace_request(span(1)).SerializeToString()
    await stored.intake.accept_traces(payload, principal=principal, default_project="mine")
    (record,) = await records(stored.traces)
    assert stamp_of(record).startswith(b"\x0a\x04shop\x11")
    assert stamp_of(record).endswith(b"\x1a\x04mine")


@pytest.mark.parametrize("project", ["line\nbreak", "x" * 201, "NUL\0"])
async def test_odd_project_is_refused(stored: Stored, project: str) -> None:
    with pytest.raises(InvalidRequestError, match="x-spanloop-project is") as raised:
        await stored.intake.accept_traces(b"", principal=ANYONE, default_project=project)
    assert raised.value.field == "x-spanloop-project"


async def test_scope_is_needed(stored: Stored) -> None:
    reader = Principal("key", "shop", frozenset({Scope.READ}))
    with pytest.raises(PermissionDeniedError):
        await stored.intake.accept_logs(b"", principal=reader)


async def test_empty_requests_store_nothing(stored: Stored) -> None:
    for payload in (b"", trace_request().SerializeToString()):
        assert await stored.intake.accept_traces(payload, principal=ANYONE) == Accepted()
    assert await records(stored.traces) == []


async def test_rejections_are_reported_and_counted(stored: Stored) -> None:
    before = counted("items_accepted_total"), counted("items_rejected_total")
    payload = trace_request(span(1), span(2, span_id=b""), span(3)).SerializeToString()
    accepted = await stored.intake.accept_traces(payload, principal=ANYONE)
    assert accepted == Accepted(1, "resource_spans[0].scope_spans[0].spans[1].span_id is empty; expected 8 bytes")
    assert [record.item_count for record in await records(stored.traces)] == [2]
    assert (counted("items_accepted_total"), counted("items_rejected_total")) == (before[0] + 2, before[1] + 1)


async def test_large_request_does_not_hold_up_a_small_one(stored: Stored) -> None:
    spans = [span(number) for number in range(1, 30_001)]
    spans[-1].span_id = b""
    large = trace_request(*spans).SerializeToString()
    assert len(large) > LARGE_BYTES
    working = asyncio.create_task(stored.intake.accept_traces(large, principal=ANYONE))
    await asyncio.sleep(0)
    await stored.intake.accept_traces(trace_request(span(1)).SerializeToString(), principal=ANYONE)
    assert not working.done()
    assert (await working).rejected == 1
    assert [record.item_count for record in await records(stored.traces)] == [1, 29_999]


async def test_full_spool_of_traces_leaves_logs_alone(stored: Stored) -> None:
    big = trace_request(with_attribute(span(1), AnyValue(string_value="x" * 5 * 1024 * 1024))).SerializeToString()
    await stored.intake.accept_traces(big, principal=ANYONE)
    with pytest.raises(SpoolFullError):
        await stored.intake.accept_traces(big, principal=ANYONE)
    await stored.intake.accept_logs(log_request(LogRecord()).SerializeToString(), principal=ANYONE)
    assert len(await records(stored.logs)) == 1
