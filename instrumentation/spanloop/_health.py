"""Says in the log when delivery stops working and when it works again: a line each, not one per batch."""

from __future__ import annotations

import threading
import time

from spanloop._failsafe import log
from spanloop._transport import Kind, Outcome


class Health:
    """The state of delivery to one collector, shared by all signals."""

    def __init__(self, endpoint: str, *, where: str = "SPANLOOP_ENDPOINT") -> None:
        """`where` is how to set the endpoint."""
        self._endpoint = endpoint
        self._where = where
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()  # protects everything below
        self._trouble: Kind | None = None
        self._since = 0.0
        self._dropped = 0
        self._has_refused = False
        self._has_disk_refused = False

    @property
    def is_well(self) -> bool:
        return self._trouble is None

    def trouble(self, outcome: Outcome) -> None:
        """A try failed and will be repeated."""
        with self._lock:
            is_news = self._trouble is not outcome.kind
            if self._trouble is None:
                self._since = time.monotonic()
            self._trouble = outcome.kind
        if is_news and outcome.kind is Kind.DENIED:
            log.error(
                "the collector at %s does not take our data (%s); keeping it and trying again. "
                "Check api_key= or SPANLOOP_API_KEY, endpoint=, protocol= and certificate=",
                self._endpoint,
                outcome.reason,
            )
        elif is_news:
            log.warning(
                "cannot deliver to the collector at %s (%s); keeping data in memory and trying again. "
                "Is it running? `spanloop serve` starts one; %s says where it is",
                self._endpoint,
                outcome.reason,
                self._where,
            )

    def delivered(self, outcome: Outcome) -> None:
        """A request arrived, perhaps without some of its items."""
        with self._lock:
            was_well, self._trouble = self._trouble is None, None
            dropped, self._dropped = self._dropped, 0
            is_news = outcome.rejected > 0 and not self._has_refused
            self._has_refused = outcome.rejected > 0
        if not was_well:
            seconds = time.monotonic() - self._since
            level = log.warning if dropped else log.info
            level(
                "delivering to %s again after %.1f s; dropped meanwhile: %d",
                self._endpoint,
                seconds,
                dropped,
            )
        if is_news:
            log.warning("the collector rejected %d items: %s", outcome.rejected, outcome.reason)

    def refused(self, count: int, signal: str, reason: str) -> None:
        """Data was dropped because it will never be accepted."""
        with self._lock:
            is_news, self._has_refused = not self._has_refused, True
        if is_news:
            log.error("dropped %d %s that the collector will never accept: %s", count, signal, reason)

    def disk_refused(self, reason: str) -> None:
        """What should have gone to disk, or come from there, could not."""
        with self._lock:
            is_news, self._has_disk_refused = not self._has_disk_refused, True
        if is_news:
            log.error("spill_dir= (SPANLOOP_SPILL_DIR) cannot be used: %s; keeping data in memory only", reason)

    def overflow(self, count: int, what: str, set_by: str) -> None:
        """A queue, or its folder on disk, is full; the oldest waiting items were dropped. `set_by` sets its size."""
        with self._lock:
            is_news, self._dropped = self._dropped == 0, self._dropped + count
        if is_news:
            log.warning("the %s is full; dropping the oldest from now on. %s set its size", what, set_by)
