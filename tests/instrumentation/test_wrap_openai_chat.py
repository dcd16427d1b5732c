"""`wrap_openai`, chat completions: whatever way they are called, one span says all about the call."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import openai
import pydantic
import pytest
import spanloop
from spanloop import TracedThreadPoolExecutor, traced
from spanloop.testing import Capture
from spanloop_collector.demo.provider import running_provider

from tests.instrumentation.provider import Provider, Reply, scripted_provider

MESSAGES: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 0},
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
    "usage": USAGE,
}
ROW = {
    "name": "chat gpt-4o",
    "type": "llm",
    "input": MESSAGES,
    "output": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
}


def chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": [choice],
        **more,
    }


CHUNKS: list[Any] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Par"}),
    chunk({"content": "is."}),
    chunk({}, "stop"),
    {**chunk({}), "choices": [], "usage": USAGE},
    "[DONE]",
]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="k", max_retries=0) as client:
        yield spanloop.wrap_openai(client)


@pytest.fixture
async def async_client(provider: Provider) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{provider.url}/v1", api_key="k", max_retries=0) as client:
        yield spanloop.wrap_openai(client)


def usage_of(captured: Capture) -> dict[str, int]:
    prefix = "gen_ai.usage."
    [span] = captured.spans
    return {k.removeprefix(prefix): v for k, v in span.attributes.items() if k.startswith(prefix)}


EXPECTED_USAGE = {
    "input_tokens": 100,
    "output_tokens": 20,
    "cache_read.input_tokens": 64,
    "reasoning.output_tokens": 8,
}


# --- whole replies -----------------------------------------------------------------------------


def test_a_call_is_one_whole_span(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(COMPLETION))
    completion = client.chat.completions.create(
        model="gpt-4o",
        messages=MESSAGES,
        temperature=0.2,
        max_completion_tokens=50,
        seed=7,
        stop=["\n"],
        metadata={"ticket": "17"},
    )
    assert completion.choices[0].message.content == "Paris."
    assert captured_spans.tree(attributes=True) == [
        {
            **ROW,
            "metadata": {"stop": ["\n"], "metadata": {"ticket": "17"}},
            "attributes": {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.request.temperature": 0.2,
                "gen_ai.request.max_tokens": 50,
                "gen_ai.request.seed": 7,
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 20,
                "gen_ai.usage.cache_read.input_tokens": 64,
                "gen_ai.usage.reasoning.output_tokens": 8,
                "openai.response.service_tier": "default",
                "server.address": "127.0.0.1",
                "server.port": int(provider.url.rpartition(":")[2]),
            },
        }
    ]
    assert captured_spans.spans[0].otel.kind.name == "CLIENT"


async def test_an_async_call(async_client: openai.AsyncOpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(COMPLETION))
    await async_client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert captured_spans.tree() == [ROW]
    assert usage_of(captured_spans) == EXPECTED_USAGE


def test_a_call_belongs_to_the_function_it_is_made_in(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(COMPLETION), Reply(COMPLETION))

    @traced
    def answer(n: int) -> str | None:
        completion = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        assert spanloop.current_span().span_id == outer[n]
        return completion.choices[0].message.content

    outer: dict[int, str] = {}

    @traced
    def ask(n: int) -> None:
        with spanloop.start_span("inner") as inner:
            outer[n] = inner.span_id
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    with TracedThreadPoolExecutor(2) as pool, spanloop.start_span("root"):
        list(pool.map(ask, range(2)))
    [root] = captured_spans.tree()
    assert [child["children"][0]["children"] for child in root["children"]] == [[ROW], [ROW]]


async def test_gathered_calls(async_client: openai.AsyncOpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(*[Reply(COMPLETION)] * 5)

    @traced
    async def ask(n: int) -> None:
        await async_client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    await asyncio.gather(*(ask(n) for n in range(5)))
    assert [row["children"] for row in captured_spans.tree()] == [[ROW]] * 5


def test_messages_that_are_the_clients_own_objects(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(COMPLETION), Reply(COMPLETION))
    first = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    captured_spans.clear()
    client.chat.completions.create(
        model="gpt-4o",
        messages=[*MESSAGES, first.choices[0].message, {"role": "user", "content": "Sure?"}],  # type: ignore[list-item]  # the client takes it
    )
    assert captured_spans.tree()[0]["input"] == [
        *MESSAGES,
        {"role": "assistant", "content": "Paris."},
        {"role": "user", "content": "Sure?"},
    ]


def test_tools(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"city":"Paris"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    tool: Any = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    provider.will(Reply({**COMPLETION, "choices": [choice]}))
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES, tools=[tool], tool_choice="auto")
    assert captured_spans.tree() == [{**ROW, "output": [choice], "metadata": {"tools": [tool], "tool_choice": "auto"}}]


class City(pydantic.BaseModel):
    name: str


def test_structured_outputs(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    message = {"role": "assistant", "content": '{"name":"Paris"}'}
    provider.will(Reply({**COMPLETION, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))
    completion = client.chat.completions.parse(model="gpt-4o", messages=MESSAGES, response_format=City)
    assert completion.choices[0].message.parsed == City(name="Paris")
    [row] = captured_spans.tree()
    assert row["output"][0]["message"]["content"] == '{"name":"Paris"}'
    assert row["output"][0]["message"]["parsed"] == {"name": "Paris"}
    assert row["metadata"]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("is_read", [True, False])
def test_a_raw_response(is_read: bool, client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(COMPLETION, headers={"x-request-id": "req_1"}))
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    if is_read:
        assert raw.parse().choices[0].message.content == "Paris."
    assert raw.headers["x-request-id"] == "req_1"
    assert captured_spans.tree() == [ROW]
    assert usage_of(captured_spans) == EXPECTED_USAGE


async def test_an_async_raw_response(
    async_client: openai.AsyncOpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(COMPLETION))
    raw = await async_client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    assert raw.parse().choices[0].message.content == "Paris."
    assert captured_spans.tree() == [ROW]


@pytest.mark.parametrize("way", ["parse", "json", "read", "iter_lines", "unread"])
def test_a_streaming_response(way: str, client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(COMPLETION))
    with client.chat.completions.with_streaming_response.create(model="gpt-4o", messages=MESSAGES) as response:
        assert captured_spans.spans == []
        if way != "unread":
            list(response.iter_lines()) if way == "iter_lines" else getattr(response, way)()
    [row] = captured_spans.tree()
    assert row == (ROW if way != "unread" else {**ROW, "output": None})


async def test_an_async_streaming_response(
    async_client: openai.AsyncOpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(COMPLETION))
    completions = async_client.chat.completions.with_streaming_response
    async with completions.create(model="gpt-4o", messages=MESSAGES) as response:
        await response.parse()
    assert captured_spans.tree() == [ROW]


# --- streams -----------------------------------------------------------------------------------


def consume_all(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    assert isinstance(stream, openai.Stream)
    assert sum(1 for _ in stream) == 5


def consume_in_context(client: openai.OpenAI) -> None:
    with client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True) as stream:
        for _ in stream:
            pass


def consume_by_next(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    while next(stream, None) is not None:
        pass


def consume_with_helper(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="gpt-4o", messages=MESSAGES) as stream:
        assert stream.get_final_completion().choices[0].message.content == "Paris."


def consume_raw(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES, stream=True)
    for _ in raw.parse():
        pass


def consume_streaming_response(client: openai.OpenAI) -> None:
    completions = client.chat.completions.with_streaming_response
    with completions.create(model="gpt-4o", messages=MESSAGES, stream=True) as response:
        for _ in response.parse():
            pass


def consume_lines(client: openai.OpenAI) -> None:
    completions = client.chat.completions.with_streaming_response
    with completions.create(model="gpt-4o", messages=MESSAGES, stream=True) as response:
        for _ in response.iter_lines():
            pass


@pytest.mark.parametrize(
    "consume",
    [
        consume_all,
        consume_in_context,
        consume_by_next,
        consume_with_helper,
        consume_raw,
        consume_streaming_response,
        consume_lines,
    ],
)
def test_a_stream_by_any_way_of_reading_it(
    consume: Callable[[openai.OpenAI], None],
    client: openai.OpenAI,
    provider: Provider,
    captured_spans: Capture,
) -> None:
    provider.will(Reply(events=CHUNKS))
    consume(client)
    assert captured_spans.tree() == [ROW]
    assert usage_of(captured_spans) == EXPECTED_USAGE
    attributes = captured_spans.spans[0].attributes
    assert attributes["gen_ai.response.time_to_first_chunk"] == 1.0
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.id"] == "chatcmpl-1"


async def test_an_async_stream(async_client: openai.AsyncOpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(events=CHUNKS), Reply(events=CHUNKS), Reply(events=CHUNKS))
    stream = await async_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    assert len([each async for each in stream]) == 5
    async with await async_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True) as stream:
        async for _ in stream:
            pass
    async with async_client.chat.completions.stream(model="gpt-4o", messages=MESSAGES) as helper:
        await helper.get_final_completion()
    assert captured_spans.tree() == [ROW] * 3


def test_the_span_ends_with_the_stream_and_not_before(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(events=CHUNKS))
    with spanloop.start_span("request"):
        stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        next(stream)
        assert captured_spans.spans == []
        assert spanloop.current_span().span_id != "0" * 16
    for _ in stream:
        pass
    assert captured_spans.tree() == [{"name": "request", "children": [ROW]}]


PARTIAL = {**ROW, "output": [{"index": 0, "message": {"role": "assistant", "content": "Par"}}]}


def stop_by_closing(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    next(stream)
    next(stream)
    stream.close()


def stop_by_leaving_the_context(client: openai.OpenAI) -> None:
    with client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True) as stream:
        next(stream)
        next(stream)


def stop_by_dropping_it(client: openai.OpenAI) -> None:
    for event in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
        if event.choices[0].delta.content:
            break
    del event
    gc.collect()


def stop_by_raising(client: openai.OpenAI) -> None:
    with (
        pytest.raises(RuntimeError),
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True) as stream,
    ):
        _read_two_and_raise(stream)


def _read_two_and_raise(stream: Iterator[object]) -> None:
    next(stream)
    next(stream)
    raise RuntimeError("the consumer's own trouble")


def stop_in_another_thread(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    next(stream)
    next(stream)
    thread = threading.Thread(target=stream.close)
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    "stop",
    [
        stop_by_closing,
        stop_by_leaving_the_context,
        stop_by_dropping_it,
        stop_by_raising,
        stop_in_another_thread,
    ],
)
def test_a_stream_stopped_early_keeps_what_arrived(
    stop: Callable[[openai.OpenAI], None],
    client: openai.OpenAI,
    provider: Provider,
    captured_spans: Capture,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = threading.Event()
    # The third piece is not sent before the consumer has stopped.
    provider.will(Reply(events=CHUNKS, gate=gate, gate_before=2))
    stop(client)
    gate.set()
    assert captured_spans.tree() == [PARTIAL]
    assert [record for record in caplog.records if record.name == "spanloop"] == []


def test_a_stream_never_read_ends_when_it_is_collected(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(events=CHUNKS))
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    stream.response.close()
    del stream
    gc.collect()
    [row] = captured_spans.tree()
    assert {key: row[key] for key in ("name", "input")} == {key: ROW[key] for key in ("name", "input")}


async def test_an_async_stream_closed_in_another_task(
    async_client: openai.AsyncOpenAI,
    provider: Provider,
    captured_spans: Capture,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate = threading.Event()
    provider.will(Reply(events=CHUNKS, gate=gate, gate_before=2))
    with spanloop.start_span("request"):
        stream = await async_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        await anext(stream)
        await anext(stream)
        await asyncio.create_task(stream.close())
    gate.set()
    assert captured_spans.tree() == [{"name": "request", "children": [PARTIAL]}]
    assert [record for record in caplog.records if record.name == "spanloop"] == []


def test_a_connection_lost_in_mid_stream(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(events=CHUNKS[:2], breaks=True))
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIConnectionError):
        list(stream)
    [row] = captured_spans.tree()
    assert row["output"] == PARTIAL["output"]
    assert row["error"].startswith("RemoteProtocolError: ")


def test_an_error_the_provider_reports_in_mid_stream(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(events=[*CHUNKS[:2], {"error": {"message": "overloaded", "code": "x"}}]))
    stream = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
    with pytest.raises(openai.APIError, match="overloaded"):
        list(stream)
    [row] = captured_spans.tree()
    assert (row["output"], row["error"]) == (PARTIAL["output"], "overloaded")


def test_streamed_tool_calls_are_put_together(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    def piece(index: int, **more: Any) -> dict[str, Any]:
        return chunk({"tool_calls": [{"index": index, **more}]})

    provider.will(
        Reply(
            events=[
                chunk({"role": "assistant", "content": None}),
                piece(0, id="call_a", type="function", function={"name": "look_up", "arguments": ""}),
                piece(0, function={"arguments": '{"city":'}),
                piece(0, function={"arguments": '"Paris"}'}),
                piece(1, id="call_b", type="function", function={"name": "now", "arguments": "{}"}),
                chunk({}, "tool_calls"),
                "[DONE]",
            ]
        )
    )
    list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
    assert captured_spans.tree()[0]["output"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "call_a",
                        "type": "function",
                        "function": {"name": "look_up", "arguments": '{"city":"Paris"}'},
                    },
                    {
                        "index": 1,
                        "id": "call_b",
                        "type": "function",
                        "function": {"name": "now", "arguments": "{}"},
                    },
                ],
            },
            "finish_reason": "tool_calls",
        }
    ]


def test_several_choices_are_kept_apart(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    events: list[Any] = [chunk({"role": "assistant", "content": ""}), chunk({"content": "a"})]
    for number, text in ((1, "b"), (0, "c")):
        event = chunk({"content": text})
        event["choices"][0]["index"] = number
        events.append(event)
    provider.will(Reply(events=[*events, "[DONE]"]))
    list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, n=2))
    output = captured_spans.tree()[0]["output"]
    assert [choice["message"]["content"] for choice in output] == ["ac", "b"]


# --- failures and retries ----------------------------------------------------------------------


def test_an_error_status_is_recorded_and_passes(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply({"error": {"message": "bad key"}}, status=401))
    with pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    [row] = captured_spans.tree()
    assert row["error"].startswith("AuthenticationError: Error code: 401")
    assert "output" not in row


def test_retries_are_one_span_with_its_attempts(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    quick = {"retry-after-ms": "1"}
    provider.will(Reply({}, status=500, headers=quick), Reply({}, status=429, headers=quick), Reply(COMPLETION))
    client.with_options(max_retries=2).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert captured_spans.tree() == [{**ROW, "metrics": {"attempts": 3}}]
    events = captured_spans.spans[0].otel.events
    assert [(event.name, dict(event.attributes or {})) for event in events] == [
        ("retry", {"retry.reason": "500"}),
        ("retry", {"retry.reason": "429"}),
    ]


async def test_async_retries_that_fail(
    async_client: openai.AsyncOpenAI, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(*[Reply({}, status=500, headers={"retry-after-ms": "1"})] * 2)
    with pytest.raises(openai.InternalServerError):
        await async_client.with_options(max_retries=1).chat.completions.create(model="m", messages=MESSAGES)
    [row] = captured_spans.tree()
    assert row["metrics"] == {"attempts": 2}
    assert row["error"].startswith("InternalServerError: ")


def test_a_provider_that_is_away(captured_spans: Capture) -> None:
    with openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k", max_retries=0) as plain:
        client = spanloop.wrap_openai(plain)
        with pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert captured_spans.tree()[0]["error"] == "APIConnectionError: Connection error."


# --- the client itself -------------------------------------------------------------------------


def test_wrapping_changes_the_client_in_place_and_once(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    assert spanloop.wrap_openai(client) is client
    assert isinstance(client, openai.OpenAI)
    provider.will(Reply(COMPLETION))
    client.with_options(timeout=5).copy().chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert len(captured_spans.spans) == 1


def test_other_clients_are_left_alone(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(COMPLETION))
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="k") as other:
        other.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert captured_spans.spans == []


def test_other_requests_are_left_alone(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({"object": "list", "data": []}))
    client.models.list()
    assert captured_spans.spans == []


def test_without_init_the_client_works(client: openai.OpenAI, provider: Provider) -> None:
    provider.will(Reply(COMPLETION), Reply(events=CHUNKS))
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert len(list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))) == 5


def test_something_that_is_no_client_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    thing = object()
    assert spanloop.wrap_openai(thing) is thing
    assert "'object' is no client of the openai or anthropic package" in caplog.text


@pytest.mark.parametrize("place", ["_wrap.call.start_otel_span", "_wrap.call.fields_as_attributes"])
def test_our_faults_never_reach_the_call(
    place: str,
    client: openai.OpenAI,
    provider: Provider,
    captured_spans: Capture,
    guard_on: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("our bug")

    provider.will(Reply(COMPLETION), Reply(events=CHUNKS))
    monkeypatch.setattr(f"spanloop.{place}", broken)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert len(list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))) == 5


def test_our_faults_never_reach_a_stream(
    client: openai.OpenAI,
    provider: Provider,
    captured_spans: Capture,
    guard_on: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("our bug")

    monkeypatch.setattr("spanloop._wrap.events.parsed", broken)
    provider.will(Reply(events=CHUNKS))
    assert len(list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))) == 5


def test_azure(provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(COMPLETION), Reply(COMPLETION))
    for deployment in (None, "my-deployment"):
        with openai.AzureOpenAI(
            azure_endpoint=provider.url, azure_deployment=deployment, api_key="k", api_version="2025-01-01"
        ) as plain:
            spanloop.wrap_openai(plain).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert [path for path, _ in provider.requests] == [
        "/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01",
        "/openai/deployments/my-deployment/chat/completions?api-version=2025-01-01",
    ]
    assert captured_spans.tree() == [ROW, ROW]
    assert {span.attributes["gen_ai.provider.name"] for span in captured_spans.spans} == {"azure.ai.openai"}


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://me.openai.azure.com/openai/v1", "azure.ai.openai"),
        ("https://us-central1-aiplatform.googleapis.com/v1/x/endpoints/openapi", "gcp.vertex_ai"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "gcp.gemini"),
        ("https://notapi.openai.com.example.com/v1", "openai"),
        ("https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1", "aws.bedrock"),
        ("http://localhost:11434/v1", "openai"),
    ],
)
def test_the_provider_is_known_by_its_address(base_url: str, name: str) -> None:
    from spanloop._wrap.openai import find_provider

    with openai.OpenAI(base_url=base_url, api_key="k") as client:
        assert find_provider(client) == name


def test_against_the_demos_provider(captured_spans: Capture) -> None:
    """The stand-in that `spanloop demo` starts speaks what the real client reads."""
    messages: list[Any] = [
        {"role": "system", "content": "Answer from these facts: Order 7 is packed."},
        {"role": "user", "content": [{"type": "text", "text": "Where is order 7?"}]},
    ]
    with running_provider() as url, openai.OpenAI(base_url=url, api_key="k", max_retries=0) as plain:
        client = spanloop.wrap_openai(plain)
        whole = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        list(
            client.chat.completions.create(
                model="gpt-4o-mini", messages=messages, stream=True, stream_options={"include_usage": True}
            )
        )
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="m", input="x")
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="m", messages="wrong")  # type: ignore[arg-type]  # on purpose
    assert whole.choices[0].message.content == "Thank you for asking. Order 7 is packed."
    first, second, *_ = captured_spans.spans
    contents = [span.fields["output"][0]["message"]["content"] for span in (first, second)]
    assert contents == [whole.choices[0].message.content] * 2
    assert first.attributes["gen_ai.usage.output_tokens"] == second.attributes["gen_ai.usage.output_tokens"] == 10
