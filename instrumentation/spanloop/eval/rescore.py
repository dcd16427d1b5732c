"""Scores an experiment that ran before, with scorers it did not have; what they say is kept apart from the run's."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from spanloop._api import ApiClient, default_project
from spanloop.eval._remote import Experiments
from spanloop.scoring import Score, Scorer, ScorerSpec, Trace, call_scorer, load_scorer, scorer_name, wants_trace

BATCH_SCORES = 500
THREADS = 16


@dataclass(slots=True)
class Rescored:
    """What was done."""

    rows: int = 0
    stored: int = 0
    failed: int = 0
    """Calls of scorers that raised; they leave no score."""
    first_error: str = ""


def rescore(
    project: str | None,
    experiment: str,
    scorers: Sequence[Scorer | str],
    *,
    api_url: str | None = None,
    api_key: str | None = None,
) -> Rescored:
    """Gives every row of an experiment, finished or not, the scores of these scorers.

    A scorer is a function, or text such as `exact_match`, `autoevals.Levenshtein` or `my_scorers:tone`.

        rescore("support", "prompt v2", [tone])
    """
    experiments = Experiments(ApiClient(api_url, api_key=api_key))
    found = experiments.get(experiment, project or default_project())["experiment"]
    loaded = [_loaded(scorer) for scorer in scorers]
    reads_trace = any(wants_trace(scorer) for _, scorer in loaded)
    done = Rescored()
    waiting: list[dict[str, Any]] = []

    def send() -> None:
        experiments.add_scores(found["id"], found["project"], waiting)
        done.stored += len(waiting)
        waiting.clear()

    with ThreadPoolExecutor(THREADS) as pool:
        rows = experiments.cases(found["id"], found["project"])
        if reads_trace:
            reader = Experiments(ApiClient(api_url, api_key=api_key))
            rows = (
                {**row, "trace": Trace(reader.trace(found["id"], found["project"], row["trace_id"]))} for row in rows
            )
        for row, answers in pool.map(partial(_score_row, loaded), rows):
            done.rows += 1
            for name, answer in answers:
                if isinstance(answer, Exception):
                    done.failed += 1
                    done.first_error = done.first_error or f"{name}: {type(answer).__name__}: {answer}"
                else:
                    waiting += [_later_score(row["id"], name, score) for score in answer]
            if len(waiting) >= BATCH_SCORES:
                send()
    if waiting:
        send()
    return done


def _score_row(
    scorers: Sequence[tuple[str, Scorer]], row: dict[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, list[Score] | Exception]]]:
    return row, [(name, _call(scorer, row)) for name, scorer in scorers]


def _call(scorer: Scorer, row: dict[str, Any]) -> list[Score] | Exception:
    try:
        return call_scorer(
            scorer,
            input=row["input"],
            output=row["output"],
            expected=row["expected"],
            metadata=row["metadata"],
            trace=row.get("trace"),
        )
    except Exception as error:
        return error


def _later_score(id: str, scorer: str, score: Score) -> dict[str, Any]:
    metadata = {**score.metadata, "reason": score.reason} if score.reason else score.metadata
    return {"id": id, "name": score.name, "score": score.score, "metadata": metadata, "source": scorer}


def _loaded(scorer: Scorer | str) -> tuple[str, Scorer]:
    if not isinstance(scorer, str):
        return scorer_name(scorer), scorer
    module = scorer.partition(":")[0]
    modules = {module: import_module(module)} if ":" in scorer else {}
    return scorer, load_scorer(ScorerSpec(scorer), modules=modules).call
