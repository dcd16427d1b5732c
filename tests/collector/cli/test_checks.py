"""What `spanloop doctor` makes of what it sees."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from spanloop_collector.cli import checks
from spanloop_collector.cli.checks import Finding, State
from spanloop_collector.settings import MIB, ReceiveSettings, Settings

from tests.support.command import spanloop
from tests.support.ports import free_port


def spool(**changes: Any) -> dict[str, Any]:
    return {
        "signal": "traces",
        "bytes": "0",
        "max_bytes": str(100 * MIB),
        "oldest_age_seconds": 0.0,
    } | changes


@pytest.mark.parametrize(
    ("changes", "state", "text"),
    [
        ({}, State.OK, "empty"),
        (
            {"bytes": MIB, "oldest_age_seconds": 1.2},
            State.OK,
            "1.0 MiB of 100.0 MiB waiting, the oldest for 1 s",
        ),
        (
            {"bytes": MIB, "oldest_age_seconds": 60},
            State.WARNING,
            "1.0 MiB of 100.0 MiB waiting, the oldest for 60 s",
        ),
        ({"bytes": 60 * MIB}, State.WARNING, "60.0 MiB of 100.0 MiB waiting, the oldest for 0 s"),
        ({"bytes": 99 * MIB}, State.FAILED, "99.0 MiB of 100.0 MiB waiting, the oldest for 0 s"),
    ],
)
def test_backlog(changes: dict[str, Any], state: State, text: str) -> None:
    finding = checks.check_backlog(spool(**changes))
    assert (finding.state, finding.text) == (state, text)
    assert bool(finding.advice) == (state is not State.OK)


def test_dead_letters_come_with_the_commands_that_help() -> None:
    *_, finding = checks.check_spools({"spools": [spool(dead_letters="2"), spool(signal="logs", dead_letters=1)]})
    assert finding == Finding(
        "dead letters",
        State.WARNING,
        "3 requests that ClickHouse refused",
        "see why with `spanloop dead-letters list`, then `spanloop dead-letters replay` or `delete`",
    )


@pytest.mark.parametrize(
    ("collector_clock", "state"),
    [(1000.0, State.OK), (1001.0, State.OK), (1004.0, State.WARNING), (990, State.WARNING)],
)
def test_clock_skew(collector_clock: float, state: State) -> None:
    status = {"now_unix_nano": str(int(collector_clock * 1e9))}
    (finding,) = checks.check_clock(status, asked=999.9, answered=1000.1)
    assert finding.state is state


def test_skew_is_not_blamed_on_a_slow_answer() -> None:
    (finding,) = checks.check_clock({"now_unix_nano": int(1000e9)}, asked=1000.0, answered=1008.0)
    assert finding.state is State.OK


def test_unreachable_clickhouse_fails_with_its_reason() -> None:
    store = {"address": "https://clickhouse:8443", "is_reachable": False, "error": "connection refused"}
    (finding,) = checks.check_store({"store": store})
    assert finding.state is State.FAILED
    assert finding.text == "at https://clickhouse:8443 does not answer: connection refused"


@pytest.mark.parametrize(("version", "state"), [("26.9.2.1", State.OK), ("24.3.1.1", State.FAILED)])
def test_old_clickhouse_is_refused(version: str, state: State) -> None:
    store = {"address": "/data/clickhouse", "is_embedded": True, "is_reachable": True, "version": version}
    (finding,) = checks.check_store({"store": store})
    assert finding.state is state


@pytest.mark.parametrize(
    ("free", "state"), [(100 * MIB, State.FAILED), (600 * MIB, State.WARNING), (9000 * MIB, State.OK)]
)
def test_disk(free: int, state: State) -> None:
    (finding,) = checks.check_disk(free, Settings(data_dir=Path("/data")))
    assert finding.state is state


def test_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        receive = ReceiveSettings(address, f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
        findings = list(checks.check_free_ports(Settings(data_dir=Path("/data"), receive=receive)))
    assert [finding.state for finding in findings] == [State.FAILED, State.OK, State.OK]
    assert findings[0].advice == "stop it or set SPANLOOP_RECEIVE_GRPC_ADDRESS"


def test_doctor_without_a_collector_checks_what_it_would_need(tmp_path: Path) -> None:
    environment = {
        "SPANLOOP_DATA_DIR": str(tmp_path / "new"),
        "SPANLOOP_API_URL": f"http://127.0.0.1:{free_port()}",
    }
    environment |= {f"SPANLOOP_RECEIVE_{n}_ADDRESS": f"127.0.0.1:{free_port()}" for n in ("GRPC", "HTTP", "API")}
    environment["SPANLOOP_CLICKHOUSE_URL"] = f"http://app:s3cret@127.0.0.1:{free_port()}"
    done = spanloop("doctor", environment=environment)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("✗ collector    none answers at http://127.0.0.1:")
    assert lines[1].strip() == "→ start one with `spanloop serve`"
    assert sum(line.endswith("is free") for line in lines) == 3
    assert any(line.startswith("✗ ClickHouse   nothing listens at http://app:***@127.0.0.1:") for line in lines)
    assert f"✓ data         {tmp_path}/new can be written" in lines
