"""What must hold between settings before the collector may start. Every refusal names the fix."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from spanloop_collector.errors import ConfigError
from spanloop_collector.playground.endpoints import parse_endpoints
from spanloop_collector.schema.masking import Mask
from spanloop_collector.settings import Settings, StoreSettings

MAY_BE_ZERO = frozenset({"score.workers", "playground.max_runs", "store.retention_days", "spool.min_free_disk_bytes"})
MAX_MESSAGE_BYTES = 2**31 - 1
"""gRPC counts message bytes in a signed 32-bit integer."""
MIN_SEGMENT_BYTES = 64 * 1024
MIN_STORE_MEMORY_BYTES = 256 * 1024 * 1024
MAX_MASK_CHARACTERS = 200_000
"""ClickHouse reads statements of up to 256 KiB."""
LISTENERS = ("grpc_address", "http_address", "api_address")


def check_rules(settings: Settings) -> None:
    """Returns when the settings fit together.

    Raises:
        ConfigError: naming the setting, the value seen and what would be right.
    """
    _check_numbers(settings)
    _check_listeners(settings)
    _check_exposure(settings)
    _check_tls(settings)
    _check_sizes(settings)
    _check_store(settings)
    parse_endpoints(settings.playground.endpoints)


def split_address(key: str, address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[ipv6]:port`."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^:\[\]]+)):(\d{1,5})", address)
    if match is None or int(match[3]) > 65535:
        raise ConfigError(f"{key} is {address!r}; expected host:port such as 127.0.0.1:4317")
    return match[1] or match[2], int(match[3])


def is_loopback(host: str) -> bool:
    """The host can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_numbers(settings: Settings) -> None:
    for group in ("receive", "spool", "write", "store", "query", "webhooks", "attachments", "score", "playground"):
        values = getattr(settings, group)
        for name in values.__dataclass_fields__:
            value, key = getattr(values, name), f"{group}.{name}"
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if value < 0 or (value == 0 and key not in MAY_BE_ZERO):
                raise ConfigError(f"{key} is {value}; it must be {'0 or ' if key in MAY_BE_ZERO else ''}positive")


def _check_listeners(settings: Settings) -> None:
    seen: dict[tuple[str, int], str] = {}
    for name in LISTENERS:
        key = f"receive.{name}"
        host, port = split_address(key, getattr(settings.receive, name))
        if port and (host, port) in seen:
            raise ConfigError(f"{key} is {host}:{port}, as is {seen[host, port]}; give each its own port")
        seen[host, port] = key


def _check_exposure(settings: Settings) -> None:
    if settings.auth.require_keys or settings.auth.insecure:
        return
    for name in LISTENERS:
        key = f"receive.{name}"
        address = getattr(settings.receive, name)
        host, _ = split_address(key, address)
        if not is_loopback(host):
            raise ConfigError(
                f"{key} is {address}, which other machines can reach, and keys are off; "
                "set auth.require_keys (SPANLOOP_REQUIRE_KEYS=true), or auth.insecure "
                "(SPANLOOP_INSECURE=true) if everyone on that network may read and write"
            )


def _check_tls(settings: Settings) -> None:
    auth = settings.auth
    if auth.tls_certificate and not auth.tls_key:
        raise ConfigError("auth.tls_certificate is set without auth.tls_key; set both, or neither for plain text")
    if auth.tls_key and not auth.tls_certificate:
        raise ConfigError("auth.tls_key is set without auth.tls_certificate; set both, or neither for plain text")
    if auth.tls_client_ca and not auth.tls_certificate:
        raise ConfigError("auth.tls_client_ca needs TLS: set auth.tls_certificate and auth.tls_key too")
    for name in ("tls_certificate", "tls_key", "tls_client_ca"):
        _check_readable(f"auth.{name}", getattr(auth, name))


def _check_readable(key: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"{key} is {path}, which cannot be read: {error.strerror}") from None


def _check_sizes(settings: Settings) -> None:
    receive, spool = settings.receive, settings.spool
    if receive.max_message_bytes > MAX_MESSAGE_BYTES:
        raise ConfigError(
            f"receive.max_message_bytes is {receive.max_message_bytes}; gRPC carries at most {MAX_MESSAGE_BYTES}"
        )
    if spool.segment_bytes < MIN_SEGMENT_BYTES:
        raise ConfigError(f"spool.segment_bytes is {spool.segment_bytes}; it must be at least {MIN_SEGMENT_BYTES}")
    for key, size in (
        ("spool.segment_bytes", spool.segment_bytes),
        ("receive.max_message_bytes", receive.max_message_bytes),
    ):
        if size > spool.max_bytes:
            raise ConfigError(f"{key} is {size}, more than spool.max_bytes ({spool.max_bytes}); raise spool.max_bytes")


def _check_store(settings: Settings) -> None:
    store = settings.store
    if not settings.receive.default_project:
        raise ConfigError("receive.default_project is empty; name the project of spans that name none")
    if not re.fullmatch(r"[A-Za-z_]\w{0,62}", store.database, re.ASCII):
        raise ConfigError(f"store.database is {store.database!r}; expected letters, digits and underscores")
    if store.cluster and not store.clickhouse_url:
        raise ConfigError("store.cluster needs a ClickHouse server: set store.clickhouse_url (SPANLOOP_CLICKHOUSE_URL)")
    if not store.clickhouse_url and store.max_memory_bytes < MIN_STORE_MEMORY_BYTES:
        raise ConfigError(
            f"store.max_memory_bytes is {store.max_memory_bytes}; the embedded engine needs {MIN_STORE_MEMORY_BYTES}"
        )
    if store.clickhouse_url:
        _check_clickhouse_url(store.clickhouse_url)
    _check_masks(store)


def _check_masks(store: StoreSettings) -> None:
    mask = Mask.read(store.mask_keys, store.mask_patterns)
    for key in mask.keys:
        if not all(key.split(".")):
            raise ConfigError(f"store.mask_keys has {key!r}; expected names such as password, or user.email")
    size = len(mask.around("spans", ""))
    if size > MAX_MASK_CHARACTERS:
        raise ConfigError(
            f"store.mask_keys and store.mask_patterns make {size} characters of SQL; at most {MAX_MASK_CHARACTERS} fit "
            "into an insert. Each parent before a dot takes 10,000: name keys without it, or parents alone"
        )


def _check_clickhouse_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ConfigError(
            "store.clickhouse_url (SPANLOOP_CLICKHOUSE_URL) is not of the form http[s]://user:password@host:port"
        )
