"""An alert's message: a sentence for people, and the same as data for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from spanloop_collector.alerts.decide import RECOVERED, STILL_FIRING, Announcement
from spanloop_collector.alerts.rule import AlertRule
from spanloop_collector.webhooks.outbox import json_body

TEST = "test"
SIGNS = {"firing": "🔴", STILL_FIRING: "🔴", RECOVERED: "🟢", TEST: "⚪"}
VERBS = {"firing": "fires", STILL_FIRING: "still fires", RECOVERED: "has recovered", TEST: "says hello: this is a test"}


def body_of(rule: AlertRule, announcement: Announcement, *, now: float) -> str:
    """The body of a message; Slack and others that read `text` show the sentence."""
    text = sentence(rule, announcement)
    if rule.format == "slack":
        return json_body({"text": text})
    return json_body(
        {
            "type": f"alert.{announcement.event}",
            "timestamp": _rfc_3339(now),
            "text": text,
            "data": _data(rule, announcement),
        }
    )


def sentence(rule: AlertRule, announcement: Announcement) -> str:
    """For example: `🔴 *error rate* fires: 0.31 > 0.1 for model=gpt-4o (project shop)`."""
    seen, event = announcement.seen, announcement.event
    parts = [f"{SIGNS[event]} *{escape(rule.name)}* {VERBS[event]}"]
    if event != TEST:
        value = "no value any more" if seen.value is None else f"{seen.value:.6g}"
        parts.append(f": {value} ({escape(f'{rule.comparison} {rule.threshold:g}')})")
    if seen.labels:
        parts.append(" for " + ", ".join(f"{escape(str(k))}={escape(str(v))}" for k, v in seen.labels.items()))
    if rule.project:
        parts.append(f" in project {escape(rule.project)}")
    if rule.description:
        parts.append(f"\n{escape(rule.description)}")
    return "".join(parts)


def escape(text: str) -> str:
    """Text as Slack takes it: without this, a label could mention a whole channel or forge a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _data(rule: AlertRule, announcement: Announcement) -> dict[str, Any]:
    seen = announcement.seen
    return {
        "alert": rule.name,
        "project": rule.project,
        "description": rule.description,
        "event": announcement.event,
        "labels": dict(seen.labels),
        "value": seen.value,
        "comparison": rule.comparison,
        "threshold": rule.threshold,
        "since": _rfc_3339(seen.since),
        "window_seconds": rule.window_seconds,
    }


def _rfc_3339(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="milliseconds")
