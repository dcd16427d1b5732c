"""Clients in other people's hands: subclassed, copied, closed too early, given what cannot be sent.

What the application sees is what it would see without us, and the row says as much as there was to say.
"""

from __future__ import annotations

import copy
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import spanloop
from spanloop.testing import Capture, capture

from tests.instrumentation.otlp_collector import Collector, attributes
from tests.instrumentation.provider import Provider, Reply, scripted_provider

MESSAGES: list[Any] = [{"role": "user", "content": "Capital?"}]
CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris."}}
ANSWER = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}


def piece(text: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


PIECES: list[Any] = [piece("Par"), piece("is."), "[DONE]"]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def make(provider: Provider) -> Iterator[Callable[..., openai.OpenAI]]:
    made: list[openai.OpenAI] = []

    def make_one(kind: type[openai.OpenAI] = openai.OpenAI) -> openai.OpenAI:
        made.append(kind(base_url=provider.url, api_key="k", max_retries=0))
        return made[-1]

    yield make_one
    for client in made:
        client.close()


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "m", "messages": MESSAGES, **more})


def outcome(act: Callable[[], object]) -> object:
    """What the application gets: a result, or the kind of error."""
    try:
        return act()
    except BaseException as error:
        return type(error)


class Counting(openai.OpenAI):
    """A client of the application's own."""

    asked = 0

    def request(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return super().request(*args, **kwargs)


def test_a_subclass(make: Callable[..., Any], provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER))
    client = spanloop.wrap_openai(make(Counting))
    ask(client)
    assert (type(client), client.asked, len(captured_spans.spans)) == (Counting, 1, 1)


@pytest.mark.parametrize("duplicate", [copy.copy, lambda client: pickle.loads(pickle.dumps(client))])
def test_duplicates(
    duplicate: Callable[[Any], Any], make: Callable[..., Any], provider: Provider, captured_spans: Capture
) -> None:
    """Those that the plain client allows work, and are traced once."""
    provider.will(*[Reply(ANSWER)] * 3)

    def use(client: openai.OpenAI) -> Any:
        return ask(duplicate(client)).choices[0].message.content

    assert outcome(lambda: use(spanloop.wrap_openai(make()))) == (expected := outcome(lambda: use(make())))
    assert len(captured_spans.spans) == (expected == "Paris.")


def test_a_client_closed_in_mid_stream(make: Callable[..., Any], provider: Provider, captured_spans: Capture) -> None:
    def use(client: openai.OpenAI) -> list[str | None]:
        provider.will(Reply(events=PIECES, gate=(gate := threading.Event())))
        stream = ask(client, stream=True)
        found = [next(stream).choices[0].delta.content]
        client.close()
        gate.set()
        return [*found, *(each.choices[0].delta.content for each in stream)]

    assert outcome(lambda: use(spanloop.wrap_openai(make()))) == outcome(lambda: use(make()))
    [span] = captured_spans.spans
    assert span.fields["output"][0]["message"]["content"].startswith("Par")


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def circle() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize("value", [Unspeakable(), circle(), {1, 2}, b"\xff", "\ud800", lambda: 1])
def test_what_cannot_be_sent(value: Any, make: Callable[..., Any], provider: Provider, captured_spans: Capture) -> None:
    provider.will(*[Reply(ANSWER)] * 2)
    messages = [{"role": "user", "content": value}]
    expected = outcome(lambda: ask(make(), messages=messages).id)
    assert outcome(lambda: ask(spanloop.wrap_openai(make()), messages=messages).id) == expected
    assert [("error" in span.fields) for span in captured_spans.spans] in ([], [expected != "1"])


def test_more_than_anybody_reads(make: Callable[..., Any], provider: Provider) -> None:
    provider.will(Reply(ANSWER))
    with capture({"max_value_chars": 10_000}) as spans:
        ask(spanloop.wrap_openai(make()), messages=[{"role": "user", "content": "long " * 4_000_000}] * 2)
    [span] = spans.spans
    text = str(span.fields["input"])
    assert len(text) < 12_000
    assert "[truncated" in text
    assert len(provider.requests[0][1]["messages"][1]["content"]) == 20_000_000


def test_a_stream_read_in_another_thread(make: Callable[..., Any], provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(events=PIECES))
    with spanloop.start_span("request"):
        stream = ask(spanloop.wrap_openai(make()), stream=True)
    reader = threading.Thread(target=lambda: [*stream])
    reader.start()
    reader.join()
    [row] = captured_spans.tree()
    assert row["children"][0]["output"][0]["message"]["content"] == "Paris."


AT_EXIT = """
import os, signal, sys, threading
import openai, spanloop

spanloop.init("bot", endpoint=sys.argv[1], flush_interval_seconds=60)
client = spanloop.wrap_openai(openai.OpenAI(base_url=sys.argv[2], api_key="k"))
stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Capital?"}], stream=True)
next(stream)
if "thread" in sys.argv:
    threading.Thread(target=lambda: [*stream], daemon=True).start()
if "terminated" in sys.argv:
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize("end", ["nobody reads", "thread reads", "terminated"])
def test_a_stream_still_open_at_exit_is_not_lost(end: str, provider: Provider, collector: Collector) -> None:
    provider.will(Reply(events=PIECES, gate=(gate := threading.Event())))
    command = [sys.executable, "-W", "ignore", "-c", AT_EXIT, collector.endpoint, provider.url, *end.split()]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], timeout=60, capture_output=True, text=True, check=False
    )
    gate.set()
    assert (done.returncode, done.stderr) == (-signal.SIGTERM if end == "terminated" else 0, "")
    [span] = collector.received.spans
    assert '"content":"Par"' in attributes(span)["spanloop.output"]
