"""The restricted ClickHouse user: what it is granted, and what a server refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.query.queries import Queries
from spanloop_collector.query.server_user import derive_password, reader_url, user_statements, with_user
from spanloop_collector.settings import QuerySettings, StoreSettings

from tests.collector.query.conftest import SCHEMA
from tests.support.clickhouse_library import LibraryUnavailable
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.plain_store import PlainStore

NAME = "spanloop_reader"
PASSWORD = "secret"
URL = "http://app:p%40ss@127.0.0.1:8123"


class Statements:
    """A database that takes statements down, in place of one whose users come from SQL."""

    database = "spanloop"
    cluster = ""

    def __init__(self) -> None:
        self.run: list[str] = []

    def command(self, sql: str, parameters: object = None) -> object:
        self.run.append(sql)
        return None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseProcess]:
    """A server with a user from its configuration that has exactly our grants.

    This server takes users from configuration only; SQL would make the same one.
    """
    directory = tmp_path_factory.mktemp("granted")
    grants = [s for s in user_statements(Statements(), NAME, PASSWORD) if s.startswith("GRANT")]
    # In a configuration there is nothing to take away: the key table's name stays out of what is granted.
    queries = "".join(f"<query>{escape(s.removesuffix(f' TO {NAME}'))}</query>" for s in grants)
    user = (
        f"<{NAME}><password>{PASSWORD}</password><networks><ip>::/0</ip></networks><grants>{queries}</grants></{NAME}>"
    )
    users_d = directory / "reader.xml"
    users_d.write_text(f"<clickhouse><users>{user}</users></clickhouse>")
    process = ClickHouseProcess(directory / "server", users_d=(users_d,))
    try:
        process.start()
    except LibraryUnavailable as unavailable:
        pytest.skip(str(unavailable))
    client = clickhouse_connect.get_client(dsn=process.url, autogenerate_session_id=False)
    client.command("CREATE DATABASE spanloop")
    for statement in SCHEMA.format(database="spanloop").split(";"):
        if statement.strip():
            client.command(statement)
    client.close()
    yield process
    process.kill()


def test_the_user_may_read_our_database_and_nothing_else(server: ClickHouseProcess) -> None:
    client = clickhouse_connect.get_client(dsn=with_user(server.url, NAME, PASSWORD), autogenerate_session_id=False)
    assert client.command("SELECT count() FROM spanloop.logs") == 0
    assert client.command("SELECT count() > 0 FROM system.columns WHERE database = 'spanloop'") == 1
    codes = {}
    # The function file() asks for no right at all: the guard refuses it before it comes here.
    for sql in (
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/x.csv', 'CSV', 'a String')",
        "INSERT INTO spanloop.spans (id) VALUES ('x')",
        "CREATE TABLE spanloop.x (a UInt8) ENGINE = Memory",
        "DROP TABLE spanloop.spans",
        "ALTER TABLE spanloop.spans DELETE WHERE 1",
        "SELECT * FROM system.users",
        "CREATE USER x",
        "GRANT ALL ON *.* TO spanloop_reader",
    ):
        with pytest.raises(DatabaseError) as refused:
            client.command(sql)
        codes[sql] = refused.value.name
    client.close()
    assert set(codes.values()) == {"ACCESS_DENIED"}, codes


def test_a_server_that_makes_no_users_is_read_with_the_guard_alone(
    store_settings: StoreSettings, embedded_directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if not store_settings.clickhouse_url:
        pytest.skip("embedded ClickHouse has no users")
    store = PlainStore(store_settings, embedded_directory, tmp_path)
    found = reader_url(store, store_settings.clickhouse_url)
    if found == store_settings.clickhouse_url:
        assert "no restricted ClickHouse user" in caplog.text
    else:
        # A server of the developer's own that does make users: the user must work.
        reader = clickhouse_connect.get_client(dsn=found, autogenerate_session_id=False)
        with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
            reader.command("SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')")
        reader.close()
        store.command(f"DROP USER {store.database}_reader")
    store.close()


def test_the_keys_are_taken_from_what_is_granted() -> None:
    store = Statements()
    found = reader_url(store, URL)
    assert found.startswith(f"http://{store.database}_reader:")
    assert found.endswith("@127.0.0.1:8123")
    granted = store.run.index("GRANT SELECT ON spanloop.* TO spanloop_reader")
    assert "REVOKE SELECT ON spanloop.api_keys FROM spanloop_reader" in store.run[granted:]
    assert store.run[2] == "REVOKE ALL ON *.* FROM spanloop_reader"


def test_every_collector_derives_the_same_password_and_nobody_reads_the_first_one_in_it() -> None:
    password = derive_password(URL, NAME)
    assert password == derive_password("http://other:p%40ss@host:1", NAME)
    assert password != derive_password(URL.replace("p%40ss", "else"), NAME)
    assert "p@ss" not in password
    assert len(bytes.fromhex(password)) == 32


class SometimesAway(PlainStore):
    """A store that does not answer while `is_away`."""

    is_away = False

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object:
        if self.is_away:
            raise StoreUnavailableError("away")
        return super().command(sql, parameters)


async def test_a_store_that_was_away_is_asked_for_a_user_again(server: ClickHouseProcess, tmp_path: Path) -> None:
    store = SometimesAway(StoreSettings(clickhouse_url=server.url, database="again"), tmp_path, tmp_path)
    store.is_away = True
    queries = Queries(store, QuerySettings())
    assert await queries.isolation() == ""
    store.is_away = False
    assert await queries.isolation() == "guard"
    await queries.close()
    store.close()
