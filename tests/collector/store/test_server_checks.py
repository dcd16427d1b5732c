"""What a ClickHouse server says about itself becomes advice, and a good one says nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import clickhouse_connect
import pytest
from spanloop_collector.store.server_checks import CLOCK, DISKS, UNBOUNDED_LOGS, server_warnings

from tests.support.clickhouse_process import ClickHouseProcess


@dataclass
class Answer:
    result_rows: list[tuple[Any, ...]]


@dataclass
class ToldServer:
    """Answers what the test says, else as a healthy server does."""

    told: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Answer:
        healthy: dict[str, list[tuple[Any, ...]]] = {
            UNBOUNDED_LOGS: [],
            DISKS: [("default", 0.5)],
            CLOCK: [(time.time(),)],
        }
        return Answer((healthy | self.told)[sql])


def test_a_healthy_server_needs_no_advice() -> None:
    assert server_warnings(ToldServer()) == []


@pytest.mark.parametrize(
    ("sql", "rows", "words"),
    [
        (UNBOUNDED_LOGS, [("query_log",), ("text_log",)], "query_log, text_log for good"),
        (DISKS, [("default", 0.5), ("cold", 0.04)], "disk cold is 96 % full"),
        (CLOCK, [(time.time() + 3600,)], "s ahead of the collector's"),
    ],
)
def test_each_fault_is_named(sql: str, rows: list[tuple[Any, ...]], words: str) -> None:
    (warning,) = server_warnings(ToldServer({sql: rows}))
    assert words in warning


def test_a_real_server_with_a_log_of_its_own_is_found_out(own_clickhouse_server: ClickHouseProcess) -> None:
    server = clickhouse_connect.get_client(dsn=own_clickhouse_server.url)
    columns = "(event_date Date, message String) ENGINE = MergeTree ORDER BY event_date"
    server.command(f"CREATE TABLE system.endless_log {columns}")
    server.command(f"CREATE TABLE system.short_log {columns} TTL event_date + INTERVAL 3 DAY")

    warnings = [warning for warning in server_warnings(server) if "for good" in warning]

    server.close()
    (warning,) = warnings
    assert "endless_log" in warning
    assert "short_log" not in warning
