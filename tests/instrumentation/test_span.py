"""Spans by hand: fields merge, children nest, handles are interchangeable, mistakes do no harm."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
import spanloop
from spanloop.testing import Capture


def test_log_merges_across_calls(captured_spans: Capture) -> None:
    with spanloop.start_span("answer", type="task", input="why?", metadata={"a": {"x": 1}}) as span:
        span.log(output="first", metadata={"a": {"y": 2}, "b": 1}, tags=["one"], metrics={"steps": 1})
        spanloop.current_span().log(
            output="last",
            expected=None,
            scores={"helpful": 1, "funny": True, "skipped": None},
            metadata={"a": {"y": 3}},
            tags=["two", "one"],
            metrics={"cost": 0.5},
        )
    assert captured_spans.tree() == [
        {
            "name": "answer",
            "type": "task",
            "input": "why?",
            "output": "last",
            "expected": None,
            "scores": {"helpful": 1.0, "funny": 1.0},
            "metadata": {"a": {"x": 1, "y": 3}, "b": 1},
            "metrics": {"steps": 1, "cost": 0.5},
            "tags": ["one", "two"],
        }
    ]


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), "high", [1]])
def test_a_wrong_score_is_said_and_left_out(
    score: Any, captured_spans: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    with spanloop.start_span("answer") as span:
        span.log(scores={"wrong": score, "right": 0.5}, output="kept")
    assert captured_spans.find("answer").fields == {"scores": {"right": 0.5}, "output": "kept"}
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, f"score 'wrong' is {score!r}, which is no number from 0 to 1; not recorded")
    ]


@pytest.mark.parametrize("metric", [float("inf"), "1", True, None])
def test_a_wrong_metric_is_said_and_left_out(
    metric: Any, captured_spans: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    with spanloop.start_span("answer") as span:
        span.log(metrics={"wrong": metric, "right": 2})
    assert captured_spans.find("answer").fields == {"metrics": {"right": 2}}
    assert "metric 'wrong' is" in caplog.text


def test_an_error_by_hand(captured_spans: Capture) -> None:
    with spanloop.start_span("answer") as span:
        span.log(error="the index was empty")
    finished = captured_spans.find("answer")
    assert finished.fields == {"error": "the index was empty"}
    assert finished.otel.status.status_code.name == "ERROR"
    assert finished.events == ()


def test_an_exception_leaving_the_block_is_recorded(captured_spans: Capture) -> None:
    with pytest.raises(KeyError), spanloop.start_span("answer"):
        raise KeyError("k")
    assert captured_spans.find("answer").fields == {"error": "KeyError: 'k'"}
    assert captured_spans.find("answer").events == ("exception",)


async def test_as_an_async_context_manager(captured_spans: Capture) -> None:
    async with spanloop.start_span("outer"), spanloop.start_span("inner"):
        pass
    assert captured_spans.tree() == [{"name": "outer", "children": [{"name": "inner"}]}]


def test_without_with_a_span_is_not_current_and_ends_by_hand(captured_spans: Capture) -> None:
    span = spanloop.start_span("by hand")
    assert spanloop.current_span() is spanloop.NOOP_SPAN
    span.end()
    span.end()
    assert [each.name for each in captured_spans.spans] == ["by hand"]


def test_a_child_from_another_thread(captured_spans: Capture) -> None:
    with spanloop.start_span("outer") as outer:

        def work() -> None:
            with outer.start_span("inner", type="tool", input=1):
                spanloop.current_span().log(output=2)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert captured_spans.tree() == [
        {"name": "outer", "children": [{"name": "inner", "type": "tool", "input": 1, "output": 2}]}
    ]


def test_logging_after_the_end_is_said(captured_spans: Capture, caplog: pytest.LogCaptureFixture) -> None:
    with spanloop.start_span("answer") as span:
        pass
    span.log(output="too late")
    assert captured_spans.find("answer").fields == {}
    assert [record.getMessage() for record in caplog.records] == ["log() on span 'answer' after its end is lost"]


def test_spans_left_in_the_wrong_order(captured_spans: Capture) -> None:
    first, second = spanloop.start_span("first"), spanloop.start_span("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert spanloop.current_span().span_id == second.span_id
    second.__exit__(None, None, None)
    assert spanloop.current_span() is spanloop.NOOP_SPAN


def test_nothing_traced_accepts_everything() -> None:
    with spanloop.start_span("x", input=1) as span:
        span.log(output=1, scores={"a": 2})
        with span.start_span("y"):
            pass
    assert span.export() == ""
    assert (span.span_id, span.trace_id, span.is_recording) == ("0" * 16, "0" * 32, False)
    assert spanloop.flush()
    assert spanloop.shutdown()
    assert spanloop.stats() == spanloop.Stats()


def test_half_surrogate_pairs_reach_the_span(captured_spans: Capture) -> None:
    with spanloop.start_span("a\ud800", type="\ud800") as span:
        span.log(tags=["\ud800"], error="\ud800", metadata={"\ud800": "\ud800"})
    [row] = captured_spans.tree()
    assert row["name"] == "a\\ud800"
    for value in captured_spans.spans[0].otel.attributes.values():  # type: ignore[union-attr]
        str(value).encode()


def test_a_fault_of_ours_inside_a_block_does_no_harm(
    captured_spans: Capture, guard_on: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("our bug")

    monkeypatch.setattr("spanloop._span.fields_as_attributes", broken)
    monkeypatch.setattr("spanloop._context.enter", broken)
    with spanloop.start_span("x") as span:
        span.log(output=1)
        span.end()
    assert captured_spans.spans == []
