"""`spanloop serve` as an operator meets it: keys, TLS, signals, what is taken."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import StartCollector
from tests.support.certificates import Certificates
from tests.support.collector_process import CollectorProcess
from tests.support.command import spanloop
from tests.support.leaks import expect_process
from tests.support.sending import ask, send_span, wait_for_rows


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A running collector that requires keys."""
    process = CollectorProcess(tmp_path_factory.mktemp("keys"), environment={"SPANLOOP_REQUIRE_KEYS": "true"})
    process.start()
    expect_process(process.pid)
    yield process
    process.stop()


def test_keys_from_creation_to_revocation(collector: CollectorProcess) -> None:
    here = {"SPANLOOP_DATA_DIR": str(collector.data_dir)}
    created = ask(collector, "keys", "create", "shop ingest", "--project", "shop", "--scope", "ingest", **here)
    assert created.returncode == 0, created.stderr
    key = created.stdout.strip()
    assert "\nread it from SPANLOOP_API_KEY; others send `authorization: Bearer <key>`.\n" in created.stderr
    send_span(collector, "paid", key=key)
    refused = ask(collector, "sql", "SELECT 1", SPANLOOP_API_KEY=key)
    assert refused.returncode == 1
    assert "read" in refused.stderr
    listed = ask(collector, "keys", "list", **here)
    assert "shop ingest" in listed.stdout
    assert key not in listed.stdout
    revoked = ask(collector, "keys", "revoke", key.split("_")[1], **here)
    assert revoked.stdout == f"revoked {key.split('_')[1]} (shop ingest)\n"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        send_span(collector, "too late", key=key)


def test_without_a_key_the_answer_says_how_to_give_one(collector: CollectorProcess, tmp_path: Path) -> None:
    done = ask(collector, "sql", "SELECT 1", SPANLOOP_DATA_DIR=str(tmp_path / "elsewhere"))
    assert done.returncode == 1
    assert "--api-key or SPANLOOP_API_KEY" in done.stderr


def test_doctor_with_a_wrong_key_says_what_it_sees_from_outside(collector: CollectorProcess) -> None:
    addresses = {
        "SPANLOOP_RECEIVE_API_ADDRESS": collector.listening.api_address,
        "SPANLOOP_RECEIVE_GRPC_ADDRESS": collector.grpc_address,
    }
    done = ask(collector, "doctor", SPANLOOP_API_KEY="sl_wrong", **addresses)
    assert done.returncode == 1
    assert "✗ collector" in done.stdout
    assert "--api-key or SPANLOOP_API_KEY" in " ".join(done.stdout.split())
    assert "✓ OTLP/gRPC" in done.stdout


def test_tls_from_the_command_line(start_collector: StartCollector, certificates: Certificates) -> None:
    collector = start_collector(
        environment={
            "SPANLOOP_AUTH_TLS_CERTIFICATE": str(certificates.server_certificate),
            "SPANLOOP_AUTH_TLS_KEY": str(certificates.server_key),
            "SPANLOOP_CERTIFICATE": str(certificates.authority),
        }
    )
    assert collector.api_url.startswith("https://")
    done = ask(collector, "sql", "-F", "csv", "SELECT 1 AS one", SPANLOOP_CERTIFICATE=str(certificates.authority))
    assert done.stdout == '"one"\n1\n', done.stderr


def test_signals_end_the_collector_in_order(start_collector: StartCollector) -> None:
    collector = start_collector()
    for number in (signal.SIGTERM, signal.SIGINT):
        send_span(collector, number.name)
        os.kill(collector.pid, number)
        assert collector.wait() == 0
        collector.start()
    wait_for_rows(collector, 2)


def test_second_collector_on_the_same_data_is_refused(shared_collector: CollectorProcess) -> None:
    done = spanloop(
        "serve",
        "--data-dir",
        str(shared_collector.data_dir),
        *(f"--receive-{name}-address=127.0.0.1:0" for name in ("grpc", "http", "api")),
    )
    assert done.returncode == 2
    assert str(shared_collector.data_dir) in done.stderr
    assert str(shared_collector.pid) in done.stderr


def test_taken_port_is_named(shared_collector: CollectorProcess, tmp_path: Path) -> None:
    done = spanloop(
        *("serve", "--data-dir", str(tmp_path / "other"), "--receive-grpc-address", "127.0.0.1:0"),
        *("--receive-http-address", "127.0.0.1:0"),
        *("--receive-api-address", shared_collector.listening.api_address),
    )
    assert done.returncode == 2
    assert shared_collector.listening.api_address in done.stderr
    assert "receive.api_address" in done.stderr


def test_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = spanloop("serve", "--data-dir", str(tmp_path / "file" / "data"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"spanloop: data_dir={tmp_path}/file/data cannot be written: Not a directory; ")


def test_a_clickhouse_that_is_away_is_said_once(tmp_path: Path) -> None:
    collector = CollectorProcess(tmp_path, environment={"SPANLOOP_CLICKHOUSE_URL": "http://127.0.0.1:9"})
    collector.start()
    said = collector.log
    time.sleep(2.5)  # in which the schema is tried again, and everyone who looks for work tries twice
    assert collector.stop() == 0
    assert "ClickHouse is not ready" in said
    assert collector.log == said
