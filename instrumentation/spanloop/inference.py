"""Inference steps: named places where a program calls a model, whose parameters a test may override.

import spanloop

step = spanloop.inference_step("classifier", model="gpt-4o-mini", temperature=0.7)
client.chat.completions.create(messages=messages, **step)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from spanloop._block import context
from spanloop._failsafe import guarded
from spanloop._span import current_span

TEST_ID = "test_id"
"""Key of metadata under which every row of a test names it."""

Overrides = Mapping[str, Mapping[str, Any]]
"""By step: parameters and their values."""

_IN_FORCE: ContextVar[Overrides | None] = ContextVar("spanloop_overrides", default=None)


def inference_step(name: str, /, **parameters: Any) -> dict[str, Any]:
    """The parameters in force for a step: those given here, with what a running test overrides.

    Outside of tests they come back as they are. The current span remembers them, so that SQL can tell which
    configuration gave which answer.

        step = spanloop.inference_step("classifier", system="Be brief.", model="gpt-4o-mini", temperature=0.7)
        step["temperature"]
    """
    overrides = _IN_FORCE.get() or {}
    in_force = {**parameters, **overrides.get(name, {})}
    guarded(_remember)(name, in_force)
    return in_force


@contextmanager
def overriding(overrides: Overrides, *, test_id: str = "") -> Iterator[None]:
    """Puts overrides in force for the calls in the block; every span there carries the test's id.

    `spanloop.webhooks` does this for a test that the collector sends. Blocks nest; for a parameter, the inner one
    wins.

        with overriding({"classifier": {"temperature": 0.2}}):
            answer(question)
    """
    before = _IN_FORCE.get()
    outer = before or {}
    merged = {step: {**outer.get(step, {}), **overrides.get(step, {})} for step in {**outer, **overrides}}
    _IN_FORCE.set(merged)
    try:
        with context(metadata={TEST_ID: test_id} if test_id else None):
            yield
    finally:
        # A block that somebody forgot may be ended anywhere, also where it never was in force.
        if _IN_FORCE.get() is merged:
            _IN_FORCE.set(before)


def _remember(name: str, in_force: Mapping[str, Any]) -> None:
    current_span().log(metadata={f"inference_step.{name}": dict(in_force)})
