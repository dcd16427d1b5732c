"""A key of one project sees the rows of that project, and learns nothing about the others', whatever it asks."""

from __future__ import annotations

import json
from itertools import product

import pytest
from spanloop_collector.errors import PermissionDeniedError, QueryError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.query.queries import Queries

from tests.collector.query.conftest import BANK_SECRET, ROWS_PER_PROJECT

SHOP = Principal("k1", "shop", frozenset({Scope.READ}))
QUOTING = Principal("k2", "it's \\ a } project: {x:String}", frozenset({Scope.READ}))
ADMIN = Principal("k3", "", frozenset({Scope.ADMIN}))

SOURCES = [
    "logs",
    "traces",
    "(SELECT *, toUInt64(input) AS number FROM traces)",
    "(SELECT * FROM traces ORDER BY created LIMIT 100000)",
]

# Each fails, or counts differently, when it is evaluated on a row of the other project.
PROBES = [
    "toUInt64(input) >= 0",
    "toUInt64(metadata['user']) = 7",
    "throwIf(input LIKE 'IBAN%') = 0",
    "throwIf(project = 'bank') = 0",
    "throwIf(metrics['tokens'] % 2 = 1) = 0",
    "if(input LIKE 'IBAN%', throwIf(1), 0) = 0",
    "project = 'shop' AND throwIf(name = 'transfer') = 0",
    "intDiv(1, (metrics['tokens'] + 1) % 2) = 1",
    "arrayAll(x -> throwIf(x != 'a') = 0, tags)",
    "NOT has(tags, 'IBAN-4711') AND throwIf(has(tags, 'IBAN-4711')) = 0",
]

SHAPES = [
    "SELECT count() FROM {source} WHERE {probe}",
    "SELECT countIf({probe}) FROM {source}",
    "SELECT sum(c) FROM (SELECT {probe} AS p, count() AS c FROM {source} GROUP BY p)",
    "SELECT count() FROM (SELECT * FROM {source} ORDER BY {probe})",
    "SELECT count() FROM (SELECT id FROM {source} GROUP BY id HAVING min({probe}))",
    "SELECT count() FROM {source} WHERE id IN (SELECT id FROM {source} WHERE {probe})",
    "SELECT count() FROM {source} AS l JOIN (SELECT id FROM {source} WHERE {probe}) AS r ON l.id = r.id",
    "SELECT count() FROM {source} ARRAY JOIN [1] AS x WHERE {probe}",
    "SELECT count() FROM (SELECT * FROM {source} WHERE {probe} ORDER BY created DESC LIMIT 100000)",
    "SELECT count() FROM (SELECT row_number() OVER (ORDER BY created) AS n FROM {source} WHERE {probe})",
]


async def ask(queries: Queries, sql: str, principal: Principal = SHOP) -> str:
    return (await queries.run(sql, principal=principal)).data.decode().strip()


async def test_no_statement_is_evaluated_on_a_row_of_another_project(queries: Queries) -> None:
    wrong = {}
    for source, probe, shape in product(SOURCES, PROBES, SHAPES):
        sql = shape.format(source=source, probe=probe)
        try:
            answer = await ask(queries, sql)
        except QueryError as error:
            answer = str(error)
        if answer != str(ROWS_PER_PROJECT):
            wrong[sql] = answer[:200]
    assert wrong == {}


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT DISTINCT project FROM logs", "shop"),
        ("SELECT DISTINCT project FROM traces", "shop"),
        ("SELECT min(project), max(project), uniq(project) FROM logs", "shop\tshop\t1"),
        ("SELECT count() FROM logs WHERE project = 'bank'", "0"),
        ("SELECT count() FROM logs WHERE project != 'shop' OR 1", str(ROWS_PER_PROJECT)),
        ("SELECT count() FROM logs AS a, logs AS b WHERE a.project = 'bank'", "0"),
        ("SELECT count() FROM (SELECT 1) AS one LEFT JOIN logs ON logs.project = 'bank'", "1"),
        ("SELECT count() FROM (SELECT 1 AS x) AS one RIGHT JOIN logs ON x = 1", str(ROWS_PER_PROJECT)),
        ("SELECT count() FROM (SELECT 1 AS x) AS one FULL JOIN logs ON toString(x) = name", str(ROWS_PER_PROJECT + 1)),
        ("SELECT 'IBAN-4711' IN (SELECT input FROM logs)", "0"),
        ("SELECT EXISTS (SELECT 1 FROM logs WHERE input LIKE 'IBAN%')", "0"),
        ("WITH (SELECT max(input) FROM logs WHERE project = 'bank') AS x SELECT x", ""),
        ("SELECT count() FROM datasets", "0"),
        ("SELECT name FROM system.tables ORDER BY name", "datasets\nlogs\ntraces"),
        ("SELECT DISTINCT table FROM system.columns ORDER BY table", "datasets\nlogs\ntraces"),
        ("SHOW TABLES", "datasets\nlogs\ntraces"),
        ("SELECT sum(total_rows) FROM system.tables WHERE engine LIKE '%View'", "\\N"),
    ],
)
async def test_a_key_of_one_project_sees_its_rows_only(queries: Queries, sql: str, answer: str) -> None:
    assert await ask(queries, sql) == answer


async def test_no_error_message_tells_a_value_of_another_project(queries: Queries) -> None:
    for sql in (
        "SELECT toUInt64(input) FROM traces",
        "SELECT throwIf(1, input) FROM traces",
        "SELECT CAST(input, 'Enum8(''x'' = 1)') FROM traces",
        "SELECT JSONExtract(input, 'UInt8')::UUID FROM traces",
        "SELECT parseDateTime(input, '%Y-%m-%d') FROM logs",
    ):
        try:
            answer = await ask(queries, sql)
        except QueryError as error:
            answer = str(error)
        assert BANK_SECRET not in answer


async def test_a_result_does_not_count_rows_of_others(queries: Queries) -> None:
    answer = json.loads(await ask(queries, "SELECT count() FROM logs FORMAT JSON"))
    assert "statistics" not in answer


async def test_a_projects_name_cannot_break_out_of_its_filter(queries: Queries) -> None:
    assert await ask(queries, "SELECT count() FROM logs", QUOTING) == "0"


async def test_an_admin_sees_every_project(queries: Queries) -> None:
    assert await ask(queries, "SELECT uniq(project) FROM logs", ADMIN) == "2"


async def test_projects_do_not_share_connections(queries: Queries) -> None:
    bank = Principal("k4", "bank", frozenset({Scope.READ}))
    for principal, name in ((SHOP, "shop"), (bank, "bank"), (SHOP, "shop"), (bank, "bank")):
        assert await ask(queries, "SELECT DISTINCT project FROM logs", principal) == name


async def test_reading_needs_the_scope_read(queries: Queries) -> None:
    ingest = Principal("k5", "shop", frozenset({Scope.INGEST}))
    with pytest.raises(PermissionDeniedError, match="lacks the scope 'read'"):
        await ask(queries, "SELECT 1", ingest)
