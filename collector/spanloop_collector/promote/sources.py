"""Where promoted rows come from: what each source is called, how its rows are told apart, what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spanloop_collector.schema.fragments import NUMBER_MAP

LOGS_COLUMNS = {
    "output": "output",
    "name": "name",
    "type": "type",
    "error": "error",
    "scores": "scores",
    "metrics": "metrics",
    "trace_id": "trace_id",
    "span_id": "span_id",
    "source_created": "created",
}
NO_SCORES = f"CAST(map(), '{NUMBER_MAP}')"


@dataclass(frozen=True, slots=True)
class Source:
    """A view that rows are copied from."""

    view: str
    object_type: str
    """What `origin` calls it."""
    object_id: str
    """SQL for the project, dataset or experiment that the row belongs to."""
    key: str
    """SQL that tells the source's rows apart."""
    id: str = "id"
    """SQL for the row's id in its object."""
    expected: str = "if(expected != '', expected, output)"
    """SQL for the default of `expected`: what was said to be right, else what came out."""
    origin_facts: Mapping[str, str] = field(default_factory=dict)
    """Members of `origin` beside type, object and id: name → SQL for a text."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """SQL for what a transform sees beside the mapped fields; those of LOGS_COLUMNS."""
    has_roots: bool = True
    """Whether it has `is_root`."""
    always_joined: bool = False
    """Whether each row comes with what the other spans of its trace say."""
    has_corrections: bool = False
    """Whether what reviewers said is kept beside the rows, and not in them."""


_SPAN_FACTS = {"trace_id": "trace_id", "span_id": "span_id", "created": "toString(created)"}

SOURCES = {
    "logs": Source(
        view="logs",
        object_type="project_logs",
        object_id="project",
        key="id",
        origin_facts=_SPAN_FACTS,
        columns=LOGS_COLUMNS,
    ),
    "traces": Source(
        view="traces",
        object_type="project_logs",
        object_id="project",
        key="trace_id",
        origin_facts={"trace_id": "trace_id", "span_id": "root_span_id", "created": "toString(created)"},
        columns=LOGS_COLUMNS
        | {
            "type": "'task'",
            "span_id": "root_span_id",
            "metrics": f"CAST(map('duration', duration, 'tokens', tokens, 'cost', cost), '{NUMBER_MAP}')",
        },
        has_roots=False,
        always_joined=True,
    ),
    "eval_rows": Source(
        view="eval_rows",
        object_type="experiment",
        object_id="experiment_id",
        key="concat(experiment_id, '/', id)",
        expected="multiIf(correction != '', correction, expected != '', expected, output)",
        has_corrections=True,
        origin_facts=_SPAN_FACTS,
        columns=LOGS_COLUMNS,
    ),
    "dataset_rows": Source(
        view="dataset_rows",
        object_type="dataset",
        object_id="dataset_id",
        key="concat(dataset_id, '/', id)",
        expected="expected",
        origin_facts={"_xact_id": "toString(version)", "created": "toString(created)"},
        columns={
            "output": "''",
            "name": "dataset",
            "type": "''",
            "error": "''",
            "scores": NO_SCORES,
            "metrics": NO_SCORES,
            "trace_id": "''",
            "span_id": "''",
            "source_created": "created",
        },
        has_roots=False,
    ),
}

# Rows of experiments stay what the run made them.
CORRECTIONS = """
SELECT object_id AS corrected_object_id, row_id AS corrected_id, expected AS correction
FROM corrections
WHERE source = '{view}'
"""

# What the other spans of a row's trace took in and gave out, by span name; of several spans of a name the last.
TRACE_MAPS = """
SELECT
    trace_id AS joined_trace_id,
    CAST((groupArray(span_name), groupArray(span_output)), 'Map(String, String)') AS outputs,
    CAST((groupArray(span_name), groupArray(span_input)), 'Map(String, String)') AS inputs,
    anyIf(span_expected, is_root_span) AS expected,
    anyIf(span_metadata_json, is_root_span) AS metadata_json,
    anyIf(span_span_id, is_root_span) AS root_span_id
FROM
(
    SELECT
        trace_id,
        toString(name) AS span_name,
        argMax(output, created) AS span_output,
        argMax(input, created) AS span_input,
        anyIf(expected, is_root) AS span_expected,
        anyIf(metadata_json, is_root) AS span_metadata_json,
        anyIf(span_id, is_root) AS span_span_id,
        max(is_root) AS is_root_span
    FROM {view}
    WHERE {condition}
    GROUP BY trace_id, name
)
GROUP BY trace_id
"""
