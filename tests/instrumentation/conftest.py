"""Fixtures of the SDK's tests: faults surface, collectors are real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from spanloop import _failsafe
from spanloop.testing import Capture, capture

from tests.instrumentation.otlp_collector import Collector, grpc_collector, http_collector


@pytest.fixture(autouse=True)
def _faults_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_failsafe, "strict", True)
    _failsafe._reported.clear()


@pytest.fixture
def guard_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults are swallowed as they are in production."""
    monkeypatch.setattr(_failsafe, "strict", False)


@pytest.fixture
def captured_spans() -> Iterator[Capture]:
    with capture() as captured:
        yield captured


@pytest.fixture
def collector() -> Iterator[Collector]:
    with grpc_collector() as running:
        yield running


@pytest.fixture
def collector_over_http() -> Iterator[Collector]:
    with http_collector() as running:
        yield running
