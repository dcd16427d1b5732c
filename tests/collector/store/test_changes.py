"""Changes of things, with two writers at once, on both kinds of ClickHouse."""

from __future__ import annotations

import threading

import pytest
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor, Change, ChangeLog, Latest, differences

pytestmark = pytest.mark.also_on_cluster

ANNA = Actor("anna", "key-1")


def make(version: int, **state: object) -> Change:
    return Change("shop", "thing", version, "changed", ANNA, state)


def test_the_newest_version_is_the_thing(store: Store) -> None:
    log = ChangeLog(store, "toy")
    assert log.append(make(1, colour="red"))
    assert log.append(make(2, colour="it's \\ “blue”"))
    assert log.find("shop", "thing") == Latest("shop", "thing", 2, {"colour": "it's \\ “blue”"})
    assert log.find("other", "thing") is None
    assert ChangeLog(store, "other kind").latest() == []


def test_of_two_writers_of_a_version_one_makes_it(store: Store) -> None:
    writers = [ChangeLog(store, "toy") for _ in range(4)]
    start = threading.Barrier(len(writers))
    won: dict[int, list[bool]] = {}

    def write(number: int) -> None:
        start.wait()
        won[number] = [writers[number].append(make(version, by=number)) for version in range(1, 6)]

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(writers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(flags) for flags in zip(*won.values(), strict=True)] == [1] * 5
    (winner,) = (number for number, flags in won.items() if flags[-1])
    assert writers[0].find("shop", "thing") == Latest("shop", "thing", 5, {"by": winner})


def test_a_deleted_thing_is_gone_and_its_name_goes_on_counting(store: Store) -> None:
    log = ChangeLog(store, "toy")
    log.append(make(1, colour="red"))
    assert log.append(Change("shop", "thing", 2, "deleted", ANNA, {}))
    assert log.find("shop", "thing") is None
    assert log.latest("shop") == []
    assert log.last_version("shop", "thing") == 2


def test_every_change_is_in_the_audit_log(store: Store) -> None:
    log = ChangeLog(store, "toy", now=lambda: 1_700_000_000.25)
    log.append(Change("shop", "thing", 1, "created", ANNA, {"a": 1}, comment="first"))
    log.append(Change("shop", "thing", 2, "changed", Actor("ben"), {"a": 2}, changed=differences({"a": 1}, {"a": 2})))
    rows = store.query(
        "SELECT actor, key_id, action, kind, id, version, comment, changed, toString(time) "
        f"FROM {store.database}.audit_log ORDER BY version"
    ).result_rows
    assert [tuple(row) for row in rows] == [
        ("anna", "key-1", "created", "toy", "thing", 1, "first", "", "2023-11-14 22:13:20.250"),
        ("ben", "", "changed", "toy", "thing", 2, "", '{"a": [1, 2]}', "2023-11-14 22:13:20.250"),
    ]


def test_many_new_things_at_once(store: Store) -> None:
    log = ChangeLog(store, "toy")
    changes = [Change("shop", f"thing {n}", 1, "created", ANNA, {"n": n}) for n in range(100)]
    log.append_new(changes)
    log.append_new(changes)
    assert sorted(latest.state["n"] for latest in log.latest("shop")) == list(range(100))
