"""`with spanloop.context(...)`: what every span started in a block carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._failsafe import guarded
from spanloop._fields import merged_tags
from spanloop._propagation import Parent, parent_span


@contextmanager
def context(
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Iterable[str] | None = None,
    parent: Parent = None,
) -> Iterator[None]:
    """Gives all spans in the block a session, a user, metadata, tags, or a parent in another process.

    Blocks nest; inner values win. What a span says itself wins over both.

        with spanloop.context(session_id=chat.id, user_id=user.id, parent=request.headers):
            answer(question)
    """
    before = _context.ambient()
    given = dict(metadata or {})
    given |= {
        name: value for name, value in ((names.SESSION_ID, session_id), (names.USER_ID, user_id)) if value is not None
    }
    ambient = guarded(_extended)(before, given, tags or ())
    entry = guarded(_enter_parent)(parent)
    _context.set_ambient(ambient)
    try:
        yield
    finally:
        if _context.ambient() is ambient:
            _context.set_ambient(before)
        if entry is not None:
            _context.leave(entry)


def _extended(before: _context.Ambient | None, metadata: Mapping[str, Any], tags: Iterable[str]) -> _context.Ambient:
    if before is None:
        return _context.Ambient(metadata, merged_tags((), tags))
    return _context.Ambient({**before.metadata, **metadata}, merged_tags(before.tags, tags))


def _enter_parent(parent: Parent) -> _context.Entry | None:
    runtime = _runtime.active()
    if parent is None or runtime is None:
        return None
    from spanloop._span import Span

    span = parent._otel if isinstance(parent, Span) else parent_span(parent)
    return _context.enter(span, is_shared=runtime.is_joined) if span is not None else None
