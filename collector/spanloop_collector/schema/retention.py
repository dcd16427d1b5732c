"""How long rows are kept: the TTL of the tables that grow, brought in line with the setting at every start."""

from __future__ import annotations

from typing import Protocol

from spanloop_collector.schema.cluster import stored

EXPIRING = {"spans": " WHERE experiment_id = ''", "log_records": ""}
"""Tables whose rows expire, and which of their rows: experiments are permanent."""

RECOMPRESS = "toDateTime(received) + INTERVAL 10 MINUTE RECOMPRESS CODEC(ZSTD(3))"


class Database(Protocol):
    """What changing tables needs of a store."""

    @property
    def database(self) -> str:
        """Name of the database that holds our tables."""

    @property
    def cluster(self) -> str:
        """Name of the cluster, '' for one server."""

    def command(self, sql: str) -> object:
        """Run one statement."""

    def column(self, sql: str) -> list[str]:
        """The first column of a query's result."""


def apply_retention(store: Database, days: int, *, on_cluster: str) -> None:
    """Rows are dropped so many days after they were received; 0 keeps them for good.

    Counted from receipt, not from the span's own time: a clock that is decades off must not make rows vanish.
    """
    for name, condition in EXPIRING.items():
        table = stored(name, store.cluster)
        (definition,) = store.column(
            f"SELECT engine_full FROM system.tables WHERE database = '{store.database}' AND name = '{table}'"
        )
        if days and f"toIntervalDay({days})" in definition:
            continue
        if not days and "toIntervalDay(" not in definition:
            continue
        drop = f", toDateTime(received) + INTERVAL {days} DAY DELETE{condition}" if days else ""
        store.command(f"ALTER TABLE {store.database}.{table} {on_cluster} MODIFY TTL {RECOMPRESS}{drop}")
