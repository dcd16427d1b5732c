"""Brings a ClickHouse database to the schema this version of the collector needs.

`migrations/` holds numbered changes, each run once and recorded; `views/` holds definitions that may change with
every version and are put in place at every start. Both are safe to run twice, from several collectors at once.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from spanloop_collector.errors import ConfigError
from spanloop_collector.schema import cluster
from spanloop_collector.schema.fragments import render
from spanloop_collector.schema.retention import Database, apply_retention

MATERIALIZED = {
    "scoring_queue_from_matches": "scoring_queue",
    "scoring_counts_from_matches": "scoring_counts",
    "scoring_done_from_online_scores": "scoring_done",
}
"""Views that ClickHouse runs on every insert, by the table they fill."""

VIEWS = (
    "logs",
    "traces",
    "otel_logs",
    "scores",
    "score_estimates",
    "scoring_rules",
    "scoring_rule_status",
    "eval_rows",
    "experiments",
    "experiment_scores",
    "audit_log",
    "review_queue",
    "corrections",
    "webhook_deliveries",
    "variants",
    "variant_tests",
    "alerts",
    "datasets",
    "newest_dataset_rows",
    "dataset_rows",
    "dataset_versions",
    "dataset_snapshots",
    "lineage",
)
"""Views in the order in which they build on each other; `query/catalog.py` says which of them users see."""


def migrate(store: Database, *, retention_days: int = 0) -> None:
    """Creates or updates everything in the store's database; 0 days keep rows for good."""
    names = _names(store)
    on_cluster = names["on_cluster"]
    # Atomic, said aloud: the embedded engine's default database is an overlay over files.
    store.command(f"CREATE DATABASE IF NOT EXISTS {store.database} {on_cluster} ENGINE = Atomic")
    _run(
        store,
        f"CREATE TABLE IF NOT EXISTS {store.database}.schema_migrations {on_cluster} "
        f"(name String, applied DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = {names['replacing']} ORDER BY name",
    )
    applied = set(store.column(f"SELECT name FROM {store.database}.schema_migrations"))
    for script in _scripts("migrations"):
        if script.name not in applied:
            _apply(store, script, names)
    for view, table in MATERIALIZED.items():
        _put_materialized_view(store, view, table, names)
    for view in VIEWS:
        _put_view(store, view, names)
    apply_retention(store, retention_days, on_cluster=on_cluster)


def _names(store: Database) -> dict[str, str]:
    """The placeholders that depend on where the schema goes: the same files make local and replicated tables."""
    replicated = "Replicated" if _is_replicated(store) else ""
    return {
        "database": store.database,
        "on_cluster": cluster.on_cluster(store.cluster),
        "replacing": f"{replicated}ReplacingMergeTree",
        "summing": f"{replicated}SummingMergeTree",
        "merge_tree": f"{replicated}MergeTree",
    }


def _is_replicated(store: Database) -> bool:
    """Whether tables have copies on several nodes: on a cluster, unless its nodes have no Keeper and one copy each.

    Raises ConfigError for a cluster that cannot work.
    """
    if not store.cluster:
        return False
    (found,) = store.column(f"SELECT max(replica_num) FROM system.clusters WHERE cluster = '{store.cluster}'")
    copies = int(found)
    if not copies:
        raise ConfigError(
            f"store.cluster={store.cluster} is not a cluster that this ClickHouse knows: "
            "name one of its <remote_servers> (SPANLOOP_STORE_CLUSTER)"
        )
    has_keeper = bool(store.column("SELECT 1 FROM system.tables WHERE database = 'system' AND name = 'zookeeper'"))
    if copies > 1 and not has_keeper:
        raise ConfigError(
            f"store.cluster={store.cluster} has {copies} replicas a shard and its nodes have no Keeper: "
            "add <zookeeper> to their configuration (see deploy/clickhouse/cluster)"
        )
    return has_keeper


def _scripts(folder: str) -> list[Traversable]:
    found = (item for item in (files(__package__) / folder).iterdir() if item.name.endswith(".sql"))
    return sorted(found, key=lambda item: item.name)


def _apply(store: Database, script: Traversable, names: dict[str, str]) -> None:
    for statement in render(script.read_text(), names).split(";\n"):
        if statement.strip():
            _run(store, statement)
    store.command(f"INSERT INTO {store.database}.schema_migrations (name) VALUES ('{script.name}')")


def _run(store: Database, statement: str) -> None:
    for step in cluster.statements(statement, store.cluster):
        store.command(step)


def _view_text(view: str, names: dict[str, str]) -> str:
    return render((files(__package__) / "views" / f"{view}.sql").read_text(), names)


def _put_view(store: Database, view: str, names: dict[str, str]) -> None:
    text = _view_text(view, names)
    store.command(f"CREATE OR REPLACE VIEW {store.database}.{view} {names['on_cluster']} AS {text}")


def _put_materialized_view(store: Database, view: str, table: str, names: dict[str, str]) -> None:
    """Creates the view, or changes its query in place: between a drop and a create, inserts would be lost."""
    text, target = _view_text(view, names), f"{store.database}.{view}"
    exists = store.column(f"SELECT name FROM system.tables WHERE database = '{store.database}' AND name = '{view}'")
    if exists:
        store.command(f"ALTER TABLE {target} {names['on_cluster']} MODIFY QUERY {text}")
    else:
        store.command(
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {target} {names['on_cluster']} "
            f"TO {store.database}.{table} AS {text}"
        )
