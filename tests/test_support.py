"""The test support itself: both kinds of ClickHouse are real, and leaks are noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import clickhouse_connect
import pytest
from spanloop_collector.settings import StoreSettings

from tests.support import clickhouse_library, leaks
from tests.support.clickhouse_process import ClickHouseProcess


def test_both_kinds_of_clickhouse_answer(store_settings: StoreSettings, embedded_directory: Path) -> None:
    dsn = store_settings.clickhouse_url or f"chdb://{embedded_directory}"
    client = clickhouse_connect.get_client(dsn=dsn)
    client.command(f"CREATE DATABASE {store_settings.database} ENGINE = Atomic")
    assert client.query("SELECT 1 + 1").result_rows == [(2,)]
    client.close()


def test_killed_server_keeps_its_rows(own_clickhouse_server: ClickHouseProcess) -> None:
    server = own_clickhouse_server
    server.execute("CREATE TABLE kept (id UInt64) ENGINE = MergeTree ORDER BY id")
    server.execute("INSERT INTO kept SELECT number FROM numbers(1000)")
    server.kill()
    server.start()
    assert server.execute("SELECT count() FROM kept") == "1000\n"


def test_missing_library_is_explained_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(clickhouse_library.LIBRARY_VARIABLE, str(tmp_path / "nowhere.so"))
    with pytest.raises(clickhouse_library.LibraryUnavailable, match="not a file") as raised:
        clickhouse_library.find_library()
    assert "\n" not in str(raised.value)


def test_missing_npm_says_how_to_enable_the_server_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(clickhouse_library.LIBRARY_VARIABLE, raising=False)
    monkeypatch.setenv(clickhouse_library.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(clickhouse_library.LibraryUnavailable, match="SPANLOOP_TEST_CLICKHOUSE_URL"):
        clickhouse_library.find_library()


def test_tampered_download_is_refused(tmp_path: Path) -> None:
    tarball = tmp_path / "package.tgz"
    tarball.write_bytes(b"not the package")
    with pytest.raises(clickhouse_library.LibraryUnavailable, match="sha512"):
        clickhouse_library._verify(tarball)


def test_leaked_process_is_noticed() -> None:
    before = leaks.running()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert any(f"process {child.pid}" in name for name in leaks.running() - before)
