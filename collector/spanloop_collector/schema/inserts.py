"""The statements that turn OTLP requests into rows, one for each signal.

A statement is an `INSERT … SELECT` over the requests: ClickHouse parses protobuf into nested columns, a few blocks at
a time, and maps each block while it is still in the processor's cache. Views behind a table that keeps nothing would
do the same, but each of them is analysed anew for every block, which takes as long as mapping a thousand spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from spanloop_collector.schema.fragments import render, settings_clause, sql_text
from spanloop_collector.schema.masking import Mask

FORMAT = "Protobuf"
"""Messages one behind the other, the length of each before it."""

ATTRIBUTES = "Array(Tuple(key LowCardinality(String), value String))"
STAMP = "Tuple(project LowCardinality(String), received_unix_nano UInt64, default_project LowCardinality(String))"
RESOURCE = f"resource Tuple(attributes {ATTRIBUTES})"
SCOPE = f"scope Tuple(name LowCardinality(String), version LowCardinality(String), attributes {ATTRIBUTES})"
EVENT = f"Tuple(time_unix_nano UInt64, name LowCardinality(String), attributes {ATTRIBUTES})"
LINK = f"Tuple(trace_id String, span_id String, trace_state String, attributes {ATTRIBUTES})"
SPAN = (
    "Tuple(trace_id String, span_id String, trace_state String, parent_span_id String, name LowCardinality(String), "
    f"kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {ATTRIBUTES}, "
    f"events Array({EVENT}), links Array({LINK}), status Tuple(message String, code Int32))"
)
LOG_RECORD = (
    "Tuple(time_unix_nano UInt64, observed_time_unix_nano UInt64, severity_number Int32, "
    f"severity_text LowCardinality(String), body String, attributes {ATTRIBUTES}, trace_id String, span_id String, "
    "event_name LowCardinality(String))"
)

LATE_INDEXES = {
    "exclude_materialize_skip_indexes_on_insert": (
        "by_trace_id, by_span_id, by_id, by_metadata, by_input_words, by_output_words, by_body_words"
    )
}
"""Indexes of rows are built when parts merge: on insert they would cost as much as everything else.

All but `by_received`, by which what has just come is found without reading what came before.
"""

SETTINGS = LATE_INDEXES | {
    # A block of requests is mapped while the cache still holds it, and the rows of all blocks are written as one part.
    "input_format_max_block_size_bytes": str(16 * 1024 * 1024),
    "min_insert_block_size_rows": str(2**40),
    "min_insert_block_size_bytes": str(2**40),
    # Merges and FINAL find older versions of a row; looking for them in each block costs a quarter of an insert.
    "optimize_on_insert": "0",
    # One thread each: inserts run side by side instead, and the same bytes are always the same block.
    "max_insert_threads": "1",
    "max_threads": "1",
    # Nothing of the plan gets better by them, and they are a third of what an insert costs before its first span.
    "query_plan_enable_optimizations": "0",
    "optimize_and_compare_chain": "0",
    # Compiling expressions takes longer than they run.
    "compile_expressions": "0",
}


@dataclass(frozen=True, slots=True)
class OtlpInsert:
    """How one signal is stored."""

    table: str
    """Where its rows go; the statement has the same name."""
    message: str
    """What a request is in otlp.proto."""
    structure: str
    """Its columns as ClickHouse reads them; names are those of otlp.proto."""


INSERTS = {
    "traces": OtlpInsert(
        "spans",
        "ExportTraceServiceRequest",
        f"resource_spans Array(Tuple({RESOURCE}, "
        f"scope_spans Array(Tuple({SCOPE}, spans Array({SPAN}))), stamp {STAMP}))",
    ),
    "logs": OtlpInsert(
        "log_records",
        "ExportLogsServiceRequest",
        f"resource_logs Array(Tuple({RESOURCE}, "
        f"scope_logs Array(Tuple({SCOPE}, log_records Array({LOG_RECORD}))), stamp {STAMP}))",
    ),
}
"""By signal."""


def from_body(insert: OtlpInsert, database: str, settings: Mapping[str, str], mask: Mask) -> str:
    """The statement for requests that follow behind it."""
    return f"{_statement(insert, database, f'input({sql_text(insert.structure)})', settings, mask)} FORMAT {FORMAT}\n"


def from_file(insert: OtlpInsert, database: str, settings: Mapping[str, str], mask: Mask, path: Path) -> str:
    """The statement for requests in a file that ClickHouse can open."""
    source = f"file({sql_text(str(path))}, {sql_text(FORMAT)}, {sql_text(insert.structure)})"
    return _statement(insert, database, source, settings, mask)


def otlp_schema() -> str:
    """The text of otlp.proto."""
    return (files(__package__) / "otlp.proto").read_text()


def _statement(insert: OtlpInsert, database: str, requests: str, settings: Mapping[str, str], mask: Mask) -> str:
    into, select = _rendered(insert.table, database, mask)
    return into + settings_clause(SETTINGS | dict(settings)) + select.replace("{requests}", requests)


@cache
def _rendered(table: str, database: str, mask: Mask) -> tuple[str, str]:
    """What stands before the settings and behind them; requests and settings differ from insert to insert."""
    text = (files(__package__) / "inserts" / f"{table}.sql").read_text()
    text = render(text, {"database": database, "requests": "{requests}", "settings": "{settings}"})
    into, _, select = text.partition("{settings}")
    return into, mask.around(table, select)
