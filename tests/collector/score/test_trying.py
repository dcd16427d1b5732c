"""Scorers tried on rows that are given: answered one by one over HTTP, and nothing is stored."""

from __future__ import annotations

import json
import time
import urllib.request
from http.client import HTTPResponse
from typing import Any

import psutil
import pytest
from spanloop_collector.client import ApiError

from tests.collector.score.conftest import Project
from tests.support.waiting import wait_until

PATH = "/v1/scoring-rules/try-scorer"


def open_trial(project: Project, use: str, *outputs: str, **scorer: Any) -> HTTPResponse:
    rows = [json.dumps({"output": output, "trace_ids": []}) for output in outputs]
    body = json.dumps({"scorer": {"use": use, **scorer}, "rows": rows}).encode()
    request = urllib.request.Request(project.client.url + PATH, body, {"content-type": "application/json"})
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=60)
    return answer


def tried(project: Project, use: str, *outputs: str, **scorer: Any) -> dict[str, Any]:
    """By row: its scores, or why there are none."""
    with open_trial(project, use, *outputs, **scorer) as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        results = [json.loads(line) for line in answer]
    assert len(results) == len(outputs)
    return {result["id"]: result["scores"] or result["error"] for result in results}


def test_each_row_is_answered_with_its_scores_or_its_failure(project: Project) -> None:
    answers = tried(project, "scorers:is_polite", "yes please", "no", name="polite")
    (good,), (bad,) = answers["0"], answers["1"]
    assert (good["name"], good["score"], bad["score"]) == ("polite", 1, 0)
    assert tried(project, "scorers:broken", "a") == {"0": "KeyError: 'nothing here'"}
    slow = tried(project, "scorers:hangs_on_stop", "stop", "go", timeout_seconds=0.5)
    assert slow["0"] == "killed after 0.5 s"
    assert slow["1"][0]["score"] == 1
    assert tried(project, "no_error", "a")["0"][0]["score"] == 1
    assert project.sql("*") == []


def test_a_trial_that_nobody_reads_ends_with_its_processes(project: Project) -> None:
    def children() -> list[psutil.Process]:
        return [
            each for each in psutil.Process(project.collector.pid).children() if "spanloop.scoring.child" in name(each)
        ]

    with open_trial(project, "scorers:hangs_on_stop", "go", *["stop"] * 3, concurrency=1) as answer:
        assert json.loads(answer.readline())["id"] == "0"
        assert children()
        began = time.monotonic()
    wait_until(lambda: not children(), what="the end of the scorer's processes", timeout=20)
    assert time.monotonic() - began < 20


def name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.mark.parametrize(
    ("scorer", "rows", "message"),
    [
        ({"use": "nonsense"}, ["{}"], "scorer: there is no scorer 'nonsense'; built in are"),
        ({"use": "judge", "options": {"prompt": "hm"}}, ["{}"], "scorer: options of the judge: missing"),
        ({"use": "scorers:is_polite", "options": {"api_key": "sk"}}, ["{}"], "scorer.options.api_key: is not taken"),
        ({"use": "is_json"}, [], "rows: expected 1 to 100, got 0"),
        ({"use": "is_json"}, ["{}", "[1]"], "rows[1]: expected a JSON object as text, got '[1]'"),
    ],
)
def test_what_cannot_be_tried_is_refused_by_field(
    project: Project, scorer: dict[str, Any], rows: list[str], message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        project.client.post(PATH, {"scorer": scorer, "rows": rows})
    assert message in str(caught.value)
    assert caught.value.status == 400
