"""`spanloop review` against a running collector: from a bad call to its correction."""

from __future__ import annotations

import json

from tests.support.collector_process import CollectorProcess
from tests.support.command_here import ask_here
from tests.support.sending import send_span, wait_for_rows
from tests.support.waiting import wait_until

PROJECT = "reviewed"


def test_a_bad_call_is_corrected_from_the_command_line(shared_collector: CollectorProcess) -> None:
    send_span(shared_collector, "bad", project=PROJECT, **{"spanloop.output": '"41"', "spanloop.scores": '{"ok": 0}'})
    wait_for_rows(shared_collector, 1, project=PROJECT)

    def review(*arguments: str, fails: bool = False) -> str:
        done = ask_here(shared_collector, "review", *arguments, SPANLOOP_PROJECT=PROJECT, SPANLOOP_REVIEWER="anna")
        assert bool(done.error) == fails, done
        return done.stdout + done.stderr + done.error

    assert review("add", "--where", "scores['ok'] < 0.5") == "queued 1 for review\n"
    nothing = f"queued 0 for review\nNothing matches in project {PROJECT}; --project names another.\n"
    assert review("add", "--where", "name = 'nope'") == nothing
    assert review("add", "--where", "1") == "queued 0 for review, 1 were queued already\n"
    item = json.loads(review("next").partition("\nYours until")[0])
    assert (item["claimed_by"], item["row"]["output"]) == ("anna", "41")
    assert "--score 'high' is not of the form name=0.5" in review("done", item["id"], "--score", "high", fails=True)
    review("done", item["id"], "--score", "human=0", "--expected", '{"answer": 42}', "--comment", "off by one")
    rows = wait_until(
        lambda: shared_collector.sql(
            f"SELECT expected, scores FROM logs WHERE project = '{PROJECT}' AND expected != ''"
        ),
        what="the corrected row",
    )
    assert rows == [{"expected": '{"answer":42}', "scores": {"ok": 0, "human": 0}}]
    assert "off by one" in review("list", "--status", "done")
    assert "Nothing waits for you" in review("next", fails=True)
