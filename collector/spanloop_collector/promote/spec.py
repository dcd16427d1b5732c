"""What a promotion is asked to do, checked: each fault names its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spanloop_collector.errors import invalid
from spanloop_collector.promote.sources import SOURCES

FIELDS = ("id", "input", "expected", "metadata", "tags")
DEDUPLICATIONS = ("origin", "input", "none")

_METADATA_KEY = re.compile(r"metadata\.(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PromoteSpec:
    """Which rows become which rows of which dataset."""

    project: str
    source: str = "logs"
    where: str = ""
    """SQL condition on the source; empty for every row."""
    is_root_only: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    """SQL expressions by field (FIELDS, `metadata.KEY`); a field without one has its default."""
    deduplicate: str = "origin"
    """origin: each source row once; input: each input once; none: as origin, but rows that are there are rewritten."""
    is_update: bool = False
    """Rewrite rows copied before whose source says something else now."""
    limit: int = 0
    """Rows at most, chosen by hash; 0 for all."""
    sample_rate: float = 1.0
    """Part of the rows, chosen by hash."""
    group_by: str = ""
    """SQL expression; with `per_group`, that many rows of each of its values."""
    per_group: int = 0
    seed: str = ""
    """Another seed chooses other rows."""

    @property
    def is_sampled(self) -> bool:
        """Whether only some of the rows are copied."""
        return bool(self.limit or self.per_group or self.sample_rate < 1)

    @property
    def metadata_keys(self) -> dict[str, str]:
        """Expressions of single keys of metadata."""
        found = ((_METADATA_KEY.fullmatch(name), sql) for name, sql in self.fields.items())
        return {match[1]: sql for match, sql in found if match}


def read_spec(request: Any, project: str) -> PromoteSpec:
    """The request's promotion; raises InvalidRequestError for one that cannot be."""
    source = request.source or "logs"
    if source not in SOURCES:
        raise invalid("source", f"expected one of {', '.join(SOURCES)}, got {source!r:.100}")
    for name, expression in request.fields.items():
        if name not in FIELDS and not _METADATA_KEY.fullmatch(name):
            raise invalid("fields", f"expected {', '.join(FIELDS)} or metadata.KEY, got {name!r:.100}")
        if not expression.strip():
            raise invalid(f"fields.{name}", "expected a SQL expression, got none")
    deduplicate = request.deduplicate or "origin"
    if deduplicate not in DEDUPLICATIONS:
        raise invalid("deduplicate", f"expected one of {', '.join(DEDUPLICATIONS)}, got {deduplicate!r:.100}")
    return PromoteSpec(
        project=project,
        source=source,
        where=request.where.strip(),
        is_root_only=request.root_only,
        fields=dict(request.fields),
        deduplicate=deduplicate,
        is_update=request.update or deduplicate == "none",
        seed=request.seed,
        **_read_sampling(request),
    )


def _read_sampling(request: Any) -> dict[str, Any]:
    for name in ("limit", "per_group"):
        if getattr(request, name) < 0:
            raise invalid(name, f"expected a number of at least 0, got {getattr(request, name)}")
    rate = request.sample_rate if request.HasField("sample_rate") else 1.0
    if not 0 <= rate <= 1:
        raise invalid("sample_rate", f"expected a number from 0 to 1, got {rate:g}")
    if bool(request.group_by.strip()) != bool(request.per_group):
        raise invalid("group_by", "group_by and per_group belong together: say both or neither")
    return {
        "limit": request.limit,
        "sample_rate": rate,
        "group_by": request.group_by.strip(),
        "per_group": request.per_group,
    }
