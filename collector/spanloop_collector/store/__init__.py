"""ClickHouse, embedded or a server, behind one small interface."""

from spanloop_collector.store.store import Store

__all__ = ["Store"]
