"""What `spanloop doctor` looks at. Each check takes what is known and returns findings."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spanloop_collector.client import ApiClient
from spanloop_collector.configuration.rules import LISTENERS, is_loopback, split_address
from spanloop_collector.configuration.values import mask_password, show_size
from spanloop_collector.settings import Settings
from spanloop_collector.words import counted

MAX_CLOCK_SKEW_SECONDS = 2.0
BACKLOG_WARNING_SECONDS = 30.0
BACKLOG_WARNING_SHARE = 0.5
LOW_DISK_FACTOR = 4
"""Free disk below this many times `spool.min_free_disk_bytes` is worth a warning."""
MIN_CLICKHOUSE_VERSION = (26, 7)
"""The oldest that was tried. Word indexes and settings of inserts are younger than 25; blocks of an insert are bounded
in bytes since 26.6."""
CONNECT_SECONDS = 2.0

Status = dict[str, Any]


class State(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What was looked at, in one or two words."""
    state: State
    """How it is."""
    text: str
    """What was seen."""
    advice: str = ""
    """What to do; empty when nothing."""


def check_collector(client: ApiClient, settings: Settings) -> list[Finding]:
    """Findings about the collector that answers."""
    asked = time.time()
    status = client.get("/v1/status")
    answered = time.time()
    return [
        Finding("collector", State.OK, f"{status.get('version', '?')} at {client.url}, up {_uptime(status)}"),
        *check_clock(status, asked=asked, answered=answered),
        *check_listeners(client, settings),
        *check_store(status),
        *check_spools(status),
        *check_disk(int(status.get("disk_free_bytes", 0)), settings),
        *(Finding("collector", State.WARNING, warning) for warning in status.get("warnings", [])),
    ]


def check_absent_collector(settings: Settings) -> list[Finding]:
    """Findings about what a collector would meet when started here."""
    return [
        *check_free_ports(settings),
        *check_engine(settings.store.clickhouse_url),
        *check_data_dir(settings.data_dir),
        *check_disk(shutil.disk_usage(_existing_parent(settings.data_dir)).free, settings),
    ]


def check_clock(status: Status, *, asked: float, answered: float) -> Iterator[Finding]:
    """The collector's clock against ours; half of the round trip is the best guess of the way there."""
    skew = int(status["now_unix_nano"]) / 1e9 - (asked + answered) / 2
    text = f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    if abs(skew) > MAX_CLOCK_SKEW_SECONDS + (answered - asked) / 2:
        yield Finding("clock", State.WARNING, text, "synchronise both clocks, or times in SQL will not match")
    else:
        yield Finding("clock", State.OK, "agrees with this machine's")


def check_listeners(client: ApiClient, settings: Settings) -> Iterator[Finding]:
    """Whether the receiving ports take connections; only those of a collector on this machine are known."""
    _, api_port = split_address("receive.api_address", settings.receive.api_address)
    host = client.url.partition("://")[2]
    if not host.endswith(f":{api_port}") or not is_loopback(host.rpartition(":")[0].strip("[]")):
        return
    for name in LISTENERS[:2]:
        host, port = split_address(f"receive.{name}", getattr(settings.receive, name))
        label = "OTLP/gRPC" if name == "grpc_address" else "OTLP/HTTP"
        if not port:
            continue
        if _accepts(host, port):
            yield Finding(label, State.OK, f"takes connections on {host}:{port}")
        else:
            yield Finding(
                label,
                State.FAILED,
                f"nothing listens on {host}:{port}",
                f"check receive.{name} and the collector's log",
            )


def check_free_ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports that a collector would listen on are free."""
    for name in LISTENERS:
        host, port = split_address(f"receive.{name}", getattr(settings.receive, name))
        variable = f"SPANLOOP_RECEIVE_{name.upper()}"
        if port and _accepts(host, port):
            yield Finding(
                "port",
                State.FAILED,
                f"{host}:{port} is taken by another program",
                f"stop it or set {variable}",
            )
        else:
            yield Finding("port", State.OK, f"{host}:{port} is free")


def check_engine(clickhouse_url: str) -> Iterator[Finding]:
    """Whether the ClickHouse that a collector would use is there."""
    if not clickhouse_url:
        yield Finding("ClickHouse", State.OK, f"{version('chdb')} (chdb) will be embedded")
        return
    shown = mask_password(clickhouse_url)
    parts = urlsplit(clickhouse_url)
    default_port = 8443 if parts.scheme == "https" else 8123
    if _accepts(parts.hostname or "", parts.port or default_port):
        yield Finding("ClickHouse", State.OK, f"takes connections at {shown}")
    else:
        advice = "check the server and SPANLOOP_CLICKHOUSE_URL"
        yield Finding("ClickHouse", State.FAILED, f"nothing listens at {shown}", advice)


def check_store(status: Status) -> Iterator[Finding]:
    """Whether ClickHouse answers, and is recent enough."""
    store = status.get("store", {})
    where = f"{'embedded in' if store.get('is_embedded') else 'at'} {store.get('address', '?')}"
    if not store.get("is_reachable"):
        advice = "spans are kept in the spool meanwhile; check the server, its address and password"
        yield Finding("ClickHouse", State.FAILED, f"{where} does not answer: {store.get('error', '')}", advice)
        return
    running = str(store.get("version", ""))
    text = f"{running} {where}, database {store.get('database', '?')}"
    if _version(running) < MIN_CLICKHOUSE_VERSION:
        wanted = ".".join(map(str, MIN_CLICKHOUSE_VERSION))
        yield Finding("ClickHouse", State.FAILED, text, f"upgrade ClickHouse to {wanted} or newer")
    else:
        yield Finding("ClickHouse", State.OK, text)


def check_spools(status: Status) -> Iterator[Finding]:
    """Whether what was acknowledged gets to ClickHouse, and what was refused there."""
    for spool in status.get("spools", []):
        yield check_backlog(spool)
    letters = sum(int(spool.get("dead_letters", 0)) for spool in status.get("spools", []))
    if letters:
        advice = "see why with `spanloop dead-letters list`, then `spanloop dead-letters replay` or `delete`"
        yield Finding("dead letters", State.WARNING, f"{counted(letters, 'request')} that ClickHouse refused", advice)
    else:
        yield Finding("dead letters", State.OK, "none")


def check_backlog(spool: Status) -> Finding:
    """One signal's spool."""
    waiting, bound = int(spool.get("bytes", 0)), int(spool.get("max_bytes", 0))
    age = float(spool.get("oldest_age_seconds", 0))
    subject = f"{spool.get('signal', '?')} spool"
    text = f"{_size(waiting)} of {_size(bound)} waiting, the oldest for {age:.0f} s" if waiting else "empty"
    if bound and waiting >= bound * 0.95:
        advice = "senders are told to try later; see ClickHouse above, or raise spool.max_bytes"
        return Finding(subject, State.FAILED, text, advice)
    if age > BACKLOG_WARNING_SECONDS or (bound and waiting > bound * BACKLOG_WARNING_SHARE):
        return Finding(subject, State.WARNING, text, "ClickHouse is slower than what arrives, or away")
    return Finding(subject, State.OK, text)


def check_disk(free: int, settings: Settings) -> Iterator[Finding]:
    """Whether there is room for spool and database."""
    bound = settings.spool.min_free_disk_bytes
    text = f"{_size(free)} free"
    if free <= bound:
        advice = f"free some: below {_size(bound)} (spool.min_free_disk_bytes) nothing is accepted"
        yield Finding("disk", State.FAILED, text, advice)
    elif free < bound * LOW_DISK_FACTOR:
        yield Finding("disk", State.WARNING, text, f"nothing is accepted below {_size(bound)}; free some")
    else:
        yield Finding("disk", State.OK, text)


def check_data_dir(path: Path) -> Iterator[Finding]:
    """Whether a collector could write there."""
    parent = _existing_parent(path)
    if os.access(parent, os.W_OK | os.X_OK):
        yield Finding("data", State.OK, f"{path} can be written")
    else:
        yield Finding("data", State.FAILED, f"{parent} is not writable", "set SPANLOOP_DATA_DIR to a folder that is")


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in (path, *path.absolute().parents) if parent.exists())


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def _size(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{show_size(count)} bytes"


def _uptime(status: Status) -> str:
    seconds = float(status.get("uptime_seconds", 0))
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
