"""Scorers of every kind, called as evals and workers call them."""

from __future__ import annotations

import asyncio
import functools
import math
from pathlib import Path
from typing import Any

import autoevals
import pytest
from spanloop.scoring import (
    Score,
    ScoreError,
    ScorerSpec,
    Trace,
    call_scorer,
    call_scorer_async,
    check_spec,
    load_scorer,
    scorer,
    scorer_name,
    scorer_version,
    wants_trace,
)
from spanloop.scoring.builtins import BUILTINS, edit_distance
from spanloop.scoring.registry import load_module

ROW: dict[str, Any] = {"input": "in", "output": "out", "expected": "out", "metadata": {"n": 1}}


def brief(output: str) -> float:
    return 1.0 if len(output) < 5 else 0.0


async def slow(output: str, expected: str) -> bool:
    await asyncio.sleep(0)
    return output == expected


class Shouting:
    def __call__(self, output: str) -> bool:
        return output.isupper()


@scorer(name="named", version="7")
def unnamed(**row: Any) -> dict[str, Any]:
    return {"score": 0.5, "metadata": {"saw": sorted(row)}, "reason": "half"}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (brief, [Score("brief", 1.0)]),
        (slow, [Score("slow", 1.0)]),
        (Shouting(), [Score("Shouting", 0.0)]),
        (lambda output: None, [Score("scorer", None)]),
        (functools.partial(brief), [Score("brief", 1.0)]),
        (unnamed, [Score("named", 0.5, {"saw": ["expected", "input", "metadata", "output", "trace"]}, "half")]),
        (lambda output: {"a": 1, "b": None}, [Score("a", 1.0), Score("b", None)]),
        (lambda output: [0.25, Score("x", 1)], [Score("scorer", 0.25), Score("x", 1.0)]),
        (autoevals.Levenshtein, [Score("Levenshtein", 1.0)]),
        (autoevals.ExactMatch(), [Score("ExactMatch", 1.0)]),
    ],
)
async def test_what_a_scorer_returns_becomes_scores(function: Any, expected: list[Score]) -> None:
    assert await call_scorer_async(function, **ROW) == expected
    assert await asyncio.to_thread(call_scorer, function, **ROW) == expected


@pytest.mark.parametrize("returned", ["good", 1.1, -0.1, math.nan, math.inf, {"score": "0.5"}, object(), [object()]])
def test_what_is_no_score_is_an_error_and_never_a_number(returned: object) -> None:
    with pytest.raises(ScoreError, match="scorer 'scorer' returned"):
        call_scorer(lambda output: returned, **ROW)


def test_a_scorer_that_asks_for_more_is_told_what_there_is() -> None:
    with pytest.raises(ScoreError, match="'scorer' asks for 'answer'; scorers are given any of input, output"):
        call_scorer(lambda answer: 1, **ROW)


def test_errors_of_scorers_are_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        call_scorer(lambda output: 1 / 0, **ROW)


def test_trace_is_read_only_for_those_that_look_at_it() -> None:
    assert wants_trace(lambda output, trace: 1)
    assert not wants_trace(brief)
    assert not wants_trace(autoevals.Levenshtein)
    spans = [
        {"span_id": "1", "parent_id": "", "name": "agent", "type": "task"},
        {"span_id": "2", "parent_id": "1", "name": "search", "type": "tool", "error": "no"},
    ]
    trace = Trace(spans)
    assert trace.root == spans[0]
    assert trace.children(spans[0]) == trace.of_type("tool") == trace.named("search") == [spans[1]]
    assert call_scorer(BUILTINS["no_error"], trace=trace) == [Score("no_error", 0.0, reason="failed: search")]


def test_version_follows_the_code_and_the_options(tmp_path: Path) -> None:
    def other(output: str) -> float:
        return 0.0

    assert scorer_version(brief) == scorer_version(brief) != scorer_version(other)
    assert scorer_version(unnamed) == "7"
    assert scorer_name(unnamed) == "named"
    versions = {load_scorer(ScorerSpec("matches", options={"pattern": text})).version for text in ("a", "b")}
    assert len(versions) == 2
    for number in (1, 2):
        file = tmp_path / f"mine{number}.py"
        file.write_text(f"def check(output): return {number} / 2")
        loaded = load_scorer(ScorerSpec("mine:check"), modules={"mine": load_module(str(file))})
        assert call_scorer(loaded.call, output="") == [Score("check", number / 2)]
        versions.add(loaded.version)
    assert len(versions) == 4


@pytest.mark.parametrize(
    ("use", "options", "row", "score"),
    [
        ("exact_match", {}, {"output": {"a": 1, "b": 2}, "expected": {"b": 2, "a": 1}}, 1),
        ("exact_match", {}, {"output": "x"}, None),
        ("contains", {"text": ["Please", "thanks"]}, {"output": "please sit"}, 0.5),
        ("contains", {}, {"output": "the answer is 42", "expected": 42}, 1),
        ("contains", {}, {"output": "x"}, None),
        ("not_contains", {"text": "fool"}, {"output": "You FOOL"}, 0),
        ("matches", {"pattern": r"^\d+$"}, {"output": "42"}, 1),
        ("is_json", {}, {"output": "{broken"}, 0),
        ("is_json", {}, {"output": {"a": 1}}, 1),
        ("has_keys", {"keys": ["a", "b"]}, {"output": '{"a": 1}'}, 0.5),
        ("length_between", {"min_characters": 2, "max_characters": 3}, {"output": "abcd"}, 0),
        ("similarity", {}, {"output": "kitten", "expected": "sitting"}, 1 - 3 / 7),
        ("similarity", {}, {"output": "", "expected": ""}, 1),
        ("numeric_difference", {}, {"output": "8", "expected": 10}, 0.8),
        ("numeric_difference", {}, {"output": "many", "expected": 10}, 0),
    ],
)
def test_builtins(use: str, options: dict[str, Any], row: dict[str, Any], score: float | None) -> None:
    (found,) = call_scorer(load_scorer(ScorerSpec(use, options=options)).call, **row)
    assert found.score == pytest.approx(score) if score is not None else found.score is None


def test_edit_distance_is_symmetric() -> None:
    assert edit_distance("flaw", "lawn") == edit_distance("lawn", "flaw") == 2
    assert edit_distance("", "abc") == 3


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ScorerSpec("nothing"), "there is no scorer 'nothing'; built in are contains"),
        (ScorerSpec("matches", options={"regex": "a"}), "options of scorer 'matches': .*'regex'"),
        (ScorerSpec("autoevals.Init"), "autoevals has no scorer 'Init'; it has .*Levenshtein"),
        (ScorerSpec("judge", options={"prompt": "{{answer}}", "choices": {"a": 1, "b": 0}}), "names answer"),
        (ScorerSpec("judge", options={"prompt": "{{output}}", "choices": {"a": 2, "b": 0}}), "returned the score 2"),
    ],
)
def test_what_could_never_work_is_refused(spec: ScorerSpec, message: str) -> None:
    with pytest.raises(ScoreError, match=message):
        check_spec(spec)


def test_code_that_nobody_named_is_not_loaded() -> None:
    with pytest.raises(ScoreError, match="module 'os', which was not named; start `spanloop score --module`"):
        load_scorer(ScorerSpec("os:getcwd"))
