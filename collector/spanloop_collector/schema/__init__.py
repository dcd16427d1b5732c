"""The schema in ClickHouse: tables, the mapping from OTLP to rows, and the views users query."""

from spanloop_collector.schema.migrate import migrate

__all__ = ["migrate"]
