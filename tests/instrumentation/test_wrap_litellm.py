"""`wrap_litellm`: one span a call, whoever answers, streamed or not, and none for the clients beneath."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import openai
import pytest
import spanloop
from spanloop.testing import Capture

from tests.instrumentation.otlp_collector import Collector
from tests.instrumentation.otlp_collector import attributes as span_attributes
from tests.instrumentation.provider import Provider, Reply, scripted_provider
from tests.support.waiting import wait_until

# LiteLLM's own: connections it leaves to the garbage collector, and older ways of its dependencies.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:coroutine 'Logging.async_success_handler':RuntimeWarning"),
]

MESSAGES: list[Any] = [{"role": "user", "content": "Capital of France?"}]
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 12,
    "total_tokens": 112,
    "prompt_tokens_details": {"cached_tokens": 80},
    "completion_tokens_details": {"reasoning_tokens": 5},
}
CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris."}}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-test-001",
    "choices": [CHOICE],
    "usage": USAGE,
}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-test-001"}
    return {**head, "choices": [choice], **more}


CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Par"}),
    chunk({"content": "is."}),
    chunk({}, "stop"),
    {**chunk({}), "choices": [], "usage": USAGE},
    "[DONE]",
]
CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-test-1",
    "content": [{"type": "text", "text": "Paris."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 30, "output_tokens": 2},
}
ROW: dict[str, Any] = {"name": "chat gpt-test", "type": "llm", "input": MESSAGES, "output": [CHOICE]}
EXPECTED_ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-test",
    "gen_ai.response.id": "c1",
    "gen_ai.response.model": "gpt-test-001",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 80,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "server.address": "127.0.0.1",
}


@pytest.fixture
def nothing_left_running() -> None:
    """LiteLLM keeps threads for its callbacks."""


@pytest.fixture(scope="module")
def package() -> Any:
    """The package, imported without asking the network for prices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        import litellm
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    return litellm


@pytest.fixture
def litellm(package: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The package, wrapped for one test."""
    from spanloop._wrap import litellm as wrapper
    from spanloop._wrap import litellm_retries

    for name in (*wrapper.FUNCTIONS, *wrapper.ASYNC_FUNCTIONS, *litellm_retries.LOOPS):
        monkeypatch.setattr(package, name, getattr(package, name))
    for kind in (openai._base_client.SyncAPIClient, openai._base_client.AsyncAPIClient):
        monkeypatch.setattr(kind, "_sleep_for_retry", kind._sleep_for_retry)
    monkeypatch.setattr(package, wrapper.MARK, False, raising=False)
    yield spanloop.wrap_litellm(package)
    package.in_memory_llm_clients_cache.flush_cache()
    gc.collect()  # what it leaves open, before another test is blamed


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


def request(provider: Provider, **more: Any) -> dict[str, Any]:
    return {"model": "openai/gpt-test", "messages": MESSAGES, "api_base": provider.url, "api_key": "secret", **more}


def attributes(captured: Capture) -> dict[str, Any]:
    [span] = captured.spans
    return {key: value for key, value in span.attributes.items() if key != "server.port"}


def test_a_call_is_one_whole_span(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER))
    more = {"temperature": 0.5, "tools": [], "extra_headers": {"x-key": "secret"}, "metadata": {"team": "secret"}}
    assert litellm.completion(**request(provider, **more)).choices[0].message.content == "Paris."
    assert captured_spans.tree() == [{**ROW, "metadata": {"tools": []}}]
    assert attributes(captured_spans) == {**EXPECTED_ATTRIBUTES, "gen_ai.request.temperature": 0.5}


def test_arguments_by_position(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER))
    litellm.completion("openai/gpt-test", MESSAGES, api_base=provider.url, api_key="secret")
    assert captured_spans.tree() == [ROW]


async def test_async(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER), Reply(events=CHUNKS))
    await litellm.acompletion(**request(provider))
    stream = await litellm.acompletion(**request(provider, stream=True, stream_options={"include_usage": True}))
    assert "".join([each.choices[0].delta.content or "" async for each in stream if each.choices]) == "Paris."
    whole, streamed = captured_spans.tree()
    assert whole == ROW
    assert streamed == {**ROW, "metadata": {"stream_options": {"include_usage": True}}}


async def test_gathered_calls_belong_to_their_functions(
    litellm: Any, provider: Provider, captured_spans: Capture
) -> None:
    provider.will(*[Reply(ANSWER)] * 3)

    @spanloop.traced
    async def ask(number: int) -> None:
        await litellm.acompletion(**request(provider))

    await asyncio.gather(*(ask(number) for number in range(3)))
    assert [[child["name"] for child in row["children"]] for row in captured_spans.tree()] == [["chat gpt-test"]] * 3


def test_a_stream_is_put_together(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(events=CHUNKS))
    stream = litellm.completion(**request(provider, stream=True, stream_options={"include_usage": True}))
    assert isinstance(stream, litellm.CustomStreamWrapper)
    assert "".join(each.choices[0].delta.content or "" for each in stream if each.choices) == "Paris."
    assert captured_spans.tree() == [{**ROW, "metadata": {"stream_options": {"include_usage": True}}}]
    assert attributes(captured_spans) == {
        **EXPECTED_ATTRIBUTES,
        "gen_ai.response.model": "gpt-test",  # LiteLLM's own word for it
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 1.0,
    }


def test_a_stream_stopped_early_keeps_what_arrived(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    """LiteLLM itself holds on to a stream until the next call."""
    gate = threading.Event()
    provider.will(Reply(events=CHUNKS, gate=gate, gate_before=2), Reply(ANSWER))
    for piece in litellm.completion(**request(provider, stream=True)):
        if piece.choices[0].delta.content == "Par":
            break
    gate.set()
    litellm.completion(**request(provider))
    # A thread of its own may take a moment to let go as well.
    wait_until(lambda: gc.collect() >= 0 and len(captured_spans.spans) == 2, what="the stream's end")
    stopped, _ = captured_spans.tree()
    assert (stopped["output"][0]["message"]["content"], "error" in stopped) == ("Par", False)


STOPS_EARLY_AND_EXITS = """
import spanloop
from spanloop._wrap import iteration
from spanloop._wrap.call import Call
from spanloop._wrap.openai_chat import ChatCompletions
from spanloop import _runtime

class Stream:
    def __next__(self):
        return {"choices": [{"index": 0, "delta": {"content": "Par"}}]}

spanloop.init("bot")
stream = Stream()
call = Call(_runtime.active(), ChatCompletions(), {"model": "m"}, provider="openai", base_url="")
iteration.watch_iteration(stream, call, dict)
next(stream)
"""


def test_a_stream_still_open_at_exit_is_not_lost(collector: Collector) -> None:
    environment = {**os.environ, "SPANLOOP_ENDPOINT": collector.endpoint}
    subprocess.run([sys.executable, "-c", STOPS_EARLY_AND_EXITS], env=environment, check=True, timeout=60)
    [span] = collector.received.spans
    assert json.loads(span_attributes(span)["spanloop.output"])[0]["message"] == {"content": "Par"}


async def test_an_async_stream_closed_in_another_task(
    litellm: Any, provider: Provider, captured_spans: Capture
) -> None:
    gate = threading.Event()
    provider.will(Reply(events=CHUNKS, gate=gate, gate_before=2))
    stream = await litellm.acompletion(**request(provider, stream=True))
    async for piece in stream:
        if piece.choices[0].delta.content == "Par":
            break
    gate.set()
    await asyncio.create_task(stream.aclose())
    [row] = captured_spans.tree()
    assert row["output"][0]["message"]["content"] == "Par"


def test_no_second_span_for_the_client_beneath(
    litellm: Any, provider: Provider, captured_spans: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spanloop._wrap.client import MARK, wrap_client_class
    from spanloop._wrap.openai import OPENAI

    monkeypatch.setattr(openai.OpenAI, "request", openai.OpenAI.request)
    monkeypatch.setattr(openai.OpenAI, MARK, False, raising=False)
    wrap_client_class(openai.OpenAI, OPENAI)
    provider.will(Reply(ANSWER), Reply(events=CHUNKS), Reply(ANSWER))
    litellm.completion(**request(provider))
    list(litellm.completion(**request(provider, stream=True)))
    with openai.OpenAI(base_url=provider.url, api_key="k") as client:
        client.chat.completions.create(model="gpt-direct", messages=MESSAGES)
    assert [span.name for span in captured_spans.spans] == ["chat gpt-test", "chat gpt-test", "chat gpt-direct"]


def test_another_provider(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    """Anthropic counts cached tokens apart; the row has them once, in the total."""
    provider.will(Reply(CLAUDE))
    given = request(provider, model="anthropic/claude-test-1")
    litellm.completion(**given)
    [span] = captured_spans.spans
    assert span.name == "chat claude-test-1"
    assert span.fields["output"][0]["message"]["content"] == "Paris."
    assert span.attributes["gen_ai.provider.name"] == "anthropic"
    assert span.attributes["gen_ai.usage.input_tokens"] == 120
    assert span.attributes["gen_ai.usage.cache_read.input_tokens"] == 80
    assert span.attributes["gen_ai.usage.cache_write.input_tokens"] == 30


def test_embeddings_say_how_many_not_what(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    data = [{"object": "embedding", "index": n, "embedding": [0.5] * 8} for n in range(2)]
    usage = {"prompt_tokens": 6, "total_tokens": 6}
    provider.will(Reply({"object": "list", "model": "e", "data": data, "usage": usage}))
    litellm.embedding("openai/e", input=["a", "b"], api_base=provider.url, api_key="k")
    [row] = captured_spans.tree()
    assert (row["name"], row["input"], row["output"]) == (
        "embeddings e",
        ["a", "b"],
        {"embeddings": 2, "dimensions": 8},
    )


def test_responses(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    part = {"type": "output_text", "text": "Paris.", "annotations": []}
    message = {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {
        "input_tokens": 9,
        "output_tokens": 2,
        "total_tokens": 11,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    response = {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-4o-mini",
        "status": "completed",
        "output": [message],
        "usage": usage,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    done = {"type": "response.completed", "sequence_number": 1, "response": response}
    provider.will(Reply(response), Reply(events=[done, "[DONE]"]))
    given = {"model": "openai/gpt-4o-mini", "input": "Capital?", "api_base": provider.url, "api_key": "k"}
    litellm.responses(**given)
    list(litellm.responses(**given, stream=True))
    for span in captured_spans.spans:
        assert (span.name, span.fields["input"]) == ("chat gpt-4o-mini", "Capital?")
        assert span.fields["output"][0]["content"][0]["text"] == "Paris."
        assert span.attributes["gen_ai.usage.input_tokens"] == 9
        assert span.attributes["gen_ai.usage.cache_read.input_tokens"] == 4
    assert len(captured_spans.spans) == 2


def test_a_cached_answer_costs_nothing(
    litellm: Any, provider: Provider, captured_spans: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.will(Reply(ANSWER))
    monkeypatch.setattr(litellm, "cache", litellm.Cache(type="local"))
    for _ in range(2):
        litellm.completion(**request(provider, caching=True))
    asked, cached = captured_spans.spans
    assert cached.fields["output"] == asked.fields["output"] == [CHOICE]
    assert asked.attributes["gen_ai.usage.input_tokens"] == 100
    assert "gen_ai.usage.input_tokens" not in cached.attributes
    assert cached.fields["metadata"] == {"cache_hit": True}


def test_an_error_is_recorded_and_passes(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply({"error": {"message": "no such model"}}, status=400))
    with pytest.raises(litellm.BadRequestError):
        litellm.completion(**request(provider))
    assert "no such model" in captured_spans.tree()[0]["error"]


BUSY = Reply({"error": {"message": "busy"}}, status=503, headers={"retry-after-ms": "1"})


def test_retries_of_the_client_beneath_are_attempts(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(BUSY, Reply(ANSWER))
    litellm.completion(**request(provider, max_retries=2))
    assert captured_spans.tree() == [{**ROW, "metrics": {"attempts": 2}}]


async def test_litellms_own_retries_are_attempts(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(BUSY, BUSY, Reply(ANSWER), BUSY, Reply(ANSWER))
    litellm.completion(**request(provider, max_retries=0, num_retries=2))
    await litellm.acompletion(**request(provider, max_retries=0, num_retries=2))
    assert [row["metrics"] for row in captured_spans.tree()] == [{"attempts": 3}, {"attempts": 2}]


async def test_the_router(litellm: Any, provider: Provider, captured_spans: Capture) -> None:
    provider.will(Reply(ANSWER), Reply(events=CHUNKS))
    deployment = {"model": "openai/gpt-test", "api_base": provider.url, "api_key": "k"}
    router = litellm.Router(model_list=[{"model_name": "small", "litellm_params": deployment}])
    await router.acompletion(model="small", messages=MESSAGES)
    stream = await router.acompletion(model="small", messages=MESSAGES, stream=True)
    assert "".join([each.choices[0].delta.content or "" async for each in stream]) == "Paris."
    assert [row["output"] for row in captured_spans.tree()] == [[CHOICE], [CHOICE]]
    assert {row["name"] for row in captured_spans.tree()} == {"chat gpt-test"}


def test_something_that_is_not_litellm_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    thing = SimpleNamespace(__name__="shop")
    assert spanloop.wrap_litellm(thing) is thing
    assert "'shop' is not the litellm package" in caplog.text


@pytest.mark.usefixtures("guard_on")
@pytest.mark.parametrize("fault", ["read_request", "read_reply", "join", "is_token"])
def test_our_faults_never_reach_the_call(
    fault: str, litellm: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch, captured_spans: Capture
) -> None:
    from spanloop._wrap.litellm_endpoint import LiteLLMEndpoint

    def fail(*args: object) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr(LiteLLMEndpoint, fault, fail)
    provider.will(Reply(ANSWER), Reply(events=CHUNKS))
    assert litellm.completion(**request(provider)).choices[0].message.content == "Paris."
    assert len(list(litellm.completion(**request(provider, stream=True)))) >= 3
