"""Spans and log records that ClickHouse refuses because of their data: kept as files, listed in SQL, replayable.

Each is a request with nothing else in it, except where its bytes do not show what it consists of.

dead/01795291234567890123-6f1c…e2-17.traces.otlp    the request, as received and stamped
dead/01795291234567890123-6f1c…e2-17.traces.json    when, why, how many items
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import NotFoundError, StoreUnavailableError
from spanloop_collector.receive.stamp import key_project
from spanloop_collector.receive.wire import WireError
from spanloop_collector.spool.durable import sync_directory
from spanloop_collector.spool.record import Record
from spanloop_collector.store import Store
from spanloop_collector.telemetry import DEAD_LETTERS

MAX_REASON_CHARACTERS = 2000

COLUMNS = ("id", "signal", "project", "created", "item_count", "byte_count", "code", "reason", "state", "version")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A request that was set aside."""

    id: str
    signal: str
    """traces or logs"""
    created_unix_seconds: float
    item_count: int
    """Spans or log records in it."""
    byte_count: int
    code: int
    """ClickHouse's error code."""
    reason: str
    """ClickHouse's own words."""
    has_nested: bool
    """Whether it carries nested values; needed to replay it."""
    project: str = ""
    """Project of the key it came with; empty when that reaches every project, and then only an admin sees it in SQL."""


class DeadLetters:
    """The folder of dead letters, and their list in ClickHouse."""

    def __init__(self, directory: Path, store: Store) -> None:
        self._directory = directory
        self._store = store

    def keep(self, signal: str, record: Record, letter_id: str, error: Error) -> None:
        """Sets a request aside for good: on disk first, then in the table `dead_letters`."""
        letter = DeadLetter(
            id=letter_id,
            signal=signal,
            created_unix_seconds=time.time(),
            item_count=record.item_count,
            byte_count=len(record.payload),
            code=error.code or 0,
            reason=str(error)[:MAX_REASON_CHARACTERS],
            has_nested=bool(record.flags),
            project=_project(record),
        )
        self._directory.mkdir(parents=True, exist_ok=True)
        _write_durably(self._payload_path(letter), record.payload)
        _write_durably(self._facts_path(letter), json.dumps(asdict(letter), indent=2).encode())
        sync_directory(self._directory)
        DEAD_LETTERS.labels(signal).inc()
        logger.error("write: dead letter id=%s items=%d reason=%s", letter.id, letter.item_count, letter.reason)
        self._list_in_store([letter], "waiting")

    def waiting(self) -> list[DeadLetter]:
        """Every dead letter, oldest first."""
        if not self._directory.exists():
            return []
        letters = [DeadLetter(**json.loads(path.read_bytes())) for path in self._directory.glob("*.json")]
        return sorted(letters, key=lambda letter: letter.created_unix_seconds)

    def find(self, letter_id: str) -> DeadLetter:
        """The dead letter of this id. Raises NotFoundError."""
        for letter in self.waiting():
            if letter.id == letter_id:
                return letter
        raise NotFoundError(f"no dead letter has the id {letter_id!r}; `spanloop dead-letters list` shows them")

    def payload(self, letter: DeadLetter) -> bytes:
        """The request, as received and stamped."""
        return self._payload_path(letter).read_bytes()

    def remove(self, letter: DeadLetter, *, state: str) -> None:
        """Forgets the bytes; the table remembers it as `replayed` or `deleted`."""
        self._payload_path(letter).unlink(missing_ok=True)
        self._facts_path(letter).unlink(missing_ok=True)
        self._list_in_store([letter], state)

    def _list_in_store(self, letters: Sequence[DeadLetter], state: str) -> None:
        rows = [
            (
                letter.id,
                letter.signal,
                letter.project,
                datetime.fromtimestamp(letter.created_unix_seconds, UTC),
                letter.item_count,
                letter.byte_count,
                letter.code,
                letter.reason,
                state,
                time.time_ns(),
            )
            for letter in letters
        ]
        try:
            self._store.insert_rows("dead_letters", rows, COLUMNS)
        except (Error, StoreUnavailableError) as error:
            # The folder is the truth; `spanloop doctor` reads it.
            logger.warning("write: dead letter is on disk but not listed in SQL reason=%s", error)

    def _payload_path(self, letter: DeadLetter) -> Path:
        return self._directory / f"{letter.id}.{letter.signal}.otlp"

    def _facts_path(self, letter: DeadLetter) -> Path:
        return self._directory / f"{letter.id}.{letter.signal}.json"


def _project(record: Record) -> str:
    try:
        return key_project(record.payload)
    except (WireError, UnicodeDecodeError):
        return ""


def _write_durably(path: Path, content: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
