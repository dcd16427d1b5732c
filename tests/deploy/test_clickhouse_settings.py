"""The ClickHouse settings in `deploy/clickhouse/`, loaded by a real server."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clickhouse_library import LibraryUnavailable
from tests.support.clickhouse_process import ClickHouseProcess

SETTINGS = Path(__file__).parents[2] / "deploy" / "clickhouse"
PASSWORD = "a long random text"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ClickHouseProcess]:
    """A server of this library's kind with the files that the compose file mounts."""
    server = ClickHouseProcess(
        tmp_path / "clickhouse",
        config_d=(SETTINGS / "config.d" / "spanloop.xml",),
        users_d=(SETTINGS / "users.d" / "spanloop.xml",),
        environment={**os.environ, "SPANLOOP_CLICKHOUSE_PASSWORD": PASSWORD},
    )
    try:
        server.start()
    except LibraryUnavailable as unavailable:
        pytest.skip(str(unavailable))
    yield server
    server.kill()


def ask(server: ClickHouseProcess, statement: str, *, user: str, password: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{server.url}/?default_format=JSONEachRow",
        data=statement.encode(),
        headers={"X-ClickHouse-User": user, "X-ClickHouse-Key": password},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def test_only_capped_logs_are_kept(server: ClickHouseProcess) -> None:
    server.execute("SYSTEM FLUSH LOGS")
    tables = ask(
        server,
        "SELECT name, create_table_query AS ddl FROM system.tables "
        "WHERE database = 'system' AND engine LIKE '%MergeTree' ORDER BY name",
        user="spanloop",
        password=PASSWORD,
    )
    assert [table["name"] for table in tables] == ["error_log", "part_log", "query_log"]
    without_limit = [table["name"] for table in tables if "toIntervalDay(3)" not in table["ddl"]]
    assert without_limit == []


def test_collector_user_inserts_its_own_blocks(server: ClickHouseProcess) -> None:
    settings = "SELECT currentUser() AS user, toBool(getSetting('async_insert')) AS async_insert"
    assert ask(server, settings, user="spanloop", password=PASSWORD) == [{"user": "spanloop", "async_insert": False}]


def test_collector_user_may_create_its_database_and_users(server: ClickHouseProcess) -> None:
    grants = " ".join(str(row["GRANTS"]) for row in ask(server, "SHOW GRANTS", user="spanloop", password=PASSWORD))
    needed = ("CREATE", "CREATE ROW POLICY", "CREATE SETTINGS PROFILE", "CREATE USER")
    assert [right for right in needed if f" {right}," not in grants] == []
    ask(server, "CREATE DATABASE spanloop ENGINE = Atomic", user="spanloop", password=PASSWORD)


def test_collector_user_needs_its_password(server: ClickHouseProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, "SELECT 1", user="spanloop", password="")
    with refused.value:
        assert refused.value.headers["X-ClickHouse-Exception-Code"] in ("194", "516")


def test_memory_limits_are_taken(server: ClickHouseProcess) -> None:
    rows = ask(
        server,
        "SELECT name, value FROM system.server_settings WHERE changed AND name IN "
        "('mark_cache_size', 'max_server_memory_usage_to_ram_ratio', 'max_concurrent_queries') ORDER BY name",
        user="spanloop",
        password=PASSWORD,
    )
    assert {row["name"]: row["value"] for row in rows} == {
        "mark_cache_size": "536870912",
        "max_concurrent_queries": "200",
        "max_server_memory_usage_to_ram_ratio": "0.8",
    }
