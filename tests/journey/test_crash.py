"""Acknowledged means durable, retried means once: counted over real gRPC, through kills and outages."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from spanloop_collector.settings import StoreSettings

from tests.collector.schema.spans import END, START, span
from tests.conftest import StartCollector
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPANS_PER_REQUEST = 20
SENDERS = 3
# More rounds: SPANLOOP_TEST_KILLS=50.
KILLS = int(os.environ.get("SPANLOOP_TEST_KILLS", "3"))


@dataclass
class Senders:
    """Threads that export without pause and remember what was acknowledged."""

    address: str
    sent: int = 0
    acknowledged: list[str] = field(default_factory=list)
    # Guards `sent` and `acknowledged`.
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join()

    def _send(self) -> None:
        with grpc.insecure_channel(self.address, options=[("grpc.max_reconnect_backoff_ms", 100)]) as channel:
            export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT)
            while not self.is_over.is_set():
                payload, ids = _request()
                self._deliver(export, payload, ids)

    def _deliver(self, export: grpc.UnaryUnaryMultiCallable[bytes, bytes], payload: bytes, ids: list[str]) -> None:
        """Sends the same bytes until they are acknowledged, as exporters do."""
        while not self.is_over.is_set():
            try:
                export(payload, timeout=5)
            except grpc.RpcError:
                self.is_over.wait(0.05)
            else:
                with self.lock:
                    self.acknowledged.extend(ids)
                return


def _request() -> tuple[bytes, list[str]]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    spans = [span({"k": 1}, start_time_unix_nano=START, end_time_unix_nano=END) for _ in range(SPANS_PER_REQUEST)]
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.extend(spans)
    return message.SerializeToString(), [one.span_id.hex() for one in spans]


def assert_each_is_there_once(collector: CollectorProcess, acknowledged: list[str]) -> None:
    """Every acknowledged span is one row; nothing is a row twice."""
    wait_until(
        lambda: collector.sql("SELECT count() AS n FROM logs")[0]["n"] >= len(acknowledged),
        what=f"{len(acknowledged)} visible spans",
        timeout=60,
    )
    rows = collector.sql("SELECT span_id, count() AS copies FROM logs GROUP BY span_id")
    stored = {row["span_id"]: row["copies"] for row in rows}
    assert not set(acknowledged) - stored.keys()
    assert {span_id: copies for span_id, copies in stored.items() if copies != 1} == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kill_at_any_moment_loses_nothing_and_doubles_nothing(
    store_settings: StoreSettings, start_collector: StartCollector, tmp_path: Path
) -> None:
    collector = start_collector(clickhouse_url=store_settings.clickhouse_url, database=store_settings.database)
    senders = Senders(collector.grpc_address)
    rng = random.Random(11)

    with senders.running():
        for _ in range(KILLS):
            goal = len(senders.acknowledged) + rng.randint(200, 3000)
            wait_until(lambda goal=goal: len(senders.acknowledged) >= goal, what="acknowledgements")  # type: ignore[misc]
            collector.kill()
            collector.start()

    assert len(senders.acknowledged) >= KILLS * 200
    assert_each_is_there_once(collector, senders.acknowledged)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_outage_of_clickhouse_is_not_noticed_by_senders(
    own_clickhouse_server: ClickHouseProcess, start_collector: StartCollector
) -> None:
    collector = start_collector(clickhouse_url=own_clickhouse_server.url)
    senders = Senders(collector.grpc_address)

    with senders.running():
        wait_until(lambda: len(senders.acknowledged) > 500, what="acknowledgements")
        own_clickhouse_server.kill()
        during = len(senders.acknowledged) + 2000
        wait_until(lambda: len(senders.acknowledged) > during, what="acknowledgements without ClickHouse")
        own_clickhouse_server.start()

    assert_each_is_there_once(collector, senders.acknowledged)


def test_a_collector_that_starts_before_clickhouse_accepts_and_catches_up(
    own_clickhouse_server: ClickHouseProcess, start_collector: StartCollector
) -> None:
    own_clickhouse_server.stop()
    collector = start_collector(clickhouse_url=own_clickhouse_server.url)
    senders = Senders(collector.grpc_address)
    with senders.running():
        wait_until(lambda: len(senders.acknowledged) > 100, what="acknowledgements without ClickHouse")

    own_clickhouse_server.start()
    wait_until(lambda: _answers(collector), what="SQL", timeout=60)

    assert_each_is_there_once(collector, senders.acknowledged)


def test_the_same_request_twice_is_one_row(collector_process: CollectorProcess) -> None:
    payload, ids = _request()
    with grpc.insecure_channel(collector_process.grpc_address) as channel:
        export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT)
        export(payload)
        wait_until(
            lambda: collector_process.sql("SELECT count() AS n FROM logs")[0]["n"] == len(ids), what="the first copy"
        )
        export(payload)

    assert_each_is_there_once(collector_process, ids)


def _answers(collector: CollectorProcess) -> bool:
    try:
        return bool(collector.sql("SELECT count() AS n FROM logs"))
    except AssertionError:
        return False
