"""A key as it is stored: everything but its secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from spanloop_collector.keys.principal import Principal, Scope


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One API key."""

    key_id: str
    """Public half of the key."""
    name: str
    """What its owner calls it."""
    project: str
    """The project it belongs to; empty reaches every project."""
    scopes: frozenset[Scope]
    """What it may do."""
    secret_sha256: str
    """Hex SHA-256 of its secret half."""
    created: datetime
    """When it was made, UTC."""
    is_revoked: bool = False
    """True once it was ended, for good."""

    def principal(self) -> Principal:
        """The caller who presents this key."""
        return Principal(key_id=self.key_id, project=self.project, scopes=self.scopes)
