"""A task as a worker has it, and what it says about it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spanloop_collector.write.pricing import Price

from spanloop_collector.score.rule import RuleScorer


@dataclass(frozen=True, slots=True)
class WorkTask:
    """What a claim gave."""

    id: str
    ticket: str
    scorer: str
    """JSON text of the scorer with its limits: names the pool that it goes to."""
    row: str
    """JSON text of the row."""


def result(task: WorkTask, status: str, **fields: Any) -> dict[str, Any]:
    """A TaskResult as JSON."""
    return {"id": task.id, "ticket": task.ticket, "status": status} | fields


def failure(task: WorkTask, error: str, *, is_retryable: bool, **fields: Any) -> dict[str, Any]:
    """The result of a call that gave no score."""
    return result(task, "failed", error=error or "unknown", is_retryable=is_retryable, **fields)


def result_of(
    task: WorkTask, answer: Mapping[str, Any], *, rule_name: str, own_name: str, version: str
) -> dict[str, Any]:
    """The result that a child's answer stands for; the rule's name for the scorer wins over the scorer's own."""
    fields: dict[str, Any] = {"duration_seconds": answer["duration"], "scorer_version": version}
    fields |= _spent(answer["usage"])
    if "error" in answer:
        fields["retry_after_seconds"] = answer["retry_after"]
        return failure(task, answer["error"], is_retryable=answer["is_retryable"], **fields)
    scores = answer["scores"]
    for score in scores:
        if len(scores) == 1 or score["name"] == own_name:
            score["name"] = rule_name
    return result(task, "scored", scores=[_score(score) for score in scores], **fields)


def _score(score: Mapping[str, Any]) -> dict[str, Any]:
    said = {"name": score["name"], "reason": score["reason"] or ""}
    if score["score"] is not None:
        said["score"] = score["score"]
    return said | ({"metadata": score["metadata"]} if score["metadata"] else {})


def _spent(usage: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not usage:
        return {}
    return {
        "prompt_tokens": sum(each["prompt_tokens"] for each in usage),
        "completion_tokens": sum(each["completion_tokens"] for each in usage),
        "cost": sum(map(cost_of, usage)),
        "model": usage[-1]["model"],
    }


def cost_of(usage: Mapping[str, Any]) -> float:
    """US dollars of one call; 0 where no price is known."""
    price = _price(usage["provider"], usage["model"], datetime.now(UTC).date().isoformat())
    return price.cost(usage["prompt_tokens"], usage["completion_tokens"], cached=usage["cached_tokens"]) or 0.0


@functools.lru_cache(maxsize=256)
def _price(provider: str, model: str, day: str) -> Price:
    del day  # prices change from one to the next
    # Imported late: most scorers ask no model, and this brings ClickHouse's client along.
    from spanloop_collector.write.pricing import find_price

    now = datetime.now(UTC)
    price = find_price(provider, model, now=now)
    return price if price.rates else find_price("", model, now=now)


def scorer_of(task: WorkTask) -> RuleScorer:
    """The scorer with its limits."""
    return RuleScorer(**json.loads(task.scorer))
