"""Finds what a test left running: child processes and threads that would outlive it."""

from __future__ import annotations

import os
import threading
import time

import psutil

SETTLE_SECONDS = 5.0

_expected_processes: set[int] = set()


def expect_process(pid: int) -> None:
    """Says that this child belongs to the whole test run."""
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
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if child.pid not in _expected_processes and child.status() != psutil.STATUS_ZOMBIE:
                names.add(f"process {child.pid}: {' '.join(child.cmdline())[:120]}")
        except psutil.NoSuchProcess:
            continue
    return names


def _threads() -> set[str]:
    return {f"thread {t.name} ({t.ident})" for t in threading.enumerate() if not t.daemon}
