"""What a scorer says about one row: a number from 0 to 1, or that there is nothing to say."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


class ScoreError(ValueError):
    """A scorer returned something that is no score; the message names the scorer and the value."""


@dataclass(slots=True)
class Score:
    """One score. What `autoevals` returns has the same first three fields and is accepted in its place.

    Score("helpful", 0.8, {"words": 12}, reason="answers the question")
    """

    name: str
    """What is measured; the key in the row's `scores`."""
    score: float | None = None
    """0 is worst, 1 is best; None means that there is nothing to score here: the row is skipped, never a 0."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Anything worth keeping beside the number."""
    reason: str | None = None
    """Why, in words; a judge's chain of thought."""

    def __post_init__(self) -> None:
        self.score = _valid(self.name, self.score)

    def as_dict(self) -> dict[str, Any]:
        """The score as JSON has it."""
        return {"name": self.name, "score": self.score, "metadata": self.metadata, "reason": self.reason}


def scores_of(name: str, returned: Any) -> list[Score]:
    """The scores in what a scorer called `name` returned.

    A number, a boolean or None is a score of that name. A dict is one score when it has the key `score`, else a
    number for each name. A list holds any of these. Raises ScoreError for anything else, never makes it a 0.
    """
    if returned is None or isinstance(returned, (int, float)):
        return [Score(name, returned)]
    if isinstance(returned, list | tuple):
        return [score for item in returned for score in scores_of(name, item)]
    if isinstance(returned, dict):
        return _scores_of_dict(name, returned)
    if isinstance(returned, Score):
        return [returned]
    if hasattr(returned, "score") and hasattr(returned, "metadata"):
        return [_foreign(name, returned)]
    raise ScoreError(
        f"scorer {name!r} returned {_shown(returned)}; expected a number from 0 to 1, a bool, None, a Score, a dict "
        "or a list of these"
    )


def _scores_of_dict(name: str, returned: dict[Any, Any]) -> list[Score]:
    if "score" not in returned:
        return [score for key, value in returned.items() for score in scores_of(str(key), value)]
    known = {"name", "score", "metadata", "reason"}
    if unknown := set(returned) - known:
        raise ScoreError(
            f"scorer {name!r} returned a dict with {sorted(map(str, unknown))}; a score has {sorted(known)}"
        )
    own_name = returned.get("name") or name
    return [Score(own_name, returned["score"], dict(returned.get("metadata") or {}), returned.get("reason"))]


def _foreign(name: str, returned: Any) -> Score:
    """The score of a library with a class of its own; a judge's rationale becomes the reason."""
    if error := getattr(returned, "error", None):
        raise error if isinstance(error, Exception) else ScoreError(f"scorer {name!r} failed: {error}")
    metadata = dict(returned.metadata or {})
    reason = getattr(returned, "reason", None) or metadata.get("rationale")
    return Score(getattr(returned, "name", "") or name, returned.score, metadata, reason if reason else None)


def _valid(name: str, score: object) -> float | None:
    if score is None:
        return None
    try:
        number = float(score)  # type: ignore[arg-type]  # what has no float is refused below
    except (TypeError, ValueError):
        number = math.nan
    # Text is refused although "0.5" could be read: a judge's raw answer is no number.
    if isinstance(score, str) or not 0 <= number <= 1:
        raise ScoreError(f"scorer {name!r} returned the score {_shown(score)}; expected a number from 0 to 1, or None")
    return number


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
