"""`wrap_openai`, everything but chat completions: responses, embeddings, images, audio, moderation."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest
import spanloop
from spanloop.testing import Capture

from tests.instrumentation.provider import Provider, Reply, scripted_provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="k", max_retries=0) as client:
        yield spanloop.wrap_openai(client)


PART = {"type": "output_text", "text": "Paris.", "annotations": []}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [PART],
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5-mini",
    "status": "completed",
    "output": [MESSAGE],
    "usage": {
        "input_tokens": 50,
        "input_tokens_details": {"cached_tokens": 32},
        "output_tokens": 10,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 60,
    },
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
RESPONSE_ROW = {
    "name": "chat gpt-5",
    "type": "llm",
    "input": "Capital of France?",
    "output": [MESSAGE],
    "metadata": {"instructions": "Be brief.", "reasoning": {"effort": "low"}},
}
RESPONSE_ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.request.max_tokens": 100,
    "gen_ai.response.id": "resp_1",
    "gen_ai.response.model": "gpt-5-mini",
    "gen_ai.usage.input_tokens": 50,
    "gen_ai.usage.output_tokens": 10,
    "gen_ai.usage.cache_read.input_tokens": 32,
    "gen_ai.usage.reasoning.output_tokens": 4,
    "server.address": "127.0.0.1",
}
RESPONSE_REQUEST: dict[str, Any] = {
    "model": "gpt-5",
    "input": "Capital of France?",
    "instructions": "Be brief.",
    "max_output_tokens": 100,
    "reasoning": {"effort": "low"},
}


def response_events() -> list[dict[str, Any]]:
    begun = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    item = {**MESSAGE, "status": "in_progress", "content": []}
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {
            "type": "response.content_part.added",
            **where,
            "part": {"type": "output_text", "text": "", "annotations": []},
        },
        {"type": "response.output_text.delta", **where, "delta": "Par", "logprobs": []},
        {"type": "response.output_text.delta", **where, "delta": "is.", "logprobs": []},
        {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
        {"type": "response.completed", "response": RESPONSE},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def test_responses(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(RESPONSE))
    assert client.responses.create(**RESPONSE_REQUEST).output_text == "Paris."
    assert captured_spans.tree() == [RESPONSE_ROW]
    attributes = captured_spans.spans[0].attributes
    del attributes["server.port"]
    assert attributes == RESPONSE_ATTRIBUTES


def test_responses_streamed(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(events=response_events(), named=True), Reply(events=response_events(), named=True))
    list(client.responses.create(**RESPONSE_REQUEST, stream=True))
    with client.responses.stream(**RESPONSE_REQUEST) as stream:
        assert stream.get_final_response().output_text == "Paris."
    for row, span in zip(captured_spans.tree(), captured_spans.spans, strict=True):
        assert row == RESPONSE_ROW
        attributes = span.attributes
        del attributes["server.port"]
        assert attributes == {
            **RESPONSE_ATTRIBUTES,
            "gen_ai.request.stream": True,
            "gen_ai.response.time_to_first_chunk": 1.0,
        }


def test_responses_stopped_early_keep_what_arrived(
    client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    gate = threading.Event()
    provider.will(Reply(events=response_events(), named=True, gate=gate, gate_before=5))
    with client.responses.create(**RESPONSE_REQUEST, stream=True) as stream:
        for event in stream:
            if event.type == "response.output_text.delta" and event.delta == "is.":
                break
    gate.set()
    [row] = captured_spans.tree()
    assert row["output"] == [{**MESSAGE, "status": "in_progress", "content": [PART]}]
    assert captured_spans.spans[0].attributes["gen_ai.response.id"] == "resp_1"


def test_a_response_that_failed(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    failed = {**RESPONSE, "status": "failed", "output": [], "error": {"code": "x", "message": "no capacity"}}
    provider.will(Reply(failed))
    client.responses.create(**RESPONSE_REQUEST)
    [row] = captured_spans.tree()
    assert (row["error"], row["metadata"]["status"]) == ("no capacity", "failed")


def test_a_response_cut_off(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    cut = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    provider.will(Reply(cut))
    client.responses.create(model="gpt-5", input="x")
    assert captured_spans.tree()[0]["metadata"] == {
        "status": "incomplete",
        "incomplete_reason": "max_output_tokens",
    }


def test_responses_with_tools(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    call = {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "call_1",
        "name": "look_up",
        "arguments": '{"city":"Paris"}',
        "status": "completed",
    }
    where = {"item_id": "fc_1", "output_index": 0}
    events = [
        {"type": "response.created", "response": {**RESPONSE, "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**call, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", **where, "delta": '{"city":'},
        {"type": "response.function_call_arguments.delta", **where, "delta": '"Paris"}'},
    ]
    tool: Any = {"type": "function", "name": "look_up", "parameters": {}, "strict": True}
    provider.will(Reply({**RESPONSE, "output": [call]}), Reply(events=events, named=True))
    client.responses.create(**RESPONSE_REQUEST, tools=[tool])
    list(client.responses.create(**RESPONSE_REQUEST, tools=[tool], stream=True))
    whole, streamed = captured_spans.tree()
    assert whole["output"] == streamed["output"] == [call]
    assert whole["metadata"]["tools"] == [tool]


class City(pydantic.BaseModel):
    name: str


def test_parsed_responses(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    part = {"type": "output_text", "text": '{"name":"Paris"}', "annotations": []}
    provider.will(Reply({**RESPONSE, "output": [{**MESSAGE, "content": [part]}]}))
    response = client.responses.parse(model="gpt-5", input="x", text_format=City)
    assert response.output_parsed == City(name="Paris")
    assert captured_spans.tree()[0]["output"][0]["content"][0]["text"] == '{"name":"Paris"}'


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_embeddings_say_how_many_not_what(
    encoding: Any, client: openai.OpenAI, provider: Provider, captured_spans: Capture
) -> None:
    vector: Any = [0.5] * 8
    if encoding != "float":
        vector = "AAAAPwAAAD8AAAA/AAAAPwAAAD8AAAA/AAAAPwAAAD8="
    data = [{"object": "embedding", "index": n, "embedding": vector} for n in range(2)]
    usage = {"prompt_tokens": 6, "total_tokens": 6}
    provider.will(*[Reply({"object": "list", "model": "text-embedding-3", "data": data, "usage": usage})] * 2)
    more: dict[str, Any] = {"encoding_format": encoding} if encoding else {}
    client.embeddings.create(model="text-embedding-3", input=["a", "b"], **more)
    client.embeddings.with_raw_response.create(model="text-embedding-3", input=["a", "b"], **more)
    for span in captured_spans.spans:
        assert span.name == "embeddings text-embedding-3"
        assert span.fields["input"] == ["a", "b"]
        assert span.fields["output"] == {"embeddings": 2, "dimensions": 8}
        assert span.attributes["gen_ai.usage.input_tokens"] == 6


def test_text_completions(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    choice = {"index": 0, "text": "Paris.", "finish_reason": "stop"}
    whole = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}
    pieces = [
        {**whole, "choices": [{"index": 0, "text": "Par", "finish_reason": None}]},
        {**whole, "choices": [{"index": 0, "text": "is.", "finish_reason": "stop"}]},
        "[DONE]",
    ]
    provider.will(Reply(whole), Reply(events=pieces))
    client.completions.create(model="m", prompt="Capital?")
    list(client.completions.create(model="m", prompt="Capital?", stream=True))
    row = {"name": "text_completion m", "type": "llm", "input": "Capital?", "output": [choice]}
    assert captured_spans.tree() == [row, row]


def test_images(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    usage = {
        "input_tokens": 9,
        "output_tokens": 400,
        "total_tokens": 409,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 9},
    }
    data = [{"b64_json": "aGVsbG8="}, {"url": "https://example.com/1.png", "revised_prompt": "a red lamp"}]
    provider.will(Reply({"created": 1, "data": data, "usage": usage}))
    client.images.generate(model="gpt-image-1", prompt="a lamp", size="1024x1024")
    assert captured_spans.tree() == [
        {
            "name": "image_generation gpt-image-1",
            "type": "llm",
            "input": "a lamp",
            "output": [
                {"base64_chars": 8},
                {"url": "https://example.com/1.png", "revised_prompt": "a red lamp"},
            ],
            "metadata": {"size": "1024x1024"},
        }
    ]
    assert captured_spans.spans[0].attributes["gen_ai.usage.output_tokens"] == 400


def test_speech(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(*[Reply(body=b"\x00" * 1000, content_type="audio/mpeg")] * 2)
    assert len(client.audio.speech.create(model="tts-1", voice="alloy", input="Hello").content) == 1000
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hello") as response:
        assert sum(map(len, response.iter_bytes())) == 1000
    row = {
        "name": "speech tts-1",
        "type": "llm",
        "input": "Hello",
        "output": {"content_type": "audio/mpeg", "bytes": 1000},
        "metadata": {"voice": "alloy"},
    }
    assert captured_spans.tree() == [row, row]


def test_transcription(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({"text": "Hello there"}), Reply(body=b"Hello there", content_type="text/plain"))
    sound = io.BytesIO(b"RIFF")
    sound.name = "hello.wav"
    client.audio.transcriptions.create(model="whisper-1", file=sound)
    client.audio.transcriptions.create(model="whisper-1", file=sound, response_format="text")
    assert [span.fields["output"] for span in captured_spans.spans] == ["Hello there", "Hello there"]
    assert [span.name for span in captured_spans.spans] == ["transcription whisper-1"] * 2


def test_moderation(client: openai.OpenAI, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({"id": "m", "model": "omni", "results": [{"flagged": False}]}))
    client.moderations.create(model="omni", input="hello")
    assert captured_spans.tree() == [
        {"name": "moderation omni", "type": "llm", "input": "hello", "output": [{"flagged": False}]}
    ]
