"""Which part of the queue this collector hands out, so that no task is handed out by two.

Time is cut into terms, by ClickHouse's clock. Before a term starts, every collector offers a list of those that are
alive; the first list is the one that counts, since ClickHouse keeps only one insert of a term. A slot belongs to one
of the listed by a hash that moves few slots when the list changes. A slot that comes from somebody else rests until
every task that was handed out there is back or lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import SpanloopError
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor, Change, ChangeLog

SLOTS = 64
TERM_SECONDS = 15.0
REST_SECONDS = 30.0
"""As long as a lease of a task."""
LOOK_EVERY_SECONDS = 2.5
OFFER_BEFORE_SECONDS = 5.0

READ_ALIVE = """
SELECT toUnixTimestamp64Milli(now64(3)) / 1000 AS now,
    (SELECT groupArray(collector) FROM {database:Identifier}.scoring_collectors FINAL
     WHERE seen > now64(3) - INTERVAL {seconds:Float64} SECOND) AS alive
"""
ADD_ALIVE = "INSERT INTO {database:Identifier}.scoring_collectors SELECT {collector:String}, now64(3)"

logger = logging.getLogger(__name__)


class Slots(Protocol):
    """Which slots are ours now."""

    has_others: bool

    def owned(self) -> frozenset[int]: ...

    async def run(self) -> None: ...


class EverySlot:
    """All of them: the database belongs to this collector alone."""

    has_others = False

    def owned(self) -> frozenset[int]:
        """Every slot."""
        return frozenset(range(SLOTS))

    async def run(self) -> None:
        """Nothing to do."""


class SharedSlots:
    """This collector's share of the slots, beside other collectors on the same ClickHouse."""

    def __init__(
        self, store: Store, collector: str, *, term_seconds: float = TERM_SECONDS, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._store = store
        self._collector = collector
        self._terms = ChangeLog(store, "scoring_term", table="scoring_terms")
        self._term_seconds = term_seconds
        self._rest_seconds = rest_seconds
        self._members: dict[int, Sequence[str]] = {}
        self._owned: frozenset[int] = frozenset()
        self._valid_until = 0.0
        self._resting: dict[int, float] = {}
        self.has_others = True
        """Whether other collectors are there, which put tasks in our slots."""

    def owned(self) -> frozenset[int]:
        """The slots that are ours; none when ClickHouse could not be asked for too long."""
        if time.monotonic() > self._valid_until:
            return frozenset()
        return self._owned

    async def run(self) -> None:
        """Keeps our share up to date until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except (Error, SpanloopError) as error:
                logger.debug("score: slots are looked at again reason=%s", error)
            await asyncio.sleep(min(LOOK_EVERY_SECONDS, self._term_seconds / 5))

    def look(self) -> None:
        """Takes part in this term and the next, and learns what is ours, and for how long. Blocks."""
        asked = time.monotonic()
        names = {"database": self._store.database}
        self._store.command(ADD_ALIVE, names | {"collector": self._collector})
        # Two terms: one look that is late must not make a collector count as gone.
        ((now, alive),) = self._store.query(READ_ALIVE, names | {"seconds": self._term_seconds * 2}).result_rows
        term = int(now // self._term_seconds)
        members = self._members_of(term, alive)
        self.has_others = len(alive) > 1 or len(members) > 1
        end = (term + 1) * self._term_seconds
        if end - now <= min(OFFER_BEFORE_SECONDS, self._term_seconds / 3):
            # Known before it starts, so that nobody's share is in doubt at the turn.
            next_members = self._members_of(term + 1, alive)
            end += self._term_seconds if self._collector in next_members and next_members == members else 0.0
        self._settle(term, members, now)
        self._valid_until = asked + float(end - now)

    def _members_of(self, term: int, alive: Sequence[str]) -> Sequence[str]:
        """Who hands out tasks in a term: the first list that anybody offers."""
        if term not in self._members:
            offer = Change("", "", term, "offered", Actor(self._collector), {"members": sorted(alive)})
            self._terms.append(offer)
            (self._members[term],) = self._read(term)
            self._members = {number: self._members[number] for number in sorted(self._members)[-3:]}
        return self._members[term]

    def _read(self, term: int) -> list[Sequence[str]]:
        rows = self._store.query(
            "SELECT JSONExtract(state, 'members', 'Array(String)') FROM {database:Identifier}.scoring_terms "
            "WHERE kind = 'scoring_term' AND version = {term:UInt64} LIMIT 1",
            {"database": self._store.database, "term": term},
        ).result_rows
        return [tuple(row[0]) for row in rows]

    def _settle(self, term: int, members: Sequence[str], now: float) -> None:
        ours = {slot for slot in range(SLOTS) if owner_of(slot, members) == self._collector}
        before = self._members.get(term - 1) or (self._read(term - 1) or [()])[0]
        for slot in ours:
            was = owner_of(slot, before) if before else self._collector
            if was != self._collector and slot not in self._owned and slot not in self._resting:
                self._resting[slot] = term * self._term_seconds + self._rest_seconds
        self._resting = {slot: until for slot, until in self._resting.items() if slot in ours and until > now}
        owned = frozenset(ours - set(self._resting))
        if owned != self._owned:
            logger.info("score: hands out tasks of %d of %d slots, collectors=%d", len(owned), SLOTS, len(members))
        self._owned = owned


def owner_of(slot: int, members: Sequence[str]) -> str:
    """The member that a slot belongs to: each member's hash with the slot, the highest wins."""
    return max(members, key=lambda member: hashlib.sha256(f"{slot}/{member}".encode()).digest(), default="")


def collector_name(data_dir: Path) -> str:
    """The name of the collector of this directory, the same after a restart."""
    path = data_dir / "collector-name"
    if not path.exists():
        path.write_text(uuid.uuid4().hex)
    return path.read_text().strip()


def slots_of(store: Store) -> Slots:
    """All slots of an embedded ClickHouse, a share of a server's."""
    return EverySlot() if store.is_embedded else SharedSlots(store, collector_name(store.data_dir))
