"""`spanloop.context`: what all spans of a block carry; parents from other processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
import spanloop
from spanloop import traced
from spanloop.testing import Capture


@traced
def work() -> None:
    spanloop.current_span().log(metadata={"step": 1})


def test_every_span_in_the_block_carries_it(captured_spans: Capture) -> None:
    with (
        spanloop.context(session_id="s1", user_id="u1", metadata={"plan": "pro"}, tags=["web"]),
        spanloop.start_span("outer", metadata={"plan": "own"}, tags=["own"]),
    ):
        work()
    work()
    assert captured_spans.tree() == [
        {
            "name": "outer",
            "metadata": {"plan": "own", "session_id": "s1", "user_id": "u1"},
            "tags": ["web", "own"],
            "children": [
                {
                    "name": "work",
                    "type": "function",
                    "input": {},
                    "output": None,
                    "metadata": {"plan": "pro", "session_id": "s1", "user_id": "u1", "step": 1},
                    "tags": ["web"],
                }
            ],
        },
        {"name": "work", "type": "function", "input": {}, "output": None, "metadata": {"step": 1}},
    ]


def test_blocks_nest_and_inner_values_win(captured_spans: Capture) -> None:
    with spanloop.context(session_id="outer", user_id="u"):
        with spanloop.context(session_id="inner", tags=["t"]), spanloop.start_span("a"):
            pass
        with spanloop.start_span("b"):
            pass
    assert captured_spans.find("a").fields == {
        "metadata": {"session_id": "inner", "user_id": "u"},
        "tags": ["t"],
    }
    assert captured_spans.find("b").fields == {"metadata": {"session_id": "outer", "user_id": "u"}}


async def test_tasks_keep_their_own_block(captured_spans: Capture) -> None:
    async def request(user: str) -> None:
        with spanloop.context(user_id=user):
            await asyncio.sleep(0.001)
            with spanloop.start_span(user):
                await asyncio.sleep(0.001)

    await asyncio.gather(*(request(user) for user in ("ann", "bob")))
    for user in ("ann", "bob"):
        assert captured_spans.find(user).fields["metadata"] == {"user_id": user}


def test_an_exception_passes_through_the_block(captured_spans: Capture) -> None:
    with pytest.raises(ValueError, match="x"), spanloop.context(user_id="u"):
        raise ValueError("x")
    with spanloop.start_span("after"):
        pass
    assert captured_spans.find("after").fields == {}


@pytest.mark.parametrize("kind", ["text", "headers", "span"])
def test_a_parent_by_any_of_its_names(kind: str, captured_spans: Capture) -> None:
    with spanloop.start_span("caller") as caller:
        exported = caller.export()
    parent = {"text": exported, "headers": {"Traceparent": exported}, "span": caller}[kind]
    with spanloop.start_span("direct", parent=parent):  # type: ignore[arg-type]  # each is allowed
        pass
    with spanloop.context(parent=parent):  # type: ignore[arg-type]  # each is allowed
        work()
    assert spanloop.current_span() is spanloop.NOOP_SPAN
    for name in ("direct", "work"):
        assert captured_spans.find(name).parent_id == caller.span_id
        assert captured_spans.find(name).trace_id == caller.trace_id


def test_a_parent_in_another_process(captured_spans: Capture) -> None:
    code = (
        "import sys, spanloop\n"
        "with spanloop.testing.capture() as spans:\n"
        "    with spanloop.start_span('callee', parent=sys.argv[1]): pass\n"
        "print(spans.spans[0].trace_id, spans.spans[0].parent_id)"
    )
    with spanloop.start_span("caller") as caller:
        done = subprocess.run(
            [sys.executable, "-c", f"import spanloop.testing\n{code}", caller.export()],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.split() == [caller.trace_id, caller.span_id]


@pytest.mark.parametrize("parent", ["nonsense", "00-" + "0" * 32 + "-x-01", {"traceparent": "?"}])
def test_a_wrong_parent_starts_a_new_trace(
    parent: str, captured_spans: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    with spanloop.start_span("alone", parent=parent):
        pass
    assert captured_spans.find("alone").parent_id == ""
    assert "is no W3C traceparent; starting a new trace" in caplog.text


@pytest.mark.parametrize("parent", [None, "", {}, {"accept": "*/*"}])
def test_no_parent_is_no_mistake(parent: str | None, captured_spans: Capture, caplog: pytest.LogCaptureFixture) -> None:
    with spanloop.start_span("root"), spanloop.start_span("below", parent=parent):
        pass
    assert captured_spans.tree() == [{"name": "root", "children": [{"name": "below"}]}]
    assert caplog.records == []


def test_a_parent_that_was_not_sampled(captured_spans: Capture) -> None:
    with spanloop.start_span("callee", parent=f"00-{'1' * 32}-{'2' * 16}-00") as span:
        work()
    assert captured_spans.spans == []
    assert span.export() == f"00-{'1' * 32}-{span.span_id}-00"
