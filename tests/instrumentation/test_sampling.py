"""A part of the traces, whole ones, with the part recorded; those with errors if asked."""

from __future__ import annotations

import pytest
import spanloop
from spanloop import _sampling
from spanloop.testing import Capture, capture

from tests.instrumentation.otlp_collector import Collector


def trace(name: str, *, fails: bool = False) -> None:
    with spanloop.start_span(name), spanloop.start_span(f"{name} child") as child:
        if fails:
            child.log(error="broken")


def test_traces_are_sampled_whole_and_say_so() -> None:
    with capture({"sample_rate": 0.3}) as spans:
        for n in range(400):
            trace(str(n))
    traces = {span.trace_id for span in spans.spans}
    assert 60 < len(traces) < 180
    assert len(spans.spans) == 2 * len(traces)
    assert {span.attributes["spanloop.sample_rate"] for span in spans.spans} == {0.3}


@pytest.mark.parametrize(("rate", "kept"), [(0.0, 0), (1.0, 20)])
def test_none_and_all(rate: float, kept: int) -> None:
    with capture({"sample_rate": rate}) as spans:
        for n in range(10):
            trace(str(n))
    assert len(spans.spans) == kept


def test_the_parents_decision_holds_in_other_processes() -> None:
    with capture({"sample_rate": 0.0}) as spans:
        with spanloop.start_span("sampled", parent=f"00-{'a' * 32}-{'b' * 16}-01"):
            pass
        with spanloop.start_span("not sampled", parent=f"00-{'a' * 32}-{'b' * 16}-00"):
            pass
    assert [span.name for span in spans.spans] == ["sampled"]


def names(spans: Capture) -> list[str]:
    return [span.name for span in spans.spans]


def test_traces_with_errors_are_kept_if_asked() -> None:
    with capture({"sample_rate": 0.0, "keep_errors": True}) as spans:
        trace("good")
        trace("bad", fails=True)
        trace("good again")
    assert names(spans) == ["bad child", "bad"]
    assert spans.tree()[0]["children"][0]["error"] == "broken"


def test_undecided_spans_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sampling, "MAX_UNDECIDED_SPANS", 5)
    with capture({"sample_rate": 0.0, "keep_errors": True}) as spans:
        open_roots = [spanloop.start_span(f"root {n}") for n in range(4)]
        for root in open_roots:
            for n in range(2):
                with root.start_span(f"{n}") as child:
                    child.log(error="x")
        for root in open_roots:
            root.end()
    assert names(spans) == ["0", "1", "root 2", "0", "1", "root 3"]


def test_from_the_environment_to_the_wire(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_SAMPLE_RATE", "0")
    monkeypatch.setenv("SPANLOOP_KEEP_ERRORS", "true")
    spanloop.init("bot", endpoint=collector.endpoint, running_spans=True)
    trace("good")
    trace("bad", fails=True)
    assert spanloop.flush()
    assert collector.received.names == ["bad", "bad child"]
