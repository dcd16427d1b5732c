"""Which span a row is: ids that a caller gives, those of the stored row, or ids that follow from its name."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from spanloop_collector.api.row import RowIds, StoredRow
from spanloop_collector.api.row_input import RowInput, is_span_id
from spanloop_collector.errors import invalid


def choose_ids(given: RowInput, stored: StoredRow | None, *, now: Callable[[], int]) -> RowIds:
    """The ids of a row that is written whole; those of the stored one where nothing else is said."""
    if stored is not None and given.trace_id in ("", stored.ids.trace_id):
        return stored.ids
    if given.parent_id and not given.trace_id:
        raise invalid(f"{given.path}.trace_id", "is needed beside parent_id")
    span_id = given.span_id or _derived_span_id(given)
    return RowIds(
        project=given.project,
        id=given.id or span_id,
        trace_id=given.trace_id or _derived_trace_id(given),
        span_id=span_id,
        start_unix_nano=given.start_unix_nano or now(),
    )


def _derived_span_id(given: RowInput) -> str:
    if not given.id:
        return secrets.token_hex(8)
    return given.id if is_span_id(given.id) else _digest("span", given)[:16]


def _derived_trace_id(given: RowInput) -> str:
    return _digest("trace", given)[:32] if given.id else secrets.token_hex(16)


def _digest(what: str, given: RowInput) -> str:
    """Hex digits that follow from project and id: the same row, whichever collector takes it."""
    return hashlib.sha256("\0".join((what, given.project, given.id)).encode()).hexdigest()
