"""Which attachments rows refer to, read from every table whose rows have an input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spanloop_collector.store import Store

FIELDS = ("input", "output", "expected", "metadata")
KEYS_AT_ONCE = 5_000

READ_TABLES = """
SELECT table, groupArray((name, type)) FROM system.columns
WHERE database = {database:String} AND name IN {fields:Array(String)}
  AND table IN (
      SELECT name FROM system.tables WHERE database = {database:String}
          AND if({is_cluster:Bool}, engine = 'Distributed', engine LIKE '%MergeTree')
  )
GROUP BY table
HAVING has(groupArray(name), 'input')
ORDER BY table
"""


def referenced(store: Store, keys: Sequence[str]) -> set[str]:
    """Those of `keys` that occur in a row, whoever's it is. Reads every row that mentions an attachment."""
    tables = _tables(store)
    found: set[str] = set()
    for start in range(0, len(keys), KEYS_AT_ONCE):
        wanted = list(keys[start : start + KEYS_AT_ONCE])
        for table, texts in tables:
            found.update(_found_in(store, table, texts, wanted))
    return found


def _tables(store: Store) -> Sequence[tuple[str, list[str]]]:
    """Tables with the texts, as SQL, in which their rows may refer to attachments."""
    parameters = {"database": store.database, "fields": list(FIELDS), "is_cluster": bool(store.cluster)}
    answer = store.query(READ_TABLES, parameters)
    return [(table, [_as_text(name, kind) for name, kind in columns]) for table, columns in answer.result_rows]


def _as_text(name: str, kind: str) -> str:
    return name if kind == "String" else f"toString({name})"


def _found_in(store: Store, table: str, texts: Sequence[str], keys: Sequence[str]) -> Iterator[str]:
    mentions = " OR ".join(f"position({text}, '_attachment') > 0" for text in texts)
    parts = ", ".join(f"extractAll({text}, '[0-9a-f]{{64}}')" for text in texts)
    yield from store.column(
        f"SELECT DISTINCT key FROM {store.database}.{table} ARRAY JOIN arrayConcat({parts}) AS key "
        f"WHERE ({mentions}) AND key IN {{keys:Array(String)}}",
        {"keys": list(keys)},
    )
