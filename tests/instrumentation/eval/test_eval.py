"""Evals without a collector: every case is tried and scored, whatever the task and the scorers do."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import autoevals
import pytest
import spanloop
from spanloop.eval import Eval, EvalAsync, EvalCase, EvalHooks, EvalResultWithSummary, Reporter, Score
from spanloop.eval.command import main
from spanloop.scoring import ScoreError
from spanloop.testing import Capture

CASES = [{"input": n, "expected": n * 2} for n in range(4)]


def double(input: int) -> int:
    return input * 2


def exact(output: Any, expected: Any) -> bool:
    return bool(output == expected)


def run(data: Any = CASES, task: Any = double, scores: Any = (exact,), **options: Any) -> EvalResultWithSummary:
    result: EvalResultWithSummary = Eval("local", data, task, scores, no_send_logs=True, **options)
    return result


def test_every_case_is_tried_and_scored() -> None:
    result = run()
    assert sorted((r.input, r.output, r.expected, r.scores["exact"]) for r in result.results) == [
        (0, 0, 0, 1.0),
        (1, 2, 2, 1.0),
        (2, 4, 4, 1.0),
        (3, 6, 6, 1.0),
    ]
    assert result.summary.scores["exact"].score == 1.0
    assert (result.trial_total, result.failed_total, result.summary.cases) == (4, 0, 4)


async def stream() -> AsyncIterator[EvalCase]:
    for n in range(4):
        yield EvalCase(n, n * 2)


def generate() -> Iterator[dict[str, Any]]:
    yield from CASES


async def load() -> list[dict[str, Any]]:
    return CASES


@pytest.mark.parametrize("data", [CASES, lambda: CASES, generate, generate(), stream, stream(), load])
def test_data_comes_in_any_shape(data: Any) -> None:
    assert sorted(result.input for result in run(data).results) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([{"inputs": 1}], r"data\[0\] has no input, only \['inputs'\]"),
        ([{"input": 1}, 7], r"data\[1\] is 7; expected a dict or EvalCase"),
        (lambda: 7, "data is 7; expected a list"),
        ([{"input": 1, "metadata": [1]}], r"data\[0\].metadata is \[1\]; expected a dict"),
    ],
)
def test_wrong_data_is_named(data: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        run(data)


def test_failures_cost_their_own_trial_only() -> None:
    def task(input: int) -> int:
        if input == 1:
            raise KeyError("no such order")
        return input * 2

    def picky(output: int) -> float:
        if output == 4:
            raise ZeroDivisionError("picky")
        return 1.0

    result = run(task=task, scores=[exact, picky])
    by_input = {each.input: each for each in result.results}
    assert isinstance(by_input[1].error, KeyError)
    assert 'raise KeyError("no such order")' in (by_input[1].exc_info or "")
    # Our own frames above the user's are left out.
    assert (by_input[1].exc_info or "").count(", line ") == 1
    assert by_input[1].scores == {}
    assert by_input[2].scores == {"exact": 1.0}
    assert "ZeroDivisionError: picky" in by_input[2].scorer_errors["picky"]
    assert by_input[3].scores == {"exact": 1.0, "picky": 1.0}
    assert (result.failed_total, result.summary.scores["picky"].score) == (2, 1.0)


def test_failed_tasks_are_scored_only_if_somebody_says_how() -> None:
    def task(input: int) -> int:
        raise RuntimeError

    def zeros(span: object, case: EvalCase, unscored: list[str]) -> dict[str, float]:
        return dict.fromkeys(unscored, 0.0)

    assert run(task=task).results[0].scores == {}
    assert run(task=task, error_score_handler=zeros).results[0].scores == {"exact": 0.0}
    wrong = run(task=task, error_score_handler=lambda *given: {"exact": 3}).results[0]
    assert (wrong.scores, list(wrong.scorer_errors)) == ({}, ["error_score_handler"])
    assert "'exact' returned the score 3; expected a number from 0 to 1" in wrong.scorer_errors["error_score_handler"]


def test_scorers_return_numbers_nothing_and_lists() -> None:
    def several(output: int) -> list[Score]:
        return [Score("small", 1.0 if output < 3 else 0.0), Score("skipped", None)]

    def none_for_zero(output: int) -> float | None:
        return None if output == 0 else 0.5

    async def asynchronous(output: int, **rest: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"name": "asynchronous", "score": 0.25, "metadata": {"seen": sorted(rest)}}

    result = run(scores=[several, none_for_zero, asynchronous, lambda output: 1])
    first = next(each for each in result.results if each.input == 0)
    assert first.scores == {
        "small": 1.0,
        "skipped": None,
        "none_for_zero": None,
        "asynchronous": 0.25,
        "scorer_3": 1.0,
    }
    assert result.summary.scores["none_for_zero"].score == 0.5
    assert "skipped" not in result.summary.scores


def test_scorers_of_autoevals_work_unchanged() -> None:
    result = run(
        [{"input": "a", "expected": "hello"}],
        task=lambda input: "hallo",
        scores=[autoevals.Levenshtein, autoevals.ExactMatch(), autoevals.NumericDiff.partial()],
    )
    (only,) = result.results
    assert only.scores["Levenshtein"] == pytest.approx(0.8)
    assert only.scores["ExactMatch"] == 0
    assert list(only.scorer_errors) == ["NumericDiff"]


def test_wrong_scores_are_errors_not_zeros() -> None:
    (first, *_) = run(scores=[lambda output: 3, lambda output: "good"]).results
    assert first.scores == {}
    assert "expected a number from 0 to 1" in first.scorer_errors["scorer_0"]


def test_scorer_that_needs_the_trace_is_told_when() -> None:
    with pytest.raises(ScoreError, match="asks for `trace`, which is not whole while the eval runs"):
        run(scores=[lambda trace: 1])
    assert run(scores=[lambda output, trace=None: trace is None]).results[0].scores == {"scorer_0": 1.0}


def test_trials_of_a_case_count_once() -> None:
    seen: list[tuple[int, int]] = []

    def task(input: int, hooks: EvalHooks) -> int:
        seen.append((input, hooks.trial_index))
        return hooks.trial_index

    data = [EvalCase(1, trial_count=4), EvalCase(2)]
    result = run(data, task=task, scores=[lambda output: float(output == 0)], trial_count=2)
    assert sorted(seen) == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1)]
    assert (result.summary.cases, result.summary.trials) == (2, 6)
    assert result.summary.scores["scorer_0"].score == (0.25 + 0.5) / 2


def test_hooks_reach_the_scorers() -> None:
    def task(input: int, hooks: EvalHooks) -> int:
        hooks.metadata["model"] = hooks.parameters["model"]
        hooks.expected = input
        hooks.tags.append("seen")
        hooks.meta(step=1)
        return input

    def model(metadata: dict[str, Any], expected: int, output: int) -> float:
        return float(metadata == {"area": "x", "model": "small", "step": 1} and expected == output)

    data = [{"input": 1, "metadata": {"area": "x"}}]
    result = run(data, task=task, scores=[model], parameters={"model": "small"})
    assert result.results[0].scores == {"model": 1.0}
    assert result.results[0].tags == ["seen"]
    assert data == [{"input": 1, "metadata": {"area": "x"}}]


def test_tasks_run_side_by_side_up_to_the_bound() -> None:
    running, most = 0, 0
    lock = threading.Lock()
    gate = threading.Barrier(3, timeout=10)

    def task(input: int) -> int:
        nonlocal running, most
        with lock:
            running, most = running + 1, max(most, running + 1)
        gate.wait()
        with lock:
            running -= 1
        return input

    run([{"input": n} for n in range(6)], task=task, scores=[], max_concurrency=3)
    assert most == 3


def test_slow_scorer_among_quick_ones_holds_nobody_up() -> None:
    release = threading.Event()

    def moody(input: int) -> float:
        if input == 30:
            assert release.wait(10)
        elif input == 59:
            release.set()
        return 1.0

    result = run([{"input": n} for n in range(60)], task=double, scores=[moody], max_concurrency=5)
    assert (result.trial_total, result.failed_total) == (60, 0)


def test_every_scorer_scores_every_case_while_they_become_quick() -> None:
    data = [{"input": n, "expected": n * 2} for n in range(500)]
    result = run(data, scores=[exact, lambda output: 1, lambda input: 0])
    assert {len(each.scores) for each in result.results} == {3}


def test_timeout_ends_the_eval_with_what_there_is(caplog: pytest.LogCaptureFixture) -> None:
    async def task(input: int) -> int:
        if input > 1:
            await asyncio.sleep(60)
        return input * 2

    started = time.monotonic()
    with caplog.at_level(logging.WARNING, "spanloop"):
        result = run(task=task, timeout=0.3)
    assert time.monotonic() - started < 10
    assert sorted(each.input for each in result.results) == [0, 1]
    assert result.not_run == 2
    assert "stopped after timeout=0.3 seconds" in caplog.text


async def test_eval_in_a_running_loop_is_awaited() -> None:
    result = await EvalAsync("local", CASES, double, [exact], no_send_logs=True)
    assert result.summary.scores["exact"].score == 1.0
    assert (await Eval("local", CASES, double, [exact], no_send_logs=True)).trial_total == 4


def test_streams_keep_the_first_results_only() -> None:
    result = run(({"input": n, "expected": n * 2} for n in range(50)), max_results=10)
    assert (len(result.results), result.is_complete, result.trial_total) == (10, False, 50)
    assert result.summary.scores["exact"].score == 1.0


def test_reporters_hear_of_results(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[Any] = []

    def hear_eval(evaluator: Any, result: Any, verbose: bool, jsonl: bool) -> str:
        heard.append(evaluator.project_name)
        return "report"

    def hear_run(reports: Any, verbose: bool, jsonl: bool) -> bool:
        heard.append(list(reports))
        return True

    reporter = Reporter(
        "mine",
        hear_eval,
        hear_run,
    )
    run(reporter=reporter)
    run(reporter="mine")
    assert heard == ["local", ["report"]] * 2
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="there is no Reporter of that name"):
        run(reporter="unknown")


def test_a_reporter_that_raises_fails_the_run_and_silences_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "eval_two.py"
    file.write_text(
        "from spanloop import Eval, Reporter\n"
        "broken = Reporter('broken', lambda *said: 1 / 0, lambda *said: True)\n"
        "sound = Reporter('sound', lambda *said: 'report', lambda *said: print(said[0]) is None)\n"
        "for name, reporter in (('first', broken), ('second', sound)):\n"
        "    Eval(name, data=[{'input': 1}], task=lambda input: input, scores=[], reporter=reporter)\n"
    )

    assert main([str(file), "--no-send-logs", "--no-progress"]) == 1

    shown = capsys.readouterr()
    assert "reporter broken failed:\nTraceback" in shown.err
    assert "ZeroDivisionError" in shown.err
    assert "['report']" in shown.out


def test_terminal_shows_scores_and_the_first_error(capsys: pytest.CaptureFixture[str]) -> None:
    def task(input: int) -> int:
        if input > 1:
            raise KeyError("no such order")
        return input * 2

    run(task=task, experiment_name="try")
    shown = capsys.readouterr()
    assert shown.out.splitlines()[1:5] == [
        "local [try]",
        "try: 4 cases, 2 failed",
        "",
        "  exact         100.0%  ± 0.0% between cases",
    ]
    assert "2 of 4 trials failed:" in shown.err
    assert shown.err.count("no such order") == 2
    assert "… 1 more; --verbose shows them" in shown.err


def test_local_eval_leaves_no_production_rows(captured_spans: Capture) -> None:
    @spanloop.traced
    def inner(input: int) -> int:
        return input * 2

    run(task=inner)
    assert captured_spans.spans == []
