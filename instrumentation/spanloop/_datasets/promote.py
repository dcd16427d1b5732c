"""Promotion: rows of production and of experiments become rows of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from spanloop._api import ApiClient, default_project
from spanloop._datasets.batch import MAX_ROWS, Row
from spanloop._datasets.transform import Transform, TransformError, as_transform

PROMOTE_SECONDS = 3600.0
PAGE_ROWS = 100

JobProgress = Callable[["PromoteJob"], None]


@dataclass(frozen=True, slots=True)
class PromoteResult:
    """What a promotion did, or would do."""

    dataset: str
    """Name of the dataset."""
    matched: int
    """Rows that the source has, those already in the dataset included."""
    inserted: int
    """Rows written; for a dry run rows that would be."""
    updated: int
    """Rows rewritten because their source says something else now."""
    rejected: int
    """Rows that the dataset's schemas refuse."""
    version: str
    """Version that this made; empty where nothing changed."""
    rows: tuple[Row, ...] = ()
    """For a dry run, the first rows as they would be."""
    errors: tuple[str, ...] = ()
    """The first faults of refused rows."""


@dataclass(frozen=True, slots=True)
class PromoteJob:
    """A promotion whose rows go through a Python function, and how far it is."""

    id: str
    project: str
    dataset_id: str
    state: str
    """waiting or done."""
    total: int
    """Rows that the source had when the job was made."""
    done: int
    """Rows that went through the function."""
    written: int
    """Dataset rows that came of them."""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> PromoteJob:
        """From the collector's answer."""
        return cls(**{name: answer[name] for name in cls.__slots__})


def promote(
    dataset: str = "",
    *,
    where: str = "",
    project: str | None = None,
    source: str = "logs",
    root_only: bool = False,
    fields: Mapping[str, str] | None = None,
    deduplicate: str = "origin",
    update: bool = False,
    limit: int = 0,
    sample_rate: float | None = None,
    group_by: str = "",
    per_group: int = 0,
    seed: str = "",
    dry_run: bool = False,
    api_url: str | None = None,
    api_key: str | None = None,
) -> PromoteResult:
    """Copies rows of logs, traces, eval_rows or dataset_rows into a dataset, inside the collector's ClickHouse.

        spanloop.promote("hard", where="mapContains(scores, 'Factuality') AND scores['Factuality'] < 0.5", limit=200)

    `where` is a SQL condition on the source. `fields` maps fields of the dataset row (input, expected, metadata,
    metadata.KEY, tags, id) to SQL expressions; without one, expected is the row's expected value or else its output.
    The same promotion again copies nothing twice. `spanloop.promote_job` sends rows through a Python function.
    """
    request = _request(**{name: value for name, value in locals().items() if name not in ("api_url", "api_key")})
    client = ApiClient(api_url, api_key=api_key)
    try:
        answer = client.post("/v1/promote", request, is_idempotent=True, timeout=PROMOTE_SECONDS)
    finally:
        client.close()
    counts = {name: answer[name] for name in ("matched", "inserted", "updated", "rejected", "version")}
    return PromoteResult(dataset=dataset, **counts, rows=tuple(answer["rows"]), errors=tuple(answer["errors"]))


def promote_job(
    transform: Callable[..., Any],
    dataset: str = "",
    *,
    resume: str = "",
    concurrency: int = 1,
    on_progress: JobProgress | None = None,
    where: str = "",
    project: str | None = None,
    source: str = "logs",
    root_only: bool = False,
    fields: Mapping[str, str] | None = None,
    update: bool = False,
    limit: int = 0,
    sample_rate: float | None = None,
    group_by: str = "",
    per_group: int = 0,
    seed: str = "",
    api_url: str | None = None,
    api_key: str | None = None,
) -> PromoteJob:
    """Promotes rows through a Python function, which makes none, one or many dataset rows of each.

        def split(input, output):
            return [{"input": turn, "expected": output} for turn in input["turns"]]

        spanloop.promote_job(split, "turns", where="name = 'chat'")

    The function takes what it names: id, input, output, expected, metadata, tags, scores, metrics, name, type, error,
    trace_id, span_id, created or origin, or the whole `row`. It may be called from `concurrency` threads. What was
    done is kept on the collector: after a failure or an interruption, `resume=` with the job's id goes on there.
    """
    given = {name: value for name, value in locals().items() if name not in _OWN_ARGUMENTS}
    client = ApiClient(api_url, api_key=api_key)
    try:
        path = f"/v1/promote/jobs/{resume}"
        answer = (
            client.get(path) if resume else client.post("/v1/promote/jobs", _request(**given), timeout=PROMOTE_SECONDS)
        )
        job = PromoteJob.read(answer["job"])
        return _run(client, job, as_transform(transform), concurrency, on_progress or (lambda job: None))
    finally:
        client.close()


_OWN_ARGUMENTS = ("transform", "resume", "concurrency", "on_progress", "api_url", "api_key")


def _request(*, dataset: str, project: str | None, fields: Mapping[str, str] | None, **given: Any) -> dict[str, Any]:
    if not dataset:
        raise ValueError("dataset: say which dataset the rows go to, as in spanloop.promote('golden', where=…)")
    if given["sample_rate"] is None:
        del given["sample_rate"]
    return {"dataset": dataset, "project": project or default_project(), "fields": dict(fields or {}), **given}


def _run(
    client: ApiClient, job: PromoteJob, transform: Transform, concurrency: int, on_progress: JobProgress
) -> PromoteJob:
    on_progress(job)
    with ThreadPoolExecutor(max(concurrency, 1), thread_name_prefix="spanloop-promote") as threads:
        while job.state != "done":
            page = client.get(f"/v1/promote/jobs/{job.id}/rows", limit=str(PAGE_ROWS))
            try:
                made = [row for rows in threads.map(transform, page["rows"]) for row in rows]
            except TransformError as error:
                raise TransformError(f"{error}; fix it and go on with resume={job.id!r}") from error.__cause__
            job = _write(client, job, page["done"], made)
            on_progress(job)
    return job


def _write(client: ApiClient, job: PromoteJob, done: int, rows: list[Row]) -> PromoteJob:
    """Sends what was made; the last request says that the page is done."""
    while len(rows) > MAX_ROWS:
        _send(client, job, job.done, rows[:MAX_ROWS])
        rows = rows[MAX_ROWS:]
    return _send(client, job, done, rows)


def _send(client: ApiClient, job: PromoteJob, done: int, rows: list[Row]) -> PromoteJob:
    answer = client.post(f"/v1/promote/jobs/{job.id}/rows", {"done": done, "rows": rows}, is_idempotent=True)
    refused = [f"row {result['id']!r}: {result['error']}" for result in answer["results"] if result["error"]]
    if refused:
        raise TransformError(f"the dataset refuses what the function made: {refused[0]} ({len(refused)} in all)")
    return PromoteJob.read(answer["job"])
