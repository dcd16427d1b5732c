"""Parameters of inference steps, with and without a test that overrides them."""

from __future__ import annotations

import threading

import pytest
import spanloop
from spanloop.inference import overriding
from spanloop.testing import Capture


def test_without_a_test_the_parameters_are_those_given() -> None:
    assert spanloop.inference_step("classifier", model="small", temperature=0.7) == {
        "model": "small",
        "temperature": 0.7,
    }


def test_overrides_hold_in_their_block_and_for_their_step() -> None:
    with overriding({"classifier": {"temperature": 0.2, "max_tokens": 5}}):
        assert spanloop.inference_step("classifier", model="small", temperature=0.7) == {
            "model": "small",
            "temperature": 0.2,
            "max_tokens": 5,
        }
        assert spanloop.inference_step("writer", temperature=0.7) == {"temperature": 0.7}
        with overriding({"classifier": {"model": "large"}}):
            step = spanloop.inference_step("classifier", model="small", temperature=0.7)
            assert (step["model"], step["temperature"]) == ("large", 0.2)
    assert spanloop.inference_step("classifier", temperature=0.7) == {"temperature": 0.7}


def test_other_threads_are_not_touched() -> None:
    seen: list[object] = []
    with overriding({"classifier": {"temperature": 0.2}}):
        thread = threading.Thread(target=lambda: seen.append(spanloop.inference_step("classifier", temperature=0.7)))
        thread.start()
        thread.join()
    assert seen == [{"temperature": 0.7}]


def test_an_error_in_the_block_ends_the_overrides() -> None:
    with pytest.raises(RuntimeError), overriding({"classifier": {"temperature": 0.2}}):
        raise RuntimeError
    assert spanloop.inference_step("classifier", temperature=0.7) == {"temperature": 0.7}


def test_spans_name_their_test_and_remember_what_was_in_force(captured_spans: Capture) -> None:
    @spanloop.traced
    def answer() -> None:
        spanloop.inference_step("classifier", temperature=0.7)

    with overriding({"classifier": {"temperature": 0.2}}, test_id="run.1"):
        answer()
    answer()
    tested, plain = [row["metadata"] for row in captured_spans.tree()]
    assert tested == {"test_id": "run.1", "inference_step.classifier": {"temperature": 0.2}}
    assert plain == {"inference_step.classifier": {"temperature": 0.7}}
