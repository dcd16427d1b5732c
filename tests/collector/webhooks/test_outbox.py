"""Messages on their way: tried again, taken over, given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from spanloop_collector.store import Store
from spanloop_collector.webhooks.outbox import (
    ALERT,
    ATTEMPT_RUNS_OUT_SECONDS,
    DELIVERED,
    FAILED,
    MAX_AT_ONCE,
    WAITING,
    Message,
    Outbox,
)
from spanloop_collector.webhooks.sender import Attempt, WebhookSender
from spanloop_collector.webhooks.signature import make_secret
from spanloop_collector.webhooks.targets import Target, Targets

from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Receiver, webhook_receiver

MESSAGE = Message("alert", "errors", "firing", "owner", "http://shown", '{"text": "x"}')


@dataclass
class Clock:
    # Not long ago: what is too old is dropped from the table.
    now: float = field(default_factory=lambda: float(int(time.time())))

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver(store: Store) -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        Targets(store).write("owner", Target(receiver.url, make_secret()))
        yield receiver


def make_outbox(store: Store, clock: Clock, sender: WebhookSender | None = None) -> Outbox:
    sender = sender or WebhookSender(allow_private_addresses=True, timeout_seconds=5, now=clock)
    return Outbox(store, sender, ALERT, retry_after_seconds=(2, 10), now=clock)


def deliveries(store: Store) -> list[tuple[object, ...]]:
    sql = f"SELECT id, status, attempts, http_status, error FROM {store.database}.webhook_deliveries"
    return [tuple(row) for row in store.query(sql).result_rows]


def test_a_message_is_tried_until_it_is_delivered(store: Store, clock: Clock, receiver: Receiver) -> None:
    outbox = make_outbox(store, clock)
    receiver.answers = [(500, {}), (503, {"retry-after": "30"})]
    outbox.add("shop", "msg_1", MESSAGE)
    outbox.add("shop", "msg_1", MESSAGE)
    first = outbox.deliver("shop", "msg_1")
    assert first is not None
    assert (first.status, first.next_attempt - clock.now) == (WAITING, 2)
    assert outbox.deliver("shop", "msg_1") is None
    clock.now += 2
    second = outbox.deliver("shop", "msg_1")
    assert second is not None
    assert (second.status, second.next_attempt - clock.now) == (WAITING, 30)
    clock.now += 30
    outbox.deliver("shop", "msg_1")
    assert deliveries(store) == [("msg_1", DELIVERED, 3, 204, "")]
    assert {message.headers["webhook-id"] for message in receiver.received} == {"msg_1"}
    clock.now += 1000
    assert outbox.deliver("shop", "msg_1") is None


def test_a_message_that_nobody_takes_is_given_up(store: Store, clock: Clock, receiver: Receiver) -> None:
    outbox = make_outbox(store, clock)
    receiver.answers = [(500, {})] * 3
    outbox.add("shop", "msg_1", MESSAGE)
    for _ in range(3):
        outbox.deliver("shop", "msg_1")
        clock.now += 60
    assert deliveries(store) == [("msg_1", FAILED, 3, 500, "500 Internal Server Error")]


def test_two_collectors_send_a_message_once(store: Store, clock: Clock, receiver: Receiver) -> None:
    make_outbox(store, clock).add("shop", "msg_1", MESSAGE)
    start = threading.Barrier(3)

    def deliver() -> None:
        start.wait()
        make_outbox(store, clock).deliver("shop", "msg_1")

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.received) == 1
    assert deliveries(store) == [("msg_1", DELIVERED, 1, 204, "")]


def test_a_try_of_a_collector_that_died_is_taken_over(store: Store, clock: Clock, receiver: Receiver) -> None:
    class Dying(WebhookSender):
        def send(self, url: str, secret: str, *, message_id: str, body: bytes, timeout_seconds: float = 0.0) -> Attempt:
            raise SystemExit

    dying = make_outbox(store, clock, Dying(allow_private_addresses=True, timeout_seconds=5))
    dying.add("shop", "msg_1", MESSAGE)
    with pytest.raises(SystemExit):
        dying.deliver("shop", "msg_1")
    other = make_outbox(store, clock)
    assert other.deliver("shop", "msg_1") is None
    clock.now += ATTEMPT_RUNS_OUT_SECONDS
    taken = other.deliver("shop", "msg_1")
    assert taken is not None
    assert (taken.status, taken.attempts) == (DELIVERED, 2)


async def test_the_background_delivers_more_than_it_may_at_once_without_waiting(
    store: Store, clock: Clock, receiver: Receiver
) -> None:
    outbox = make_outbox(store, clock)
    for number in range(3 * MAX_AT_ONCE[ALERT]):
        outbox.add("shop", f"msg_{number}", replace(MESSAGE, about=f'{{"model": "{number}"}}'))
    running = asyncio.create_task(outbox.run())
    await asyncio.to_thread(
        wait_until, lambda: len(receiver.received) == 3 * MAX_AT_ONCE[ALERT], what="all messages", timeout=20
    )
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {status for _, status, *_ in deliveries(store)} == {DELIVERED}


async def test_what_an_alert_says_of_a_group_arrives_in_its_order(store: Store, receiver: Receiver) -> None:
    outbox = Outbox(
        store, WebhookSender(allow_private_addresses=True, timeout_seconds=5), ALERT, retry_after_seconds=(0.5,)
    )
    # Of the first message of the group, and of that about something else.
    receiver.answers = [(500, {}), (500, {})]
    about = '{"model": "small"}'
    for number, message in enumerate(
        (
            replace(MESSAGE, about=about, body='{"n": 1}'),
            replace(MESSAGE, about=about, body='{"n": 2}'),
            replace(MESSAGE, name="other", body='{"n": 3}'),
        )
    ):
        outbox.add("shop", f"msg_{number}", message)
        # Times are kept in milliseconds.
        await asyncio.sleep(0.01)
    running = asyncio.create_task(outbox.run())
    await asyncio.to_thread(wait_until, lambda: len(receiver.received) == 5, what="all messages", timeout=20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    sent = [message.json["n"] for message in receiver.received]
    assert [number for number in sent if number != 3] == [1, 1, 2]
    assert sent[:2].count(3) == 1


async def test_stopping_breaks_off_what_takes_too_long(
    store: Store, clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spanloop_collector.webhooks.outbox.STOP_SECONDS", 0.1)
    asked, release = threading.Event(), threading.Event()

    def be_slow() -> None:
        asked.set()
        release.wait(20)

    receiver.before_answer = be_slow
    outbox = make_outbox(store, clock)
    outbox.add("shop", "msg_1", replace(MESSAGE, timeout_seconds=60))
    running = asyncio.create_task(outbox.run())
    await asyncio.to_thread(asked.wait, 20)
    began = time.monotonic()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert time.monotonic() - began < 10
    release.set()
    [(_, status, attempts, _, error)] = deliveries(store)
    assert (status, attempts, error) == (WAITING, 1, "TimeoutError: the collector was stopped")


def test_a_message_of_a_deleted_target_is_given_up(store: Store, clock: Clock, receiver: Receiver) -> None:
    outbox = make_outbox(store, clock)
    outbox.add("shop", "msg_1", MESSAGE)
    Targets(store).remove("owner")
    outbox.deliver("shop", "msg_1")
    assert deliveries(store) == [("msg_1", FAILED, 1, 0, "its target was deleted")]
