"""A line for each eval that runs, on a terminal; nothing where nobody watches."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from spanloop._words import counted
from spanloop.eval._run import Progress, Run

REDRAW_SECONDS = 0.1
WIDTH = 30
NAME_WIDTH = 40


@contextmanager
def bars(stream: TextIO | None = None, *, is_shown: bool | None = None) -> Iterator[Callable[[str], Progress | None]]:
    """Gives out a progress function for each eval; `is_shown` None asks whether it is a terminal."""
    out = stream or sys.stderr
    shown = out.isatty() if is_shown is None else is_shown
    if not shown:
        yield lambda name: None
        return
    board = _Board(out)
    try:
        yield board.add
    finally:
        board.draw(is_last=True)


class _Board:
    """The lines, drawn over each other."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()  # protects the lines
        self._lines: list[_Line] = []
        self._drawn = 0
        self._drawn_at = 0.0

    def add(self, name: str) -> Progress:
        line = _Line(name)
        with self._lock:
            self._lines.append(line)

        def progress(run: Run, total: int | None) -> None:
            line.update(run, total)
            if time.monotonic() - self._drawn_at >= REDRAW_SECONDS:
                self.draw()

        return progress

    def draw(self, *, is_last: bool = False) -> None:
        """Writes every line where it stood before."""
        with self._lock:
            self._drawn_at = time.monotonic()
            up = f"\x1b[{self._drawn}A" if self._drawn else ""
            self._out.write(up + "".join(f"\r\x1b[K{line.text()}\n" for line in self._lines))
            self._out.flush()
            self._drawn = len(self._lines)


class _Line:
    """One eval's progress."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.monotonic()
        self._done = self._failed = 0
        self._total: int | None = None
        self._seconds = 0.0

    def update(self, run: Run, total: int | None) -> None:
        self._done, self._failed, self._total = run.total, run.tally.failed, total
        self._seconds = time.monotonic() - self._started

    def text(self) -> str:
        """The line as it is now."""
        rate = f"{self._done / self._seconds:,.0f}/s" if self._seconds else ""
        failed = f"  {self._failed} failed" if self._failed else ""
        name = f"{self._name[:NAME_WIDTH]:<{min(NAME_WIDTH, max(12, len(self._name)))}}"
        if not self._total:
            return f"{name}  {counted(self._done, 'trial')}  {rate}{failed}"
        filled = min(WIDTH, WIDTH * self._done // self._total)
        bar = "━" * filled + "·" * (WIDTH - filled)
        return f"{name}  {bar}  {self._done:,}/{self._total:,}  {rate}{failed}"
