"""How a partial row changes a stored one: objects merge deeply, other values replace, null clears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from spanloop_collector.api.row import Json, StoredRow
from spanloop_collector.api.row_input import RowInput

# ClickHouse computes these from the others when nobody gives them.
COUNTED_METRICS = (
    "prompt_tokens",
    "completion_tokens",
    "prompt_cached_tokens",
    "prompt_cache_creation_tokens",
)
COMPUTED_METRICS = ("tokens", "cost")


def merge_row(stored: StoredRow, change: RowInput) -> StoredRow:
    """The stored row with the change in it; its ids and its start stay."""
    return replace(
        stored,
        parent_id=change.parent_id or stored.parent_id,
        end_unix_nano=stored.end_unix_nano if change.end_unix_nano is None else change.end_unix_nano,
        name=change.name or stored.name,
        type=change.type or stored.type,
        fields=merge_fields(_without_stale(stored.fields, change.fields), change.fields),
    )


def merge_fields(stored: Mapping[str, Json], change: Mapping[str, Json]) -> dict[str, Json]:
    """One object merged into another; neither is changed."""
    merged = dict(stored)
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            before = merged.get(name)
            merged[name] = merge_fields(before if isinstance(before, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def without_nulls(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The fields of a row that replaces another: null says the same as nothing."""
    kept = {name: value for name, value in fields.items() if value is not None}
    for name in ("scores", "metrics"):
        if name in kept:
            kept[name] = {key: value for key, value in kept[name].items() if value is not None}
    return kept


def _without_stale(stored: Mapping[str, Json], change: Mapping[str, Json]) -> Mapping[str, Json]:
    """The stored fields without a sum or price that new counts make wrong."""
    changed = change.get("metrics") or {}
    metrics = stored.get("metrics")
    if not metrics or not any(name in changed for name in COUNTED_METRICS):
        return stored
    return {**stored, "metrics": {k: v for k, v in metrics.items() if k not in COMPUTED_METRICS}}
