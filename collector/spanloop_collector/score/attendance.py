"""Which workers are there, so that a rule can say why nothing is scored when none takes its tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from spanloop_collector.score.line import Key
from spanloop_collector.score.rule import Rule

PATIENCE_SECONDS = 30.0
"""Workers ask every few seconds, and a new one takes a moment to start."""
COMPLAINT = "nothing is scored: "


class Attendance:
    """Workers by name, with the modules that they have and when they were last heard of."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._modules: dict[str, frozenset[str]] = {}
        self._heard: dict[str, float] = {}
        self._waiting_since: dict[Key, float] = {}

    def asks(self, worker: str, modules: frozenset[str]) -> None:
        """The worker asks for tasks."""
        self._modules[worker] = modules
        self.is_there(worker)

    def is_there(self, worker: str) -> None:
        """The worker says something."""
        self._heard[worker] = self._now()

    def complaints(self, waiting: Iterable[tuple[Key, Rule]]) -> dict[str, str]:
        """By id of a rule: what keeps its waiting tasks from being taken, where that takes too long."""
        late = self._now() - PATIENCE_SECONDS
        self._heard = {worker: at for worker, at in self._heard.items() if at >= late}
        self._modules = {worker: modules for worker, modules in self._modules.items() if worker in self._heard}
        lines = list(waiting)
        self._waiting_since = {key: self._waiting_since.get(key, self._now()) for key, _ in lines}
        found: dict[str, str] = {}
        for key, rule in lines:
            scorer = rule.scorer(key[2])
            if scorer is not None and self._waiting_since[key] < late and not self._has(scorer.module):
                found[key[0]] = self._complaint(scorer.name, scorer.module)
        return found

    def _has(self, module: str) -> bool:
        return any(not module or module in modules for modules in self._modules.values())

    def _complaint(self, scorer: str, module: str) -> str:
        if not self._modules:
            return f"{COMPLAINT}no worker asks for tasks; start `spanloop score`, or set score.workers to 1 or more"
        return f"{COMPLAINT}no worker has {module!r}, which {scorer!r} needs; name it with `spanloop score --module`"
