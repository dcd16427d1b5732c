"""Datasets for the command line: found by name, written in batches over one connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spanloop._api import ApiClient as KeptOpenClient
from spanloop._api import ApiError as KeptOpenError

from spanloop_collector.client import ApiClient, ApiError, local_admin_key
from spanloop_collector.configuration.rules import is_loopback

BATCH_ROWS = 1_000
BATCH_CHARACTERS = 4 * 1024 * 1024
SHOWN_ERRORS = 5


def find_dataset(client: ApiClient, project: str, name: str) -> dict[str, Any]:
    """The dataset of this name; ApiError where there is none, or more than one."""
    parameters = {"name": name} | ({"project": project} if project else {})
    found: list[dict[str, Any]] = client.get("/v1/datasets", **parameters)["datasets"]
    if not found:
        where = f"project {project!r} has" if project else "there is"
        raise ApiError(f"{where} no dataset {name!r}; `spanloop datasets list` shows what there is")
    if len(found) > 1:
        projects = ", ".join(sorted(each["project"] for each in found))
        raise ApiError(f"several projects have a dataset {name!r} ({projects}); say which with --project")
    return found[0]


def make_dataset(client: ApiClient, project: str, name: str) -> dict[str, Any]:
    """The dataset of this name, made where there is none."""
    dataset: dict[str, Any] = client.post("/v1/datasets", {"project": project, "name": name})["dataset"]
    return dataset


@dataclass(slots=True)
class Imported:
    """What an import did so far."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: list[str] = field(default_factory=list)
    """The first faults."""


class RowConnection:
    """Reads and writes rows of one dataset over one kept-open connection."""

    def __init__(self, api_url: str, api_key: str | None, dataset_id: str) -> None:
        self._client = KeptOpenClient(api_url, api_key=api_key or local_key(api_url))
        self._path = f"/v1/datasets/{dataset_id}/rows"

    def write(self, rows: Iterable[tuple[Mapping[str, Any], str]]) -> Iterator[Imported]:
        """Writes rows, each with its place in the file; yields the counts after each batch."""
        done = Imported()
        for batch in _batches(rows):
            self._write_batch(batch, done)
            yield done

    def read(self, version: str) -> Iterator[dict[str, Any]]:
        """Every row at a version, page by page."""
        cursor = ""
        while True:
            try:
                page = self._client.get(self._path, version=version, cursor=cursor)
            except KeptOpenError as error:
                raise ApiError(str(error), status=error.status) from None
            version, cursor = page["version"], page["next_cursor"]
            yield from page["rows"]
            if not cursor:
                return

    def _write_batch(self, batch: list[tuple[Mapping[str, Any], str]], done: Imported) -> None:
        body = {"rows": [row for row, _ in batch], "operation": "import"}
        try:
            answer = self._client.post(self._path, body, is_idempotent=True)
        except KeptOpenError as error:
            # Not one row of the batch could be stored; the rest of the file may be better.
            if error.status != 400 or not error.field.startswith("rows["):
                raise ApiError(str(error), status=error.status) from None
            done.rejected += len(batch)
            done.errors += [f"{batch[0][1]}: {error}"][: SHOWN_ERRORS - len(done.errors)]
            return
        done.inserted += answer["inserted"]
        done.updated += answer["updated"]
        done.unchanged += answer["unchanged"]
        done.rejected += answer["rejected"]
        faults = [
            f"{where}: {result['error']}"
            for (_, where), result in zip(batch, answer["results"], strict=True)
            if result["error"]
        ]
        done.errors += faults[: SHOWN_ERRORS - len(done.errors)]


def local_key(api_url: str) -> str | None:
    """The key that a collector on this machine keeps, for a collector on this machine."""
    host = api_url.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
    return local_admin_key() if is_loopback(host) else None


def _batches(rows: Iterable[tuple[Mapping[str, Any], str]]) -> Iterator[list[tuple[Mapping[str, Any], str]]]:
    batch: list[tuple[Mapping[str, Any], str]] = []
    characters = 0
    for row, where in rows:
        batch.append((row, where))
        # A rough measure is enough to keep requests small.
        characters += len(json.dumps(row, default=str))
        if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
