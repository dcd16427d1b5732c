"""Settings that a client sends beside its statement: which are taken, which are ignored, which are refused."""

from __future__ import annotations

from collections.abc import Mapping

from spanloop_collector.query.refusal import refuse
from spanloop_collector.settings import QuerySettings
from spanloop_collector.store.connect import QUERY_SETTINGS

TAKEN = frozenset(
    {
        "date_time_output_format",
        "extremes",
        "join_use_nulls",
        "limit",
        "offset",
        "output_format_arrow_compression_method",
        "output_format_arrow_low_cardinality_as_dictionary",
        "output_format_arrow_string_as_string",
        "output_format_csv_crlf_end_of_line",
        "output_format_decimal_trailing_zeros",
        "output_format_json_escape_forward_slashes",
        "output_format_json_named_tuples_as_objects",
        "output_format_json_quote_64bit_floats",
        "output_format_json_quote_64bit_integers",
        "output_format_json_quote_decimals",
        "output_format_json_quote_denormals",
        "output_format_parquet_compression_method",
        "output_format_parquet_string_as_string",
        "output_format_pretty_color",
        "output_format_pretty_max_rows",
        "session_timezone",
    }
)
"""Change how a result looks, not what it may cost or reach."""

CAPPED = {
    "max_execution_time": "max_execution_seconds",
    "max_memory_usage": "max_memory_bytes",
    "max_result_bytes": "max_result_bytes",
    "max_result_rows": "max_result_rows",
}
"""May be lowered below the operator's bound, whose field is named here."""

OVERFLOW_MODES = ("throw", "break")

IGNORED = frozenset(
    {
        "add_http_cors_header",
        "async_insert",
        "buffer_size",
        "cancel_http_readonly_queries_on_client_close",
        "cast_string_to_dynamic_use_inference",
        "client_protocol_version",
        "compress",
        "date_time_input_format",
        "decompress",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "insert_deduplicate",
        "log_comment",
        "max_block_size",
        "max_threads",
        "password",
        "query_id",
        "quota_key",
        "readonly",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "user",
        "wait_end_of_query",
        "wait_for_async_insert",
    }
)
"""Sent by clients out of habit; answered as if they had not been."""

CHANGEABLE = tuple(sorted(TAKEN | CAPPED.keys() | IGNORED | {"result_overflow_mode"}))
"""What a client may send; the answer to its question at connect calls these changeable."""


def accepted_settings(sent: Mapping[str, str], limits: QuerySettings) -> dict[str, str]:
    """The settings to run with, out of those that a client sent; raises for one that it may not change."""
    accepted: dict[str, str] = {}
    for name, value in sent.items():
        if name in TAKEN:
            accepted[name] = value
        elif name in CAPPED:
            accepted[name] = _capped(name, value, getattr(limits, CAPPED[name]))
        elif name == "result_overflow_mode" and value in OVERFLOW_MODES:
            accepted[name] = value
        elif name not in IGNORED:
            raise refuse("READONLY", f"Cannot modify {name!r} setting in readonly mode")
    return accepted


def _capped(name: str, value: str, bound: float) -> str:
    try:
        number = float(value)
    except ValueError:
        raise refuse("BAD_ARGUMENTS", f"setting {name}: expected a number, got {value!r}") from None
    if not 0 <= number <= bound:
        raise refuse("SETTING_CONSTRAINT_VIOLATION", f"Setting {name} shouldn't be greater than {bound:g}")
    # 0 is ClickHouse's "no limit"; here it keeps the operator's.
    return value if number else f"{bound:g}" if name == "max_execution_time" else str(bound)


def limit_settings(limits: QuerySettings) -> dict[str, str]:
    """The operator's bounds as ClickHouse settings, and what the views need to use their indexes."""
    return QUERY_SETTINGS | {
        "max_execution_time": f"{limits.max_execution_seconds:g}",
        "max_memory_usage": str(limits.max_memory_bytes),
        "max_result_rows": str(limits.max_result_rows),
        "max_result_bytes": str(limits.max_result_bytes),
        "result_overflow_mode": "throw",
    }
