"""The same tables on a cluster: each node keeps its part in `<table>_local`, and `<table>` reads and fills all of them.

Rows of one trace lie on one shard: the versions of a span meet there, whichever collectors they came through, and a
batch that is sent again is recognised by its token wherever it enters. The other tables are small and lie on the
first shard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LOCAL = "_local"
"""What the names of tables that hold a node's rows end in."""

SHARDED_BY_TRACE = frozenset({"spans", "log_records", "online_scores"})

_CREATE = re.compile(r"CREATE TABLE IF NOT EXISTS (?P<database>\w+)\.(?P<table>\w+) (?P<on_cluster>ON CLUSTER '\w+')")
_ALTER = re.compile(r"ALTER TABLE \w+\.\w+(?= ON CLUSTER)")


def on_cluster(cluster: str) -> str:
    """The clause with which a statement runs on every node; '' where there is one server."""
    return f"ON CLUSTER '{cluster}'" if cluster else ""


def stored(table: str, cluster: str) -> str:
    """The table that holds rows on each node: what DELETE, TTL and merges are about."""
    return f"{table}{LOCAL}" if cluster else table


def system_table(name: str, cluster: str) -> str:
    """SQL for a table of `system` as every node has it."""
    return f"clusterAllReplicas('{cluster}', system.{name})" if cluster else f"system.{name}"


def statements(statement: str, cluster: str) -> Iterator[str]:
    """What makes the statement true of a cluster: tables that hold rows are made in pairs, and so are their columns."""
    created = _CREATE.search(statement)
    if cluster and created and "MergeTree" in statement:
        database, table, clause = created.group("database", "table", "on_cluster")
        local = stored(table, cluster)
        shard = "cityHash64(trace_id)" if table in SHARDED_BY_TRACE else "0"
        yield statement.replace(f"{database}.{table} ", f"{database}.{local} ", 1)
        yield (
            f"CREATE TABLE IF NOT EXISTS {database}.{table} {clause} AS {database}.{local} "
            f"ENGINE = Distributed('{cluster}', '{database}', '{local}', {shard})"
        )
    elif cluster and (altered := _ALTER.search(statement)):
        yield statement.replace(altered.group(), stored(altered.group(), cluster), 1)
        if " COLUMN " in statement:
            yield statement
    else:
        yield statement
