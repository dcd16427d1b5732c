"""What every test may ask for: a clean environment, both kinds of ClickHouse, a running collector."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
import spanloop
from spanloop_collector.schema.cluster import on_cluster
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store

from tests.support.certificates import Certificates, make_certificates
from tests.support.clickhouse_cluster import CLUSTER, ClusterStore, running_cluster
from tests.support.clickhouse_library import LibraryUnavailable, find_library
from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.collector_process import CollectorProcess
from tests.support.leaks import expect_process, left_behind, running
from tests.support.together import TogetherScheduling, shared_by

SERVER_URL_VARIABLE = "SPANLOOP_TEST_CLICKHOUSE_URL"
WIPED_PREFIXES = ("SPANLOOP_", "OTEL_", "OPENAI_")
KEPT_PREFIX = "SPANLOOP_TEST_"

# Every process that imports pydantic, as clients of providers do, would import Logfire otherwise, which is installed
# here to be traced beside.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "1"

# A shell that runs the tests in the background has them ignore Ctrl-C, and with them all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TogetherScheduling | None:
    """Where processes get whole files, those that share what takes long to make go to the same one."""
    return TogetherScheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files with a slow test come first: begun last, they would keep one process busy when the others are done.

    On a cluster, only what a cluster could change is tested: what is marked `also_on_cluster`.
    """
    slow = {shared_by(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: shared_by(item.nodeid) not in slow)
    left_out = {item for item in items if _is_for_cluster(item) and not item.get_closest_marker("also_on_cluster")}
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


def _is_for_cluster(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("migrated_store") == "cluster"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Downloads the server library before the first test, whose time limit would not cover it."""
    wanted = {"clickhouse_server", "clickhouse_cluster", "own_clickhouse_server", "store_settings"}
    fixtures = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if wanted & fixtures and SERVER_URL_VARIABLE not in os.environ:
        with contextlib.suppress(LibraryUnavailable):
            find_library()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No setting of the developer's machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(WIPED_PREFIXES) and not name.startswith(KEPT_PREFIX):
            monkeypatch.delenv(name)
    # The collector's default data directory and config file live below these.
    home = str(tmp_path_factory.getbasetemp() / "home")
    monkeypatch.setenv("XDG_DATA_HOME", home)
    monkeypatch.setenv("XDG_CONFIG_HOME", home)


@pytest.fixture(autouse=True)
def nothing_left_running(clean_environment: None) -> Iterator[None]:
    """Fails the test that leaks a process or a thread; what was logged in it does not go on into the next."""
    before = running()
    yield
    spanloop.shutdown(timeout_seconds=0)
    left = left_behind(before)
    assert not left, f"left running: {sorted(left)}"


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a ClickHouse server for the whole run: SPANLOOP_TEST_CLICKHOUSE_URL, or one started here."""
    given = os.environ.get(SERVER_URL_VARIABLE)
    if given:
        yield given
        return
    server = ClickHouseProcess(tmp_path_factory.mktemp("clickhouse-server"))
    try:
        server.start()
    except LibraryUnavailable as unavailable:
        pytest.skip(str(unavailable))
    expect_process(server.pid)
    yield server.url
    server.kill()


@pytest.fixture
def own_clickhouse_server(tmp_path: Path) -> Iterator[ClickHouseProcess]:
    """A running ClickHouse server of this test alone, to stop, kill and start again."""
    server = ClickHouseProcess(tmp_path / "own-clickhouse")
    try:
        server.start()
    except LibraryUnavailable as unavailable:
        pytest.skip(str(unavailable))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def embedded_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one directory that chDB may open in this process; tests use databases of their own in it.

    It is where a store keeps its embedded ClickHouse when `embedded_directory.parent` is its data directory.
    """
    directory = tmp_path_factory.mktemp("embedded") / "clickhouse"
    directory.mkdir()
    return directory


@pytest.fixture(params=["embedded", "server"])
def store_settings(request: pytest.FixtureRequest) -> Iterator[StoreSettings]:
    """Settings of a store with a database of this test alone, once per kind of ClickHouse.

    An embedded store lives in the `embedded_directory` fixture's folder.
    """
    yield from _new_database(request)


@pytest.fixture(scope="module", params=["embedded", "server"])
def file_store_settings(request: pytest.FixtureRequest) -> Iterator[StoreSettings]:
    """As `store_settings`, for all tests of a file: they only read."""
    yield from _new_database(request)


def _new_database(request: pytest.FixtureRequest) -> Iterator[StoreSettings]:
    database = f"test_{uuid.uuid4().hex[:12]}"
    if request.param == "server":
        url = request.getfixturevalue("clickhouse_server")
        yield StoreSettings(clickhouse_url=url, database=database)
        client = clickhouse_connect.get_client(dsn=url)
    else:
        path = request.getfixturevalue("embedded_directory")
        yield StoreSettings(database=database)
        client = clickhouse_connect.get_client(dsn=f"chdb://{path}")
    client.command(f"DROP DATABASE IF EXISTS {database} SYNC")
    client.close()


@pytest.fixture(scope="session")
def clickhouse_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ClickHouseProcess]]:
    """Two ClickHouse servers, each a shard of one cluster."""
    with ExitStack() as stack:
        try:
            nodes = stack.enter_context(running_cluster(tmp_path_factory.mktemp("cluster")))
        except LibraryUnavailable as unavailable:
            pytest.skip(str(unavailable))
        yield nodes


@pytest.fixture(scope="session", params=["embedded", "server", "cluster"])
def migrated_store(request: pytest.FixtureRequest, embedded_directory: Path) -> Iterator[Store]:
    """An open store with the whole schema, made once for the run: making it takes a second."""
    database = f"test_{uuid.uuid4().hex[:12]}"
    if request.param == "cluster":
        nodes = request.getfixturevalue("clickhouse_cluster")
        settings = StoreSettings(clickhouse_url=nodes[0].url, database=database, cluster=CLUSTER)
        store: Store = ClusterStore(settings, embedded_directory.parent, nodes)
    else:
        url = request.getfixturevalue("clickhouse_server") if request.param == "server" else ""
        store = Store(StoreSettings(clickhouse_url=url, database=database), embedded_directory.parent)
    store.migrate()
    yield store
    store.command(f"DROP DATABASE {database} {on_cluster(store.cluster)} SYNC")
    store.close()


@pytest.fixture
def store(migrated_store: Store) -> Store:
    """A store whose tables are empty, once per kind of ClickHouse."""
    tables = migrated_store.column(
        "SELECT name FROM system.tables WHERE database = {database:String} "
        "AND (engine LIKE '%MergeTree' OR engine = 'Join') AND name NOT LIKE 'schema_migrations%' "
        "AND (total_rows > 0 OR {is_cluster:Bool})",
        {"database": migrated_store.database, "is_cluster": bool(migrated_store.cluster)},
    )
    for table in tables:
        migrated_store.command(f"TRUNCATE TABLE {migrated_store.database}.{table} {on_cluster(migrated_store.cluster)}")
    return migrated_store


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """PEM files for TLS on loopback: an authority, a server, a client."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


StartCollector = Callable[..., CollectorProcess]


@pytest.fixture
def start_collector(tmp_path: Path) -> Iterator[StartCollector]:
    """Starts collectors with the keywords of `CollectorProcess` and stops them after the test."""
    started: list[CollectorProcess] = []

    def start(data_dir: Path | None = None, **options: object) -> CollectorProcess:
        directory = data_dir or tmp_path / f"collector-{len(started)}"
        collector = CollectorProcess(directory, **options)  # type: ignore[arg-type]  # forwarded as given
        started.append(collector)
        collector.start()
        return collector

    yield start
    for collector in started:
        collector.stop()


@pytest.fixture(scope="session")
def shared_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A running collector with default settings for tests that only send and ask; each uses a project of its own."""
    collector = CollectorProcess(tmp_path_factory.mktemp("shared-collector"))
    collector.start()
    expect_process(collector.pid)
    yield collector
    collector.stop()


@pytest.fixture
def collector_process(start_collector: StartCollector) -> CollectorProcess:
    """A running collector with the embedded ClickHouse and default settings, on free ports."""
    return start_collector()
