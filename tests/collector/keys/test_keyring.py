from __future__ import annotations

import asyncio
import logging
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from spanloop_collector.errors import ConfigError, InvalidRequestError, NotFoundError
from spanloop_collector.keys.admin import ensure_admin_key, read_admin_key
from spanloop_collector.keys.cache import KeyCache
from spanloop_collector.keys.keyring import KeyRing
from spanloop_collector.keys.principal import Scope
from spanloop_collector.keys.record import KeyRecord
from spanloop_collector.keys.secret import hash_secret
from spanloop_collector.keys.table import KeyTable
from spanloop_collector.store import bells

from tests.support.plain_store import PlainStore
from tests.support.waiting import wait_until

NOON = datetime(2026, 5, 4, 12, 0, 0, 123000, tzinfo=UTC)


def ring(store: PlainStore, data_dir: Path) -> KeyRing:
    return KeyRing(KeyTable(store), KeyCache(data_dir), now=lambda: NOON)


async def test_a_created_key_is_found_here_and_by_another_collector(store: PlainStore, tmp_path: Path) -> None:
    here, elsewhere = ring(store, tmp_path / "a"), ring(store, tmp_path / "b")
    name = "app of 'shop' \\ {x:String}"
    record, text = await here.create(name=name, project="shop", scopes=[Scope.READ, Scope.INGEST])
    assert record == KeyRecord(
        key_id=text.key_id,
        name=name,
        project="shop",
        scopes=frozenset({Scope.READ, Scope.INGEST}),
        secret_sha256=hash_secret(text.secret),
        created=NOON,
    )
    assert here.find(text.key_id) == record
    await elsewhere.start()
    assert elsewhere.find(text.key_id) == record


async def test_a_revoked_key_is_revoked_everywhere_soon_and_for_good(store: PlainStore, tmp_path: Path) -> None:
    here, elsewhere = ring(store, tmp_path / "a"), ring(store, tmp_path / "b")
    _, text = await here.create(name="", project="", scopes=[Scope.READ])
    await elsewhere.start()
    watcher = asyncio.create_task(elsewhere.watch())
    assert (await here.revoke(text.key_id)).is_revoked
    assert (await here.revoke(text.key_id)).is_revoked
    await asyncio.to_thread(
        wait_until, lambda: (found := elsewhere.find(text.key_id)) and found.is_revoked, what="revocation"
    )
    watcher.cancel()
    assert [record.is_revoked for record in await here.read_all()] == [True]


def test_a_revocation_reaches_every_collector_within_five_seconds() -> None:
    assert bells.LOOK_FOR_OTHERS_SECONDS <= 4


async def test_keys_are_known_while_clickhouse_is_away(
    store: PlainStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record, _ = await ring(store, tmp_path).create(name="", project="shop", scopes=[Scope.INGEST])
    store.command(f"RENAME TABLE {store.database}.api_keys TO {store.database}.away")
    restarted = ring(store, tmp_path)
    await restarted.start()
    await restarted._try_refresh()
    assert restarted.find(record.key_id) == record
    assert len([entry for entry in caplog.records if "last known keys" in entry.message]) == 1
    store.command(f"RENAME TABLE {store.database}.away TO {store.database}.api_keys")
    with caplog.at_level(logging.INFO):
        await restarted._try_refresh()
    assert "reading api_keys again" in caplog.text


async def test_the_cache_file_is_private_and_holds_no_secret(store: PlainStore, tmp_path: Path) -> None:
    _, text = await ring(store, tmp_path).create(name="", project="", scopes=[Scope.READ])
    file = tmp_path / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert text.secret not in file.read_text()
    assert text.key_id in file.read_text()


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"key_id": "x"}]', "\udcff"])
def test_an_unreadable_cache_file_counts_as_none(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "keys.json").write_text(content, errors="surrogateescape")
    assert KeyCache(tmp_path).read() == []
    assert "cannot read" in caplog.text


async def test_no_secret_is_stored_or_logged(
    store: PlainStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = ring(store, tmp_path)
    ensure_admin_key(keys, tmp_path)
    await keys.start()
    _, text = await keys.create(name="x", project="", scopes=[Scope.READ])
    await keys.revoke(text.key_id)
    admin = read_admin_key(tmp_path)
    assert admin is not None
    stored = store.query(f"SELECT * FROM {store.database}.api_keys").result_rows
    for secret in (text.secret, admin.secret):
        assert secret not in str(stored)
        assert secret not in caplog.text


async def test_a_key_needs_a_scope_and_only_existing_keys_can_be_revoked(store: PlainStore, tmp_path: Path) -> None:
    keys = ring(store, tmp_path)
    with pytest.raises(InvalidRequestError, match="name at least one of ingest, read, admin"):
        await keys.create(name="", project="", scopes=[])
    with pytest.raises(NotFoundError, match="no key 'abc'"):
        await keys.revoke("abc")


# ---- the admin key


async def test_the_first_start_makes_an_admin_key_that_only_its_owner_can_read(
    store: PlainStore, tmp_path: Path
) -> None:
    keys = ring(store, tmp_path)
    path = ensure_admin_key(keys, tmp_path)
    await keys.start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = read_admin_key(tmp_path)
    assert text is not None
    [stored] = KeyTable(store).read()
    assert stored == keys.find(text.key_id)
    assert stored.scopes == {Scope.ADMIN}
    assert stored.project == ""


async def test_the_next_start_keeps_the_admin_key(store: PlainStore, tmp_path: Path) -> None:
    for _ in range(2):
        keys = ring(store, tmp_path)
        ensure_admin_key(keys, tmp_path)
        await keys.start()
    assert len(KeyTable(store).read()) == 1


async def test_the_admin_key_works_before_clickhouse_does(store: PlainStore, tmp_path: Path) -> None:
    store.command(f"RENAME TABLE {store.database}.api_keys TO {store.database}.away")
    keys = ring(store, tmp_path)
    ensure_admin_key(keys, tmp_path)
    await keys.start()
    text = read_admin_key(tmp_path)
    assert text is not None
    assert keys.find(text.key_id) is not None


async def test_a_revoked_admin_key_stays_revoked_over_a_restart(store: PlainStore, tmp_path: Path) -> None:
    keys = ring(store, tmp_path)
    ensure_admin_key(keys, tmp_path)
    await keys.start()
    text = read_admin_key(tmp_path)
    assert text is not None
    await keys.revoke(text.key_id)
    restarted = ring(store, tmp_path)
    ensure_admin_key(restarted, tmp_path)
    await restarted.start()
    found = restarted.find(text.key_id)
    assert found is not None
    assert found.is_revoked


def test_a_damaged_admin_key_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_text("hello")
    with pytest.raises(ConfigError, match="does not hold an API key; delete it"):
        read_admin_key(tmp_path)
