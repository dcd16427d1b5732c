"""Traced generators: one span, ended when the generator is, wherever that happens."""

from __future__ import annotations

import asyncio
import gc
import inspect
import pickle
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import aclosing, contextmanager

import pytest
import spanloop
from spanloop import _generators, traced
from spanloop.testing import Capture


@traced
def count(to: int) -> Iterator[int]:
    for n in range(to):
        with spanloop.start_span("step"):
            pass
        yield n


@traced
async def acount(to: int) -> AsyncIterator[int]:
    for n in range(to):
        await asyncio.sleep(0)
        with spanloop.start_span("step"):
            pass
        yield n


STEP = {"name": "step"}


def test_a_generator_is_one_span_around_its_steps(captured_spans: Capture) -> None:
    assert list(count(2)) == [0, 1]
    assert captured_spans.tree() == [
        {
            "name": "count",
            "type": "function",
            "input": {"to": 2},
            "output": [0, 1],
            "children": [STEP, STEP],
        }
    ]


async def test_an_async_generator_is_one_span_around_its_steps(captured_spans: Capture) -> None:
    assert [n async for n in acount(2)] == [0, 1]
    assert captured_spans.tree() == [
        {
            "name": "acount",
            "type": "function",
            "input": {"to": 2},
            "output": [0, 1],
            "children": [STEP, STEP],
        }
    ]


def test_text_pieces_are_joined(captured_spans: Capture) -> None:
    @traced
    def stream() -> Iterator[str]:
        yield "Hel"
        yield "lo"

    assert list(stream()) == ["Hel", "lo"]
    assert captured_spans.find("stream").fields["output"] == "Hello"


def test_the_consumer_runs_outside_the_span(captured_spans: Capture) -> None:
    with spanloop.start_span("consumer") as consumer:
        for _ in count(1):
            assert spanloop.current_span().span_id == consumer.span_id
            with spanloop.start_span("consumed"):
                pass
    [root] = captured_spans.tree()
    assert [child["name"] for child in root["children"]] == ["count", "consumed"]


def test_a_span_open_across_a_yield_stays_inside(captured_spans: Capture) -> None:
    @traced
    def produce() -> Iterator[int]:
        with spanloop.start_span("open"):
            yield 1
            with spanloop.start_span("within"):
                yield 2

    with spanloop.start_span("consumer") as consumer:
        for _ in produce():
            assert spanloop.current_span().span_id == consumer.span_id
    [root] = captured_spans.tree()
    [produced] = root["children"]
    assert produced["children"] == [{"name": "open", "children": [{"name": "within"}]}]


def test_the_parent_is_where_the_function_was_called(captured_spans: Capture) -> None:
    with spanloop.start_span("handler"):
        stream = count(1)
    with spanloop.start_span("elsewhere"):
        list(stream)
    handler, elsewhere = captured_spans.tree()
    assert (handler["name"], handler["children"][0]["name"]) == ("handler", "count")
    assert elsewhere == {"name": "elsewhere"}


def test_a_generator_closed_early_keeps_what_it_yielded(captured_spans: Capture) -> None:
    generator = count(10)
    next(generator)
    next(generator)
    assert isinstance(generator, Generator)
    generator.close()
    fields = captured_spans.find("count").fields
    assert fields == {"type": "function", "input": {"to": 10}, "output": [0, 1]}


def test_a_generator_dropped_early_ends_its_span(captured_spans: Capture) -> None:
    for n in count(10):
        if n == 1:
            break
    gc.collect()
    assert captured_spans.find("count").fields["output"] == [0, 1]


def test_a_generator_never_iterated_has_no_span(captured_spans: Capture) -> None:
    count(10)
    assert captured_spans.spans == []


def test_an_error_keeps_what_was_yielded(captured_spans: Capture) -> None:
    @traced
    def fail() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(fail())
    assert captured_spans.find("fail").fields == {
        "type": "function",
        "input": {},
        "output": [1],
        "error": "ValueError: broken",
    }


def test_send_throw_and_return_pass_through(captured_spans: Capture) -> None:
    @traced
    def echo() -> Generator[object, object, str]:
        got: object = "start"
        for _ in range(3):
            try:
                got = yield got
            except KeyError as error:
                got = type(error)
        return "done"

    generator = echo()
    assert next(generator) == "start"
    assert generator.send("a") == "a"
    assert generator.throw(KeyError("x")) is KeyError
    with pytest.raises(StopIteration) as stop:
        generator.send("b")
    assert stop.value.value == "done"


def test_a_generator_consumed_in_another_thread(captured_spans: Capture) -> None:
    results: list[int] = []
    with spanloop.start_span("handler"):
        generator = count(3)
        next(generator)
        thread = threading.Thread(target=lambda: results.extend(generator))
        thread.start()
        thread.join()
    assert results == [1, 2]
    [root] = captured_spans.tree()
    assert root["children"][0]["output"] == [0, 1, 2]


async def test_an_async_generator_closed_in_another_task(
    captured_spans: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    with spanloop.start_span("handler"):
        generator = acount(10)
        assert await anext(generator) == 0
        await asyncio.create_task(_close(generator))
    assert captured_spans.find("acount").fields["output"] == [0]
    assert caplog.records == []


async def _close(generator: AsyncIterator[int]) -> None:
    await generator.aclose()  # type: ignore[attr-defined]  # declared as an iterator, is a generator


async def test_an_async_generator_advanced_by_several_tasks(
    captured_spans: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    generator = acount(3)

    async def advance() -> int:
        with spanloop.start_span("task"):
            return await anext(generator)

    assert [await asyncio.create_task(advance()) for _ in range(3)] == [0, 1, 2]
    assert [n async for n in generator] == []
    assert len(captured_spans.find("acount").fields["output"]) == 3
    assert caplog.records == []


def test_an_async_generator_left_behind_ends_with_its_loop(
    captured_spans: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave_early() -> None:
        async for _ in acount(10):
            break

    asyncio.run(leave_early())
    gc.collect()
    assert captured_spans.find("acount").fields["output"] == [0]
    assert caplog.records == []


def test_an_async_generator_collected_without_a_loop(captured_spans: Capture) -> None:
    generator = acount(10)
    with pytest.raises(StopIteration):
        _drive_one(generator)
    del generator
    gc.collect()
    assert captured_spans.find("acount").fields["output"] == [0]


def _drive_one(generator: AsyncIterator[int]) -> None:
    """One step of an async generator with no event loop at all."""
    step = generator.__anext__().__await__()
    while True:
        next(step)


async def test_aclosing(captured_spans: Capture) -> None:
    async with aclosing(acount(5)) as generator:  # type: ignore[type-var]  # declared as an iterator
        async for n in generator:
            if n == 2:
                break
    assert captured_spans.find("acount").fields["output"] == [0, 1, 2]


async def test_an_error_in_the_consumer_is_not_the_generators(captured_spans: Capture) -> None:
    async def consume() -> None:
        async with aclosing(acount(5)) as generator:  # type: ignore[type-var]  # declared as an iterator
            async for _ in generator:
                raise RuntimeError("consumer")

    with pytest.raises(RuntimeError):
        await consume()
    assert "error" not in captured_spans.find("acount").fields


def test_frameworks_see_what_kind_of_function_it_is() -> None:
    assert inspect.isgeneratorfunction(count)
    assert inspect.isasyncgenfunction(acount)
    assert not inspect.iscoroutinefunction(count)
    assert list(inspect.signature(count).parameters) == ["to"]
    assert pickle.loads(pickle.dumps(count)) is count


def test_generator_methods(captured_spans: Capture) -> None:
    class Bot:
        @traced
        def stream(self, n: int) -> Iterator[int]:
            yield n

        @traced
        @classmethod
        def make(cls, n: int) -> Iterator[str]:
            yield f"{cls.__name__}{n}"

        @staticmethod
        @traced
        async def astream(n: int) -> AsyncIterator[int]:
            yield n

    async def drain() -> list[int]:
        return [n async for n in Bot.astream(3)]

    assert inspect.isgeneratorfunction(Bot().stream)
    assert list(Bot().stream(1)) == [1]
    assert list(Bot.make(2)) == ["Bot2"]
    assert asyncio.run(drain()) == [3]
    assert [span.fields["input"] for span in captured_spans.spans] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_as_a_context_manager(captured_spans: Capture) -> None:
    @contextmanager
    @traced
    def resource() -> Iterator[str]:
        yield "held"

    with resource() as held, spanloop.start_span("inside"):
        assert held == "held"
    assert [row["name"] for row in captured_spans.tree()] == ["resource", "inside"]


def test_what_is_kept_of_an_endless_generator_is_bounded(
    captured_spans: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_generators, "MAX_KEPT_ITEMS", 2)
    list(count(5))
    assert captured_spans.find("count").fields["output"] == [0, 1, "[truncated: 3 more items]"]


def test_without_init_it_is_the_plain_generator() -> None:
    generator = count(2)
    assert inspect.isgenerator(generator)
    assert generator.gi_code.co_name == "count"
