"""Who is asking, and how far that reaches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from spanloop_collector.errors import PermissionDeniedError


class Scope(StrEnum):
    """What a key may do; `admin` includes the other two."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller behind a request, after its key was checked."""

    key_id: str
    """Public half of the key; empty when keys are off."""
    project: str
    """The one project this caller reaches; empty reaches every project."""
    scopes: frozenset[Scope]
    """What the caller may do there."""

    @classmethod
    def anonymous(cls) -> Principal:
        """The caller of a collector that runs without keys: may do everything, everywhere."""
        return cls(key_id="", project="", scopes=ALL_SCOPES)

    def may(self, scope: Scope) -> bool:
        """True when one of the caller's scopes covers `scope`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Raise PermissionDeniedError unless the caller has `scope`."""
        if not self.may(scope):
            held = ", ".join(sorted(self.scopes)) or "none"
            raise PermissionDeniedError(
                f"key {self.key_id} lacks the scope {scope.value!r} (it has: {held}); "
                f"create one with `spanloop keys create --scope {scope.value}`"
            )

    def require_project(self, project: str) -> None:
        """Raise PermissionDeniedError unless the caller reaches `project`."""
        if self.project and project != self.project:
            raise PermissionDeniedError(f"key {self.key_id} belongs to project {self.project!r}, not to {project!r}")
