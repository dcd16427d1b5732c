"""From a row that is logged to its score, through the real collector, worker and scorer processes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.collector.schema.spans import span as otlp_span
from tests.collector.score.conftest import Project
from tests.instrumentation.provider import Reply
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

ROOT: dict[str, Any] = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
CHILD: dict[str, Any] = {"trace_id": ROOT["trace_id"], "parent_id": ROOT["span_id"]}


def verdict(choice: str, reasons: str = "because") -> Reply:
    arguments = json.dumps({"reasons": reasons, "choice": choice})
    call = {"id": "c", "type": "function", "function": {"name": "choose", "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return Reply(
        json={
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
            "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 100_000, "total_tokens": 1_100_000},
        }
    )


def judge(**options: Any) -> dict[str, Any]:
    prompt = "Does {{output}} answer {{input.question}} for a {{metadata.plan}} customer?"
    return {"use": "judge", "name": "helpful", "options": {"prompt": prompt, "choices": {"yes": 1, "no": 0}, **options}}


def test_scores_land_in_sql_on_the_row_and_in_the_trace(project: Project) -> None:
    project.rule("manners", "scorers:is_polite", "scorers:several")
    project.log("a", output="sit, please", scores={"thumbs": 1.0})

    results = project.results(4)

    assert [(r["name"], r["score"], r["status"], r["reason"]) for r in results] == [
        ("is_polite", 1, "scored", ""),
        ("length", 1, "scored", ""),
        ("pace", 0.5, "scored", ""),
        ("tone", None, "skipped", "no tone"),
    ]
    assert {(r["rule"], r["rule_version"], r["probability"], r["attempt"]) for r in results} == {("manners", 1, 1, 1)}
    assert all(r["scorer_version"] and r["duration"] > 0 and r["lag"] > 0 for r in results)
    # Once each: the scores that came with the row, and those that rules gave.
    assert len(project.sql("name")) == 5
    (row,) = project.sql("scores, trace_id, span_id", view="logs", where="id = 'a'")
    assert row["scores"] == {"thumbs": 1, "is_polite": 1, "length": 1, "pace": 0.5}
    spans = project.sql("*", view="logs", where="type = 'score'", order="name")
    assert [(span["name"], span["parent_id"], span["trace_id"]) for span in spans] == [
        ("is_polite", row["span_id"], row["trace_id"]),
        ("several", row["span_id"], row["trace_id"]),
    ]
    assert json.loads(spans[0]["output"]) == {"name": "is_polite", "score": 1.0}


def test_running_rows_are_scored_when_they_end_and_once(project: Project, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    project.rule("count", "scorers:count_calls")
    project.log("a", metrics={"start": time.time()}, output="x", metadata={"calls": str(calls)})
    project.log("b", output="x", metadata={"calls": str(calls), "n": "b"})
    project.results(1)
    assert calls.read_text() == "b\n"

    project.log("a", metadata={"n": "a"})
    project.results(2)
    # Written again with more: the row and the rule are the same.
    project.log("a", metadata={"more": "1"})
    project.log("c", output="x", metadata={"calls": str(calls), "n": "c"})
    results = project.results(3)

    assert sorted(calls.read_text().split()) == ["a", "b", "c"]
    assert len(results) == 3
    # What is written to a scored row afterwards leaves the score what it is.
    (row,) = project.sql("scores, metadata", view="logs", where="id = 'a'")
    assert row["scores"] == {"count_calls": 1}
    assert row["metadata"]["more"] == "1"
    assert [r["source"] for r in project.sql("source", where="id = 'a'")] == ["online"]


def test_a_span_that_is_sent_again_keeps_its_score(project: Project) -> None:
    project.rule("manners", "is_json")
    span = otlp_span({"spanloop.project": project.name, "spanloop.output": "{}"})
    project.send(span)
    project.results(1)
    (first,) = project.sql("received, scores", view="logs", where="type != 'score'")

    # As a client does whose answer got lost.
    project.send(span)

    def sent_again() -> list[dict[str, Any]]:
        return project.sql("scores", view="logs", where=f"type != 'score' AND received > '{first['received']}'")

    wait_until(lambda: [row for row in sent_again() if row["scores"]], what="scores of the span that came again")
    assert sent_again() == [{"scores": {"is_json": 1}}]
    assert first["scores"] == {"is_json": 1}
    assert len(project.sql("name")) == 1


def test_filter_scope_and_names_choose_rows(project: Project) -> None:
    project.rule("filtered", "is_json", filter="metadata['plan'] = 'pro' AND error = ''")
    project.rule("roots", {"use": "is_json", "name": "root"}, scope={"root_spans": True})
    project.rule("named", {"use": "is_json", "name": "named"}, scope={"span_names": ["chat", "answer"]})
    project.log_all(
        {"id": "a", "name": "chat", "output": {}, "metadata": {"plan": "pro"}, **ROOT},
        {"id": "b", "name": "search", "output": {}, "metadata": {"plan": "free"}, **CHILD},
        {"id": "c", "name": "answer", "output": {}, "metadata": {"plan": "pro"}, "error": "no", **CHILD},
    )

    results = project.results(4)

    assert [(r["id"], r["name"]) for r in results] == [("a", "is_json"), ("a", "named"), ("a", "root"), ("c", "named")]


def test_failures_are_kept_with_their_reason_and_never_as_zero(project: Project) -> None:
    project.rule(
        "bad",
        "scorers:broken",
        "scorers:too_high",
        "scorers:not_applicable",
        "scorers:nowhere",
        {"use": "scorers:greedy", "memory_mib": 256},
        {"use": "scorers:hangs_on_stop", "timeout_seconds": 1},
        {"use": "scorers:dies_on_stop", "max_attempts": 1},
        "scorers:is_polite",
    )
    project.log("a", output="stop")
    project.log("b", output="please")

    results = {(r["id"], r["name"]): r for r in project.results(16)}

    reasons = {name: (r["status"], r["score"], r["reason"]) for (id, name), r in results.items() if id == "a"}
    assert reasons["broken"] == ("failed", None, "KeyError: 'nothing here'")
    assert reasons["too_high"][0] == "failed"
    assert "1.5; expected a number from 0 to 1" in reasons["too_high"][2]
    assert reasons["not_applicable"] == ("skipped", None, "")
    assert reasons["nowhere"][2].endswith("module 'scorers' has no function 'nowhere'")
    assert reasons["greedy"] == ("failed", None, "MemoryError")
    assert reasons["hangs_on_stop"] == ("failed", None, "killed after 1 s")
    assert reasons["dies_on_stop"] == ("failed", None, "the scorer's process ended: exit code 3")
    # What was beside them, behind them and after them is scored.
    assert reasons["is_polite"] == ("scored", 0, "")
    assert results["b", "hangs_on_stop"]["score"] == results["b", "dies_on_stop"]["score"] == 1
    (row,) = project.sql("scores", view="logs", where="id = 'a'")
    assert row["scores"] == {"is_polite": 0}


def test_failures_that_pass_are_tried_again(project: Project, tmp_path: Path) -> None:
    project.rule("flaky", "scorers:fails_once")
    project.log("a", output="x", metadata={"seen": str(tmp_path / "seen")})

    (result,) = project.results(1)

    assert (result["status"], result["score"], result["attempt"]) == ("scored", 1, 2)


def test_judge_gives_its_reasons_and_its_cost(project: Project) -> None:
    project.rule("judged", judge())
    project.provider.will(verdict("yes", "It says why."))
    project.log("a", input={"question": "why?"}, output="so", metadata={"plan": "pro"})

    (result,) = project.results(1)

    path, request = project.provider.requests[-1]
    assert path == "/v1/chat/completions"
    assert request["messages"][0]["content"].startswith("Does so answer why? for a pro customer?")
    assert (result["name"], result["score"], result["reason"]) == ("helpful", 1, "It says why.")
    assert json.loads(result["metadata"])["choice"] == "yes"
    (span,) = project.sql("model, tokens, cost", view="logs", where="type = 'score'")
    assert (span["model"], span["tokens"]) == ("gpt-4o-mini-2024-07-18", 1_100_000)
    # 0.15 and 0.60 dollars per million.
    assert result["cost"] == span["cost"] == 0.15 + 0.06


def test_judge_waits_as_long_as_its_provider_asks(project: Project) -> None:
    project.rule("limited", judge())
    project.provider.will(
        Reply(status=429, json={"error": {"message": "slow down"}}, headers={"retry-after": "2"}), verdict("no")
    )
    project.log("a", output="so")

    (result,) = project.results(1)

    assert (result["status"], result["score"], result["attempt"]) == ("scored", 0, 2)
    assert result["lag"] >= 2


def test_judge_that_makes_no_sense_is_a_failure(project: Project) -> None:
    project.rule("odd", judge() | {"max_attempts": 1})
    project.provider.will(verdict("perhaps"))
    project.log("a", output="so")

    (result,) = project.results(1)

    assert (result["status"], result["reason"]) == ("failed", "the judge chose 'perhaps', which is none of yes, no")


def test_any_scorer_of_autoevals_works_by_name(project: Project) -> None:
    project.rule("library", "autoevals.Levenshtein", {"use": "autoevals.NumericDiff", "name": "close"})
    project.log("a", output="abc", expected="abd")
    project.log("b", output=1, expected=2)

    results = {(r["id"], r["name"]): r["score"] for r in project.results(4)}

    assert results["a", "Levenshtein"] == pytest.approx(2 / 3)
    assert results["b", "close"] == pytest.approx(2 / 3)


def test_spans_of_scorers_trigger_no_rule(project: Project) -> None:
    project.name = "guarded"
    project.rule("judges", "scorers:traced_judge")
    project.log(f"a{os.getpid()}", output="x")

    inner = wait_until(
        lambda: project.sql("resource", view="logs", where="name = 'inner'"), what="the scorer's own span", poll=0.1
    )
    assert inner[0]["resource"]["spanloop.purpose"] == "scorer"
    project.log(f"b{os.getpid()}", output="x")
    status = project.settled("judges", 2)

    assert (status["matched"], status["scored"]) == (2, 2)


def test_whole_trace_is_scored_once_it_is_idle(project: Project) -> None:
    project.rule("tools", "scorers:tools_used", scope={"type": "trace", "idle_seconds": 1.5})
    tool = CHILD | {"type": "tool"}
    root = {"id": "root", "name": "agent", "type": "task", "output": "done", **ROOT}
    project.log_all(root, {"id": "t1", **tool}, {"id": "t2", **tool})

    (result,) = project.results(1)

    assert (result["id"], result["score"]) == ("root", 0.5)
    assert result["lag"] >= 1.5
    project.log_all({"id": "late", **tool}, {"id": "other", "type": "task"})
    assert [r["id"] for r in project.results(2)] == ["other", "root"]


def test_group_is_scored_once_with_its_traces(project: Project) -> None:
    scope = {"type": "group", "group_by": "metadata.session_id", "idle_seconds": 1.5}
    project.rule("sessions", "scorers:tools_used", scope=scope)
    rows = [{"id": f"t{n}", "type": "tool", "metadata": {"session_id": "s1"}} for n in range(3)]
    project.log_all(*rows, {"id": "alone", "type": "tool", "metadata": {"session_id": "s2"}}, {"id": "none"})

    results = project.results(2)

    assert sorted(r["score"] for r in results) == [0.25, 0.75]


def test_a_rule_that_breaks_on_data_says_so_and_stops_nobody(project: Project) -> None:
    project.rule("fragile", "is_json", filter="toUInt8(metadata['n']) > 0")
    project.rule("sound", {"use": "is_json", "name": "sound"})
    project.log("a", output={}, metadata={"n": "many"})

    results = project.results(1)

    assert [(r["id"], r["name"]) for r in results] == [("a", "sound")]
    (rule,) = project.sql("failure", view="scoring_rules", where="name = 'fragile'")
    assert "Cannot parse" in rule["failure"]
    project.log("b", output={}, metadata={"n": "1"})
    assert [(r["id"], r["name"]) for r in project.results(3)] == [("a", "sound"), ("b", "is_json"), ("b", "sound")]
    (rule,) = project.sql("failure", view="scoring_rules", where="name = 'fragile'")
    assert rule["failure"] == ""


def test_disabled_rule_scores_nothing(project: Project) -> None:
    project.rule("off", {"use": "is_json", "name": "off"}, enabled=False)
    project.rule("on", {"use": "is_json", "name": "on"})
    project.log("a", output={})

    assert [r["name"] for r in project.results(1)] == ["on"]
    assert project.sql("matched", view="scoring_rule_status", where="name = 'off'") == [{"matched": 0}]


def test_boosts_raise_the_rate_and_estimates_are_corrected(project: Project) -> None:
    project.rule(
        "boosted",
        "scorers:is_polite",
        sampling_rate=0.25,
        boosts=[{"filter": "error != ''", "sampling_rate": 1}],
    )
    end = 1_767_225_601
    rows = [
        {
            "id": f"r{n}",
            "output": "please" if n % 2 else "now",
            "metrics": {"start": end - 1, "end": end},
            **({"error": "x"} if n < 20 else {}),
        }
        for n in range(220)
    ]
    project.client.post("/v1/rows", {"project": project.name, "rows": rows})

    status = project.settled("boosted", 25)

    assert status["matched"] == 220
    results = project.results(status["sampled"])
    assert {(int(r["id"][1:]) < 20, r["probability"]) for r in results} == {(True, 1), (False, 0.25)}
    assert sum(int(r["id"][1:]) < 20 for r in results) == 20
    (estimate,) = project.sql("*", view="score_estimates", where="rule = 'boosted'")
    expected_rows = 20 + 4 * (len(results) - 20)
    assert estimate["estimated_rows"] == expected_rows
    weights = [(1 / r["probability"], r["score"]) for r in results]
    mean = sum(w * s for w, s in weights) / expected_rows
    assert abs(estimate["mean"] - mean) < 1e-9
    assert estimate["low"] < mean < estimate["high"]
