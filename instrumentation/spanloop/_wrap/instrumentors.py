"""Runs the OpenTelemetry instrumentors of AI libraries that are installed, with our provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from spanloop._failsafe import guarded, log
from spanloop._provider import tracer_provider
from spanloop._wrap.dspy import count_tokens
from spanloop._wrap.imported import is_installed, when_imported
from spanloop._wrap.langchain import join_runs
from spanloop._wrap.llama_index import note_runs
from spanloop._wrap.mcp import carry_ours

GROUP = "opentelemetry_instrumentor"
# Distributions by what their names start with; of two for one library the first here is taken, since it records
# messages without being told to in the environment, where other tracers would hear it too.
FAMILIES = ("openinference-instrumentation-", "opentelemetry-instrumentation-genai-")
TRACED_BY_US = ("openai", "anthropic", "google-genai", "litellm", "pydantic-ai")
# Modules whose import is waited for; the instrumentors of other libraries run at once and import theirs.
MODULES = {
    "agno": "agno",
    "bedrock": "botocore",
    "crewai": "crewai",
    "dspy": "dspy",
    "google-adk": "google.adk",
    "haystack": "haystack",
    "langchain": "langchain_core",
    "llama-index": "llama_index.core",
    "mcp": "mcp",
    "openai-agents": "agents",
    "smolagents": "smolagents",
}
# For each module of their library, whose modules hand their functions to each other while they are imported.
WAITING_THEMSELVES = ("mcp",)

# What joins them to our spans where OpenTelemetry's context does not, or adds what they leave out.
ADAPTERS: dict[str, Callable[[Any], None]] = {
    "dspy": count_tokens,
    "langchain": join_runs,
    "llama-index": note_runs,
    "mcp": carry_ours,
}


def run_instrumentors(wanted: Collection[str] | None = None) -> tuple[str, ...]:
    """Names of the libraries that are traced from now on; `wanted` are the only ones, if given."""
    traced = []
    for name, entry in _chosen():
        if wanted is None or name in wanted:
            module = MODULES.get(name)
            if module is None:
                is_traced = _run(name, entry)
            elif is_traced := is_installed(module):
                if name in WAITING_THEMSELVES:
                    is_traced = _run(name, entry)
                else:
                    when_imported(module, _running(name, entry))
            if is_traced:
                traced.append(name)
    return tuple(traced)


def _chosen() -> Iterator[tuple[str, EntryPoint]]:
    """One instrumentor for each library that we do not trace ourselves."""
    found: dict[str, tuple[int, EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        distribution = (entry.dist.name if entry.dist else "").lower().replace("_", "-")
        for rank, family in enumerate(FAMILIES):
            library = distribution.removeprefix(family)
            if library == distribution or library in TRACED_BY_US:
                continue
            if library not in found or rank < found[library][0]:
                found[library] = (rank, entry)
    return ((library, entry) for library, (_, entry) in sorted(found.items()))


def _running(name: str, entry: EntryPoint) -> Any:
    return lambda module: _run(name, entry)


def _run(name: str, entry: EntryPoint) -> bool:
    try:
        instrumentor = entry.load()()
        if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            return False  # the application has done so; its spans are the application's
        instrumentor.instrument(tracer_provider=tracer_provider())
        if name in ADAPTERS:
            guarded(ADAPTERS[name])(instrumentor)
    except ImportError as error:  # the instrumentor is installed, its library is not
        log.info("%s is not traced: %s", name, error)
        return False
    except Exception:
        log.exception("the instrumentor of %s failed; it is not traced", name)
        return False
    return bool(getattr(instrumentor, "is_instrumented_by_opentelemetry", True))
