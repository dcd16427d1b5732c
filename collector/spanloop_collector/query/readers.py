"""Read-only connections, kept open between statements: one statement at a time each, one set of settings each."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from spanloop_collector.query.reader import Reader, ReaderAddress
from spanloop_collector.query.refusal import refuse

MAX_IN_FLIGHT = 8
MAX_WAITING = 64
MAX_IDLE = 16

Answer = TypeVar("Answer")
SettingsKey = tuple[tuple[str, str], ...]


class ReaderPool:
    """Runs blocking work on readers, in threads of its own."""

    def __init__(self, address: ReaderAddress) -> None:
        self._address = address
        self._threads = ThreadPoolExecutor(MAX_IN_FLIGHT, thread_name_prefix="spanloop-query")
        # Guards `_idle` and `_under_way`, which the threads change.
        self._lock = threading.Lock()
        self._idle: OrderedDict[int, tuple[SettingsKey, Reader]] = OrderedDict()
        self._under_way = 0

    async def run(self, settings: Mapping[str, str], work: Callable[[Reader], Answer]) -> Answer:
        """What `work` makes of a reader with these settings.

        A caller who stops waiting does not stop work that has begun; what still waits is never begun.
        """
        self._enter()
        try:
            future = self._threads.submit(self._work, tuple(sorted(settings.items())), work)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(lambda _: self._leave())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Waits for the statements under way and closes every connection."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        while self._idle:
            self._idle.popitem()[1][1].close()

    def _enter(self) -> None:
        with self._lock:
            if self._under_way >= MAX_IN_FLIGHT + MAX_WAITING:
                raise refuse("TOO_MANY_SIMULTANEOUS_QUERIES", "Too many statements at once; try again later")
            self._under_way += 1

    def _leave(self) -> None:
        with self._lock:
            self._under_way -= 1

    def _work(self, key: SettingsKey, work: Callable[[Reader], Answer]) -> Answer:
        reader = self._take(key)
        try:
            return work(reader)
        finally:
            if reader.has_failed:
                # The embedded engine keeps what a failed statement had written, and puts it before the next answer.
                reader.close()
            else:
                self._give_back(key, reader)

    def _take(self, key: SettingsKey) -> Reader:
        with self._lock:
            for number, (idle_key, reader) in reversed(self._idle.items()):
                if idle_key == key:
                    del self._idle[number]
                    return reader
        return Reader(self._address, dict(key))

    def _give_back(self, key: SettingsKey, reader: Reader) -> None:
        with self._lock:
            self._idle[id(reader)] = (key, reader)
            oldest = self._idle.popitem(last=False)[1][1] if len(self._idle) > MAX_IDLE else None
        if oldest is not None:
            with suppress(Exception):
                oldest.close()
