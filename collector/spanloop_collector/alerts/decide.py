"""What an alert says after an evaluation: which groups fire, and which messages that is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spanloop_collector.alerts.ask import Group
from spanloop_collector.alerts.rule import AlertRule

FIRING, STILL_FIRING, RECOVERED = "firing", "still_firing", "recovered"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of a group between evaluations."""

    labels: Mapping[str, Any]
    value: float | None
    is_firing: bool
    since: float
    """When it began to fire, Unix seconds."""
    announced: float = 0.0
    """When a message last said that it fires; 0 for never."""
    is_known: bool = False
    """A message said so since it began to fire: its recovery is worth one too."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something to tell."""

    event: str
    key: str
    seen: Seen


def decide(
    rule: AlertRule, before: Mapping[str, Seen], groups: Iterable[Group], *, now: float
) -> tuple[dict[str, Seen], list[Announcement]]:
    """What to remember, and what to tell. A group that is no longer in the answer has recovered."""
    after: dict[str, Seen] = {}
    announcements: list[Announcement] = []
    values = {group.key: group for group in groups}
    for key, group in values.items():
        if rule.fires(group.value):
            seen, event = _fires(rule, before.get(key), group, now)
            after[key] = seen
            if event:
                announcements.append(Announcement(event, key, seen))
    for key, seen in before.items():
        if key in after:
            continue
        value = values[key].value if key in values else None
        calm = replace(seen, is_firing=False, value=value, is_known=False)
        if seen.is_firing and seen.is_known:
            announcements.append(Announcement(RECOVERED, key, replace(seen, value=value)))
        if now - seen.announced < rule.hold_off_seconds:
            # Remembered for as long as it must not be announced again.
            after[key] = calm
    return after, announcements


def _fires(rule: AlertRule, before: Seen | None, group: Group, now: float) -> tuple[Seen, str]:
    was_firing = before is not None and before.is_firing
    seen = Seen(
        labels=group.labels,
        value=group.value,
        is_firing=True,
        since=before.since if before is not None and was_firing else now,
        announced=before.announced if before is not None else 0.0,
        is_known=before is not None and was_firing and before.is_known,
    )
    if seen.announced and now - seen.announced < rule.hold_off_seconds:
        return seen, ""
    event = STILL_FIRING if seen.is_known else FIRING
    return replace(seen, announced=now, is_known=True), event
