"""Rows of a past window put through a rule: chunk after chunk, no faster than they are scored, resumable.

backfills    starts, lists, stops and carries out
state        a backfill as it is kept, and where it is
window       the time that a request names
chunk        which rows come next, and their way into the queue
progress     how many tasks there are, and how many are done
"""

from __future__ import annotations

from spanloop_collector.score.backfill.backfills import Backfills
from spanloop_collector.score.backfill.window import read_window

__all__ = ["Backfills", "read_window"]
