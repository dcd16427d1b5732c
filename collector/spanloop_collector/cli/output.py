"""How the command line prints: to people on a terminal, and to files and pipes."""

from __future__ import annotations

import sys

from rich.console import Console

PIPE_WIDTH = 10_000
"""Columns when nobody looks: wide enough that nothing is wrapped or cut."""


def console() -> Console:
    """Standard output, as wide as the terminal; without one, lines stay whole."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH, soft_wrap=False)


def notes() -> Console:
    """Standard error: hints and progress that must not end up in a pipe; lines as on standard output."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)
