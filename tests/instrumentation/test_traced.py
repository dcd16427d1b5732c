"""`@traced`: every kind of function gives a span and behaves as if it were not decorated."""

from __future__ import annotations

import asyncio
import inspect
import logging
import pickle
from functools import partial
from typing import Any

import pytest
import spanloop
from spanloop import traced
from spanloop.testing import Capture


def test_arguments_are_input_and_the_result_is_output(captured_spans: Capture) -> None:
    @traced
    def answer(question: str, *rest: int, k: int = 3, **more: str) -> list[str]:
        return [question, str(k)]

    assert answer("why?", 1, 2, k=5, lang="en") == ["why?", "5"]
    assert captured_spans.tree() == [
        {
            "name": "answer",
            "type": "function",
            "input": {"question": "why?", "rest": [1, 2], "k": 5, "lang": "en"},
            "output": ["why?", "5"],
        }
    ]


def test_calls_nest(captured_spans: Capture) -> None:
    @traced
    def inner(n: int) -> int:
        return n + 1

    @traced
    def outer(n: int) -> int:
        return inner(n) + inner(n)

    outer(1)
    assert captured_spans.tree() == [
        {
            "name": "outer",
            "type": "function",
            "input": {"n": 1},
            "output": 4,
            "children": [
                {"name": "inner", "type": "function", "input": {"n": 1}, "output": 2},
                {"name": "inner", "type": "function", "input": {"n": 1}, "output": 2},
            ],
        }
    ]


def test_options(captured_spans: Capture) -> None:
    @traced(
        name="lookup",
        type="tool",
        capture_input=False,
        capture_output=False,
        metadata={"team": "search"},
        tags=["beta"],
    )
    def search(query: str) -> str:
        return query

    search("secret")
    assert captured_spans.tree() == [
        {"name": "lookup", "type": "tool", "metadata": {"team": "search"}, "tags": ["beta"]}
    ]


def test_an_exception_is_recorded_and_passes_untouched(captured_spans: Capture) -> None:
    error = ValueError("no answer")

    @traced
    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="no answer") as raised:
        fail()
    assert raised.value is error
    assert captured_spans.tree() == [
        {"name": "fail", "type": "function", "input": {}, "error": "ValueError: no answer"}
    ]
    span = captured_spans.find("fail").otel
    assert span.status.status_code.name == "ERROR"
    event = dict(span.events[0].attributes or {})
    assert event["exception.type"] == "ValueError"
    assert event["exception.message"] == "no answer"
    assert "raise error" in str(event["exception.stacktrace"])


def test_an_exception_that_cannot_show_itself(captured_spans: Capture) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    @traced
    def fail() -> None:
        raise Mute

    with pytest.raises(Mute):
        fail()
    assert captured_spans.find("fail").fields["error"] == "Mute: <its message cannot be shown>"


async def test_coroutine_functions(captured_spans: Capture) -> None:
    @traced
    async def answer(question: str) -> str:
        await asyncio.sleep(0)
        return question.upper()

    assert inspect.iscoroutinefunction(answer)
    assert await answer("why?") == "WHY?"
    assert captured_spans.tree() == [
        {"name": "answer", "type": "function", "input": {"question": "why?"}, "output": "WHY?"}
    ]


async def test_gathered_coroutines_keep_their_own_parents(captured_spans: Capture) -> None:
    @traced
    async def leaf(n: int) -> int:
        await asyncio.sleep(0.001 * (3 - n))
        return n

    @traced
    async def branch(n: int) -> int:
        return await leaf(n)

    with spanloop.start_span("root"):
        await asyncio.gather(*(branch(n) for n in range(3)))
    [root] = captured_spans.tree()
    assert [(child["input"], child["children"][0]["output"]) for child in root["children"]] == [
        ({"n": 0}, 0),
        ({"n": 1}, 1),
        ({"n": 2}, 2),
    ]


async def test_a_cancelled_coroutine_is_recorded(captured_spans: Capture) -> None:
    started = asyncio.Event()

    @traced
    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert captured_spans.find("wait").fields["error"] == "CancelledError"


def test_a_coroutine_closed_elsewhere_leaves_no_trace_in_the_log(
    captured_spans: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    @traced
    async def wait() -> None:
        await asyncio.Event().wait()

    async def run() -> Any:
        coroutine = wait()
        coroutine.send(None)  # as a scheduler of one's own would
        return coroutine

    with asyncio.Runner() as runner:
        coroutine = runner.run(run())
    coroutine.close()
    assert captured_spans.find("wait").fields["error"] == "GeneratorExit"
    assert caplog.records == []
    assert spanloop.current_span() is spanloop.NOOP_SPAN


def test_methods_leave_out_self_and_cls(captured_spans: Capture) -> None:
    class Bot:
        @traced
        def plain(self, a: int) -> int:
            return a

        @traced
        @classmethod
        def outer_class(cls, a: int) -> str:
            return cls.__name__

        @classmethod
        @traced
        def inner_class(cls, a: int) -> str:
            return cls.__name__

        @traced
        @staticmethod
        def outer_static(a: int) -> int:
            return a

        @staticmethod
        @traced
        def inner_static(a: int) -> int:
            return a

        @traced
        async def coroutine(self, a: int) -> int:
            return a

    bot = Bot()
    assert bot.plain(1) == 1
    assert Bot.outer_class(1) == bot.inner_class(1) == "Bot"
    assert bot.outer_static(1) == Bot.inner_static(1) == 1
    assert asyncio.run(bot.coroutine(1)) == 1
    assert [span.fields["input"] for span in captured_spans.spans] == [{"a": 1}] * 6


def test_a_function_parameter_named_self_is_input(captured_spans: Capture) -> None:
    @traced
    def free(self: int) -> int:
        return self

    free(1)
    assert captured_spans.find("free").fields["input"] == {"self": 1}


def test_callables_without_a_name_or_a_signature(captured_spans: Capture) -> None:
    assert traced(partial(max, 3))(1) == 3
    assert traced(name="longest")(max)(2, 5) == 5
    assert captured_spans.find("partial").fields["input"] == {"args": [1]}
    assert captured_spans.find("longest").fields["output"] == 5


def test_a_class_stays_a_class(caplog: pytest.LogCaptureFixture) -> None:
    class Thing: ...

    assert traced(Thing) is Thing
    assert "@traced cannot decorate" in caplog.text


@traced
def module_level(n: int) -> int:
    """Its docstring."""
    return n


def test_metadata_of_the_function_is_kept() -> None:
    assert module_level.__doc__ == "Its docstring."
    assert module_level.__name__ == "module_level"
    assert list(inspect.signature(module_level).parameters) == ["n"]
    assert pickle.loads(pickle.dumps(module_level)) is module_level


def test_without_init_nothing_happens() -> None:
    assert module_level(1) == 1
    assert spanloop.current_span() is spanloop.NOOP_SPAN
    assert not spanloop.start_span("x").is_recording


def test_output_logged_by_the_function_wins_over_its_result(captured_spans: Capture) -> None:
    @traced
    def answer() -> str:
        spanloop.current_span().log(output="shown", expected="hoped for")
        return "returned"

    answer()
    assert captured_spans.find("answer").fields["output"] == "shown"


def test_input_is_what_was_passed_not_what_became_of_it(captured_spans: Capture) -> None:
    @traced
    def consume(items: list[int]) -> None:
        items.clear()

    consume([1, 2])
    assert captured_spans.find("consume").fields["input"] == {"items": [1, 2]}


def test_a_fault_of_ours_never_reaches_the_function(
    captured_spans: Capture,
    guard_on: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("our bug")

    monkeypatch.setattr("spanloop._traced.to_json", broken)

    assert [module_level(n) for n in range(3)] == [0, 1, 2]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "spanloop failed in begin" in caplog.text


def test_a_hostile_argument_never_reaches_the_function(captured_spans: Capture) -> None:
    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    @traced
    def take(value: object) -> int:
        return 1

    assert take(Hostile()) == 1
    assert "Hostile" in captured_spans.find("take").fields["input"]["value"]
