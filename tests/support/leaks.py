"""Finds what a test left running: child processes and threads that would outlive it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psutil

SETTLE_SECONDS = 5.0

_expected_processes: set[int] = set()


def expect_process(pid: int) -> None:
    """Says that this child, with whatever it starts, belongs to the whole test run."""
    _expected_processes.add(pid)


def running() -> set[str]:
    """Names of live child processes and non-daemon threads."""
    return _processes() | _threads()


def left_behind(before: set[str]) -> set[str]:
    """What runs now and did not before, after giving it a moment to end."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (left := running() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _processes() -> set[str]:
    names = set()
    for child in _descendants():
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                names.add(f"process {child.pid}: {' '.join(child.cmdline())[:120]}")
        except psutil.NoSuchProcess:
            continue
    return names


def _descendants() -> Iterator[psutil.Process]:
    """Children and theirs, without those that are expected: what these start is their own affair."""
    passed_over = set(_expected_processes)
    # All at once, parents first: each look goes through every process of the machine.
    for child in psutil.Process().children(recursive=True):
        try:
            is_expected = not passed_over.isdisjoint((child.pid, child.ppid()))
        except psutil.NoSuchProcess:
            continue
        if is_expected:
            passed_over.add(child.pid)
        else:
            yield child


def _threads() -> set[str]:
    return {f"thread {t.name} ({t.ident})" for t in threading.enumerate() if not t.daemon}
