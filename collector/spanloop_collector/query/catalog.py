"""What a statement from outside may read: our views, whichever of them exist, and a little of `system`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spanloop_collector.schema.cluster import LOCAL
from spanloop_collector.schema.fragments import sql_text

VIEWS = (
    "logs",
    "traces",
    "otel_logs",
    "scores",
    "datasets",
    "dataset_rows",
    "dataset_versions",
    "dataset_snapshots",
    "lineage",
    "experiments",
    "experiment_scores",
    "eval_rows",
    "score_estimates",
    "scoring_rules",
    "scoring_rule_status",
    "dead_letters",
    "review_queue",
    "corrections",
    "webhook_deliveries",
    "variants",
    "variant_tests",
    "alerts",
    "audit_log",
)
"""The relations that SQL users see."""

SECRETS = frozenset({"api_keys", "webhook_targets"})
"""Tables that show no row to anybody; on a cluster neither do their parts on each node."""

SYSTEM_TABLES = frozenset(
    {
        "columns",
        "data_type_families",
        "databases",
        "formats",
        "functions",
        "numbers",
        "one",
        "settings",
        "tables",
        "time_zones",
    }
)
"""Tables of `system` that clients read when they connect; those about data show our views only."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view of our database."""

    name: str
    has_project: bool
    """True when it has the column `project`."""
    is_view: bool

    @property
    def is_secret(self) -> bool:
        """True when it shows no row to anybody."""
        return self.name.removesuffix(LOCAL) in SECRETS


@dataclass(frozen=True, slots=True)
class Catalog:
    """The relations of our database at one time."""

    database: str
    relations: tuple[Relation, ...]

    @property
    def visible(self) -> frozenset[str]:
        """Names that a statement may read."""
        return frozenset(relation.name for relation in self.relations if relation.name in VIEWS)

    @property
    def hidden(self) -> frozenset[str]:
        """Names that exist and that no statement may read."""
        return frozenset(relation.name for relation in self.relations) - self.visible

    def allows(self, database: str, table: str) -> bool:
        """Whether a statement may name this table; no database means ours."""
        if database == "system":
            return table in SYSTEM_TABLES
        return database in ("", self.database) and table in self.visible

    def filters(self, project: str) -> dict[str, str]:
        """Conditions by table that the engine adds to every read, however it is reached.

        An empty project reads every project. What has no project is empty for a reader of one.
        """
        filters = {f"{self.database}.{relation.name}": "0" for relation in self._closed(project)}
        if project:
            condition = f"project = {sql_text(project)}"
            filters |= {
                f"{self.database}.{relation.name}": condition
                for relation in self.relations
                if relation.has_project and not relation.is_view and not relation.is_secret
            }
        return filters | self._system_filters()

    def _closed(self, project: str) -> Iterable[Relation]:
        """Tables that show no row to a reader of this project."""
        for relation in self.relations:
            if relation.is_secret or (project and not relation.is_view and not relation.has_project):
                yield relation

    def _system_filters(self) -> dict[str, str]:
        names = ", ".join(sql_text(name) for name in sorted(self.visible)) or "''"
        ours = f"database = {sql_text(self.database)}"
        return {
            "system.columns": f"{ours} AND table IN ({names})",
            "system.tables": f"{ours} AND name IN ({names})",
            "system.databases": f"name = {sql_text(self.database)}",
        }


def filters_setting(filters: dict[str, str]) -> str:
    """The filters as the value of `additional_table_filters`."""
    pairs = ", ".join(f"{sql_text(table)}: {sql_text(condition)}" for table, condition in filters.items())
    return f"{{{pairs}}}"


READ_RELATIONS = """
SELECT name, engine LIKE '%View' AS is_view, name IN (
    SELECT table FROM system.columns WHERE database = {database:String} AND name = 'project'
) AS has_project
FROM system.tables
WHERE database = {database:String} AND NOT is_temporary
ORDER BY name
"""


def read_catalog(database: str, rows: Iterable[tuple[str, int, int]]) -> Catalog:
    """The catalog from the rows of READ_RELATIONS."""
    relations = tuple(
        Relation(name, has_project=bool(has_project), is_view=bool(is_view)) for name, is_view, has_project in rows
    )
    return Catalog(database, relations)
