"""Datasets: rows of input and expected output that evals run over.

    dataset = spanloop.init_dataset("support", "golden")
    dataset.insert(input="Where is my order?", expected="ask for the order number")
    for row in dataset:
        print(row["input"], row["expected"])

Rows come from the collector in pages, as the loop asks for them, so a dataset may be larger than memory.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spanloop._api import ApiClient, default_project
from spanloop._datasets.batch import Batch, Change, content_id
from spanloop._datasets.promote import PromoteJob, PromoteResult, promote, promote_job
from spanloop._datasets.summary import DatasetSummary, DatasetVersion, Diff
from spanloop._datasets.transform import TransformError
from spanloop._failsafe import log

__all__ = [
    "Dataset",
    "DatasetSummary",
    "DatasetVersion",
    "Diff",
    "PromoteJob",
    "PromoteResult",
    "Row",
    "TransformError",
    "init_dataset",
    "promote",
    "promote_job",
]

Row = dict[str, Any]
"""`id`, `input`, `expected`, `metadata`, `tags`, `created`, `_xact_id` (the version that made it what it is), and
`origin`, the row it was copied from, where there is one."""

PAGE_ROWS = 1_000

_waiting: set[Dataset] = set()
"""Datasets with rows that are not sent yet, kept alive until they are: a program may drop its last reference."""


def init_dataset(
    project: str | None = None,
    name: str | None = None,
    *,
    version: str | int | None = None,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    input_schema: Mapping[str, Any] | None = None,
    expected_schema: Mapping[str, Any] | None = None,
    api_url: str | None = None,
    api_key: str | None = None,
) -> Dataset:
    """A dataset by name; one that does not exist is made when it is first used.

    `version` is a version or the name of a snapshot: reading then always shows the rows as they were, and writing is
    refused. Schemas are JSON Schemas that rows must follow. Nothing is sent before the dataset is used.
    """
    if not name:
        raise ValueError("name: a dataset needs a name, as in spanloop.init_dataset('my project', 'golden')")
    made_with = {
        "description": description or "",
        "metadata": dict(metadata or {}),
        "tags": list(tags),
        "input_schema": input_schema,
        "expected_schema": expected_schema,
    }
    client = ApiClient(api_url, api_key=api_key)
    return Dataset(client, project or default_project(), name, version=version, made_with=made_with)


class Dataset:
    """The rows of one dataset; made by `init_dataset`. Safe to use from several threads."""

    def __init__(
        self,
        client: ApiClient,
        project: str,
        name: str,
        *,
        version: str | int | None = None,
        made_with: Mapping[str, Any] | None = None,
    ) -> None:
        self._client = client
        self._project = project
        self._name = name
        self._pinned = "" if version is None else str(version)
        self._made_with = made_with or {}
        # Protects `_found` and `_batch`.
        self._lock = threading.RLock()
        self._found: dict[str, Any] | None = None
        self._batch = Batch()
        self._new_records = 0

    def __repr__(self) -> str:
        at = f" at {self._pinned}" if self._pinned else ""
        return f"<Dataset {self._name!r} of project {self._project!r}{at}>"

    @property
    def name(self) -> str:
        """Unique in the project."""
        return self._name

    @property
    def project(self) -> str:
        """The project it belongs to."""
        return str(self._dataset()["project"])

    @property
    def id(self) -> str:
        """Stays the same when the dataset is renamed."""
        return str(self._dataset()["id"])

    @property
    def version(self) -> str:
        """The version that reading shows: the one asked for, or the newest; '' while nothing was ever written."""
        self.flush()
        if self._pinned.isdecimal():
            return self._pinned
        if self._pinned:
            return self._resolve_snapshot()
        return str(self._client.get(self._path())["dataset"]["version"])

    # ---- writing

    def insert(
        self,
        input: Any = None,
        *,
        expected: Any = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] | None = None,
        id: str | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> str:
        """Adds a row and returns its id. A row of the same id is replaced.

        Without an id, input and expected make one: the same row twice is one row. Rows are sent in batches; `flush`
        sends what waits.
        """
        row = {"input": input, "expected": expected, "metadata": metadata, "tags": tags, "origin": origin}
        present = {name: value for name, value in row.items() if value is not None}
        present["id"] = id or content_id(input, expected)
        self._add(Change("insert", present))
        self._new_records += 1
        return str(present["id"])

    def update(self, id: str, **fields: Any) -> str:
        """Merges `input`, `expected`, `metadata` or `tags` into a row: objects deeply, None clears. Returns the id."""
        unknown = fields.keys() - {"input", "expected", "metadata", "tags", "origin"}
        if unknown:
            raise TypeError(f"update() got an unexpected field {min(unknown)!r}")
        self._add(Change("update", {**fields, "id": id}))
        return id

    def delete(self, id: str) -> str:
        """Takes a row away; earlier versions keep it. Returns the id."""
        self._add(Change("delete", {"id": id}))
        return id

    def flush(self) -> None:
        """Sends what waits. Raises ApiError for rows that the collector refuses; the others are stored."""
        with self._lock:
            if self._batch:
                self._send()

    def close(self) -> str:
        """Sends what waits and closes the connection; returns the dataset's id."""
        self.flush()
        self._client.close()
        return self.id

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *error: object) -> None:
        self.flush()
        self._client.close()

    # ---- reading

    def __iter__(self) -> Iterator[Row]:
        return self.fetch()

    def fetch(self, batch_size: int = PAGE_ROWS) -> Iterator[Row]:
        """The rows, all of one version, read in pages of at most `batch_size`."""
        self.flush()
        version, cursor = self._pinned, ""
        while True:
            page = self._client.get(f"{self._path()}/rows", version=version, cursor=cursor, limit=str(batch_size))
            # What is written meanwhile does not show in the pages to come.
            version, cursor = page["version"], page["next_cursor"]
            yield from map(_row, page["rows"])
            if not cursor:
                return

    def get(self, id: str) -> Row | None:
        """The row of this id; None where there is none."""
        self.flush()
        rows = self._client.get(f"{self._path()}/rows", version=self._pinned, id=id)["rows"]
        return _row(rows[0]) if rows else None

    def summarize(self) -> DatasetSummary:
        """How many rows there are, and how many were inserted through this object."""
        self.flush()
        dataset = self._client.get(self._path())["dataset"]
        return DatasetSummary(
            project_name=dataset["project"],
            dataset_name=dataset["name"],
            total_records=dataset["row_count"],
            new_records=self._new_records,
            version=dataset["version"],
        )

    # ---- versions

    def versions(self, limit: int = 100) -> list[DatasetVersion]:
        """The newest changes, newest first."""
        self.flush()
        answer = self._client.get(f"{self._path()}/versions", limit=str(limit))
        return [DatasetVersion.read(version) for version in answer["versions"]]

    def snapshot(self, name: str, *, version: str | int | None = None, description: str = "") -> str:
        """Names a version, the newest without one; returns it. `init_dataset(…, version=name)` reads it."""
        self.flush()
        body = {"name": name, "version": str(version or self._pinned), "description": description}
        answer = self._client.post(f"{self._path()}/snapshots", body, is_idempotent=True)
        return str(answer["snapshot"]["version"])

    def diff(self, from_version: str | int, to_version: str | int | None = None, *, limit: int = 100) -> Diff:
        """What lies between two versions or snapshots; without `to_version` up to the newest."""
        self.flush()
        path = f"{self._path()}/diff"
        to = "" if to_version is None else str(to_version)
        return Diff.read(self._client.get(path, from_version=str(from_version), to_version=to, limit=str(limit)))

    def restore(self, version: str | int) -> str:
        """Makes the rows what they were at a version or snapshot, as a new version, which is returned."""
        self._refuse_pinned()
        self.flush()
        return str(self._client.post(f"{self._path()}/restore", {"version": str(version)})["version"])

    # ---- inside

    def _add(self, change: Change) -> None:
        self._refuse_pinned()
        with self._lock:
            self._batch.add(change)
            _waiting.add(self)
            if self._batch.is_full:
                self._send()

    def _send(self) -> None:
        try:
            self._batch.send(self._client, self._path())
        finally:
            if not self._batch:
                _waiting.discard(self)

    def _refuse_pinned(self) -> None:
        if self._pinned:
            raise ValueError(
                f"this dataset shows version {self._pinned!r}, which cannot change; open it without version= to write"
            )

    def _path(self) -> str:
        return f"/v1/datasets/{self.id}"

    def _dataset(self) -> dict[str, Any]:
        with self._lock:
            if self._found is None:
                self._found = self._find() or self._make()
            return self._found

    def _find(self) -> dict[str, Any] | None:
        # Looked for first: a key that may only read cannot make one.
        answer = self._client.get("/v1/datasets", project=self._project, name=self._name)
        found: list[dict[str, Any]] = answer["datasets"]
        if len(found) > 1:
            projects = ", ".join(sorted(each["project"] for each in found))
            raise ValueError(f"project: several projects have a dataset {self._name!r} ({projects}); name one")
        return found[0] if found else None

    def _make(self) -> dict[str, Any]:
        if self._pinned:
            raise LookupError(
                f"project {self._project!r} has no dataset {self._name!r}, so no version {self._pinned!r}"
            )
        body = {"project": self._project, "name": self._name, **self._made_with}
        made: dict[str, Any] = self._client.post("/v1/datasets", body, is_idempotent=True)["dataset"]
        return made

    def _resolve_snapshot(self) -> str:
        return str(self._client.get(f"{self._path()}/rows", version=self._pinned, limit="1")["version"])


def _row(row: Row) -> Row:
    shown = {name: row.get(name) for name in ("id", "input", "expected", "metadata", "tags", "created")}
    shown["metadata"] = shown["metadata"] or {}
    shown["_xact_id"] = row["version"]
    if row.get("origin"):
        shown["origin"] = row["origin"]
    return shown


@atexit.register
def _flush_all() -> None:
    """Sends what waits when the program ends; what cannot be sent is said in the log."""
    for dataset in list(_waiting):
        try:
            dataset.flush()
        except Exception as error:
            log.error("%r: rows were not stored: %s", dataset, error)
