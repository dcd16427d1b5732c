"""Copies promoted rows into a dataset: one INSERT … SELECT inside ClickHouse. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.query import QueryResult

from spanloop_collector.datasets.registry import DatasetRecord
from spanloop_collector.promote.select import row_select
from spanloop_collector.promote.spec import PromoteSpec
from spanloop_collector.query.errands import Errand
from spanloop_collector.schema.fragments import settings_clause, sql_text

PREVIEW_ROWS = 20

COPY_SETTINGS = {
    # What is promoted at once may be large: blocks of this size bound the memory it takes, and are written while more
    # is read. Smaller ones would make so many parts that ClickHouse merged them while it is still copying.
    "max_insert_threads": "2",
    "min_insert_block_size_rows": "0",
    "min_insert_block_size_bytes": str(64 * 1024 * 1024),
    "max_block_size": "8192",
    "max_bytes_before_external_sort": str(512 * 1024 * 1024),
    "max_bytes_before_external_group_by": str(512 * 1024 * 1024),
    "max_execution_time": "3600",
    "async_insert": "0",
    # Merges find versions of a row that were written twice; looking for them in each block costs half as much again.
    "optimize_on_insert": "0",
}

SPARING_SETTINGS = ("max_threads_min_free_memory_per_thread", "max_insert_threads_min_free_memory_per_thread")
"""By these a recent ClickHouse takes one thread where less than some gigabytes of memory are free. Blocks are small."""

ROW_COLUMNS = "input, expected, metadata, metadata_json, tags, origin, origin_id, origin_hash"

CONTENT = "cityHash64(input, expected, toString(mapSort(metadata)), arraySort(metadata_json), tags)"


@dataclass(frozen=True, slots=True)
class Checked:
    """SELECTs of a promotion that passed the guard."""

    spec: PromoteSpec
    rows: str
    count: str
    settings: Mapping[str, str]
    """What keeps the statement to the caller's project."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a copy has done to its dataset."""

    inserted: int
    updated: int
    row_count: int
    """Rows that the dataset has now."""


class Copy:
    """One promotion into one dataset; `client` reads views without naming the database."""

    def __init__(
        self, client: Client, database: str, dataset: DatasetRecord, checked: Checked, errand: Errand | None = None
    ) -> None:
        """What is only looked at is read within `errand`."""
        self._client = client
        self._errand = errand
        self._database = database
        self.dataset = dataset
        self._checked = checked
        self._spec = checked.spec
        self._was_empty = False

    @property
    def is_first(self) -> bool:
        """Whether nothing was ever written to the dataset before."""
        return self._was_empty

    def newest_version(self) -> int:
        """The newest version of any row; 0 in a dataset that nothing was ever written to."""
        [(newest,)] = self._query(
            f"SELECT max(version) FROM {self._database}.dataset_row_versions WHERE {self._in_dataset()}"
        )
        self._was_empty = newest == 0
        return int(newest)

    def analyse(self) -> None:
        """Raises ClickHouse's error for an expression that names or compares what it cannot."""
        self._result(f"DESCRIBE TABLE ({self._changes('1')})")

    def matched(self) -> int:
        """How many rows the source has, those that are in the dataset already included."""
        return int(self._query(self._checked.count)[0][0])

    def new(self) -> int:
        """How many rows would be written."""
        return int(self._query(f"SELECT count() FROM ({self._changes('1')})")[0][0])

    def preview(self) -> list[dict[str, Any]]:
        """Columns of the first rows as they would be written."""
        columns = "id, input, expected, metadata, metadata_json, tags, origin, false AS is_deleted"
        sql = (
            f"SELECT {columns}, toUInt64(0) AS version, toInt64(0) AS created_unix_nano "
            f"FROM ({self._changes('1')}) LIMIT {PREVIEW_ROWS}"
        )
        return list(self._result(sql).named_results())

    def write(self, version: int) -> Written:
        """Writes the rows as this version."""
        self._client.command(
            f"INSERT INTO {self._database}.dataset_row_versions "
            f"(project, dataset_id, id, version, is_deleted, created, {ROW_COLUMNS}) "
            f"SELECT {self._target()}, id, {version}, false, created, {ROW_COLUMNS} "
            f"FROM ({self._changes(str(version))})" + self.settings()
        )
        [counts] = self._query(
            f"SELECT countIf(version = {version} AND toUnixTimestamp64Nano(created) >= {version}), "
            f"countIf(version = {version} AND toUnixTimestamp64Nano(created) < {version}), countIf(NOT is_deleted) "
            f"FROM {self._database}.newest_dataset_rows WHERE {self._in_dataset()}"
        )
        return Written(*counts)

    def rows_to_stage(self) -> str:
        """The source's rows with everything a transform sees, each once, without those that are there already."""
        rows = row_select(self._spec, self._checked.rows, with_facts=True)
        condition = "1" if self._spec.is_update else f"origin_hash NOT IN ({self._known('origin_hash')})"
        return f"SELECT * FROM ({rows}) WHERE {condition} LIMIT 1 BY row_id"

    def _changes(self, version: str) -> str:
        """The rows to write, with their ids, each once, without those that are there already."""
        rows = row_select(self._spec, self._checked.rows)
        return self._with_updates(rows, version) if self._spec.is_update else self._without_known(rows, version)

    def _without_known(self, rows: str, version: str) -> str:
        conditions = [f"origin_hash NOT IN ({self._known('origin_hash')})"]
        # The source's own rows are there once each.
        once = ""
        if self._spec.deduplicate == "input":
            conditions.append(f"cityHash64(input) NOT IN ({self._known('input_hash')})")
            once = "cityHash64(input)"
        if "id" in self._spec.fields:
            conditions.append(f"row_id NOT IN ({self._known('id')})")
            once = "row_id"
        return (
            f"SELECT row_id AS id, {self._created(version)} AS created, {ROW_COLUMNS} FROM ({rows}) "
            f"WHERE {' AND '.join(conditions)}" + (f" LIMIT 1 BY {once}" if once else "")
        )

    def _with_updates(self, rows: str, version: str) -> str:
        """New rows, and those whose source says something else now. Deleted ones stay deleted."""
        known = (
            f"SELECT origin_hash AS known_hash, id AS known_id, created AS known_created, is_deleted AS known_deleted, "
            f"{CONTENT} AS known_content FROM {self._database}.newest_dataset_rows "
            f"WHERE {self._in_dataset()} AND origin_hash != 0"
        )
        return (
            f"SELECT if(known_id = '', row_id, known_id) AS id, "
            f"if(known_id = '', {self._created(version)}, known_created) AS created, {ROW_COLUMNS} "
            f"FROM (SELECT *, {CONTENT} AS content FROM ({rows})) AS found "
            f"ANY LEFT JOIN ({known}) AS known ON origin_hash = known_hash "
            f"WHERE known_id = '' OR (NOT known_deleted AND content != known_content) LIMIT 1 BY id"
        )

    def _known(self, column: str) -> str:
        # Deleted rows count: whoever deleted them does not want them back.
        return f"SELECT {column} FROM {self._database}.newest_dataset_rows WHERE {self._in_dataset()}"

    def _created(self, version: str) -> str:
        return f"fromUnixTimestamp64Nano(toInt64({version} + rowNumberInAllBlocks()), 'UTC')"

    def _target(self) -> str:
        return f"{sql_text(self.dataset.project)}, {sql_text(self.dataset.id)}"

    def _in_dataset(self) -> str:
        return f"project = {sql_text(self.dataset.project)} AND dataset_id = {sql_text(self.dataset.id)}"

    def _query(self, sql: str) -> Any:
        return self._result(sql).result_rows

    def _result(self, sql: str) -> QueryResult:
        with self._errand.statement(sql) if self._errand else nullcontext(sql) as statement:
            return self._client.query(statement + self.settings())

    def settings(self) -> str:
        """The end of every statement with the caller's words in it."""
        sparing = {name: "0" for name in SPARING_SETTINGS if name in self._client.server_settings}
        return " " + settings_clause(COPY_SETTINGS | sparing | dict(self._checked.settings))
