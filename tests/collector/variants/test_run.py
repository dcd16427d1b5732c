"""A run, verdict after verdict."""

from __future__ import annotations

import json

from spanloop_collector.variants.run import Run, Task, Verdict, advance, new_run, read_run

TASKS = [Task("one", 1), Task("two", 2), Task("three", 3)]


def step(run: Run, now: float, *verdicts: Verdict) -> Run:
    return advance(run, verdicts, now=now, max_at_once=2, timeout_seconds=60)


def statuses(run: Run) -> list[str]:
    return [test.status for test in run.tests]


def test_tests_are_sent_a_few_at_a_time_until_all_have_a_verdict() -> None:
    run = new_run("r", "colder", "cold", TASKS, now=0)
    run = step(run, 1)
    assert statuses(run) == ["sent", "sent", "waiting"]
    assert step(run, 2) == run
    run = step(run, 3, Verdict("r.1", True, trace_id="t1"))
    assert statuses(run) == ["sent", "passed", "sent"]
    assert (run.tests[1].trace_id, run.tests[1].was_executed, run.tests[2].sent) == ("t1", True, 3)
    run = step(run, 4, Verdict("r.2", False, "wrong"), Verdict("r.2", True), Verdict("r.1", False))
    assert (statuses(run), run.tests[2].reason, run.status) == (["sent", "passed", "failed"], "wrong", "running")
    run = step(run, 62)
    assert (statuses(run), run.tests[0].reason) == (["failed", "passed", "failed"], "no verdict within 60 seconds")
    assert (run.status, run.finished, run.tests[0].was_executed) == ("finished", 62, False)
    assert (run.outcome().total, run.outcome().passed, run.outcome().failed) == (3, 1, 2)
    assert read_run(json.loads(json.dumps(run.as_state()))) == run


def test_a_verdict_about_a_test_that_was_not_sent_counts_for_nothing() -> None:
    run = new_run("r", "colder", "cold", TASKS, now=0)
    assert statuses(step(run, 1, Verdict("r.0", True))) == ["sent", "sent", "waiting"]
