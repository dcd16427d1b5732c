"""Promotion jobs, their rows and steps of lineage as the API shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from spanloop.v1 import promote_pb2 as pb

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.datasets.answers import stored_row_message
from spanloop_collector.promote.jobs import Job
from spanloop_collector.promote.lineage import Step


def source_row(row: dict[str, Any]) -> pb.PromoteSourceRow:
    return pb.PromoteSourceRow(
        row=stored_row_message(row),
        output=row["output"] or "null",
        name=row["name"],
        type=row["type"],
        error=row["error"],
        scores=write_json(row["scores"]),
        metrics=write_json(row["metrics"]),
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        created=row["source_created_text"].replace(" ", "T") + "Z",
    )


def job_message(job: Job) -> pb.PromoteJob:
    return pb.PromoteJob(
        id=job.id,
        project=job.project,
        dataset_id=job.dataset_id,
        state=job.state,
        total=job.total,
        done=job.done,
        written=job.written,
        created=_time(job.created_ms),
        updated=_time(job.updated_ms),
    )


def step_message(step: Step, names: dict[str, str]) -> pb.LineageStep:
    return pb.LineageStep(
        from_type=step.from_type,
        from_object_id=step.from_object_id,
        from_id=step.from_id,
        from_version=step.from_version,
        to_type=step.to_type,
        to_object_id=step.to_object_id,
        to_id=step.to_id,
        to_version=step.to_version,
        from_name=names.get(step.from_object_id, ""),
        to_name=names.get(step.to_object_id, ""),
    )


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
