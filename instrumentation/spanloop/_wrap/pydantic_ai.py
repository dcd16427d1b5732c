"""Turns on Pydantic AI's own instrumentation, with our provider."""

from __future__ import annotations

import inspect
from typing import Any

from spanloop._provider import tracer_provider


def instrument_pydantic_ai(module: Any) -> None:
    """All agents are traced from now on, unless the application has said how."""
    if getattr(module.Agent, "_instrument_default", False):
        return
    from pydantic_ai.models.instrumented import InstrumentationSettings

    wanted: dict[str, Any] = {
        "tracer_provider": tracer_provider(),
        "include_content": True,
        # An agent's span repeats the tokens of its calls; under a name of their own they are not counted again.
        "use_aggregated_usage_attribute_names": True,
    }
    known = inspect.signature(InstrumentationSettings).parameters
    settings = InstrumentationSettings(**{name: value for name, value in wanted.items() if name in known})
    module.Agent.instrument_all(settings)
