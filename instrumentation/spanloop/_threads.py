"""A thread pool whose work belongs to the span that submitted it."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class TracedThreadPoolExecutor(ThreadPoolExecutor):
    """`ThreadPoolExecutor` that runs each call in a copy of the submitter's context.

    with spanloop.TracedThreadPoolExecutor(4) as pool:
        answers = list(pool.map(answer, questions))
    """

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        run: Callable[..., R] = contextvars.copy_context().run
        return super().submit(run, fn, *args, **kwargs)
