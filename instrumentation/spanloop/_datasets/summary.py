"""What is said about a dataset and its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spanloop._words import counted


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A dataset in numbers."""

    project_name: str
    dataset_name: str
    total_records: int
    """Rows at the newest version."""
    new_records: int
    """Rows inserted through the object that was asked."""
    version: str
    """The newest version."""

    def __str__(self) -> str:
        rows = counted(self.total_records, "row")
        return f"{self.dataset_name} ({self.project_name}): {rows}, {self.new_records:,} inserted here"


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One change of a dataset."""

    version: str
    created: str
    """RFC 3339."""
    operation: str
    """insert, update, delete, promote, restore, import or recover."""
    inserted: int
    updated: int
    deleted: int
    snapshots: tuple[str, ...]
    """Names given to this version."""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> DatasetVersion:
        """From the collector's answer."""
        return cls(
            version=answer["version"],
            created=answer["created"],
            operation=answer["operation"],
            inserted=answer["inserted"],
            updated=answer["updated"],
            deleted=answer["deleted"],
            snapshots=tuple(answer["snapshots"]),
        )


@dataclass(frozen=True, slots=True)
class Diff:
    """What lies between two versions."""

    added: int
    removed: int
    changed: int
    rows: tuple[Mapping[str, Any], ...]
    """The first of them by id: `id`, `change` (added, removed or changed), `fields`, `before`, `after`."""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Diff:
        """From the collector's answer."""
        return cls(answer["added"], answer["removed"], answer["changed"], tuple(answer["rows"]))
