"""From an acknowledged request to a sealed segment, on disk all the way."""

from spanloop_collector.spool.backlog import Backlog
from spanloop_collector.spool.lock import DirectoryLock
from spanloop_collector.spool.record import Buffer, Record, RecordFlags
from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.spool.spool import Spool

__all__ = ["Backlog", "Buffer", "DirectoryLock", "Record", "RecordFlags", "SealedSegment", "Spool"]
