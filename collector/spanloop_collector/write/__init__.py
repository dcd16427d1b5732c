"""From sealed segments to inserts: batches, retries, dead letters and prices."""

from spanloop_collector.write.writer import Writer

__all__ = ["Writer"]
