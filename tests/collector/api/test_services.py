"""Keys, status, dead letters and queries over JSON and gRPC; who may call what."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import clickhouse_connect
import grpc.aio
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships no types
from spanloop.v1 import (
    annotations_pb2,
    keys_pb2,
    keys_pb2_grpc,
    query_pb2,
    query_pb2_grpc,
    rows_pb2,
    rows_pb2_grpc,
    status_pb2,
    status_pb2_grpc,
)
from spanloop_collector.api.operations import MODULES
from spanloop_collector.keys.principal import Scope

from tests.collector.api.conftest import Api

POISON = b"\x0a\x05\x12\x03\x12\x01\xff"  # lengths that reach beyond their message


@pytest.fixture(params=[False, True], ids=["without-keys", "with-keys"])
def requires_keys(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def admin(api: Api) -> dict[str, str]:
    return await api.key(Scope.ADMIN)


# ---- over gRPC


async def test_rows_are_written_and_queried_over_grpc(api: Api) -> None:
    metadata = tuple((await admin(api)).items())
    rows = rows_pb2_grpc.RowServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    answer = await rows.WriteRows(
        rows_pb2.WriteRowsRequest(
            rows=[rows_pb2.Row(id="a", input='{"n": 9223372036854775807}'), rows_pb2.Row(id="b", input="{")]
        ),
        metadata=metadata,
    )
    assert [result.error.partition(":")[0] for result in answer.results] == ["", "rows[1].input"]
    await api.writer.barrier()
    queries = query_pb2_grpc.QueryServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    request = query_pb2.QueryRequest(sql="SELECT input FROM logs WHERE id = {id:String}", parameters={"id": "a"})
    pieces = [piece.data async for piece in queries.Query(request, metadata=metadata)]
    assert b"".join(pieces) == b'{"input":"{\\"n\\":9223372036854775807}"}\n'


async def test_a_large_result_streams_as_arrow(api: Api) -> None:
    queries = query_pb2_grpc.QueryServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    request = query_pb2.QueryRequest(
        sql="SELECT number FROM numbers(1000000)", format=query_pb2.RESULT_FORMAT_ARROW_STREAM
    )
    call = queries.Query(request, metadata=tuple((await admin(api)).items()))
    pieces = [piece.data async for piece in call]
    assert len(pieces) > 1
    table = pa.ipc.open_stream(b"".join(pieces)).read_all()
    assert table.num_rows == 1_000_000


async def test_a_grpc_error_carries_status_and_field(api: Api) -> None:
    metadata = tuple((await admin(api)).items())
    rows = rows_pb2_grpc.RowServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await rows.MergeRows(rows_pb2.MergeRowsRequest(rows=[rows_pb2.Row()]), metadata=metadata)
    assert failed.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert failed.value.details() == "rows[0].id: a merge needs the id of its row"
    trailers = dict(failed.value.trailing_metadata())
    assert Status.FromString(trailers["grpc-status-details-bin"]).details
    queries = query_pb2_grpc.QueryServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        _ = [piece async for piece in queries.Query(query_pb2.QueryRequest(sql="DROP TABLE x"), metadata=metadata)]
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_malformed_bytes_are_the_senders_fault(api: Api) -> None:
    call: Any = api.grpc.unary_unary("/spanloop.v1.RowService/WriteRows")
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call(b"\xff\xff", metadata=tuple((await admin(api)).items()))
    assert failed.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "the request is not a spanloop.v1.WriteRowsRequest" in (failed.value.details() or "")


# ---- keys


async def test_a_key_is_made_listed_and_revoked(api: Api) -> None:
    headers = await admin(api)
    body = {"name": "app", "project": "shop", "scopes": ["SCOPE_INGEST", "SCOPE_READ"]}
    made = (await api.http.post("/v1/keys", json=body, headers=headers)).json()
    key_id = made["key"]["key_id"]
    assert made["secret_key"].startswith(f"sl_{key_id}_")
    listed = (await api.http.get("/v1/keys", params={"project": "shop"}, headers=headers)).json()
    assert listed == {"keys": [made["key"]]}
    assert made["key"]["scopes"] == ["SCOPE_INGEST", "SCOPE_READ"]
    revoked = (await api.http.delete(f"/v1/keys/{key_id}", headers=headers)).json()
    assert revoked["key"] == {**made["key"], "is_revoked": True}
    everything = (await api.http.get("/v1/keys", headers=headers)).text
    assert made["secret_key"].rpartition("_")[2] not in everything


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"scopes": []}, "scopes: name at least one of ingest, read, admin"),
        ({"scopes": ["READ"]}, "scopes[0]: expected one of SCOPE_UNSPECIFIED, SCOPE_INGEST"),
        ({"scopes": ["SCOPE_UNSPECIFIED"]}, "scopes: expected SCOPE_INGEST, SCOPE_READ or SCOPE_ADMIN"),
        ({"name": "x" * 201, "scopes": ["SCOPE_READ"]}, "name: is longer than 200 characters"),
    ],
)
async def test_a_bad_key_request_names_its_field(api: Api, body: dict[str, Any], message: str) -> None:
    answer = await api.http.post("/v1/keys", json=body, headers=await admin(api))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)


async def test_an_unknown_key_cannot_be_revoked(api: Api) -> None:
    answer = await api.http.delete("/v1/keys/nobody", headers=await admin(api))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


# ---- status


async def test_status_tells_both_transports_the_same(api: Api, requires_keys: bool) -> None:
    headers = await admin(api)
    status = (await api.http.get("/v1/status", headers=headers)).json()
    stub = status_pb2_grpc.StatusServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    message = await stub.GetStatus(status_pb2.GetStatusRequest(), metadata=tuple(headers.items()))
    assert status["store"]["database"] == message.store.database == api.store.database
    assert status["store"]["is_reachable"] is True
    assert status["store"]["version"].count(".") >= 2
    assert status["store"]["is_embedded"] == api.store.is_embedded
    assert status["store"]["reader_isolation"] == "guard"
    assert abs(status["now_unix_nano"] - time.time_ns()) < 60e9
    assert status["keys_required"] is requires_keys
    assert [spool["signal"] for spool in status["spools"]] == ["traces", "logs"]
    assert status["disk_free_bytes"] > 0


# ---- dead letters


async def test_dead_letters_are_listed_replayed_and_deleted(api: Api) -> None:
    headers = await admin(api)

    async def letters() -> list[dict[str, Any]]:
        await api.writer.barrier()
        listed: list[dict[str, Any]] = (await api.http.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
        return listed

    await api.spool.append(POISON, item_count=1)
    [letter] = await letters()
    assert (letter["signal"], letter["items"], letter["bytes"]) == ("traces", 1, len(POISON))
    assert letter["reason"]
    status = (await api.http.get("/v1/status", headers=headers)).json()
    assert [spool["dead_letters"] for spool in status["spools"]] == [1, 0]
    replayed = await api.http.post(f"/v1/dead-letters/{letter['id']}/replay", headers=headers)
    assert replayed.json() == {}
    [again] = await letters()
    assert again["id"] != letter["id"]
    assert (await api.http.delete(f"/v1/dead-letters/{again['id']}", headers=headers)).status_code == 200
    assert await letters() == []
    assert (await api.http.delete("/v1/dead-letters/x", headers=headers)).status_code == 404


# ---- who may do what


CALLS = [
    ("POST", "/v1/rows", {"rows": [{"id": "a"}]}, Scope.INGEST),
    ("POST", "/v1/rows/merge", {"rows": [{"id": "a"}]}, Scope.INGEST),
    ("POST", "/v1/query", {"sql": "SELECT 1"}, Scope.READ),
    ("GET", "/?query=SELECT+1", None, Scope.READ),
    ("POST", "/v1/keys", {"scopes": ["SCOPE_READ"]}, Scope.ADMIN),
    ("GET", "/v1/keys", None, Scope.ADMIN),
    ("DELETE", "/v1/keys/x", None, Scope.ADMIN),
    ("GET", "/v1/dead-letters", None, Scope.ADMIN),
    ("GET", "/v1/status", None, None),
]


async def test_each_operation_needs_its_scope(api: Api, requires_keys: bool) -> None:
    headers = {scope: await api.key(scope) for scope in (Scope.INGEST, Scope.READ)}
    wrong = {}
    for verb, path, body, needed in CALLS:
        for scope, header in headers.items():
            response = await api.http.request(verb, path, json=body, headers=header)
            refused = response.status_code == 403
            if refused != (requires_keys and needed not in (None, scope)):
                wrong[verb, path, scope] = response.status_code
    assert wrong == {}


@pytest.mark.parametrize("requires_keys", [False])
async def test_no_operation_takes_a_field_it_does_not_know(api: Api) -> None:
    answers = {}
    for module in MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                verb, path = method.GetOptions().Extensions[annotations_pb2.http].split(" ")
                given: dict[str, Any] = {"json" if verb == "POST" else "params": {"no_such_field": "x"}}
                answer = await api.http.request(verb, re.sub("{.*?}", "x", path), **given)
                answers[method.full_name] = answer.status_code, answer.json()["error"]["field"]
    assert set(answers.values()) == {(400, "no_such_field")}, answers


@pytest.mark.parametrize("requires_keys", [True])
async def test_without_a_good_key_nothing_is_answered(api: Api) -> None:
    revoked = await api.key(Scope.ADMIN)
    await api.ring.revoke(revoked["authorization"].split("_")[1])
    answers = {}
    for headers in ({}, {"authorization": "Bearer nonsense"}, revoked):
        for verb, path, body, _ in CALLS:
            response = await api.http.request(verb, path, json=body, headers=headers)
            answers[verb, path, headers.get("authorization")] = response.status_code
        stub = keys_pb2_grpc.KeyServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListKeys(keys_pb2.ListKeysRequest(), metadata=tuple(headers.items()))
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert set(answers.values()) == {401}
    assert await api.rows("id") == []


@pytest.mark.parametrize("requires_keys", [True])
async def test_a_projects_key_writes_and_reads_its_project_only(api: Api) -> None:
    shop = await api.key(Scope.INGEST, Scope.READ, project="shop")
    bank = await api.key(Scope.INGEST, Scope.READ, project="bank")
    for headers in (shop, bank):
        assert (await api.http.post("/v1/rows", json={"rows": [{"id": "a"}]}, headers=headers)).status_code == 200
    foreign = await api.http.post("/v1/rows", json={"project": "bank", "rows": [{"id": "b"}]}, headers=shop)
    assert foreign.status_code == 403
    assert sorted(await api.rows("project, id")) == [("bank", "a"), ("shop", "a")]
    seen = await api.http.post("/", content="SELECT project, count() FROM logs GROUP BY project", headers=shop)
    assert seen.text == "shop\t1\n"


@pytest.mark.parametrize("requires_keys", [True])
async def test_a_projects_admin_manages_its_projects_keys_only(api: Api) -> None:
    shop_admin = await api.key(Scope.ADMIN, project="shop")
    bank_key = await api.key(Scope.READ, project="bank")
    made = await api.http.post("/v1/keys", json={"scopes": ["SCOPE_READ"]}, headers=shop_admin)
    assert made.json()["key"]["project"] == "shop"
    refused = [
        await api.http.post("/v1/keys", json={"project": "bank", "scopes": ["SCOPE_READ"]}, headers=shop_admin),
        await api.http.get("/v1/keys?project=bank", headers=shop_admin),
        await api.http.delete(f"/v1/keys/{bank_key['authorization'].split('_')[1]}", headers=shop_admin),
    ]
    assert [answer.status_code for answer in refused] == [403] * 3
    listed = (await api.http.get("/v1/keys", headers=shop_admin)).json()["keys"]
    assert {key["project"] for key in listed} == {"shop"}


@pytest.mark.parametrize("requires_keys", [True])
async def test_clickhouse_connect_sends_the_key_as_password(api: Api) -> None:
    key = (await api.key(Scope.READ))["authorization"].removeprefix("Bearer ")

    def ask(**credentials: Any) -> object:
        client = clickhouse_connect.get_client(host="127.0.0.1", port=api.port, **credentials)
        try:
            return client.command("SELECT 1")
        finally:
            client.close()

    assert await asyncio.to_thread(ask, username="anyone", password=key) == 1
    assert await asyncio.to_thread(ask, access_token=key) == 1
    with pytest.raises(DatabaseError) as refused:
        await asyncio.to_thread(ask, username="anyone", password="wrong")
    assert (refused.value.code, refused.value.name) == (516, "AUTHENTICATION_FAILED")


def test_scopes_have_the_same_names_everywhere() -> None:
    names = {name.removeprefix("SCOPE_").lower() for name in annotations_pb2.Scope.DESCRIPTOR.values_by_name}
    assert names - {"unspecified"} == {scope.value for scope in Scope}
