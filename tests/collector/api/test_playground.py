"""The playground over both transports: who may run, what a stream looks like, that closing it stops the model; and
how what it found becomes an experiment."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import grpc.aio
import pytest
from spanloop.v1 import playground_pb2, playground_pb2_grpc
from spanloop_collector.keys.principal import Scope
from spanloop_collector.settings import PlaygroundSettings

from tests.collector.api.conftest import Api
from tests.collector.playground.wires import openai_reply
from tests.instrumentation.provider import Provider, scripted_provider

RUN = {"endpoint": "local", "model": "m", "messages": [{"role": "user", "content": "Hello {{input}}"}], "input": "Ada"}


@pytest.fixture
def requires_keys() -> bool:
    return True


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def playground_settings(provider: Provider) -> PlaygroundSettings:
    table = {"local": {"url": f"{provider.url}/v1", "api_key": "sk-local", "models": ["m"]}}
    return PlaygroundSettings(endpoints=json.dumps(table), max_runs=1)


async def test_run_is_lines_of_json_over_http(api: Api, provider: Provider) -> None:
    provider.will(openai_reply("Hi", " Ada"))
    key = await api.key(Scope.ADMIN, project="a")
    answer = await api.http.post("/v1/playground/run", json=RUN, headers=key)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["text"] for line in lines] == ["", "Hi", " Ada", ""]
    assert (lines[-1]["end"]["output"], lines[-1]["end"]["error"]) == ("Hi Ada", "")

    refused = await api.http.post("/v1/playground/run", json={**RUN, "endpoint": "x"}, headers=key)
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "endpoint")
    listed = await api.http.get("/v1/playground/models", headers=await api.key(Scope.READ, project="a"))
    assert listed.json()["endpoints"] == [{"name": "local", "kind": "openai", "models": ["m"], "problem": ""}]
    assert "sk-local" not in listed.text


async def test_only_keys_that_may_spend_may_run(api: Api, provider: Provider) -> None:
    for scopes in ([Scope.READ], [Scope.INGEST], [Scope.READ, Scope.INGEST]):
        key = await api.key(*scopes, project="a")
        assert (await api.http.post("/v1/playground/run", json=RUN, headers=key)).status_code == 403
    assert (await api.http.post("/v1/playground/run", json=RUN)).status_code == 401
    assert provider.requests == []


async def test_run_streams_over_grpc_and_stops_with_its_call(api: Api, provider: Provider) -> None:
    metadata = tuple((await api.key(Scope.ADMIN)).items())
    stub = playground_pb2_grpc.PlaygroundServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    request = playground_pb2.RunPromptRequest(
        endpoint="local", model="m", messages=['{"role": "user", "content": "Hello {{input}}"}'], input='"Ada"'
    )
    provider.will(openai_reply("Hi"))
    answers = [answer async for answer in stub.RunPrompt(request, metadata=metadata)]
    assert ([answer.text for answer in answers], answers[-1].end.output) == (["", "Hi", ""], '"Hi"')

    gate = threading.Event()
    provider.will(openai_reply("Hi", "there", gate=gate, gate_before=2))
    call = stub.RunPrompt(request, metadata=metadata)
    assert [(await call.read()).text for _ in range(2)] == ["", "Hi"]
    call.cancel()
    await room(api, provider)
    gate.set()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in stub.RunPrompt(playground_pb2.RunPromptRequest(endpoint="x"), metadata=metadata):
            pass
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_closing_the_response_stops_the_model(api: Api, provider: Provider) -> None:
    key = await api.key(Scope.ADMIN)
    gate = threading.Event()
    for seen in ("", "Hi"):  # before the first word, and after it
        provider.will(openai_reply("Hi", "there", gate=gate, gate_before=2 if seen else 0))
        async with api.http.stream("POST", "/v1/playground/run", json=RUN, headers=key) as answer:
            async for line in answer.aiter_lines():
                if json.loads(line)["text"] == seen:
                    break
        await room(api, provider)
    gate.set()


async def room(api: Api, provider: Provider) -> None:
    """Waits until another may run: of one at most, the last has ended."""
    key = await api.key(Scope.ADMIN)

    async def try_one() -> bool:
        provider.replies[:] = [openai_reply("free")]
        return (await api.http.post("/v1/playground/run", json=RUN, headers=key)).status_code == 200

    async with asyncio.timeout(10):
        while not await try_one():  # noqa: ASYNC110 - what is asked is the server itself
            await asyncio.sleep(0.02)


async def test_rows_may_be_written_into_an_experiment(api: Api) -> None:
    key = await api.key(Scope.ADMIN, project="a")

    async def post(path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
        answer = await api.http.post(path, json=body, headers=key)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    made = await post("/v1/experiments", {"name": "try"})
    experiment = made["experiment"]["id"]
    trace = "1" * 32
    origin = {"object_type": "dataset", "object_id": "d", "id": "r", "_xact_id": "7"}
    metrics = {"start": 1_700_000_000, "end": 1_700_000_001}
    case = {
        "span_id": "2" * 16,
        "type": "eval",
        "input": "Ada",
        "output": "Hi",
        "scores": {"exact": 1},
        "origin": origin,
    }
    llm = {"span_id": "3" * 16, "parent_id": "2" * 16, "type": "llm", "metadata": {"model": "gpt-4o"}}
    rows = [{**row, "trace_id": trace, "experiment_id": experiment, "metrics": metrics} for row in (case, llm)]
    assert (await post("/v1/rows", {"rows": rows}))["stored"] == 2
    await post("/v1/experiments/try/finish", {})

    compared = await post("/v1/experiments/compare", {"experiments": ["try"], "limit": 5})
    (found,) = compared["cases"]
    assert (found["input"], found["sides"][0]["scores"], found["sides"][0]["rows"][0]["origin"]) == (
        "Ada",
        {"exact": 1},
        origin,
    )
    assert await api.rows("id") == []  # none of it is production's

    refused = await post("/v1/rows/merge", {"rows": [{"id": "x", "experiment_id": experiment}]}, status=400)
    assert refused["error"]["field"] == "rows[0].experiment_id"
