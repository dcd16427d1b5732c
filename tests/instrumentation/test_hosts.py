"""A call that a framework's own span is about: written on that span, and never counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
import spanloop
from opentelemetry import trace
from spanloop.testing import Capture

from tests.instrumentation.provider import Provider, Reply, scripted_provider

MESSAGES: list[Any] = [{"role": "user", "content": "Capital of France?"}]
CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris."}}
USAGE = {"prompt_tokens": 100, "completion_tokens": 12, "prompt_tokens_details": {"cached_tokens": 80}}
ANSWER = {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-1", "choices": [CHOICE], "usage": USAGE}
CHUNKS = [
    {**ANSWER, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Par"}, "finish_reason": None}]},
    {**ANSWER, "choices": [{"index": 0, "delta": {"content": "is."}, "finish_reason": "stop"}]},
    "[DONE]",
]
OPENINFERENCE = {"openinference.span.kind": "LLM"}
GENAI = {"gen_ai.operation.name": "chat"}
HOSTED: dict[str, Any] = {"name": "model", "type": "llm", "input": MESSAGES, "output": [CHOICE]}
CALL = {**HOSTED, "name": "chat gpt-1"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def client(provider: Provider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=provider.url, api_key="k", max_retries=0) as client:
        yield spanloop.wrap_openai(client)


@pytest.fixture
def tracer(captured_spans: Capture) -> trace.Tracer:
    """What an instrumentor is given."""
    return spanloop.tracer_provider().get_tracer("a.framework")


def ask(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-1", messages=MESSAGES, **more)


@pytest.mark.parametrize("attributes", [OPENINFERENCE, GENAI])
def test_a_call_is_written_on_the_frameworks_span(
    attributes: dict[str, str],
    client: openai.OpenAI,
    provider: Provider,
    tracer: trace.Tracer,
    captured_spans: Capture,
) -> None:
    provider.will(Reply(ANSWER))
    with tracer.start_as_current_span("model", attributes=attributes):
        ask(client)
        assert captured_spans.spans == []  # the framework ends it
    assert captured_spans.tree() == [HOSTED]
    [span] = captured_spans.spans
    assert span.attributes["gen_ai.usage.cache_read.input_tokens"] == 80


def test_so_is_a_stream(
    client: openai.OpenAI, provider: Provider, tracer: trace.Tracer, captured_spans: Capture
) -> None:
    provider.will(Reply(events=CHUNKS))
    with tracer.start_as_current_span("model", attributes=OPENINFERENCE):
        assert len(list(ask(client, stream=True))) == 2
    assert captured_spans.tree() == [HOSTED]
    assert captured_spans.spans[0].attributes["gen_ai.response.time_to_first_chunk"] == 1.0


def test_a_frameworks_next_try_is_an_attempt(
    client: openai.OpenAI, provider: Provider, tracer: trace.Tracer, captured_spans: Capture
) -> None:
    provider.will(Reply({"error": {"message": "busy"}}, status=503), Reply(ANSWER))
    with tracer.start_as_current_span("model", attributes=OPENINFERENCE):
        with pytest.raises(openai.InternalServerError):
            ask(client)
        ask(client)
    assert captured_spans.tree() == [{**HOSTED, "metrics": {"attempts": 2}}]
    assert captured_spans.spans[0].events == ("retry",)


def test_another_call_is_a_span_of_its_own(
    client: openai.OpenAI, provider: Provider, tracer: trace.Tracer, captured_spans: Capture
) -> None:
    provider.will(Reply(ANSWER), Reply(ANSWER))
    with tracer.start_as_current_span("model", attributes=OPENINFERENCE):
        ask(client)
        ask(client)
    assert captured_spans.tree() == [{**HOSTED, "children": [CALL]}]


@pytest.mark.parametrize(
    "attributes", [{"openinference.span.kind": "CHAIN"}, {"gen_ai.operation.name": "invoke_agent"}, {}]
)
def test_a_span_about_anything_else_is_a_parent(
    attributes: dict[str, str],
    client: openai.OpenAI,
    provider: Provider,
    tracer: trace.Tracer,
    captured_spans: Capture,
) -> None:
    provider.will(Reply(ANSWER))
    with tracer.start_as_current_span("step", attributes=attributes):
        ask(client)
    assert captured_spans.tree() == [{"name": "step", "children": [CALL]}]


def test_a_span_of_ours_in_between_makes_it_another_call(
    client: openai.OpenAI, provider: Provider, tracer: trace.Tracer, captured_spans: Capture
) -> None:
    provider.will(Reply(ANSWER))
    with tracer.start_as_current_span("model", attributes=OPENINFERENCE), spanloop.start_span("inside"):
        ask(client)
    assert captured_spans.tree() == [{"name": "model", "children": [{"name": "inside", "children": [CALL]}]}]


def test_embeddings_are_no_generation(
    client: openai.OpenAI, provider: Provider, tracer: trace.Tracer, captured_spans: Capture
) -> None:
    vectors = {"object": "list", "model": "e", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    provider.will(Reply(vectors), Reply(vectors))
    for kind in ("LLM", "EMBEDDING"):
        with tracer.start_as_current_span(kind, attributes={"openinference.span.kind": kind}):
            client.embeddings.create(model="e", input="a", encoding_format="float")
    generation, embedding = captured_spans.tree()
    assert generation["children"][0]["name"] == "embeddings e"
    assert embedding["output"] == {"embeddings": 1, "dimensions": 1}
