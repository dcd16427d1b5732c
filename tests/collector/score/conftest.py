"""A collector that scores, with a worker that knows `scorers.py` and a provider's stand-in to ask."""

from __future__ import annotations

import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from spanloop_collector.client import ApiClient

from tests.instrumentation.provider import Provider, scripted_provider
from tests.support.collector_process import CollectorProcess
from tests.support.leaks import expect_process
from tests.support.ports import free_port
from tests.support.waiting import wait_until

SCORERS = Path(__file__).with_name("scorers.py")


@dataclass
class Project:
    """A project of one test in the shared collector."""

    collector: CollectorProcess
    client: ApiClient
    provider: Provider
    name: str = field(default_factory=lambda: f"p{uuid.uuid4().hex[:8]}")

    def rule(self, name: str, *scorers: str | dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Makes a rule and waits until the collector goes by it."""
        wanted = [{"use": each} if isinstance(each, str) else each for each in scorers]
        answer = self.client.post(
            "/v1/scoring-rules", {"rule": {"name": name, "project": self.name, "scorers": wanted, **fields}}
        )
        rule: dict[str, Any] = answer["rule"]
        return rule

    def log(self, id: str, **fields: Any) -> None:
        """Writes a row that took a second; with other `metrics`, one that is still running."""
        self.log_all({"id": id, **fields})

    def log_all(self, *rows: dict[str, Any]) -> None:
        """Writes rows that come together."""
        end = time.time()
        finished = {"type": "llm", "metrics": {"start": end - 1, "end": end}}
        answer = self.client.post("/v1/rows/merge", {"project": self.name, "rows": [finished | row for row in rows]})
        assert answer["rejected"] == 0, answer

    def send(self, *spans: Span) -> None:
        """Sends spans as an application does, over OTLP."""
        content = ExportTraceServiceRequest(
            resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])]
        ).SerializeToString()
        headers = {"content-type": "application/x-protobuf"}
        request = urllib.request.Request(f"{self.collector.http_url}/v1/traces", content, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def sql(self, columns: str, *, view: str = "scores", where: str = "1", order: str = "1") -> list[dict[str, Any]]:
        return self.collector.sql(
            f"SELECT {columns} FROM {view} WHERE project = '{self.name}' AND ({where}) ORDER BY {order}"
        )

    def results(self, count: int, *, where: str = "1", timeout: float = 30) -> list[dict[str, Any]]:
        """At least so many results of rules, by row and name."""

        def found() -> list[dict[str, Any]]:
            rows = self.sql("*", where=f"source = 'online' AND ({where})", order="id, name")
            return rows if len(rows) >= count else []

        return wait_until(found, what=f"{count} results in {self.name}", timeout=timeout)

    def settled(self, rule: str, results: int) -> dict[str, Any]:
        """The rule's status once so many tasks are done and none waits."""

        def status() -> dict[str, Any] | None:
            (row,) = self.sql("*", view="scoring_rule_status", where=f"name = '{rule}'")
            is_done = row["waiting"] == 0 and row["scored"] + row["skipped"] + row["failed"] >= results
            return row if is_done else None

        found = wait_until(status, what=f"{results} results of {rule}")
        assert found is not None
        return found


@pytest.fixture(scope="session")
def scoring_provider() -> Iterator[Provider]:
    """What judges ask."""
    with scripted_provider() as provider:
        yield provider


@pytest.fixture(scope="session")
def scoring_collector(
    tmp_path_factory: pytest.TempPathFactory, scoring_provider: Provider
) -> Iterator[CollectorProcess]:
    """A collector with a worker, for all tests of online scoring."""
    port = free_port()
    collector = CollectorProcess(
        tmp_path_factory.mktemp("scoring-collector"),
        environment={
            "SPANLOOP_SCORE_MODULES": str(SCORERS),
            "SPANLOOP_RECEIVE_GRPC_ADDRESS": f"127.0.0.1:{port}",
            "SPANLOOP_WRITE_FLUSH_AFTER_SECONDS": "0.05",
            "OPENAI_BASE_URL": f"{scoring_provider.url}/v1",
            "OPENAI_API_KEY": "sk-test",
            "TEST_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        },
    )
    collector.start()
    expect_process(collector.pid)
    yield collector
    collector.stop()


@pytest.fixture
def project(scoring_collector: CollectorProcess, scoring_provider: Provider) -> Iterator[Project]:
    """A project of this test alone; its rules end with it."""
    client = ApiClient(scoring_collector.api_url)
    project = Project(scoring_collector, client, scoring_provider)
    yield project
    for rule in client.get("/v1/scoring-rules", project=project.name)["rules"]:
        client.delete(f"/v1/scoring-rules/{rule['name']}?project={project.name}")
