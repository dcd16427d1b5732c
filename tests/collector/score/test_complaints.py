"""What people say of online scoring elsewhere: active but no scores, stuck, twice, too many, too few."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from spanloop_collector.client import ApiError
from spanloop_collector.score.leases import LEASE_SECONDS

from tests.collector.schema.spans import span as otlp_span
from tests.collector.score.conftest import Project
from tests.collector.score.test_online import CHILD, ROOT, judge, verdict
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

HOUR = 3600.0


def finished(seconds_ago: float) -> dict[str, Any]:
    """A row that ended so long ago."""
    end = time.time() - seconds_ago
    return {"metrics": {"start": end - 1, "end": end}}


def scored(project: Project, count: int, *, where: str = "1") -> list[tuple[str, str]]:
    """Row and name of each score, once there are so many."""
    return [(result["id"], result["name"]) for result in project.results(count, where=where)]


def test_every_span_of_a_trace_is_scored(project: Project) -> None:
    project.rule("all", "is_json")
    trace_id = os.urandom(16)
    spans = [
        otlp_span({"spanloop.project": project.name, "spanloop.output": "{}"}, trace_id=trace_id) for _ in range(7)
    ]
    project.send(*spans)

    status = project.settled("all", 7)

    assert (status["matched"], status["sampled"], status["scored"]) == (7, 7, 7)
    assert {result["span_id"] for result in project.results(7)} == {each.span_id.hex() for each in spans}


def test_a_span_that_was_sent_while_it_ran_is_scored_when_it_ends(project: Project) -> None:
    project.rule("ended", "is_json")
    ids = {"trace_id": os.urandom(16), "span_id": os.urandom(8)}
    attributes = {"spanloop.project": project.name, "spanloop.output": "{}"}
    project.send(otlp_span(attributes, end_time_unix_nano=0, **ids))
    project.log("other", output={})
    assert scored(project, 1) == [("other", "is_json")]

    project.send(otlp_span(attributes, **ids))

    assert len(project.results(2)) == 2
    assert project.settled("ended", 2)["matched"] == 2


def test_names_and_roots_are_alternatives_and_rows_without_metadata_match_as_others(project: Project) -> None:
    project.rule("either", {"use": "is_json", "name": "either"}, scope={"root_spans": True, "span_names": ["answer"]})
    project.rule("paid", {"use": "is_json", "name": "paid"}, filter="metadata['plan'] != 'free'")
    project.log_all(
        {"id": "root", "name": "chat", "output": {}, "metadata": {"plan": "free"}, **ROOT},
        {"id": "named", "name": "answer", "output": {}, "metadata": {"plan": "free"}, **CHILD},
        {"id": "neither", "name": "search", "output": {}, **CHILD},
    )

    assert scored(project, 3) == [("named", "either"), ("neither", "paid"), ("root", "either")]


def test_output_that_is_written_after_the_end_is_seen_by_the_filter(project: Project) -> None:
    project.rule("refunds", "length_between", filter="hasToken(lower(output), 'refund')")
    project.log("late")
    project.log("soon", output="A refund is on its way.")
    assert scored(project, 1) == [("soon", "length_between")]

    project.log("late", output="No refund.")

    assert scored(project, 2) == [("late", "length_between"), ("soon", "length_between")]


def test_a_changed_rule_scores_what_comes_from_then_on(project: Project) -> None:
    contains = {"use": "contains", "name": "contains"}
    project.rule("words", contains | {"options": {"text": "a"}})
    project.log("old", output="a")
    project.results(1)
    project.rule("words", contains | {"options": {"text": "b"}})
    project.log("new", output="a")

    results = project.results(2)

    assert [(r["id"], r["rule_version"], r["score"]) for r in results] == [("new", 2, 0), ("old", 1, 1)]
    assert len({r["scorer_version"] for r in results}) == 2


def test_what_the_prompt_names_and_the_row_lacks_keeps_no_row_from_being_judged(project: Project) -> None:
    project.rule("judged", judge())
    project.provider.will(verdict("no"))
    project.log("bare", output="so")

    (result,) = project.results(1)

    assert (result["status"], result["score"]) == ("scored", 0)
    _, request = project.provider.requests[-1]
    assert request["messages"][0]["content"].startswith("Does so answer  for a  customer?")


def test_a_failure_that_passes_leaves_one_result(project: Project, tmp_path: Any) -> None:
    project.rule("flaky", "scorers:fails_once")
    project.log("a", output="x", metadata={"seen": str(tmp_path / "seen")})
    project.settled("flaky", 1)

    assert [(r["status"], r["score"]) for r in project.results(1)] == [("scored", 1)]
    spans = project.sql("error, scores", view="logs", where="type = 'score'")
    assert spans == [{"error": "", "scores": {"fails_once": 1}}]


def test_groups_are_scored_once_in_each_interval(project: Project) -> None:
    scope = {"type": "group", "group_by": "metadata.session_id", "placement": "each", "interval_seconds": HOUR}
    project.rule("hourly", "scorers:tools_used", scope=scope | {"idle_seconds": 1})
    tool = {"type": "tool", "metadata": {"session_id": "s1"}}
    now = time.time() % HOUR
    project.log_all(
        {"id": "a", **tool, **finished(now + HOUR / 2)},
        {"id": "b", **tool, **finished(now + HOUR / 2 + 60)},
        {"id": "c", **tool, **finished(now + HOUR * 3 / 2)},
    )

    results = project.results(2)

    assert sorted(r["score"] for r in results) == [0.25, 0.5]
    assert project.settled("hourly", 2)["scored"] == 2


def test_of_a_group_no_more_than_its_newest_traces_are_looked_at(project: Project) -> None:
    scope = {"type": "group", "group_by": "metadata.session_id", "max_traces": 2, "idle_seconds": 1}
    project.rule("capped", "scorers:tools_used", scope=scope)
    project.log_all(*({"id": f"t{n}", "type": "tool", "metadata": {"session_id": "s1"}} for n in range(5)))

    assert [r["score"] for r in project.results(1)] == [0.5]


def test_what_a_killed_worker_had_is_scored_by_the_next_one_at_once(project: Project, tmp_path: Path) -> None:
    project.rule("taken-over", "scorers:count_slowly")
    project.log_all(*({"id": f"r{n}", "metadata": {"calls": str(tmp_path / "calls")}} for n in range(30)))
    wait_until((tmp_path / "calls").exists, what="a first call")
    (worker,) = (each for each in psutil.Process(project.collector.pid).children() if "score" in each.cmdline())
    began = time.monotonic()
    worker.kill()

    assert project.settled("taken-over", 30)["scored"] == 30
    # Before the lease of what it had would have run out.
    assert time.monotonic() - began < LEASE_SECONDS / 2


def test_a_budget_holds_a_rule_back_without_losing_rows(project: Project) -> None:
    # A burst of a tenth of a minute's scores, then one each second.
    project.rule("slow", "is_json", budget={"scores_per_minute": 60})
    began = time.monotonic()
    project.log_all(*({"id": f"r{n}", "output": {}} for n in range(9)))

    status = project.settled("slow", 9)

    assert status["scored"] == 9
    assert time.monotonic() - began > 2


def test_what_a_day_may_cost_is_not_exceeded_and_a_higher_budget_goes_on(project: Project) -> None:
    project.provider.will(verdict("yes"), verdict("no"))
    # A call costs 0.21 dollars.
    project.rule("dear", judge() | {"concurrency": 1}, budget={"cost_per_day": 0.2})
    project.log_all({"id": "a", "output": "x"}, {"id": "b", "output": "x"})
    (first,) = project.results(1)
    wait_until(lambda: project.sql("*", view="scoring_rule_status")[0]["cost"] > 0.2, what="its cost")
    asked = len(project.provider.requests)
    time.sleep(1)
    assert len(project.provider.requests) == asked
    assert project.sql("waiting", view="scoring_rule_status") == [{"waiting": 1}]

    project.rule("dear", judge() | {"concurrency": 1}, budget={"cost_per_day": 1})

    assert {result["id"] for result in project.results(2)} == {"a", "b"}
    assert first["cost"] == pytest.approx(0.21)


def test_a_backfill_is_for_the_rows_of_its_window(project: Project) -> None:
    project.rule("past", "is_json", enabled=False)
    project.log_all(*({"id": f"h{hours}", "output": {}, **finished(hours * HOUR)} for hours in (1, 3, 5)))
    now = time.time()

    project.client.post(
        "/v1/scoring-rules/past/backfills",
        {"project": project.name, "since": f"{now - 4 * HOUR}", "until": f"{now - 2 * HOUR}"},
    )

    assert scored(project, 1) == [("h3", "is_json")]
    with pytest.raises(ApiError, match=r"since: expected an RFC 3339 time or Unix seconds, got 'noon'"):
        project.client.post("/v1/scoring-rules/past/backfills", {"project": project.name, "since": "noon"})
