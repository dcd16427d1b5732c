"""`wrap_google_genai`: Gemini, whole and streamed, chats, functions, embeddings, cached tokens and thoughts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import spanloop
from google import genai
from google.genai import errors, types
from spanloop.testing import Capture

from tests.instrumentation.provider import Provider, Reply, scripted_provider

# The client's own way of using aiohttp, where that is installed.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

MODEL = "gemini-test-1"
CONTENTS: list[Any] = [{"parts": [{"text": "Capital of France?"}], "role": "user"}]
USAGE: dict[str, Any] = {
    "promptTokenCount": 120,
    "cachedContentTokenCount": 80,
    "toolUsePromptTokenCount": 10,
    "candidatesTokenCount": 7,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 142,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 90}, {"modality": "AUDIO", "tokenCount": 30}],
}


def candidate(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}


def reply(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"candidates": [candidate(*parts, **more)], "modelVersion": f"{MODEL}-001", "responseId": "r1"}


ANSWER = {**reply({"text": "Paris."}, finishReason="STOP"), "usageMetadata": USAGE}
CHUNKS = [
    {**reply({"text": "Hm, ", "thought": True}), "usageMetadata": {"promptTokenCount": 120, "totalTokenCount": 120}},
    reply({"text": "Paris?", "thought": True}),
    reply({"text": "Par"}),
    {**reply({"text": "is."}, finishReason="STOP"), "usageMetadata": USAGE},
]
ROW: dict[str, Any] = {
    "name": f"generate_content {MODEL}",
    "type": "llm",
    "input": [{"role": "system", "parts": [{"text": "Be brief."}]}, *CONTENTS],
    "output": [candidate({"text": "Paris."}, finishReason="STOP")],
}
STREAMED_ROW = {
    **ROW,
    "output": [candidate({"text": "Hm, Paris?", "thought": True}, {"text": "Paris."}, finishReason="STOP")],
}
EXPECTED_ATTRIBUTES = {
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "gcp.gemini",
    "gen_ai.request.model": MODEL,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.id": "r1",
    "gen_ai.response.model": f"{MODEL}-001",
    "gen_ai.usage.input_tokens": 130,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 80,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.usage.audio.input_tokens": 30,
    "server.address": "127.0.0.1",
}
CONFIG = types.GenerateContentConfig(system_instruction="Be brief.", temperature=0.5)
REQUEST: dict[str, Any] = {"model": MODEL, "contents": "Capital of France?", "config": CONFIG}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


def make_client(provider: Provider, **options: Any) -> genai.Client:
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=provider.url, **options))


@pytest.fixture
def client(provider: Provider) -> Iterator[genai.Client]:
    with make_client(provider) as client:
        yield spanloop.wrap_google_genai(client)


def attributes(captured: Capture) -> dict[str, Any]:
    [span] = captured.spans
    return {key: value for key, value in span.attributes.items() if key != "server.port"}


def test_a_call_is_one_whole_span(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER))
    assert client.models.generate_content(**REQUEST).text == "Paris."
    assert captured_spans.tree() == [ROW]
    assert attributes(captured_spans) == EXPECTED_ATTRIBUTES


def test_a_stream_is_put_together(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(events=CHUNKS))
    texts = [chunk.text for chunk in client.models.generate_content_stream(**REQUEST)]
    assert texts[-2:] == ["Par", "is."]
    assert captured_spans.tree() == [STREAMED_ROW]
    assert attributes(captured_spans) == {
        **EXPECTED_ATTRIBUTES,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 1.0,
    }


async def test_async(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER), Reply(events=CHUNKS))
    async with client.aio as aio:
        assert (await aio.models.generate_content(**REQUEST)).text == "Paris."
        async for _ in await aio.models.generate_content_stream(**REQUEST):
            pass
    assert captured_spans.tree() == [ROW, STREAMED_ROW]


async def test_gathered_calls_belong_to_their_functions(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(*[Reply(ANSWER)] * 3)
    async with client.aio as aio:

        @spanloop.traced
        async def ask(number: int) -> str | None:
            return (await aio.models.generate_content(**REQUEST)).text

        await asyncio.gather(*(ask(number) for number in range(3)))
    assert [[child["name"] for child in row["children"]] for row in captured_spans.tree()] == [[ROW["name"]]] * 3


def test_a_stream_belongs_to_where_it_was_made(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    """The client sends the request when the first piece is asked for, here by somebody else."""
    provider.will(Reply(events=CHUNKS))
    with spanloop.start_span("made"):
        stream = client.models.generate_content_stream(**REQUEST)
    with spanloop.start_span("read"):
        for _ in stream:
            with spanloop.start_span("shown"):
                pass
    made, read = captured_spans.tree()
    assert [child["name"] for child in made["children"]] == [ROW["name"]]
    assert [child["name"] for child in read["children"]] == ["shown"] * 4


async def test_an_async_stream_closed_in_another_task(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    gate = threading.Event()
    provider.will(Reply(events=CHUNKS, gate=gate, gate_before=3))
    async with client.aio as aio:
        with spanloop.start_span("request"):
            stream: Any = await aio.models.generate_content_stream(**REQUEST)
            async for chunk in stream:
                if chunk.text == "Par":
                    break
        gate.set()
        await asyncio.create_task(stream.aclose())
        await asyncio.sleep(0)
    [request] = captured_spans.tree()
    assert request["children"][0]["output"] == [candidate({"text": "Hm, Paris?", "thought": True}, {"text": "Par"})]


def test_a_stream_stopped_early_keeps_what_arrived(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    gate = threading.Event()
    provider.will(Reply(events=CHUNKS, gate=gate, gate_before=3))
    for chunk in client.models.generate_content_stream(**REQUEST):
        if chunk.text == "Par":
            break
    gate.set()
    del chunk
    [row] = captured_spans.tree()
    assert row["output"] == [candidate({"text": "Hm, Paris?", "thought": True}, {"text": "Par"})]
    assert "error" not in row


def test_a_chat_and_its_stream(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER), Reply(events=CHUNKS))
    chat = client.chats.create(model=MODEL, config=CONFIG)
    chat.send_message("Capital of France?")
    for _ in chat.send_message_stream("Sure?"):
        pass
    first, second = captured_spans.tree()
    assert first == ROW
    asked = [*ROW["input"], {"parts": [{"text": "Paris."}], "role": "model"}]
    assert second["input"] == [*asked, {"parts": [{"text": "Sure?"}], "role": "user"}]


def test_function_calling_shows_each_round(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    @spanloop.traced(type="tool")
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"rain in {city}"

    called = {"functionCall": {"name": "weather", "args": {"city": "Paris"}}}
    provider.will(Reply(reply(called)), Reply(ANSWER))
    client.models.generate_content(model=MODEL, contents="Rain?", config=types.GenerateContentConfig(tools=[weather]))
    first, tool, last = captured_spans.tree()
    assert first["output"] == [candidate(called)]
    assert first["metadata"]["tools"][0]["functionDeclarations"][0]["name"] == "weather"
    assert tool == {"name": "weather", "type": "tool", "input": {"city": "Paris"}, "output": "rain in Paris"}
    assert last["input"][-1]["parts"][0]["functionResponse"]["response"] == {"result": "rain in Paris"}
    assert last["output"] == ROW["output"]


def test_streamed_function_calls_stay_apart(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    calls = [{"functionCall": {"name": "weather", "args": {"city": city}}} for city in ("Paris", "Rome")]
    signed = {"text": "Well", "thoughtSignature": "c2ln"}
    chunks = [reply(signed), reply({"text": "…"}), reply(calls[0]), reply(calls[1])]
    provider.will(Reply(events=chunks))
    list(client.models.generate_content_stream(model=MODEL, contents="Rain?"))
    assert captured_spans.tree()[0]["output"] == [candidate(signed, {"text": "…"}, *calls)]


def embed_batch(number: int) -> dict[str, Any]:
    return {"embeddings": [{"values": [0.5] * 8}] * number}


def test_embeddings_say_how_many_not_what(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(embed_batch(2)))
    config = types.EmbedContentConfig(output_dimensionality=8)
    texts: Any = ["a", "b"]
    client.models.embed_content(model="embed-1", contents=texts, config=config)
    assert captured_spans.tree() == [
        {
            "name": "embeddings embed-1",
            "type": "llm",
            "input": ["a", "b"],
            "output": {"embeddings": 2, "dimensions": 8},
            "metadata": {"outputDimensionality": 8},
        }
    ]


def vertex_client(provider: Provider) -> genai.Client:
    options = types.HttpOptions(base_url=provider.url)
    return spanloop.wrap_google_genai(genai.Client(vertexai=True, api_key="k", http_options=options))


def test_vertex(provider: Provider, captured_spans: Capture) -> None:
    image = {"bytesBase64Encoded": "aGVsbG8=", "mimeType": "image/png"}
    vector = {"embeddings": {"values": [0.5] * 4, "statistics": {"token_count": 3}}}
    provider.will(Reply(ANSWER), Reply({"predictions": [vector]}), Reply({"predictions": [image]}))
    with vertex_client(provider) as client:
        client.models.generate_content(**REQUEST)
        client.models.embed_content(model="text-embedding-1", contents="a")
        with pytest.warns(match="generate_images method is deprecated"):
            client.models.generate_images(model="imagen-1", prompt="a lamp")
    spans = captured_spans.spans
    assert [span.name for span in spans] == [ROW["name"], "embeddings text-embedding-1", "image_generation imagen-1"]
    assert {span.attributes["gen_ai.provider.name"] for span in spans} == {"gcp.vertex_ai"}
    assert [span.fields["output"] for span in spans[1:]] == [
        {"embeddings": 1, "dimensions": 4},
        [{"content_type": "image/png", "base64_chars": 8}],
    ]
    assert spans[1].attributes["gen_ai.usage.input_tokens"] == 3
    assert spans[2].fields["input"] == "a lamp"


def test_an_error_status_is_recorded_and_passes(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    refusal = {"error": {"code": 400, "message": "no such model", "status": "INVALID_ARGUMENT"}}
    provider.will(Reply(refusal, status=400), Reply(refusal, status=400))
    with pytest.raises(errors.ClientError):
        client.models.generate_content(**REQUEST)
    with pytest.raises(errors.ClientError):
        list(client.models.generate_content_stream(**REQUEST))
    assert [row["error"].partition(" {")[0] for row in captured_spans.tree()] == [
        "ClientError: 400 INVALID_ARGUMENT."
    ] * 2


def test_an_error_in_mid_stream_keeps_what_arrived(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(events=[CHUNKS[2], {"error": {"code": 503, "message": "overloaded"}}]))
    with pytest.raises(errors.ServerError):
        list(client.models.generate_content_stream(**REQUEST))
    [row] = captured_spans.tree()
    assert row["output"] == [candidate({"text": "Par"})]
    assert row["error"].startswith("ServerError: 503")


def test_a_blocked_prompt_says_why(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": MODEL}))
    client.models.generate_content(model=MODEL, contents="x")
    assert captured_spans.tree()[0]["metadata"] == {"block_reason": "SAFETY"}


@pytest.mark.parametrize("is_streamed", [False, True])
def test_retries_are_one_span_with_its_attempts(is_streamed: bool, provider: Provider, captured_spans: Capture) -> None:
    retries = types.HttpRetryOptions(attempts=3, initial_delay=0.01, max_delay=0.02)
    busy = Reply({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}, status=503)
    provider.will(busy, busy, Reply(events=CHUNKS) if is_streamed else Reply(ANSWER))
    with make_client(provider, retry_options=retries) as plain:
        client = spanloop.wrap_google_genai(plain)
        if is_streamed:
            list(client.models.generate_content_stream(**REQUEST))
        else:
            client.models.generate_content(**REQUEST)
    [span] = captured_spans.spans
    assert (span.fields["metrics"], span.events) == ({"attempts": 3}, ("retry", "retry"))


async def test_async_retries_that_fail(provider: Provider, captured_spans: Capture) -> None:
    retries = types.HttpRetryOptions(attempts=2, initial_delay=0.01, max_delay=0.02)
    provider.will(*[Reply({"error": {"code": 503, "message": "busy"}}, status=503)] * 2)
    async with spanloop.wrap_google_genai(make_client(provider, retry_options=retries)).aio as aio:
        with pytest.raises(errors.ServerError):
            await aio.models.generate_content(**REQUEST)
    [span] = captured_spans.spans
    assert (span.fields["metrics"], span.events) == ({"attempts": 2}, ("retry", "exception"))


def test_counting_tokens_is_no_call_of_a_model(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply({"totalTokens": 5}))
    client.models.count_tokens(model=MODEL, contents="x")
    assert captured_spans.spans == []


def test_wrapping_twice_is_wrapping_once_and_other_clients_stay(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(ANSWER), Reply(ANSWER))
    assert spanloop.wrap_google_genai(client) is client
    client.models.generate_content(**REQUEST)
    with make_client(provider) as other:
        other.models.generate_content(**REQUEST)
    assert captured_spans.tree() == [ROW]


def test_something_that_is_no_client_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    thing = object()
    assert spanloop.wrap_google_genai(thing) is thing
    assert "'object' is no client of the google-genai package" in caplog.text


@pytest.mark.usefixtures("guard_on")
@pytest.mark.parametrize("fault", ["read_request", "read_reply", "join", "is_token"])
def test_our_faults_never_reach_the_call(
    fault: str, client: genai.Client, provider: Provider, monkeypatch: pytest.MonkeyPatch, captured_spans: Capture
) -> None:
    from spanloop._wrap import google_generate

    def fail(*args: object) -> Callable[..., Any]:
        raise RuntimeError("ours")

    monkeypatch.setattr(google_generate.GenerateContent, fault, fail)
    provider.will(Reply(ANSWER), Reply(events=CHUNKS))
    assert client.models.generate_content(**REQUEST).text == "Paris."
    assert len(list(client.models.generate_content_stream(**REQUEST))) == 4
