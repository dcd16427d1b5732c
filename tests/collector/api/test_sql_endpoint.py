"""SQL over HTTP, asked by clients that nobody here wrote."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

import clickhouse_connect
import pandas as pd
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.collector.api.conftest import Api
from tests.support.waiting import wait_until

Answer = TypeVar("Answer")


class Connected:
    """clickhouse-connect over the socket; its calls block, so each runs in a thread."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, call: Callable[[Client], Answer]) -> Answer:
        return await asyncio.to_thread(call, self._client)


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Connected]:
    """A client of the endpoint, with three rows to read."""
    rows = [
        {"id": f"0{n}", "name": "chat", "input": {"n": n}, "metadata": {"user": f"u{n}"}, "tags": ["a"]}
        for n in range(3)
    ]
    await api.http.post("/v1/rows", json={"rows": rows})
    await api.writer.barrier()
    connected = await asyncio.to_thread(clickhouse_connect.get_client, host="127.0.0.1", port=api.port)
    yield Connected(connected)
    await asyncio.to_thread(connected.close)


# ---- clickhouse-connect


async def test_query_returns_rows(client: Connected) -> None:
    result = await client(lambda c: c.query("SELECT id, input, metadata, tags, is_root FROM logs ORDER BY id"))
    assert result.result_rows[0] == ("00", '{"n":0}', {"user": "u0"}, ["a"], 1)
    assert result.column_names == ("id", "input", "metadata", "tags", "is_root")
    assert result.row_count == 3


async def test_every_way_to_read_gives_the_same_rows(client: Connected) -> None:
    sql = "SELECT id, length(input) AS size FROM logs ORDER BY id"
    frame = await client(lambda c: c.query_df(sql))
    arrow = await client(lambda c: c.query_arrow(sql))
    array = await client(lambda c: c.query_np(sql))
    expected = [("00", 7), ("01", 7), ("02", 7)]
    assert list(frame.itertuples(index=False, name=None)) == expected
    assert [tuple(row.values()) for row in arrow.to_pylist()] == expected
    assert [(str(row[0]), int(row[1])) for row in array.tolist()] == expected


async def test_pandas_understands_times(client: Connected) -> None:
    frame = await client(lambda c: c.query_df("SELECT created FROM logs"))
    assert pd.api.types.is_datetime64_any_dtype(frame["created"])


async def test_command_and_streams_work(client: Connected) -> None:
    assert await client(lambda c: c.command("SELECT count() FROM logs")) == 3

    def streamed(c: Client) -> list[str]:
        with c.query_row_block_stream("SELECT id FROM logs ORDER BY id") as blocks:
            return [row[0] for block in blocks for row in block]

    assert await client(streamed) == ["00", "01", "02"]
    assert await client(lambda c: c.raw_query("SELECT 1 AS a", fmt="JSONEachRow")) == b'{"a":1}\n'


async def test_an_empty_result_has_its_columns(client: Connected) -> None:
    result = await client(lambda c: c.query("SELECT id, created FROM logs WHERE id = 'none'"))
    assert result.result_rows == []
    limited = await client(lambda c: c.query("SELECT id FROM logs LIMIT 0"))
    assert limited.column_names == ("id",)


async def test_parameters_are_bound_by_the_server(client: Connected) -> None:
    odd = "it's \\ 100% \t{x:String}\n"
    result = await client(
        lambda c: c.query(
            "SELECT {s:String}, {n:Int64} + 1, {l:Array(String)}, {d:DateTime}",
            parameters={
                "s": odd,
                "n": 2**62,
                "l": ["a", odd],
                "d": pd.Timestamp("2026-05-04 12:00:00").to_pydatetime(),
            },
        )
    )
    [(text, number, texts, _)] = result.result_rows
    assert (text, number, list(texts)) == (odd, 2**62 + 1, ["a", odd])


async def test_long_parameters_travel_in_a_form(api: Api, client: Connected) -> None:
    text = "x" * 100_000

    def ask(_: Client) -> Any:
        form = clickhouse_connect.get_client(host="127.0.0.1", port=api.port, form_encode_query_params=True)
        try:
            return form.query("SELECT length({s:String})", parameters={"s": text}).result_rows
        finally:
            form.close()

    assert await client(ask) == [(100_000,)]


async def test_settings_of_the_client_are_taken_or_refused(client: Connected) -> None:
    taken = await client(lambda c: c.query("SELECT 1", settings={"max_threads": 2, "session_timezone": "UTC"}))
    assert taken.result_rows == [(1,)]
    with pytest.raises(Exception, match="additional_table_filters"):
        await client(lambda c: c.query("SELECT 1", settings={"additional_table_filters": "{}"}))


async def test_errors_are_clickhouses_own(client: Connected) -> None:
    seen = {}
    for sql in (
        "SELECT nothing FROM logs",
        "SELECT * FROM nowhere",
        "SELEC 1",
        "SELECT count() FROM logs WHERE throwIf(1, 'on purpose')",
    ):
        with pytest.raises(DatabaseError) as failed:
            await client(partial(Client.query, query=sql))
        seen[sql] = (failed.value.code, failed.value.name)
    assert seen == {
        "SELECT nothing FROM logs": (47, "UNKNOWN_IDENTIFIER"),
        "SELECT * FROM nowhere": (497, "ACCESS_DENIED"),
        "SELEC 1": (164, "READONLY"),
        "SELECT count() FROM logs WHERE throwIf(1, 'on purpose')": (395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
    }


async def test_writes_are_refused_by_name(client: Connected) -> None:
    writes: list[Callable[[Client], Any]] = [
        lambda c: c.insert("logs", [["x"]], column_names=["id"]),
        lambda c: c.insert_df("logs", pd.DataFrame({"id": ["x"]})),
        lambda c: c.command("CREATE TABLE x (a UInt8) ENGINE = Memory"),
        lambda c: c.command("DROP TABLE logs"),
        lambda c: c.raw_insert("logs", ["id"], b"x\n" * 2_000_000, fmt="TSV"),
    ]
    for write in writes:
        with pytest.raises(DatabaseError) as refused:
            await client(write)
        assert (refused.value.code, refused.value.name) == (164, "READONLY")


async def test_a_database_is_ours_or_does_not_exist(api: Api, client: Connected) -> None:
    for name, status in (("default", 200), (api.store.database, 200), ("system", 404), ("nowhere", 404)):
        response = await api.http.get("/", params={"query": "SELECT 1", "database": name})
        assert response.status_code == status


# ---- the protocol itself


async def test_a_statement_may_be_in_the_query_string_or_the_body(api: Api, client: Connected) -> None:
    ways = [
        await api.http.get("/", params={"query": "SELECT 1"}),
        await api.http.post("/", params={"query": "SELECT 1"}),
        await api.http.post("/", content="SELECT 1"),
        await api.http.post("/", params={"query": "SELECT"}, content="1"),
    ]
    assert [(way.status_code, way.text) for way in ways] == [(200, "1\n")] * 4


async def test_the_answer_carries_clickhouses_headers(api: Api, client: Connected) -> None:
    response = await api.http.get("/", params={"query": "SELECT 1 FORMAT JSON", "query_id": "mine"})
    assert response.json()["data"] == [{"1": 1}]
    headers = response.headers
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert headers["x-clickhouse-format"] == "JSON"
    assert headers["x-clickhouse-query-id"] == "mine"
    assert headers["x-clickhouse-timezone"]
    assert int(json.loads(headers["x-clickhouse-summary"])["elapsed_ns"]) > 0


async def test_a_format_comes_from_the_statement_the_query_string_or_a_header(api: Api, client: Connected) -> None:
    statement = await api.http.post("/?default_format=CSV", content="SELECT 'a' FORMAT JSONEachRow")
    default = await api.http.post("/?default_format=CSV", content="SELECT 'a'")
    header = await api.http.post("/", content="SELECT 'a'", headers={"x-clickhouse-format": "CSV"})
    none = await api.http.post("/", content="SELECT 'a'")
    assert [r.text for r in (statement, default, header, none)] == [
        '{"\'a\'":"a"}\n',
        '"a"\n',
        '"a"\n',
        "a\n",
    ]
    unknown = await api.http.post("/?default_format=Nonsense", content="SELECT 1")
    assert (unknown.status_code, unknown.headers["x-clickhouse-exception-code"]) == (404, "73")


async def test_an_error_has_its_code_in_header_and_text(api: Api, client: Connected) -> None:
    response = await api.http.post("/", content="INSERT INTO logs VALUES (1)")
    assert response.status_code == 403
    assert response.headers["x-clickhouse-exception-code"] == "164"
    assert response.text == (
        "Code: 164. DB::Exception: INSERT is not allowed here: this endpoint only reads. (READONLY)\n"
    )


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4", "zstd"])
async def test_a_result_is_compressed_as_asked(api: Api, client: Connected, encoding: str) -> None:
    connected = await asyncio.to_thread(
        clickhouse_connect.get_client,
        host="127.0.0.1",
        port=api.port,
        compress="gzip" if encoding == "deflate" else encoding,
    )
    result = await asyncio.to_thread(connected.query, "SELECT repeat('x', 1000) FROM numbers(1000)")
    assert result.row_count == 1000
    await asyncio.to_thread(connected.close)
    url = "/?enable_http_compression=1&query=SELECT+repeat('x',1000)+FROM+numbers(1000)"
    raw = api.http.build_request("GET", url, headers={"accept-encoding": encoding})
    response = await api.http.send(raw, stream=True)
    content = b"".join([piece async for piece in response.aiter_raw()])
    assert response.headers["content-encoding"] == encoding
    assert len(content) < 100_000
    if encoding == "gzip":
        assert len(gzip.decompress(content)) == 1_001_000


async def test_a_compressed_statement_is_read(api: Api, client: Connected) -> None:
    content = gzip.compress(b"SELECT 7")
    response = await api.http.post("/", content=content, headers={"content-encoding": "gzip"})
    assert response.text == "7\n"
    for headers, body in (({"content-encoding": "br"}, b"x"), ({"content-encoding": "gzip"}, b"not gzip at all")):
        refused = await api.http.post("/", content=body, headers=headers)
        assert refused.headers["x-clickhouse-exception-code"] == "36"


async def test_tables_in_a_request_are_refused(api: Api, client: Connected) -> None:
    table = await api.http.post("/?query=SELECT+1", files={"t": ("t.tsv", b"1\n")})
    assert table.headers["x-clickhouse-exception-code"] == "497"


async def test_statements_run_side_by_side(api: Api, client: Connected) -> None:
    answers = await asyncio.gather(
        *(api.http.get("/", params={"query": f"SELECT {n}, count() FROM logs"}) for n in range(40))
    )
    assert [answer.text for answer in answers] == [f"{n}\t3\n" for n in range(40)]


async def test_a_statement_that_fails_midway_leaves_nothing_behind(api: Api) -> None:
    failing = "SELECT intDiv(1, n - 900000) AS n FROM (SELECT arrayJoin(range(1000000)) AS n) FORMAT JSONCompact"
    for n in range(3):
        assert (await api.http.get("/", params={"query": failing})).headers["x-clickhouse-exception-code"] == "153"
        assert (await api.http.get("/", params={"query": f"SELECT {n}"})).text == f"{n}\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_that_hangs_up_ends_its_statement(api: Api, client: Connected, method: str) -> None:
    def is_running() -> bool:
        asked = "SELECT query FROM system.processes WHERE query LIKE '/* run %'"
        return any("endless" in sql for sql in api.store.column(asked))

    numbers = "SELECT arrayJoin(range(1000000)) AS n FROM logs"
    endless = f"SELECT count() AS endless FROM ({numbers}) AS a, ({numbers}) AS b WHERE sipHash64(a.n, b.n) = 1"
    asking = asyncio.create_task(api.http.request(method, "/", params={"query": endless}, timeout=60))
    await asyncio.to_thread(wait_until, is_running, what="the statement in ClickHouse")
    asking.cancel()
    await asyncio.to_thread(wait_until, lambda: not is_running(), what="the end of the statement", timeout=10)
    assert (await client(lambda c: c.query("SELECT 1"))).result_rows == [(1,)]


# ---- what else is on this port


async def test_without_a_statement_the_page_tells_how(api: Api) -> None:
    page = await api.http.get("/")
    assert page.status_code == 200
    assert "SELECT" in page.text
    empty = await api.http.post("/", content=" ")
    assert (empty.status_code, empty.headers["x-clickhouse-exception-code"]) == (403, "164")


async def test_ping_health_and_metrics_answer(api: Api) -> None:
    assert (await api.http.get("/ping")).text == "Ok.\n"
    assert (await api.http.get("/healthz")).json() == {"status": "ok"}
    assert "spanloop_query_statements_total" in (await api.http.get("/metrics")).text


@pytest.mark.parametrize(("verb", "path", "status"), [("GET", "/v1/nothing", 404), ("PUT", "/v1/rows", 405)])
async def test_an_unknown_path_is_an_error_in_json(api: Api, verb: str, path: str, status: int) -> None:
    response = await api.http.request(verb, path)
    assert response.status_code == status
    assert response.json()["error"]["message"].startswith(f"{verb} {path}: ")
