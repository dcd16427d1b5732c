"""What is true while a request is being sent: its span is current, its tries are counted, no second span is made."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from spanloop import _context
from spanloop._failsafe import guarded
from spanloop._wrap.call import Call

current_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("spanloop_call", default=None)
_covering: contextvars.ContextVar[bool] = contextvars.ContextVar("spanloop_covering", default=False)


@contextmanager
def covering() -> Iterator[None]:
    """What is called in the block belongs to a span that says the same; it gets none of its own."""
    before = _covering.get()
    _covering.set(True)
    try:
        yield
    finally:
        _covering.set(before)


def is_covered() -> bool:
    """Whether a call made now is part of one that is traced already."""
    return _covering.get()


class Sending:
    """A call whose request is being sent: its span is current, its tries are counted.

    In a `with` block around the sending, an exception ends the call.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self._entry: _context.Entry = call.enter()
        self._before: Call | None = current_call.get()
        current_call.set(call)

    @guarded
    def leave(self) -> None:
        if current_call.get() is self.call:
            current_call.set(self._before)
        _context.leave(self._entry)

    def __enter__(self) -> Sending:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace_back: object) -> None:
        if error is not None:
            self._failed(error)

    @guarded
    def _failed(self, error: BaseException) -> None:
        self.leave()
        self.call.fail(error)
