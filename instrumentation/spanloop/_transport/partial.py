"""Reads what a collector says about the items it did not take."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse


def partial_success(signal: str, answer: bytes) -> tuple[int, str]:
    """How many items of a delivered request were rejected, and why; (0, "") when unreadable."""
    try:
        if signal == "logs":
            logs = ExportLogsServiceResponse.FromString(answer).partial_success
            return logs.rejected_log_records, logs.error_message
        traces = ExportTraceServiceResponse.FromString(answer).partial_success
        return traces.rejected_spans, traces.error_message
    except Exception:  # a proxy's HTML page with status 200, for example: it was taken, ask no more
        return 0, ""
