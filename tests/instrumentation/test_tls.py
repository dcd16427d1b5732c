"""Delivery over TLS, with and without a certificate of our own; a stranger gets nothing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import spanloop

from tests.instrumentation.otlp_collector import Collector, grpc_collector, http_collector
from tests.support.certificates import Certificates, make_certificates

PROTOCOLS = ["grpc", "http/protobuf"]


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@contextmanager
def secure_collector(protocol: str, certificates: Certificates, *, is_mutual: bool) -> Iterator[Collector]:
    key, chain = certificates.server_key.read_bytes(), certificates.server_certificate.read_bytes()
    if protocol == "grpc":
        authority = certificates.authority.read_bytes() if is_mutual else None
        with grpc_collector(credentials=grpc.ssl_server_credentials([(key, chain)], authority, is_mutual)) as collector:
            yield collector
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server_certificate, certificates.server_key)
    if is_mutual:
        context.load_verify_locations(certificates.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    with http_collector(context) as collector:
        yield collector


@pytest.mark.parametrize("is_mutual", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_spans_arrive_over_tls(protocol: str, is_mutual: bool, certificates: Certificates) -> None:
    with secure_collector(protocol, certificates, is_mutual=is_mutual) as collector:
        spanloop.init(
            "bot",
            endpoint=collector.endpoint,
            protocol=protocol,
            api_key="k",
            certificate=str(certificates.authority),
            client_certificate=str(certificates.client_certificate) if is_mutual else None,
            client_key=str(certificates.client_key) if is_mutual else None,
        )
        with spanloop.start_span("a"):
            pass
        assert spanloop.shutdown()
        assert collector.received.names == ["a"]
        assert collector.received.headers[0]["authorization"] == "Bearer k"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stranger_gets_nothing(
    protocol: str, certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")
    with secure_collector(protocol, certificates, is_mutual=False) as collector:
        spanloop.init("bot", endpoint=collector.endpoint, protocol=protocol, certificate=str(other.authority))
        with spanloop.start_span("a"):
            pass
        assert not spanloop.flush(timeout_seconds=1)
        assert collector.received.tries == 0
    assert len([record for record in caplog.records if record.name == "spanloop"]) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_certificate_that_is_not_there_is_named(
    protocol: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spanloop.init(
        "bot",
        endpoint="https://127.0.0.1:1",
        protocol=protocol,
        certificate=str(tmp_path / "none.pem"),
        flush_interval_seconds=0.01,
    )
    with spanloop.start_span("a"):
        pass
    assert not spanloop.flush(timeout_seconds=0.3)
    assert "No such file or directory" in caplog.text
