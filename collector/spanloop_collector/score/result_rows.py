"""The rows that an outcome becomes: lines of `online_scores`, and a score span below the scored row."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from spanloop_collector.score.outcome import FAILED, REPLACED, SCORED, SKIPPED, OneScore, Outcome
from spanloop_collector.score.task import Subject, Task

FINISHED_BIT = 1 << 62
"""Of `spans.version`: finished rows stand above running ones."""
PURPOSE = {"spanloop.purpose": "scorer"}

Row = dict[str, Any]


def score_rows(outcome: Outcome, *, rule_name: str, now_ns: int) -> list[Row]:
    """Lines of `online_scores`: one for each score, or one that says why there is none."""
    task = outcome.task
    about = _about(task) | {
        "project": task.project,
        "rule_id": task.rule_id,
        "rule": rule_name,
        "rule_version": task.revision,
        "scorer": task.scorer,
        "scorer_version": outcome.scorer_version,
        "probability": task.probability,
        "duration": outcome.duration_seconds,
        "attempt": min(task.attempt, 255),
        "lag": max((now_ns - task.ended_ns) / 1e9, 0.0),
        "scored": seconds_text(now_ns),
        "task_id": task.id,
        "run": task.run,
        "backfill": task.backfill,
        "version": now_ns,
    }
    if outcome.status == FAILED:
        return [about | {"name": task.scorer, "status": FAILED, "reason": outcome.error, "cost": outcome.cost}]
    cost = outcome.cost / max(len(outcome.scores), 1)
    rows = [about | _said(score) | {"cost": cost} for score in outcome.scores]
    if task.scorer not in {score.name for score in outcome.scores}:
        rows.append(about | {"name": task.scorer, "status": REPLACED})
    return rows


def score_span(outcome: Outcome, *, rule_name: str, now_ns: int) -> Row | None:
    """A row of `spans` for a call of a scorer; None for what was skipped without one."""
    task, subject = outcome.task, subject_of(outcome.task)
    if outcome.status == SKIPPED:
        return None
    span_id = score_span_id(task)
    # It starts when the row ends, so that a re-run replaces it; how long the call took is its own.
    start, end = subject.ended_ns, subject.ended_ns + int(outcome.duration_seconds * 1e9)
    metadata = {"rule": rule_name, "scorer_version": outcome.scorer_version, "model": outcome.model} | PURPOSE
    return {
        "project": task.project,
        "created": seconds_text(start),
        "end_time": seconds_text(end),
        "version": now_ns | FINISHED_BIT,
        "received": seconds_text(now_ns),
        "id": span_id,
        "trace_id": subject.trace_id,
        "span_id": span_id,
        "parent_id": subject.span_id,
        "name": task.scorer,
        "type": "score",
        "output": _output(outcome),
        "error": outcome.error,
        "metrics": _metrics(outcome, start, end),
        "model": outcome.model,
        "tokens": sum(outcome.tokens),
        "cost": outcome.cost,
        "metadata": {name: text for name, text in metadata.items() if text},
        "status_code": "error" if outcome.status == FAILED else "",
        "scope_name": "spanloop.scoring",
        "resource": PURPOSE,
        "online_scores": {score.name: score.score for score in outcome.scores if score.score is not None},
    }


def score_span_id(task: Task) -> str:
    """16 digits for the span of a scorer's call: the same for the same row, rule and scorer."""
    subject = subject_of(task)
    name = "\0".join((task.project, subject.trace_id, subject.span_id, task.rule_id, task.scorer))
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def subject_of(task: Task) -> Subject:
    """The row of a task that was handed out."""
    assert task.subject is not None, "a task that was handed out knows its row"
    return task.subject


def seconds_text(unix_nano: int) -> str:
    """A time as ClickHouse reads it whole from JSON."""
    return f"{unix_nano // 10**9}.{unix_nano % 10**9:09d}"


def _about(task: Task) -> Row:
    subject = task.subject
    if subject is None:
        return {"created": seconds_text(task.created_ns), "trace_id": task.trace_id, "span_id": task.span_id}
    return {
        "created": seconds_text(subject.created_ns),
        "trace_id": subject.trace_id,
        "span_id": subject.span_id,
        "id": subject.id,
        "span_name": subject.name,
    }


def _said(score: OneScore) -> Row:
    return {
        "name": score.name,
        "status": SKIPPED if score.score is None else SCORED,
        "score": score.score,
        "reason": score.reason,
        "metadata": score.metadata,
    }


def _metrics(outcome: Outcome, start: int, end: int) -> dict[str, float]:
    metrics = {"start": start / 1e9, "end": end / 1e9}
    if any(outcome.tokens):
        prompt, completion = outcome.tokens
        metrics |= {"prompt_tokens": prompt, "completion_tokens": completion, "tokens": prompt + completion}
    return metrics | ({"cost": outcome.cost} if outcome.cost else {})


def _output(outcome: Outcome) -> str:
    if outcome.status == FAILED:
        return ""
    said = [
        {"name": score.name, "score": score.score}
        | ({"reason": score.reason} if score.reason else {})
        | ({"metadata": orjson.Fragment(score.metadata)} if score.metadata else {})
        for score in outcome.scores
    ]
    return orjson.dumps(said[0] if len(said) == 1 else said).decode()
