"""The thread that makes room in a queue by moving its oldest items to disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from spanloop._failsafe import caught
from spanloop._overflow import Overflow

Item = TypeVar("Item")

SPILL_AGAIN_SECONDS = 30.0  # after the disk refused


class Mover(Generic[Item]):
    """Runs only while there is something to move. `start` never waits and is called from any thread."""

    def __init__(
        self,
        signal: str,
        overflow: Overflow[Item],
        *,
        take: Callable[[], Sequence[Item]],
        moved: Callable[[Sequence[Item]], None],
    ) -> None:
        """`take` gives the oldest items, none once there is room; `moved` gets back those that the disk refused."""
        self._signal = signal
        self._overflow = overflow
        self._take = take
        self._moved = moved
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()  # protects the start of the thread
        self._thread: threading.Thread | None = None
        self._again_at = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether a start would do something."""
        return self._thread is None and self._is_willing

    @property
    def _is_willing(self) -> bool:
        """Whether the disk has not refused lately."""
        return time.monotonic() >= self._again_at

    def start(self) -> None:
        with self._lock:
            if not self.is_idle:
                return
            self._thread = threading.Thread(target=self._run, name=f"spanloop-spill-{self._signal}", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is on its way out; what waits is moved when the queue closes
                self._thread = None

    def wait(self, timeout_seconds: float) -> None:
        """Returns when nothing is being moved."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)

    def _run(self) -> None:
        items: Sequence[Item] = ()
        try:
            while self._is_willing and (items := self._take()):
                left = self._overflow.write(items)
                if left:
                    self._again_at = time.monotonic() + SPILL_AGAIN_SECONDS
                self._moved(left)
        except Exception:
            self._again_at = time.monotonic() + SPILL_AGAIN_SECONDS
            self._moved(items)
            caught(f"the spill of {self._signal}")
        finally:
            self._thread = None
