"""Several collectors on one ClickHouse: each slot is handed out by one of them at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spanloop_collector.score.slots import SLOTS, SharedSlots
from spanloop_collector.store import Store

from tests.support.waiting import wait_until

TERM_SECONDS = 1.0
REST_SECONDS = 1.5
EVERY_SLOT = frozenset(range(SLOTS))

Shares = list[frozenset[int]]


@pytest.fixture
def shared_store(store: Store) -> Store:
    """A store that several collectors may use."""
    if store.is_embedded:
        pytest.skip("an embedded ClickHouse has one collector")
    return store


def shared(store: Store, name: str) -> SharedSlots:
    return SharedSlots(store, name, term_seconds=TERM_SECONDS, rest_seconds=REST_SECONDS)


def look_until(collectors: list[SharedSlots], is_settled: Callable[[Shares], bool]) -> Shares:
    """What each owns once it is settled; until then no slot is ever in two hands."""

    def look() -> Shares | None:
        for collector in collectors:
            collector.look()
        shares = [collector.owned() for collector in collectors]
        assert sum(map(len, shares)) == len(frozenset[int]().union(*shares))
        return shares if is_settled(shares) else None

    found = wait_until(look, what="shares that are settled", timeout=60)
    assert found is not None
    return found


def test_slots_are_shared_and_taken_over(shared_store: Store) -> None:
    first, second = shared(shared_store, "first"), shared(shared_store, "second")
    assert look_until([first], lambda shares: bool(shares[0])) == [EVERY_SLOT]

    both = look_until([first, second], lambda shares: shares[0] | shares[1] == EVERY_SLOT and bool(shares[1]))
    assert min(map(len, both)) > SLOTS / 5

    # The second one is gone: what it had rests, then belongs to the first.
    assert look_until([first], lambda shares: shares[0] == EVERY_SLOT) == [EVERY_SLOT]


def test_a_collector_that_comes_back_has_its_slots_at_once(shared_store: Store) -> None:
    look_until([shared(shared_store, "first")], lambda shares: bool(shares[0]))

    again = shared(shared_store, "first")
    again.look()

    assert again.owned() == EVERY_SLOT


def test_collector_that_cannot_ask_lets_go(shared_store: Store) -> None:
    collector = shared(shared_store, "first")
    look_until([collector], lambda shares: bool(shares[0]))
    wait_until(lambda: not collector.owned(), what="slots that are let go", timeout=10)
