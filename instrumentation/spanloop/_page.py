"""Addresses of the collector's page."""

from __future__ import annotations

from urllib.parse import quote

from opentelemetry import trace

from spanloop import _runtime
from spanloop._transport.api import api_url

DEFAULT_PROJECT = "default"


def page_of(span: trace.Span) -> str:
    """Where a person finds the span; "" for a span that is not in a trace."""
    runtime, context = _runtime.active(), span.get_span_context()
    if runtime is None or not context.is_valid:
        return ""
    settings = runtime.settings
    trace_id, span_id = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
    base = settings.page_url.rstrip("/") or api_url(settings)
    return f"{base}/p/{quote(settings.project or DEFAULT_PROJECT, safe='')}/logs?r={trace_id}&s={span_id}"
