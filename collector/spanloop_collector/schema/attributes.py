"""The attribute table (attributes.txt) as code numbers.

The mapping looks each attribute's name up once and works with its code from there: comparing small numbers is many
times cheaper than comparing names.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

KEPT_TARGETS = ("operation", "model", "response_model", "provider", "openinference_kind", "traceloop_kind")
"""Read by the mapping, and kept in metadata as well."""

KEPT_NAMES = {"model": "model", "provider": "provider"}
"""Under which name metadata keeps a target; the others keep the attribute's own."""

ORDERED_TARGETS = ("input", "output", "expected")
"""Targets where the first attribute of the table wins; of the others, the first that the span carries."""

SPAN_TYPES = {
    "operation": {
        "chat": "llm",
        "text_completion": "llm",
        "generate_content": "llm",
        "embeddings": "llm",
        "execute_tool": "tool",
        "invoke_agent": "task",
        "create_agent": "task",
        "retrieval": "function",
    },
    "openinference_kind": {
        "llm": "llm",
        "embedding": "llm",
        "tool": "tool",
        "chain": "task",
        "agent": "task",
        "retriever": "function",
        "reranker": "function",
        "guardrail": "function",
        "evaluator": "score",
        "prompt": "function",
    },
    "traceloop_kind": {"workflow": "task", "task": "task", "agent": "task", "tool": "tool"},
}
"""Row types by what the conventions call the operation; a kind that is not here is a task."""

LAST_KEPT_CODE = 99
"""Attributes with a code up to here stay in metadata; 0 is an attribute that the table does not have."""


MAX_CODE = 254
"""255 stands for "no such attribute" in the mapping."""


@cache
def table() -> tuple[tuple[str, str], ...]:
    """Pairs of attribute name and target, in the order of attributes.txt; a name ending in `.*` is a prefix."""
    lines = (files(__package__) / "attributes.txt").read_text().splitlines()
    pairs = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return tuple((name, target) for name, target in pairs)


@cache
def _numbered() -> dict[str, int]:
    """A code for each name of the table: one for a whole target, or one each where the order counts.

    Codes of one target, and those of all metrics, are contiguous.
    """
    numbered: dict[str, int] = {}
    of_target: dict[str, int] = {}
    next_kept, next_consumed = 1, LAST_KEPT_CODE + 1
    for name, target in sorted(table(), key=lambda pair: pair[1]):  # a stable sort: the table's order within a target
        if target in ORDERED_TARGETS or target not in of_target:
            if is_kept(target):
                of_target[target], next_kept = next_kept, next_kept + 1
            else:
                of_target[target], next_consumed = next_consumed, next_consumed + 1
        numbered[name] = of_target[target]
    assert next_consumed <= MAX_CODE, "codes must fit UInt8"
    return numbered


def codes() -> dict[str, int]:
    """Attribute name to code."""
    return {name: code for name, code in _numbered().items() if not name.endswith(".*")}


def prefixes() -> dict[str, str]:
    """Prefix of attribute names to target, for families of numbered attributes."""
    return {name.removesuffix("*"): target for name, target in table() if name.endswith(".*")}


def is_kept(target: str) -> bool:
    """Whether attributes of this target stay in metadata."""
    return target in KEPT_TARGETS or target.startswith("metadata.")


def codes_of(target: str) -> list[int]:
    """The codes of a target, ascending."""
    return sorted({_numbered()[name] for name, its_target in table() if its_target == target})


def code_of(target: str) -> int:
    """The one code of a target."""
    (code,) = codes_of(target)
    return code


def metric_codes() -> dict[str, int]:
    """Name of each metric that attributes give, to its code."""
    return {t.removeprefix("metrics."): code_of(t) for _, t in table() if t.startswith("metrics.")}


def renames() -> dict[str, str]:
    """Attribute name to its name in metadata, where they differ."""
    moved = {name: t.removeprefix("metadata.") for name, t in table() if t.startswith("metadata.")}
    return moved | {name: KEPT_NAMES[t] for name, t in table() if t in KEPT_NAMES}
