"""Rotel (Rust) with its ClickHouse exporter, from the `rotel` package: what we are measured against.

`pip install rotel` brings the program; the tables are those its own schema tool makes for map attributes.
"""

from __future__ import annotations

import importlib.util
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.ports import free_port
from tests.support.waiting import wait_until

DATABASE = "otel"

_MAP = "Map(LowCardinality(String), String)"
TABLES = (
    f"CREATE DATABASE IF NOT EXISTS {DATABASE}",
    f"""
    CREATE TABLE IF NOT EXISTS {DATABASE}.otel_traces (
        Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)), TraceId String CODEC(ZSTD(1)), SpanId String CODEC(ZSTD(1)),
        ParentSpanId String CODEC(ZSTD(1)), TraceState String CODEC(ZSTD(1)),
        SpanName LowCardinality(String) CODEC(ZSTD(1)), SpanKind LowCardinality(String) CODEC(ZSTD(1)),
        ServiceName LowCardinality(String) CODEC(ZSTD(1)), ResourceAttributes {_MAP} CODEC(ZSTD(1)),
        ScopeName String CODEC(ZSTD(1)), ScopeVersion String CODEC(ZSTD(1)), SpanAttributes {_MAP} CODEC(ZSTD(1)),
        Duration UInt64 CODEC(ZSTD(1)), StatusCode LowCardinality(String) CODEC(ZSTD(1)),
        StatusMessage String CODEC(ZSTD(1)),
        Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes {_MAP}) CODEC(ZSTD(1)),
        Links Nested (TraceId String, SpanId String, TraceState String, Attributes {_MAP}) CODEC(ZSTD(1)),
        INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
        INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX idx_duration Duration TYPE minmax GRANULARITY 1
    ) ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, Timestamp)
    SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1
    """,
    f"""
    CREATE TABLE IF NOT EXISTS {DATABASE}.otel_traces_trace_id_ts (
        TraceId String CODEC(ZSTD(1)), Start DateTime64(9) CODEC(Delta, ZSTD(1)),
        End DateTime64(9) CODEC(Delta, ZSTD(1)), INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
    ) ENGINE = MergeTree PARTITION BY toDate(Start) ORDER BY (TraceId, Start)
    """,
    f"""
    CREATE MATERIALIZED VIEW IF NOT EXISTS {DATABASE}.otel_traces_trace_id_ts_mv TO {DATABASE}.otel_traces_trace_id_ts
    AS SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM {DATABASE}.otel_traces
    WHERE TraceId != '' GROUP BY TraceId
    """,
)


def is_installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec("rotel") is not None


class Rotel:
    """A running Rotel that writes to the server."""

    def __init__(self, clickhouse_url: str, log: Path) -> None:
        spec = importlib.util.find_spec("rotel")
        assert spec is not None, "pip install rotel"
        assert spec.origin is not None, "the rotel package has no folder"
        self.endpoint = f"127.0.0.1:{free_port()}"
        self._process = subprocess.Popen(
            [
                str(Path(spec.origin).parent / "rotel-agent"),
                "start",
                *("--otlp-grpc-endpoint", self.endpoint),
                *("--otlp-http-endpoint", f"127.0.0.1:{free_port()}"),
                *("--otlp-grpc-max-recv-msg-size-mib", "64"),
                *("--exporter", "clickhouse"),
                *("--clickhouse-exporter-endpoint", clickhouse_url),
                *("--clickhouse-exporter-user", "default"),
            ],
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
        )
        self.pid = self._process.pid
        wait_until(self._answers, what="a Rotel that listens")

    def stop(self) -> None:
        """Ends it; what it has not written by then is lost."""
        self._process.terminate()
        self._process.wait(30)

    def _answers(self) -> bool:
        host, port = self.endpoint.split(":")
        try:
            urllib.request.urlopen(f"http://{host}:{port}/", timeout=1)
        except urllib.error.URLError as error:
            return not isinstance(error.reason, ConnectionRefusedError)
        except OSError:
            return True
        return True
