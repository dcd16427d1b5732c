"""`wrap_anthropic`: messages, whole and streamed, with tools, thinking and cached tokens."""

from __future__ import annotations

import base64
import json
import struct
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anthropic
import pytest
import spanloop
from spanloop._wrap.events import amazons
from spanloop.testing import Capture

from tests.instrumentation.provider import Provider, Reply, scripted_provider

MESSAGES: list[Any] = [{"role": "user", "content": "Capital of France?"}]
USAGE: dict[str, Any] = {
    "input_tokens": 10,
    "cache_read_input_tokens": 80,
    "cache_creation_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
    "output_tokens": 12,
    "output_tokens_details": {"thinking_tokens": 5},
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-test-1-20300101",
    "content": [{"type": "text", "text": "Paris."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": USAGE,
}
ROW: dict[str, Any] = {
    "name": "chat claude-test-1",
    "type": "llm",
    "input": [{"role": "system", "content": "Be brief."}, *MESSAGES],
    "output": {
        "role": "assistant",
        "content": [{"type": "text", "text": "Paris."}],
        "stop_reason": "end_turn",
    },
    "metrics": {"prompt_cache_creation_5m_tokens": 20, "prompt_cache_creation_1h_tokens": 10},
}
REQUEST: dict[str, Any] = {
    "model": "claude-test-1",
    "max_tokens": 100,
    "system": "Be brief.",
    "messages": MESSAGES,
}
EXPECTED_ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-test-1",
    "gen_ai.request.max_tokens": 100,
    "gen_ai.response.id": "msg_1",
    "gen_ai.response.model": "claude-test-1-20300101",
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 80,
    "gen_ai.usage.cache_write.input_tokens": 30,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "server.address": "127.0.0.1",
}


def events(*blocks: tuple[dict[str, Any], list[dict[str, Any]]]) -> list[Any]:
    """A message's events; each block with the deltas that make it grow."""
    begun = {**MESSAGE, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    found: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, (block, deltas) in enumerate(blocks):
        found.append({"type": "content_block_start", "index": index, "content_block": block})
        found.extend({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        found.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    found.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 12}})
    found.append({"type": "message_stop"})
    return found


def text_delta(text: str) -> dict[str, Any]:
    return {"type": "text_delta", "text": text}


TEXT_EVENTS = events(({"type": "text", "text": ""}, [text_delta("Par"), text_delta("is.")]))


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def client(provider: Provider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.url, api_key="k", max_retries=0) as client:
        yield spanloop.wrap_anthropic(client)


@pytest.fixture
async def async_client(provider: Provider) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=provider.url, api_key="k", max_retries=0) as client:
        yield spanloop.wrap_anthropic(client)


def attributes(captured: Capture) -> dict[str, Any]:
    [span] = captured.spans
    return {key: value for key, value in span.attributes.items() if key != "server.port"}


def test_a_message_is_one_whole_span(client: anthropic.Anthropic, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(MESSAGE))
    message = client.messages.create(**REQUEST)
    assert message.content[0].type == "text"
    assert captured_spans.tree() == [ROW]
    assert attributes(captured_spans) == EXPECTED_ATTRIBUTES


def read_events(client: anthropic.Anthropic) -> None:
    assert len(list(client.messages.create(**REQUEST, stream=True))) == 7


def read_in_context(client: anthropic.Anthropic) -> None:
    with client.messages.create(**REQUEST, stream=True) as stream:
        for _ in stream:
            pass


def read_text_stream(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**REQUEST) as stream:
        assert "".join(stream.text_stream) == "Paris."


def read_final_message(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**REQUEST) as stream:
        assert stream.get_final_message().stop_reason == "end_turn"


def read_raw(client: anthropic.Anthropic) -> None:
    for _ in client.messages.with_raw_response.create(**REQUEST, stream=True).parse():
        pass


def read_streaming_response(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as response:
        for _ in response.parse():
            pass


@pytest.mark.parametrize(
    "consume",
    [read_events, read_in_context, read_text_stream, read_final_message, read_raw, read_streaming_response],
)
def test_a_stream_by_any_way_of_reading_it(
    consume: Callable[[anthropic.Anthropic], None],
    client: anthropic.Anthropic,
    provider: Provider,
    captured_spans: Capture,
) -> None:
    provider.will(Reply(events=TEXT_EVENTS, named=True))
    consume(client)
    assert captured_spans.tree() == [ROW]
    assert attributes(captured_spans) == {
        **EXPECTED_ATTRIBUTES,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 1.0,
    }


async def test_async(async_client: anthropic.AsyncAnthropic, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(MESSAGE), *[Reply(events=TEXT_EVENTS, named=True)] * 2)
    await async_client.messages.create(**REQUEST)
    async for _ in await async_client.messages.create(**REQUEST, stream=True):
        pass
    async with async_client.messages.stream(**REQUEST) as stream:
        assert await stream.get_final_text() == "Paris."
    assert captured_spans.tree() == [ROW] * 3


def test_tools_and_thinking(client: anthropic.Anthropic, provider: Provider, captured_spans: Capture) -> None:
    thinking = {"type": "thinking", "thinking": "Hm, Paris?", "signature": "sig"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"city": "Paris"}}
    tool: Any = {"name": "look_up", "input_schema": {"type": "object"}}
    provider.will(
        Reply({**MESSAGE, "content": [thinking, use], "stop_reason": "tool_use"}),
        Reply(
            events=events(
                (
                    {"type": "thinking", "thinking": "", "signature": ""},
                    [
                        {"type": "thinking_delta", "thinking": "Hm, "},
                        {"type": "thinking_delta", "thinking": "Paris?"},
                        {"type": "signature_delta", "signature": "sig"},
                    ],
                ),
                (
                    {**use, "input": {}},
                    [
                        {"type": "input_json_delta", "partial_json": ""},
                        {"type": "input_json_delta", "partial_json": '{"city":'},
                        {"type": "input_json_delta", "partial_json": '"Paris"}'},
                    ],
                ),
            ),
            named=True,
        ),
    )
    client.messages.create(**REQUEST, tools=[tool])
    list(client.messages.create(**REQUEST, tools=[tool], stream=True))
    whole, streamed = captured_spans.tree()
    assert whole["output"]["content"] == streamed["output"]["content"] == [thinking, use]
    assert whole["metadata"] == streamed["metadata"] == {"tools": [tool]}
    assert whole["output"]["stop_reason"] == "tool_use"


def test_a_stream_stopped_early_keeps_what_arrived(
    client: anthropic.Anthropic, provider: Provider, captured_spans: Capture
) -> None:
    gate = threading.Event()
    provider.will(Reply(events=TEXT_EVENTS, named=True, gate=gate, gate_before=4))
    with client.messages.stream(**REQUEST) as stream:
        assert next(iter(stream.text_stream)) == "Par"
    gate.set()
    [row] = captured_spans.tree()
    assert row["output"]["content"] == [{"type": "text", "text": "Par"}]


def test_arguments_cut_off_are_kept_as_text(
    client: anthropic.Anthropic, provider: Provider, captured_spans: Capture
) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": '{"city":'}]
    provider.will(Reply(events=events((use, pieces))[:4], named=True))
    list(client.messages.create(**REQUEST, stream=True))
    assert captured_spans.tree()[0]["output"]["content"] == [{**use, "input": '{"city":'}]


def test_an_error_in_mid_stream(client: anthropic.Anthropic, provider: Provider, captured_spans: Capture) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    provider.will(Reply(events=[*TEXT_EVENTS[:4], error], named=True))
    with pytest.raises(anthropic.APIStatusError):
        list(client.messages.create(**REQUEST, stream=True))
    [row] = captured_spans.tree()
    assert (row["error"], row["output"]["content"]) == ("Overloaded", [{"type": "text", "text": "Par"}])


def test_retries_are_one_span(client: anthropic.Anthropic, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({}, status=529, headers={"retry-after-ms": "1"}), Reply(MESSAGE))
    client.with_options(max_retries=1).messages.create(**REQUEST)
    assert captured_spans.tree() == [{**ROW, "metrics": {**ROW["metrics"], "attempts": 2}}]


def test_an_error_status_passes(client: anthropic.Anthropic, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({"type": "error", "error": {"type": "x", "message": "no"}}, status=400))
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(**REQUEST)
    assert captured_spans.tree()[0]["error"].startswith("BadRequestError: ")


def test_counting_tokens_is_no_call_of_a_model(
    client: anthropic.Anthropic, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply({"input_tokens": 5}))
    client.messages.count_tokens(model="m", messages=MESSAGES)
    assert captured_spans.spans == []


def test_beta_messages_with_parts(client: anthropic.Anthropic, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(MESSAGE))
    content: list[Any] = [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]
    client.beta.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": content}])
    assert captured_spans.tree()[0]["input"] == [{"role": "user", "content": content}]
    json.dumps(captured_spans.tree())


def frame(event: dict[str, Any]) -> bytes:
    """An event as Bedrock sends it."""
    payload = json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode()
    headers = b"".join(
        bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value
        for name, value in ((b":event-type", b"chunk"), (b":message-type", b"event"))
    )
    head = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head += struct.pack(">I", zlib.crc32(head))
    return head + headers + payload + struct.pack(">I", zlib.crc32(head + headers + payload))


def test_bedrock(provider: Provider, captured_spans: Capture) -> None:
    keys: Any = {"aws_access_key": "k", "aws_secret_key": "k", "aws_region": "us-east-1"}
    body = b"".join(map(frame, TEXT_EVENTS))
    provider.will(Reply(MESSAGE), Reply(body=body, content_type="application/vnd.amazon.eventstream"))
    with anthropic.AnthropicBedrock(base_url=provider.url, **keys) as plain:
        client = spanloop.wrap_anthropic(plain)
        client.messages.create(**REQUEST)
        with client.messages.stream(**REQUEST) as stream:
            assert stream.get_final_text() == "Paris."
    assert captured_spans.tree() == [ROW, ROW]
    whole, streamed = ({k: v for k, v in s.attributes.items() if k != "server.port"} for s in captured_spans.spans)
    assert whole == {**EXPECTED_ATTRIBUTES, "gen_ai.provider.name": "aws.bedrock"}
    assert streamed == {
        **whole,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 1.0,
    }


@pytest.mark.parametrize(
    ("body", "found", "rest"),
    [
        (b"", [], b""),
        (frame({"a": 1}) + frame({"b": 2})[:40], [{"a": 1}], frame({"b": 2})[:40]),
        (b"\x00" * 20, [], b""),
        (b"<html>a proxy's page, longer than a frame's head</html>", [], None),
        (struct.pack(">III", 20, 0, 0) + b"nope" + b"\x00" * 4, [], b""),
    ],
)
def test_frames_that_are_cut_off_or_none(body: bytes, found: list[Any], rest: bytes | None) -> None:
    assert amazons(body) == (found, body if rest is None else rest)
