"""What a case looks like as a trace."""

from __future__ import annotations

import asyncio
from typing import Any

import spanloop
from opentelemetry.sdk.trace import TracerProvider
from spanloop.eval import EvalCase, EvalHooks, Score
from spanloop.eval._evaluator import Evaluator
from spanloop.eval._recording import recording
from spanloop.eval._run import Run, run_trials
from spanloop.testing import Capture

from tests.instrumentation.otlp_collector import Collector


@spanloop.traced(type="tool")
def look_up(question: str) -> str:
    return question.upper()


@spanloop.traced(type="llm")
def judge(output: str) -> float:
    return 0.5


def task(input: str, hooks: EvalHooks) -> str:
    hooks.span.log(metrics={"retries": 2}, metadata={"model": "small"})
    if input == "bad":
        raise KeyError(input)
    return look_up(input)


def judged(output: str) -> Score:
    return Score("judged", judge(output), {"seen": 1}, reason="why not")


def run(*cases: EvalCase, scores: Any = (judged,), **options: Any) -> Run:
    evaluator = Evaluator("p", list(cases), task, scores, **options)
    return asyncio.run(run_trials(evaluator, list(cases), recording("e1", "p")))


CASE = EvalCase(
    "why",
    expected="WHY",
    metadata={"area": "x"},
    tags=["t"],
    origin={"object_type": "dataset", "object_id": "d", "id": "r"},
)

OF_THE_EXPERIMENT = {"spanloop.experiment_id": "e1", "spanloop.project": "p"}
OF_A_SCORER = {**OF_THE_EXPERIMENT, "spanloop.purpose": "scorer"}


def without_times(tree: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert tree[0]["metrics"].pop("task_duration") >= 0
    return tree


EXPECTED_TREE = [
    {
        "name": "eval",
        "type": "eval",
        "input": "why",
        "output": "WHY",
        "expected": "WHY",
        "scores": {"judged": 0.5},
        "metadata": {"area": "x", "model": "small"},
        "metrics": {"retries": 2},
        "tags": ["t"],
        "attributes": {
            **OF_THE_EXPERIMENT,
            "spanloop.origin": '{"object_type":"dataset","object_id":"d","id":"r"}',
        },
        "children": [
            {
                "name": "task",
                "type": "task",
                "output": "WHY",
                "attributes": OF_THE_EXPERIMENT,
                "children": [
                    {
                        "name": "look_up",
                        "type": "tool",
                        "input": {"question": "why"},
                        "output": "WHY",
                        "attributes": OF_THE_EXPERIMENT,
                    }
                ],
            },
            {
                "name": "judged",
                "type": "score",
                "output": {"score": 0.5, "reason": "why not"},
                "scores": {"judged": 0.5},
                "metadata": {"seen": 1},
                "attributes": OF_A_SCORER,
                "children": [
                    {
                        "name": "judge",
                        "type": "llm",
                        "input": {"output": "WHY"},
                        "output": 0.5,
                        "attributes": OF_A_SCORER,
                    }
                ],
            },
        ],
    }
]


def test_case_is_a_trace_of_its_own(captured_spans: Capture) -> None:
    with spanloop.start_span("the program around it"):
        result = run(CASE).results[0]
    tree = [each for each in captured_spans.tree(attributes=True) if each["name"] == "eval"]
    assert without_times(tree) == EXPECTED_TREE
    assert result.id == captured_spans.find("eval").span_id
    assert result.trace_id == captured_spans.find("look_up").trace_id


def test_what_reaches_a_collector_is_the_same_trace(collector: Collector) -> None:
    """Decoded from what a collector received, beside what ordinary spans give."""
    spanloop.init("other", endpoint=collector.endpoint)
    run(CASE)
    assert spanloop.flush()
    spans = {span.name: span for span in collector.received.spans}
    assert sorted(spans) == ["eval", "judge", "judged", "look_up", "task"]
    by_id = {span.span_id: span.name for span in collector.received.spans}
    assert {span.name: by_id.get(span.parent_span_id) for span in collector.received.spans} == {
        "eval": None,
        "task": "eval",
        "look_up": "task",
        "judged": "eval",
        "judge": "judged",
    }
    assert len({span.trace_id for span in collector.received.spans}) == 1
    for span in collector.received.spans:
        attributes = {each.key: each.value.string_value for each in span.attributes}
        assert attributes["spanloop.experiment_id"] == "e1"
        assert attributes["spanloop.project"] == "p"
        assert ("spanloop.purpose" in attributes) == (span.name in ("judged", "judge"))
        assert span.end_time_unix_nano >= span.start_time_unix_nano > 0
    root = {each.key: each.value for each in spans["eval"].attributes}
    assert root["spanloop.input"].string_value == '"why"'
    assert root["spanloop.metadata"].string_value == '{"model":"small","area":"x"}'
    assert [each.string_value for each in root["spanloop.tags"].array_value.values] == ["t"]


def test_failed_task_is_on_the_row_with_its_traceback(captured_spans: Capture) -> None:
    result = run(EvalCase("bad")).results[0]
    assert isinstance(result.error, KeyError)
    assert captured_spans.find("eval").fields["error"] == "KeyError: 'bad'"
    assert captured_spans.find("task").events == ("exception",)
    assert [span.name for span in captured_spans.spans] == ["task", "eval"]


def test_failed_task_reaches_the_collector_with_its_traceback(collector: Collector) -> None:
    spanloop.init("p", endpoint=collector.endpoint)
    run(EvalCase("bad" + " long" * 100, metadata={"long": "x" * 300}), EvalCase("bad"))
    assert spanloop.flush()
    tasks = [span for span in collector.received.spans if span.name == "task" and span.events]
    assert [span.events[0].name for span in tasks] == ["exception"]
    assert "in task" in str(tasks[0].events[0].attributes)
    roots = {
        attributes["spanloop.input"]: (span.status.code, attributes)
        for span in collector.received.spans
        if span.name == "eval"
        for attributes in [{each.key: each.value.string_value for each in span.attributes}]
    }
    assert roots['"bad"'][0] == 2
    assert roots['"bad"'][1]["spanloop.error"] == "KeyError: 'bad'"
    (long,) = [attributes for text, (_, attributes) in roots.items() if text != '"bad"']
    assert long["spanloop.metadata"] == '{"model":"small","long":"' + "x" * 300 + '"}'


def test_masks_hold_for_evals_too(collector: Collector) -> None:
    spanloop.init("p", endpoint=collector.endpoint, mask_patterns=["WHY", "why"])
    run(CASE)
    assert spanloop.flush()
    sent = b"".join(span.SerializeToString() for span in collector.received.spans)
    assert b"eval" in sent
    assert b"WHY" not in sent
    assert b"why" not in sent.replace(b"why not", b"")


def test_evals_are_not_sampled_away(collector: Collector) -> None:
    spanloop.init("p", endpoint=collector.endpoint, sample_rate=0.0)
    run(CASE)
    assert spanloop.flush()
    assert len(collector.received.spans) == 5


def test_application_with_its_own_provider_has_the_case_in_its_tree(collector: Collector) -> None:
    spanloop.init("p", endpoint=collector.endpoint, tracer_provider=TracerProvider())
    run(CASE)
    assert spanloop.flush()
    assert sorted(span.name for span in collector.received.spans) == ["eval", "judge", "judged", "look_up", "task"]
    assert sum(not span.parent_span_id for span in collector.received.spans) == 1
