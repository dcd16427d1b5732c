"""What passes and what does not, with the engine behind it: nothing refused runs, nothing is read or written."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spanloop_collector.errors import QueryError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.query.queries import Queries

from tests.collector.query.conftest import KEY_SECRET, ROWS_PER_PROJECT
from tests.collector.query.corpus import ALLOWED, REFUSED
from tests.support.plain_store import PlainStore

ANYONE = Principal.anonymous()
SHOP = Principal("k1", "shop", frozenset({Scope.READ}))

REFUSAL_CODES = {
    62,  # SYNTAX_ERROR
    73,  # UNKNOWN_FORMAT
    164,  # READONLY
    497,  # ACCESS_DENIED
}


async def fingerprint(store: PlainStore) -> object:
    """Something that changes with any write to the test's database."""
    tables = store.query(
        "SELECT name, total_rows, create_table_query FROM system.tables WHERE database = {d:String} ORDER BY name",
        {"d": store.database},
    ).result_rows
    return tables, store.query(f"SELECT sum(cityHash64(*)) FROM {store.database}.spans").result_rows


async def test_ordinary_statements_run(queries: Queries) -> None:
    refused = {}
    for sql in ALLOWED:
        for principal in (ANYONE, SHOP):
            try:
                await queries.run(sql, principal=principal)
            except QueryError as error:
                refused[sql] = str(error)
    assert refused == {}


async def test_nothing_else_runs(queries: Queries, store: PlainStore, tmp_path: Path) -> None:
    before = await fingerprint(store)
    file = tmp_path / "written"
    passed = {}
    for template in REFUSED:
        sql = template.format(database=store.database, file=file)
        for principal in (ANYONE, SHOP):
            parameters = {"table": "api_keys", "column": "input", "database": store.database}
            try:
                result = await queries.run(sql, principal=principal, parameters=parameters)
                passed[sql] = repr(result.data[:100])
            except QueryError as error:
                if error.code not in REFUSAL_CODES or KEY_SECRET in str(error):
                    passed[sql] = f"reached the engine: {error}"
    assert passed == {}
    assert not file.exists()
    assert await fingerprint(store) == before


async def test_a_refusal_leaves_the_connection_as_it_is(queries: Queries, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0
    connect = clickhouse_connect.get_client

    def counted(**options: Any) -> Client:
        nonlocal opened
        opened += 1
        return connect(**options)

    monkeypatch.setattr(clickhouse_connect, "get_client", counted)
    await queries.run("SELECT 1", principal=ANYONE)
    opened = 0
    for sql in ("DROP TABLE logs", "SELECT file('/etc/passwd')", "SELECT * FROM api_keys"):
        with pytest.raises(QueryError):
            await queries.run(sql, principal=ANYONE)
        assert (await queries.run("SELECT 1", principal=ANYONE)).data == b"1\n"
    assert opened == 0


async def test_a_refusal_names_what_is_refused(queries: Queries) -> None:
    expected = {
        "INSERT INTO logs VALUES (1)": (164, "INSERT is not allowed here: this endpoint only reads. (READONLY)"),
        "SELECT file('/etc/passwd')": (497, "function file is not allowed here. (ACCESS_DENIED)"),
        "SELECT * FROM url('http://x')": (497, "table function url is not allowed here. (ACCESS_DENIED)"),
        "SELECT 1 SETTINGS max_threads = 1": (
            164,
            "SETTINGS is not allowed here; send settings beside the statement. (READONLY)",
        ),
        "SELECT * FROM api_keys": (
            497,
            "table api_keys is not allowed here; there are: datasets, logs, traces. (ACCESS_DENIED)",
        ),
    }
    seen = {}
    for sql in expected:
        with pytest.raises(QueryError) as refused:
            await queries.run(sql, principal=ANYONE)
        seen[sql] = (refused.value.code, str(refused.value))
    assert seen == expected


async def test_a_syntax_error_is_the_engines_own(queries: Queries) -> None:
    with pytest.raises(QueryError, match=r"Syntax error: failed at position \d+") as failed:
        await queries.run("SELECT FROM WHERE", principal=ANYONE)
    assert failed.value.code == 62
    assert "formatQuery" not in str(failed.value)


async def test_an_unknown_table_or_column_is_an_error_with_clickhouses_code(queries: Queries) -> None:
    with pytest.raises(QueryError, match=r"Unknown expression.*UNKNOWN_IDENTIFIER") as failed:
        await queries.run("SELECT nothing FROM logs", principal=ANYONE)
    assert failed.value.code == 47


# ---- variants that a person would not think of

MARKERS = st.sampled_from(["", " ", "\n", "\t", "/**/", "/* SELECT 1 */", "--x\n", "#!x\n", "\u00a0", "\ufeff"])
QUOTED = st.sampled_from(["{}", "`{}`", '"{}"'])
CASES = st.sampled_from([str.lower, str.upper, str.title, str])
READS_OUTSIDE = st.sampled_from(["file", "url", "s3", "remote", "merge", "executable", "mysql", "dictGet", "joinGet"])
SHAPES = st.sampled_from(
    [
        "SELECT {call}",
        "SELECT * FROM {call}",
        "SELECT 1 IN {call}",
        "SELECT arrayMap(x -> {call}, [1])",
        "WITH a AS (SELECT {call}) SELECT * FROM a",
        "WITH {call} AS a SELECT a",
        "SELECT 1 FROM logs WHERE {call} = '' GROUP BY {call} HAVING 1 ORDER BY {call}",
        "SELECT * FROM logs AS l JOIN (SELECT * FROM {call}) AS r ON 1 = 1",
        "SELECT * FROM (SELECT 1 UNION ALL SELECT * FROM {call})",
        "SELECT CASE WHEN 1 THEN {call} END",
        "SELECT sumIf(1, {call} = '')",
        "SELECT 1 LIMIT 1 BY {call}",
        "SELECT * REPLACE ({call} AS a) FROM (SELECT 1 AS a)",
        "SELECT sum(1) OVER (ORDER BY {call})",
        "SELECT 1 FROM logs ARRAY JOIN [{call}] AS x",
        "SELECT 1 ORDER BY 1 WITH FILL FROM length({call})",
        "SELECT {{x:String}} || {call}",
    ]
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shape=SHAPES, name=READS_OUTSIDE, quoted=QUOTED, case=CASES, marker=MARKERS)
async def test_no_disguise_opens_a_way_outside(
    queries: Queries, shape: str, name: str, quoted: str, case: object, marker: str
) -> None:
    assert callable(case)
    call = f"{quoted.format(case(name))}{marker}('/etc/passwd')"
    sql = marker + shape.replace(" ", f"{marker} ").format(call=call)
    with pytest.raises(QueryError) as refused:
        await queries.run(sql, principal=ANYONE, parameters={"x": "a"})
    assert refused.value.code in REFUSAL_CODES


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=60), at=st.integers(0, 60))
async def test_odd_text_is_an_error_or_a_result_never_a_fault(queries: Queries, text: str, at: int) -> None:
    sql = "SELECT name FROM logs WHERE id = '1' LIMIT 1"
    with suppress(QueryError):
        await queries.run(sql[:at] + text + sql[at:], principal=SHOP)


async def test_deep_and_long_statements_are_refused_quickly(queries: Queries) -> None:
    deep = "SELECT " + "(" * 5000 + "1" + ")" * 5000
    long = "SELECT 1 IN (" + "1, " * 200_000 + "1)"
    for sql in (deep, long):
        with pytest.raises(QueryError):
            await queries.run(sql, principal=ANYONE)


# ---- limits


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT count() FROM system.numbers WHERE sipHash64(number) = 1", 159),  # TIMEOUT_EXCEEDED
        ("SELECT groupArray(repeat('x', 1000) || toString(number)) FROM numbers(10000000)", 241),  # MEMORY
        ("SELECT number FROM numbers(20001)", 396),  # TOO_MANY_ROWS_OR_BYTES
        ("SELECT repeat(toString(number % 10), 1000) FROM numbers(10000)", 396),
    ],
)
async def test_a_statement_that_costs_too_much_is_stopped(queries: Queries, sql: str, code: int) -> None:
    with pytest.raises(QueryError) as stopped:
        await queries.run(sql, principal=ANYONE)
    assert stopped.value.code == code
    assert (await queries.run("SELECT 1", principal=ANYONE)).data == b"1\n"


async def test_a_client_may_lower_a_limit_and_not_lift_it(queries: Queries) -> None:
    sql = "SELECT number FROM numbers(11)"
    with pytest.raises(QueryError) as stopped:
        await queries.run(sql, principal=ANYONE, settings={"max_result_rows": "10"})
    assert stopped.value.code == 396
    with pytest.raises(QueryError, match="Setting max_result_rows shouldn't be greater than 20000") as refused:
        await queries.run(sql, principal=ANYONE, settings={"max_result_rows": "20001"})
    assert refused.value.code == 452
    with pytest.raises(QueryError) as unlimited:
        await queries.run("SELECT number FROM numbers(20001)", principal=ANYONE, settings={"max_result_rows": "0"})
    assert unlimited.value.code == 396


@pytest.mark.parametrize(
    "name", ["readonly2", "additional_table_filters", "optimize_move_to_prewhere", "output_format_schema", "x y"]
)
async def test_a_client_may_not_change_other_settings(queries: Queries, name: str) -> None:
    with pytest.raises(QueryError, match=f"Cannot modify '{name}' setting in readonly mode") as refused:
        await queries.run("SELECT 1", principal=ANYONE, settings={name: "1"})
    assert refused.value.code == 164


async def test_settings_change_how_a_result_looks(queries: Queries) -> None:
    result = await queries.run(
        "SELECT toUInt64(1) AS a FORMAT JSONEachRow",
        principal=ANYONE,
        settings={"output_format_json_quote_64bit_integers": "1", "session_id": "x", "max_threads": "99"},
    )
    assert result.data == b'{"a":"1"}\n'
    assert result.format == "JSONEachRow"


# ---- parameters


async def test_parameters_reach_the_engine_as_they_were_sent(queries: Queries) -> None:
    # Tab-separated escapes, as ClickHouse's HTTP interface takes them.
    parameters = {"s": "it's\\t100%", "null": "\\N", "n": "7", "a": "['x','y']", "unused": "%s"}
    result = await queries.run(
        "SELECT {s:String} AS s, {null:Nullable(String)} AS null, {n:UInt8} + 1 AS n, {a:Array(String)} AS a "
        "FORMAT JSONEachRow",
        principal=ANYONE,
        parameters=parameters,
    )
    assert json.loads(result.data) == {"s": "it's\t100%", "null": None, "n": 8, "a": ["x", "y"]}
    plain = await queries.run("SELECT '100%' LIKE '%'", principal=ANYONE, parameters={"unused": "%s"})
    assert plain.data == b"1\n"


async def test_a_missing_parameter_is_clickhouses_error(queries: Queries) -> None:
    with pytest.raises(QueryError, match="Substitution `x` is not set") as failed:
        await queries.run("SELECT {x:UInt8}", principal=ANYONE)
    assert failed.value.code == 456


async def test_counts_are_right(queries: Queries) -> None:
    everything = await queries.run("SELECT count() FROM logs", principal=ANYONE)
    assert everything.data == f"{ROWS_PER_PROJECT * 2}\n".encode()
