"""The rules as this collector knows them: kept as the list of their changes, read again every few seconds."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from spanloop_collector.errors import ConflictError, NotFoundError
from spanloop_collector.score.rule import Rule
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor, Change, ChangeLog, differences
from spanloop_collector.store.rounds import keep_doing

READ_FAILURES = "SELECT rule_id, message FROM {database:Identifier}.scoring_failures FINAL WHERE message != ''"
READ_REVISION = """
SELECT version, state FROM {database:Identifier}.changes FINAL
WHERE kind = 'scoring_rule' AND project = {project:String} AND id = {name:String}
    AND JSONExtractUInt(state, 'revision') = {revision:UInt32}
ORDER BY version DESC LIMIT 1
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule after it was put."""

    rule: Rule
    outcome: str
    """created, changed or unchanged"""


class RuleBook:
    """Every rule that was not deleted. Calls block, except those that only look at what was read last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes = ChangeLog(store, "scoring_rule")
        self._rules: dict[str, Rule] = {}
        self._active: tuple[Rule, ...] = ()
        self._failures: dict[str, str] = {}
        self._revisions: dict[tuple[str, int], Rule] = {}
        # Protects the fields above, which a thread replaces.
        self._lock = threading.Lock()

    async def watch(self) -> None:
        """Reads the rules whenever somebody has changed one, until cancelled."""
        with self._store.bells.listen("changes", "scoring_failures") as bell:
            # Where they cannot be read, the rules that were read last go on.
            await keep_doing("rules", partial(asyncio.to_thread, self.read), bell)

    def read(self) -> None:
        """Brings what is known here up to date."""
        latest = [Rule.from_state(each.state, version=each.version) for each in self._changes.latest()]
        rows = self._store.query(READ_FAILURES, {"database": self._store.database}).result_rows
        failures = {rule_id: message for rule_id, message in rows}
        rules = {rule.rule_id: rule for rule in latest}
        with self._lock:
            self._rules, self._failures = rules, failures
            self._active = tuple(rule for rule in latest if rule.enabled)
            for rule in rules.values():
                self._revisions[rule.rule_id, rule.revision] = rule

    def rules(self, project: str = "") -> list[Rule]:
        """The rules of a project, or all, by name."""
        with self._lock:
            found = [rule for rule in self._rules.values() if project in ("", rule.project)]
        return sorted(found, key=lambda rule: (rule.project, rule.name))

    def active(self) -> Sequence[Rule]:
        """The rules that score: the same object until somebody changes a rule."""
        return self._active

    def find(self, project: str, name: str) -> Rule:
        """The rule of that name as it is stored now; raises NotFoundError."""
        found = self._changes.find(project, name)
        if found is None:
            known = ", ".join(repr(rule.name) for rule in self.rules(project)) or "none"
            raise NotFoundError(f"there is no rule {name!r} in project {project!r}; there are: {known}")
        return Rule.from_state(found.state, version=found.version)

    def current(self, rule_id: str) -> Rule | None:
        """The newest version of a rule; None when it was deleted."""
        with self._lock:
            return self._rules.get(rule_id)

    def revision(self, rule_id: str, revision: int) -> Rule | None:
        """The rule as it scored at that revision; None when it was deleted."""
        with self._lock:
            current = self._rules.get(rule_id)
            found = self._revisions.get((rule_id, revision))
        if current is None or found is not None:
            return found if current is not None else None
        parameters = {"database": self._store.database, "project": current.project, "name": current.name}
        rows = self._store.query(READ_REVISION, parameters | {"revision": revision}).result_rows
        old = Rule.from_state(json.loads(rows[0][1]), version=rows[0][0]) if rows else current
        with self._lock:
            return self._revisions.setdefault((rule_id, revision), old)

    def failure(self, rule_id: str) -> str:
        """Why a rule does not work; empty when it does."""
        with self._lock:
            return self._failures.get(rule_id, "")

    def put(self, rule: Rule, *, actor: Actor) -> StoredRule:
        """Makes the rule, or changes the one of its name; the same again changes nothing."""
        found = self._changes.find(rule.project, rule.name)
        before = Rule.from_state(found.state, version=found.version) if found is not None else None
        if before is not None and before.is_same(rule):
            return StoredRule(before, "unchanged")
        last = self._changes.last_version(rule.project, rule.name)
        # A deleted rule that comes back is another one: its rows are scored again.
        revision = before.revision if before is not None and before.scores_the_same(rule) else last + 1
        rule = replace(rule, revision=revision, version=last + 1)
        self._append(rule, before, "changed" if before else "created", actor)
        return StoredRule(rule, "changed" if before else "created")

    def delete(self, project: str, name: str, *, actor: Actor) -> None:
        """Ends a rule."""
        rule = self.find(project, name)
        self._append(replace(rule, version=rule.version + 1), rule, "deleted", actor, is_end=True)

    def report(self, rule: Rule, message: str) -> None:
        """Remembers why a rule does not work, or with an empty message that it does."""
        with self._lock:
            if self._failures.get(rule.rule_id, "") == message:
                return
            self._failures[rule.rule_id] = message
        log = logger.warning if message else logger.info
        log("rules: rule=%s project=%s %s", rule.name, rule.project, f"fails reason={message}" if message else "works")
        self._store.insert_rows(
            "scoring_failures",
            [(rule.project, rule.rule_id, message, datetime.now(UTC))],
            ("project", "rule_id", "message", "time"),
        )
        self._store.bells.ring("scoring_failures")

    def _append(self, rule: Rule, before: Rule | None, action: str, actor: Actor, *, is_end: bool = False) -> None:
        state: Mapping[str, object] = {} if is_end else rule.state()
        change = Change(
            project=rule.project,
            id=rule.name,
            version=rule.version,
            action=action,
            actor=actor,
            state=state,
            changed=differences(before.state(), state) if before is not None else {},
        )
        if not self._changes.append(change):
            raise ConflictError(f"rule {rule.name!r} was changed by somebody else in the same moment; try again")
        self.report(rule, "")
        self.read()
