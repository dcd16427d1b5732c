"""Starting while ClickHouse is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest
from spanloop_collector.errors import ConfigError, SpanloopError, StoreUnavailableError
from spanloop_collector.store import Store, readiness
from spanloop_collector.store.readiness import keep_trying_to_migrate


class AnsweringLate:
    """A store whose server is away at first; then this happens."""

    is_embedded = False

    def __init__(self, *then: SpanloopError) -> None:
        self.answers: Iterator[SpanloopError] = iter((StoreUnavailableError("away"), *then))
        self.is_exhausted = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def migrate(self) -> None:
        error = next(self.answers, None)
        if error is None:
            self._loop.call_soon_threadsafe(self.is_exhausted.set)
            return
        raise error


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "TRY_EVERY_SECONDS", 0.01)


async def test_a_server_that_answers_later_is_waited_for() -> None:
    store = AnsweringLate(StoreUnavailableError("still away"))
    async with keep_trying_to_migrate(cast(Store, store)):
        await asyncio.wait_for(store.is_exhausted.wait(), 10)


async def test_what_no_later_try_would_mend_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    store = AnsweringLate(ConfigError("store.mask_patterns: '(' is no regular expression"))
    async with keep_trying_to_migrate(cast(Store, store)):
        await asyncio.sleep(0.2)
    assert not store.is_exhausted.is_set()
    [said] = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert said.endswith("store.mask_patterns: '(' is no regular expression")
