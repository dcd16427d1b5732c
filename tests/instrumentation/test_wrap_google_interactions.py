"""`wrap_google_genai`: the Interactions API, of models and agents, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import spanloop
from google import genai
from google.genai import types
from spanloop.testing import Capture

from tests.instrumentation.provider import Provider, Reply, scripted_provider

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning", "ignore:.*xperimental.*"
)

MODEL = "gemini-test-1"
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "input": "Capital of France?",
    "system_instruction": "Be brief.",
    "generation_config": {"temperature": 0.5},
    "store": False,
}
USAGE = {
    "total_input_tokens": 120,
    "total_cached_tokens": 80,
    "total_tool_use_tokens": 10,
    "total_output_tokens": 7,
    "total_thought_tokens": 5,
    "total_tokens": 142,
    "input_tokens_by_modality": [{"modality": "text", "tokens": 90}, {"modality": "audio", "tokens": 30}],
}
STEPS: list[Any] = [
    {"type": "thought", "signature": "s1", "summary": [{"type": "text", "text": "Hm."}]},
    {"type": "model_output", "content": [{"type": "text", "text": "Paris."}]},
]
ANSWER = {"id": "v1_1", "object": "interaction", "model": MODEL, "status": "completed", "steps": STEPS, "usage": USAGE}
CALL = {"type": "function_call", "id": "c1", "name": "look_up"}
EVENTS: list[Any] = [
    {"event_type": "interaction.created", "interaction": {"id": "v1_1", "status": "in_progress", "model": MODEL}},
    {"event_type": "step.start", "index": 0, "step": {"type": "thought"}},
    {
        "event_type": "step.delta",
        "index": 0,
        "delta": {"type": "thought_summary", "content": {"type": "text", "text": "Hm."}},
    },
    {"event_type": "step.delta", "index": 0, "delta": {"type": "thought_signature", "signature": "s1"}},
    {"event_type": "step.stop", "index": 0},
    {"event_type": "step.start", "index": 1, "step": {"type": "model_output"}},
    {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "Par"}},
    {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "is."}},
    {"event_type": "step.stop", "index": 1},
    {"event_type": "interaction.completed", "interaction": {"id": "v1_1", "status": "completed", "usage": USAGE}},
    "[DONE]",
]
ROW: dict[str, Any] = {
    "name": f"generate_content {MODEL}",
    "type": "llm",
    "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital of France?"}],
    "output": STEPS,
    "metadata": {"store": False, "status": "completed"},
}
ATTRIBUTES = {
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "gcp.gemini",
    "gen_ai.request.model": MODEL,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.id": "v1_1",
    "gen_ai.response.model": MODEL,
    "gen_ai.usage.input_tokens": 130,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 80,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.usage.audio.input_tokens": 30,
    "server.address": "127.0.0.1",
}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def client(provider: Provider) -> Iterator[genai.Client]:
    with make_client(provider) as client:
        yield spanloop.wrap_google_genai(client)


def make_client(provider: Provider) -> genai.Client:
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=provider.url))


def attributes(captured: Capture) -> dict[str, Any]:
    [span] = captured.spans
    return {key: value for key, value in span.attributes.items() if key != "server.port"}


def test_a_call_is_one_whole_span(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER))
    assert client.interactions.create(**REQUEST).output_text == "Paris."
    assert captured_spans.tree() == [ROW]
    assert attributes(captured_spans) == ATTRIBUTES


def test_a_stream_is_put_together(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(events=EVENTS))
    kinds = [event.event_type for event in client.interactions.create(**REQUEST, stream=True)]
    assert kinds[-1] == "interaction.completed"
    assert captured_spans.tree() == [ROW]
    assert attributes(captured_spans) == {
        **ATTRIBUTES,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 1.0,
    }


async def test_async(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER), Reply(events=EVENTS))
    async with client.aio as aio:
        assert (await aio.interactions.create(**REQUEST)).output_text == "Paris."
        async for _ in await aio.interactions.create(**REQUEST, stream=True):
            pass
    assert captured_spans.tree() == [ROW, ROW]


def test_a_stream_stopped_early_keeps_what_arrived(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(events=EVENTS))
    with client.interactions.create(**REQUEST, stream=True) as stream:
        for event in stream:
            if event.event_type == "step.delta" and event.index == 1:
                break
    [span] = captured_spans.spans
    assert span.fields["output"][0] == STEPS[0]
    assert span.fields["output"][1]["content"][0]["text"].startswith("Par")


def test_streamed_arguments_and_media_stay_apart(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    image = {"type": "image", "data": "aGk=", "mime_type": "image/png"}
    provider.will(
        Reply(
            events=[
                EVENTS[0],
                {"event_type": "step.start", "index": 0, "step": CALL},
                *(
                    {"event_type": "step.delta", "index": 0, "delta": {"type": "arguments_delta", "arguments": text}}
                    for text in ('{"q":', '"x"}')
                ),
                {"event_type": "step.start", "index": 1, "step": {"type": "model_output"}},
                {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "Look: "}},
                {"event_type": "step.delta", "index": 1, "delta": image},
                {"event_type": "step.delta", "index": 1, "delta": {"type": "text", "text": "nice"}},
                EVENTS[-2],
            ]
        )
    )
    for _ in client.interactions.create(**REQUEST, stream=True):
        pass
    [span] = captured_spans.spans
    assert span.fields["output"] == [
        {**CALL, "arguments": '{"q":"x"}'},
        {
            "type": "model_output",
            "content": [{"type": "text", "text": "Look: "}, image, {"type": "text", "text": "nice"}],
        },
    ]


def test_an_agent(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({**ANSWER, "model": None, "agent": "researcher"}))
    turns = [{"type": "user_input", "content": [{"type": "text", "text": "Dig."}]}]
    given: Any = {"agent": "researcher", "input": turns, "previous_interaction_id": "v1_0"}
    client.interactions.create(**given)
    [span] = captured_spans.spans
    assert span.name == "invoke_agent researcher"
    assert span.attributes["gen_ai.agent.name"] == "researcher"
    assert span.attributes["gen_ai.conversation.id"] == "v1_0"
    assert span.fields["input"] == [{"type": "user_input", "content": [{"text": "Dig.", "type": "text"}]}]


def test_an_error_status_is_recorded_and_passes(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply({"error": {"code": "bad", "message": "no such model"}}, status=400))
    with pytest.raises(Exception, match="no such model"):
        client.interactions.create(**REQUEST)
    [span] = captured_spans.spans
    assert span.fields["error"] == "no such model"


def test_an_error_in_mid_stream_keeps_what_arrived(
    client: genai.Client, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(Reply(events=[*EVENTS[:7], {"event_type": "error", "error": {"code": "x", "message": "overloaded"}}]))
    for _ in client.interactions.create(**REQUEST, stream=True):
        pass
    [span] = captured_spans.spans
    assert span.fields["error"] == "overloaded"
    assert span.fields["output"][1]["content"] == [{"type": "text", "text": "Par"}]


def test_retries_are_one_span_with_its_attempts(
    client: genai.Client, provider: Provider, captured_spans: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    provider.will(Reply({"error": {"message": "busy"}}, status=503), Reply(ANSWER))
    client.interactions.create(**REQUEST)
    [span] = captured_spans.spans
    assert span.fields["metrics"]["attempts"] == 2
    assert span.fields["output"] == STEPS


def test_raw_responses_and_other_clients(client: genai.Client, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER), Reply(ANSWER))
    assert client.interactions.with_raw_response.create(**REQUEST).parse().output_text == "Paris."
    with make_client(provider) as other:
        other.interactions.create(**REQUEST)
    assert captured_spans.tree() == [ROW]
