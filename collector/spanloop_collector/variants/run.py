"""One run of a variant: a test for each task, sent a few at a time, each with a verdict in the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from spanloop_collector.variants.experiment import Outcome

WAITING, SENT, PASSED, FAILED = "waiting", "sent", "passed", "failed"
RUNNING, FINISHED = "running", "finished"


@dataclass(frozen=True, slots=True)
class Task:
    """A test case."""

    id: str
    input: Any
    expected: Any = None
    metadata: Any = None


@dataclass(frozen=True, slots=True)
class Test:
    """A task as one run has it."""

    id: str
    """Comes back in the metadata of the test's rows."""
    task_id: str
    status: str = WAITING
    sent: float = 0.0
    """Unix seconds."""
    trace_id: str = ""
    reason: str = ""
    """Why it failed, where that is known."""
    was_executed: bool = False
    """Something came back: a trace, or a verdict."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run and its tests."""

    id: str
    experiment: str
    variant: str
    started: float
    status: str = RUNNING
    finished: float = 0.0
    overrides: Mapping[str, Mapping[str, Any]] | None = None
    tests: tuple[Test, ...] = ()

    def as_state(self) -> dict[str, Any]:
        """The run as JSON has it."""
        return asdict(self)

    def sent(self) -> list[Test]:
        """The tests whose verdict is awaited."""
        return [test for test in self.tests if test.status == SENT]

    def outcome(self) -> Outcome:
        """What it came to."""
        passed = sum(test.status == PASSED for test in self.tests)
        failed = sum(test.status == FAILED for test in self.tests)
        return Outcome(len(self.tests), passed, failed, self.finished)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a test."""

    test_id: str
    passed: bool
    reason: str = ""
    trace_id: str = ""
    was_executed: bool = True


def new_run(run_id: str, experiment: str, variant: str, tasks: Sequence[Task], *, now: float, **more: Any) -> Run:
    """A run of all tasks, none sent yet."""
    tests = tuple(Test(f"{run_id}.{number}", task.id) for number, task in enumerate(tasks))
    return Run(run_id, experiment, variant, now, tests=tests, **more)


def read_run(state: Mapping[str, Any]) -> Run:
    """The run behind a state."""
    return Run(**{**state, "tests": tuple(Test(**test) for test in state["tests"])})


def advance(run: Run, verdicts: Iterable[Verdict], *, now: float, max_at_once: int, timeout_seconds: float) -> Run:
    """The run after verdicts came in: late tests have failed, and the next ones are to be sent."""
    found = {verdict.test_id: verdict for verdict in reversed(list(verdicts))}
    tests = [_settle(test, found.get(test.id), now, timeout_seconds) for test in run.tests]
    room = max_at_once - sum(test.status == SENT for test in tests)
    for number, test in enumerate(tests):
        if room > 0 and test.status == WAITING:
            tests[number] = replace(test, status=SENT, sent=now)
            room -= 1
    is_over = all(test.status in (PASSED, FAILED) for test in tests)
    after = replace(run, tests=tuple(tests))
    return replace(after, status=FINISHED, finished=now) if is_over and run.status == RUNNING else after


def _settle(test: Test, verdict: Verdict | None, now: float, timeout_seconds: float) -> Test:
    if test.status != SENT:
        return test
    if verdict is not None:
        return replace(
            test,
            status=PASSED if verdict.passed else FAILED,
            reason=verdict.reason,
            trace_id=verdict.trace_id,
            was_executed=verdict.was_executed,
        )
    if now - test.sent > timeout_seconds:
        return replace(test, status=FAILED, reason=f"no verdict within {timeout_seconds:g} seconds")
    return test
