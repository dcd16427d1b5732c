"""Everything the collector counts, declared once with unit and meaning.

Served as Prometheus text at `/metrics` on the API port.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(f"spanloop_{name}", meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(f"spanloop_{name}", meaning, labels, registry=REGISTRY)


REQUESTS = _counter("receive_requests", "Requests by signal and gRPC status name.", "signal", "status")
ITEMS_ACCEPTED = _counter("receive_items_accepted", "Spans or log records acknowledged.", "signal")
ITEMS_REJECTED = _counter("receive_items_rejected", "Spans or log records refused as invalid.", "signal")
ACKNOWLEDGE_SECONDS = Histogram(
    "spanloop_receive_acknowledge_seconds",
    "From the request's last byte to its durable acknowledgement.",
    ("signal",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
SPOOL_BYTES = _gauge("spool_bytes", "Bytes waiting on disk.", "signal")
SPOOL_ITEMS = _gauge("spool_items", "Spans or log records waiting on disk.", "signal")
SPOOL_OLDEST_SECONDS = _gauge("spool_oldest_seconds", "Age of the oldest request waiting on disk.", "signal")
SPOOL_CORRUPT_RECORDS = _counter("spool_corrupt_records", "Records cut because their checksum failed.", "signal")
WRITE_BATCHES = _counter("write_batches", "Inserts by outcome: stored, retried, bisected.", "signal", "outcome")
WRITE_ITEMS = _counter("write_items", "Spans or log records stored.", "signal")
STATEMENTS = _counter("store_statements", "Statements that the collector sent to ClickHouse, its inserts included.")
DEAD_LETTERS = _counter("write_dead_letters", "Requests set aside because ClickHouse refuses their data.", "signal")
QUERIES = _counter(
    "query_statements", "SQL statements from outside by outcome: ok, refused, failed, cancelled.", "outcome"
)
