"""The first key: made at the first start with keys on, for the command line on the same machine.

To replace it, revoke it, delete `admin.key` and start the collector again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from spanloop_collector.errors import ConfigError
from spanloop_collector.keys.cache import write_private_file
from spanloop_collector.keys.keyring import KeyRing, utc_now
from spanloop_collector.keys.principal import Scope
from spanloop_collector.keys.record import KeyRecord
from spanloop_collector.keys.secret import KeyText, hash_secret, mint_key, parse_key

FILE_NAME = "admin.key"

logger = logging.getLogger(__name__)


def ensure_admin_key(ring: KeyRing, data_dir: Path, *, now: Callable[[], datetime] = utc_now) -> Path:
    """Path of this collector's admin key, which the ring knows from now on."""
    path = data_dir / FILE_NAME
    text = read_admin_key(data_dir)
    if text is None:
        text = mint_key()
        write_private_file(path, f"{text}\n")
        logger.info("keys: made the admin key key_id=%s file=%s", text.key_id, path)
    ring.add_own(_admin_record(text, created=now()))
    return path


def read_admin_key(data_dir: Path) -> KeyText | None:
    """The admin key of a collector on this machine; None when it has none."""
    path = data_dir / FILE_NAME
    try:
        content = path.read_text()
    except FileNotFoundError:
        return None
    text = parse_key(content)
    if text is None:
        raise ConfigError(f"{path} does not hold an API key; delete it and a new one is made at the next start")
    return text


def _admin_record(text: KeyText, *, created: datetime) -> KeyRecord:
    return KeyRecord(
        key_id=text.key_id,
        name="admin of this collector",
        project="",
        scopes=frozenset({Scope.ADMIN}),
        secret_sha256=hash_secret(text.secret),
        created=created,
    )
