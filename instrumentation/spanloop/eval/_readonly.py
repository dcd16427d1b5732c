"""Experiments to look at: their rows, also as the cases of another eval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spanloop._api import ApiClient
from spanloop.eval._remote import Experiments


class Described:
    """What an experiment is called."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found

    @property
    def id(self) -> str:
        """Stays the same."""
        return str(self.found["id"])

    @property
    def name(self) -> str:
        """Unique in the project."""
        return str(self.found["name"])

    @property
    def project(self) -> str:
        """The project it belongs to."""
        return str(self.found["project"])


class ReadonlyExperiment(Described):
    """Rows of an experiment, to look at or to use as cases."""

    def __init__(self, client: ApiClient, project: str, experiment: str) -> None:
        self._experiments = Experiments(client)
        super().__init__(self._experiments.get(experiment, project)["experiment"])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._experiments.cases(self.id, self.project)

    def fetch(self) -> Iterator[dict[str, Any]]:
        """The rows: id, input, output, expected, scores, metadata, tags, error, and a reviewer's correction, if any."""
        return iter(self)

    def as_dataset(self) -> Iterator[dict[str, Any]]:
        """The rows as cases. Expected is what a reviewer said, or what was expected then, or else what came out."""
        for row in self:
            expected = row["expected"] if row["expected"] is not None else row["output"]
            yield {
                "input": row["input"],
                "expected": row.get("correction", expected),
                "metadata": row["metadata"],
                "tags": row["tags"],
                "origin": {"object_type": "experiment", "object_id": self.id, "id": row["id"]},
            }
