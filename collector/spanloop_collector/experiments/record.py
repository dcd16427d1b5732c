"""An experiment as it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spanloop.v1 import experiments_pb2

from spanloop_collector.api.json_codec import write_json


@dataclass(frozen=True, slots=True)
class Experiment:
    """One version of an experiment; the newest counts."""

    id: str
    project: str
    name: str
    created: datetime
    description: str = ""
    finished: datetime | None = None
    """None while rows may still come."""
    base_id: str = ""
    """Experiment somebody chose to compare with; empty leaves it to git and time."""
    dataset_id: str = ""
    dataset_version: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    repo_info: Mapping[str, Any] = field(default_factory=dict)
    commit: str = ""
    ancestors: tuple[str, ...] = ()
    """Commits that came before, the nearest first."""

    def message(self) -> experiments_pb2.Experiment:
        """The experiment as the API shows it."""
        return experiments_pb2.Experiment(
            id=self.id,
            project=self.project,
            name=self.name,
            description=self.description,
            created=self.created.isoformat(),
            finished=self.finished.isoformat() if self.finished else "",
            base_id=self.base_id,
            dataset_id=self.dataset_id,
            dataset_version=self.dataset_version,
            metadata=write_json(dict(self.metadata)),
            tags=self.tags,
            repo_info=write_json(dict(self.repo_info)),
        )
