"""Which rows of a backfill come next, and how they get into the queue. Calls block.

A chunk is queued under a token of its own before the cursor moves, so that after a crash the same chunk is queued
again to no effect.
"""

from __future__ import annotations

from spanloop_collector.schema.fragments import settings_clause, sql_text
from spanloop_collector.score.backfill.state import Backfill, RowPlace
from spanloop_collector.score.matching import MATCH_COLUMNS, rows_of, select_matches
from spanloop_collector.score.rule import SPAN, Rule
from spanloop_collector.store import Store

KEY = "(project, created, trace_id, span_id)"
# A trace or a group that an earlier chunk had rows of. Hashes: they take a fraction of the memory of ids.
NOT_QUEUED = """
sipHash64(trace_id, group_key) NOT IN
(
    SELECT sipHash64(trace_id, group_key) FROM {database}.scoring_queue WHERE backfill = '{id}'
)
"""


def end_of_chunk(store: Store, backfill: Backfill, rows: int) -> RowPlace | None:
    """The last of the next so many rows; None when fewer are left."""
    found = store.query(
        f"SELECT project, toUnixTimestamp64Nano(created), trace_id, span_id FROM {store.database}.spans "
        f"WHERE experiment_id = '' AND {_rows_left(backfill)} ORDER BY project, created, trace_id, span_id "
        f"LIMIT 1 OFFSET {rows - 1}"
    ).result_rows
    return tuple(found[0]) if found else None


def queue_chunk(store: Store, backfill: Backfill, rule: Rule, end: RowPlace | None) -> None:
    """Queues tasks for the rows up to `end`, or for all that are left."""
    state = backfill.state
    where = _rows_left(backfill) + (f" AND {KEY} <= {_key_of(end)}" if end else "")
    rows = rows_of(store.database, where, is_final=True)
    if state.condition:
        rows = f"(SELECT * FROM {rows} WHERE {state.condition})"
    if state.failed:
        rows = (
            f"(SELECT * FROM {rows} AS logs INNER JOIN (SELECT trace_id, span_id, groupUniqArray(scorer) AS failed "
            f"FROM {store.database}.online_scores FINAL WHERE rule_id = {sql_text(rule.rule_id)} "
            "AND status = 'failed' GROUP BY trace_id, span_id) AS failures USING (trace_id, span_id))"
        )
    run = backfill.id if state.again or state.failed else ""
    select = select_matches(
        [rule],
        rows,
        run=run,
        backfill=backfill.id,
        rate="1." if state.all else "",
        among="failed" if state.failed else "",
    )
    if rule.scope.type != SPAN:
        select = f"SELECT * FROM ({select}) WHERE {NOT_QUEUED.format(database=store.database, id=backfill.id)}"
    settings = settings_clause(
        {
            "insert_deduplication_token": f"backfill:{backfill.id}:{state.chunk}",
            "deduplicate_blocks_in_dependent_materialized_views": "1",
        }
    )
    store.command(f"INSERT INTO {store.database}.scoring_matches ({MATCH_COLUMNS}) {settings} {select}")


def _rows_left(backfill: Backfill) -> str:
    """SQL for the rows that are left; beside the key, conditions that the primary key's index understands."""
    state = backfill.state
    parts = [f"created >= {_time(state.since_ns)}", f"created < {_time(state.until_ns)}"]
    if backfill.project:
        parts.append(f"project = {sql_text(backfill.project)}")
    if state.cursor is not None:
        project, created = sql_text(state.cursor[0]), _time(state.cursor[1])
        parts += [f"project >= {project}", f"(project > {project} OR created >= {created})"]
        parts.append(f"{KEY} > {_key_of(state.cursor)}")
    return " AND ".join(parts)


def _key_of(row: RowPlace) -> str:
    return f"({sql_text(row[0])}, {_time(row[1])}, {sql_text(row[2])}, {sql_text(row[3])})"


def _time(unix_nano: int) -> str:
    return f"fromUnixTimestamp64Nano({unix_nano}, 'UTC')"
