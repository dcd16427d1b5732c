"""Messages on their way: each is kept until it is delivered or given up, and one collector at a time tries it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.store.bells import Bell
from spanloop_collector.store.changes import Actor, Change, ChangeLog
from spanloop_collector.store.rounds import keep_doing
from spanloop_collector.store.store import Store
from spanloop_collector.webhooks.sender import Attempt, WebhookSender
from spanloop_collector.webhooks.targets import Targets

RETRY_AFTER_SECONDS = (2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
"""Pauses before the second try and those after it; then the message is given up."""
ATTEMPT_RUNS_OUT_SECONDS = 60.0
"""A try that has no outcome so long after its time limit was made by a collector that is gone."""
STOP_SECONDS = 5.0
"""What is under way when the collector stops may go on for so long."""

ALERT, VARIANT = "alert", "variant"
MAX_AT_ONCE = {ALERT: 4, VARIANT: 32}
"""Tries under way, by topic: tests of variants may take minutes, and must not hold up alerts."""

WAITING, SENDING, DELIVERED, FAILED = "waiting", "sending", "delivered", "failed"

# What an alert says of a group arrives in its order: "recovered" waits while "fires" has not arrived.
FIND_NEXT = """
SELECT project, id, due
FROM
(
    SELECT project, id, toUnixTimestamp64Milli(next_attempt) / 1000 AS due
    FROM {database:Identifier}.webhook_deliveries
    WHERE topic = {topic:String} AND status IN ('waiting', 'sending')
    ORDER BY created
    LIMIT 1 BY project, name, if(topic = 'alert', about, id)
)
ORDER BY due
LIMIT 100
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """A message and how far it has come."""

    topic: str
    """What kind of thing sends it: alert or variant."""
    name: str
    """Name of the thing."""
    event: str
    """What happened: firing, recovered, test, …"""
    owner: str
    """Whose target it goes to."""
    target: str
    """The target as it may be shown."""
    body: str
    """JSON text."""
    about: str = ""
    """What it is about, as JSON text: a group's labels."""
    timeout_seconds: float = 0.0
    """How long a try may take; 0 leaves it to the collector's setting."""
    created: float = 0.0
    """When it was kept, Unix seconds."""
    status: str = WAITING
    attempts: int = 0
    next_attempt: float = 0.0
    http_status: int = 0
    error: str = ""


class Outbox:
    """Takes messages of one topic, and delivers them in the background."""

    def __init__(
        self,
        store: Store,
        sender: WebhookSender,
        topic: str,
        *,
        retry_after_seconds: tuple[float, ...] = RETRY_AFTER_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._sender = sender
        self._topic = topic
        self._at_once = MAX_AT_ONCE[topic]
        self._retry_after = retry_after_seconds
        self._now = now
        self._log = ChangeLog(store, "delivery", table="webhook_events", now=now)
        self._targets = Targets(store)
        self._bell: Bell | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}
        # Threads of its own: a receiver that does not answer must not hold up those that serve requests.
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="spanloop-webhook")

    def add(self, project: str, message_id: str, message: Message) -> None:
        """Keeps a message until it is delivered; the same id again changes nothing. Blocks."""
        message = replace(message, created=self._now(), next_attempt=self._now())
        self._log.append(Change(project, message_id, 1, WAITING, Actor("collector"), asdict(message)))

    def wake(self) -> None:
        """Looks for messages now rather than at the next look."""
        if self._bell is not None:
            self._bell.ring()

    def deliver(self, project: str, message_id: str) -> Message | None:
        """Tries a message once and returns how it stands; None when somebody else is at it. Blocks."""
        latest = self._log.find(project, message_id)
        if latest is None:
            return None
        message = Message(**latest.state)
        if message.status not in (WAITING, SENDING) or message.next_attempt > self._now():
            return None
        trying = replace(
            message,
            status=SENDING,
            attempts=message.attempts + 1,
            next_attempt=self._now() + message.timeout_seconds + ATTEMPT_RUNS_OUT_SECONDS,
        )
        if not self._keep(project, message_id, latest.version + 1, trying):
            return None
        after = self._after(trying, self._send(message_id, trying))
        self._keep(project, message_id, latest.version + 2, after)
        return after

    async def run(self) -> None:
        """Delivers until cancelled."""
        try:
            self._bell = Bell()
            await keep_doing("webhooks", self._start_due, self._bell)
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Lets what is under way end, for a while; what is then broken off is tried again later."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        under_way = list(self._under_way.values())
        if under_way:
            await asyncio.wait(under_way, timeout=STOP_SECONDS)
            self._sender.break_off()
            await asyncio.wait(under_way)

    async def _start_due(self) -> float | None:
        """Begins the tries whose time has come; returns the seconds until the next one, None where none is known."""
        for project, message_id, due in await asyncio.to_thread(self._next):
            pause = due - self._now()
            if pause > 0:
                return pause
            key = f"{project}/{message_id}"
            if len(self._under_way) < self._at_once and key not in self._under_way:
                self._under_way[key] = asyncio.create_task(self._deliver_quietly(key, project, message_id))
        return None

    async def _deliver_quietly(self, key: str, project: str, message_id: str) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self.deliver, project, message_id)
        except (Error, StoreUnavailableError) as error:
            logger.warning("webhooks: will try again message=%s reason=%s", message_id, error)
        except Exception:
            # A fault of ours with one message is no reason to stop sending the others.
            logger.exception("webhooks: unexpected error message=%s", message_id)
        finally:
            del self._under_way[key]
            # There is room for another one.
            self.wake()

    def _next(self) -> list[tuple[str, str, float]]:
        """Project, id and time of the messages whose turn comes first."""
        parameters = {"database": self._store.database, "topic": self._topic}
        return [(row[0], row[1], row[2]) for row in self._store.query(FIND_NEXT, parameters).result_rows]

    def _send(self, message_id: str, message: Message) -> Attempt:
        target = self._targets.find(message.owner)
        if target is None:
            return Attempt(error="its target was deleted", is_final=True)
        return self._sender.send(
            target.url,
            target.secret,
            message_id=message_id,
            body=message.body.encode(),
            timeout_seconds=message.timeout_seconds,
        )

    def _after(self, message: Message, attempt: Attempt) -> Message:
        """The message after a try."""
        tried = replace(message, http_status=attempt.http_status, error=attempt.error)
        if attempt.is_delivered:
            return replace(tried, status=DELIVERED)
        if attempt.is_final or message.attempts > len(self._retry_after):
            return replace(tried, status=FAILED)
        pause = max(self._retry_after[message.attempts - 1], attempt.retry_after_seconds)
        return replace(tried, status=WAITING, next_attempt=self._now() + pause)

    def _keep(self, project: str, message_id: str, version: int, message: Message) -> bool:
        return self._log.append(
            Change(project, message_id, version, message.status, Actor("collector"), asdict(message))
        )


def json_body(fields: Mapping[str, Any]) -> str:
    """The text of a message's body."""
    return json.dumps(fields, ensure_ascii=False)
