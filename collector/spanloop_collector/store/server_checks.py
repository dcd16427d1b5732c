"""What is wrong with how a ClickHouse server is set up, as far as it would hurt later."""

from __future__ import annotations

import time
from typing import Any, Protocol

LEAST_FREE_SHARE = 0.1
"""Of a disk; merges need room for a second copy of what they merge."""
MAX_CLOCK_SKEW_SECONDS = 2.0

UNBOUNDED_LOGS = """
SELECT name FROM system.tables
WHERE database = 'system' AND endsWith(name, '_log') AND engine LIKE '%MergeTree' AND position(engine_full, ' TTL ') = 0
ORDER BY name
"""
DISKS = "SELECT name, free_space / total_space FROM system.disks WHERE total_space > 0 ORDER BY name"
CLOCK = "SELECT toUnixTimestamp64Micro(now64(6)) / 1e6"


class Server(Protocol):
    """The store, as far as it is asked about itself."""

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


def server_warnings(server: Server) -> list[str]:
    """One line for each thing that the operator should change. Blocks; raises clickhouse-connect's errors."""
    return [*_logs(server), *_disks(server), *_clock(server)]


def _logs(server: Server) -> list[str]:
    names = [name for (name,) in server.query(UNBOUNDED_LOGS).result_rows]
    if not names:
        return []
    return [
        f"ClickHouse keeps its own {', '.join(names)} for good, which can fill its disk; "
        "give them a TTL or switch them off as deploy/clickhouse/config.d/spanloop.xml does"
    ]


def _disks(server: Server) -> list[str]:
    return [
        f"ClickHouse's disk {name} is {100 * (1 - free):.0f} % full; free some or set store.retention_days"
        for name, free in server.query(DISKS).result_rows
        if free < LEAST_FREE_SHARE
    ]


def _clock(server: Server) -> list[str]:
    asked = time.time()
    ((clock,),) = server.query(CLOCK).result_rows
    answered = time.time()
    skew = clock - (asked + answered) / 2
    if abs(skew) < MAX_CLOCK_SKEW_SECONDS + (answered - asked) / 2:
        return []
    direction = "ahead of" if skew > 0 else "behind"
    return [f"ClickHouse's clock is {abs(skew):.0f} s {direction} the collector's; synchronise both"]
