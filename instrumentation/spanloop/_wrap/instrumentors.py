"""Runs the OpenTelemetry instrumentors of AI libraries that are installed, with our provider."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

from spanloop._failsafe import guarded, log
from spanloop._provider import tracer_provider

GROUP = "opentelemetry_instrumentor"
# Distributions by what their names start with; of two for one library the first here is taken, since it records
# messages without being told to in the environment, where other tracers would hear it too.
FAMILIES = ("openinference-instrumentation-", "opentelemetry-instrumentation-genai-")
WRAPPED_BY_US = ("openai", "anthropic")


def run_instrumentors() -> tuple[str, ...]:
    """Names of the libraries that are traced now."""
    return tuple(name for name, entry in _chosen() if guarded(_run)(name, entry))


def _chosen() -> Iterator[tuple[str, EntryPoint]]:
    """One instrumentor for each library that we do not wrap ourselves."""
    found: dict[str, tuple[int, EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        distribution = (entry.dist.name if entry.dist else "").lower().replace("_", "-")
        for rank, family in enumerate(FAMILIES):
            library = distribution.removeprefix(family)
            if library == distribution or library in WRAPPED_BY_US:
                continue
            if library not in found or rank < found[library][0]:
                found[library] = (rank, entry)
    return ((library, entry) for library, (_, entry) in sorted(found.items()))


def _run(name: str, entry: EntryPoint) -> bool:
    try:
        instrumentor = entry.load()()
    except ImportError as error:  # the instrumentor is installed, its library is not
        log.info("%s is not traced: %s", name, error)
        return False
    if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
        return False  # the application has done so; its spans are the application's
    instrumentor.instrument(tracer_provider=tracer_provider())
    return bool(getattr(instrumentor, "is_instrumented_by_opentelemetry", True))
