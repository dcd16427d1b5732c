"""A copy of the keys beside the spool, so that senders are recognised while ClickHouse is away."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from spanloop_collector.keys.record import KeyRecord
from spanloop_collector.keys.table import known_scopes

FILE_NAME = "keys.json"

logger = logging.getLogger(__name__)


class KeyCache:
    """The file `keys.json` in the data directory; hashes only, readable by its owner alone."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME

    def read(self) -> list[KeyRecord]:
        """The keys as last written; none when there is no readable file."""
        try:
            return [_decode(item) for item in json.loads(self._path.read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("keys: cannot read %s, waiting for ClickHouse instead error=%s", self._path, error)
            return []

    def write(self, records: Iterable[KeyRecord]) -> None:
        """Replaces the file in one step."""
        text = json.dumps([_encode(record) for record in records], indent=1)
        write_private_file(self._path, text)


def write_private_file(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    # Left over from a crash; opening it again would keep the mode it has.
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _encode(record: KeyRecord) -> dict[str, Any]:
    return {
        "key_id": record.key_id,
        "name": record.name,
        "project": record.project,
        "scopes": sorted(record.scopes),
        "secret_sha256": record.secret_sha256,
        "created": record.created.isoformat(),
        "is_revoked": record.is_revoked,
    }


def _decode(item: dict[str, Any]) -> KeyRecord:
    return KeyRecord(
        key_id=item["key_id"],
        name=item["name"],
        project=item["project"],
        scopes=known_scopes(item["scopes"]),
        secret_sha256=item["secret_sha256"],
        created=datetime.fromisoformat(item["created"]),
        is_revoked=item["is_revoked"],
    )
