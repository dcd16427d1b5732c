"""Alerts as they are kept. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from spanloop_collector.alerts.rule import AlertRule, read_rule
from spanloop_collector.errors import ConflictError, NotFoundError
from spanloop_collector.store.changes import Actor, Change, ChangeLog, differences
from spanloop_collector.store.store import Store
from spanloop_collector.webhooks.address import without_path
from spanloop_collector.webhooks.targets import Targets, choose_target, target_owner

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving came to."""

    rule: AlertRule
    outcome: str
    new_secret: str = ""
    """The secret that was made; empty when the caller knows it already."""


class AlertRules:
    """All alerts; every change to one is kept."""

    def __init__(self, store: Store) -> None:
        self._log = ChangeLog(store, "alert")
        self._targets = Targets(store)

    def all(self, project: str = "*") -> Sequence[AlertRule]:
        """The alerts of a project, or of all with `*`, by name."""
        rules = [read_rule(latest.state) for latest in self._log.latest(project)]
        return sorted(rules, key=lambda rule: (rule.project, rule.name))

    def find(self, project: str, name: str) -> AlertRule:
        """The alert of that name; raises NotFoundError."""
        latest = self._log.find(project, name)
        if latest is None:
            raise NotFoundError(f"name: no alert {name!r}{_in(project)}; `spanloop alerts list` shows them")
        return read_rule(latest.state)

    def save(self, rule: AlertRule, *, url: str, secret: str, actor: Actor) -> Saved:
        """Makes or replaces an alert; saying the same again changes nothing."""
        latest = self._log.find(rule.project, rule.name)
        owner = owner_of(rule)
        known = self._targets.find(owner) if latest else None
        target, new_secret = choose_target(known, url, secret, field="alert.url")
        rule = replace(rule, target=without_path(target.url))
        if latest is None:
            version, before, outcome = self._log.last_version(rule.project, rule.name), {}, CREATED
        else:
            rule = replace(rule, uid=read_rule(latest.state).uid)
            version, before, outcome = latest.version, dict(latest.state), UPDATED
            if rule.as_state() == before and target == known:
                return Saved(rule, UNCHANGED)
        # The target comes first: an alert that fires must find it.
        self._targets.write(owner, target)
        changed = differences(before, rule.as_state()) if latest else {}
        self._append(rule, version + 1, outcome, actor, rule.as_state(), changed)
        return Saved(rule, outcome, new_secret)

    def delete(self, project: str, name: str, actor: Actor) -> None:
        """Ends an alert."""
        rule = self.find(project, name)
        self._append(rule, self._log.last_version(project, name) + 1, "deleted", actor, {}, {})
        self._targets.remove(owner_of(rule))

    def _append(
        self,
        rule: AlertRule,
        version: int,
        action: str,
        actor: Actor,
        state: dict[str, Any],
        changed: dict[str, Any],
    ) -> None:
        change = Change(rule.project, rule.name, version, action, actor, state, changed=changed)
        if not self._log.append(change):
            raise ConflictError(f"alert {rule.name} is being changed by somebody else; try again")


def owner_of(rule: AlertRule) -> str:
    """Under which name the alert's target is kept."""
    return target_owner("alert", rule.project, rule.name)


def _in(project: str) -> str:
    return f" in project {project!r}" if project else " that sees every project"
