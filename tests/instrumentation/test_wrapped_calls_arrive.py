"""Wrapped calls, all the way: real client, provider on loopback, real collector."""

from __future__ import annotations

from typing import Any

import grpc
import openai
import spanloop
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from spanloop_collector.demo.provider import running_provider

from tests.instrumentation.otlp_collector import Collector, Refusal, attributes

MESSAGES: list[Any] = [{"role": "user", "content": "Where is order 7?"}]


def stream_one() -> str:
    with running_provider() as url, openai.OpenAI(base_url=url, api_key="k") as plain:
        client = spanloop.wrap_openai(plain)
        stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
        return "".join(event.choices[0].delta.content or "" for event in stream)


def test_a_stream_is_there_after_flush(collector: Collector) -> None:
    """Its output is put together by the sending thread."""
    spanloop.init("bot", endpoint=collector.endpoint, flush_interval_seconds=60)
    with spanloop.start_span("request") as request:
        answer = stream_one()
    assert spanloop.flush()
    by_name = {span.name: span for span in collector.received.spans}
    call = by_name["chat gpt-4o-mini"]
    assert call.parent_span_id.hex() == request.span_id
    assert call.start_time_unix_nano < call.end_time_unix_nano < by_name["request"].end_time_unix_nano
    found = attributes(call)
    assert answer in found["spanloop.output"]
    assert found["gen_ai.response.model"] == "gpt-4o-mini"
    assert spanloop.stats() == spanloop.Stats(delivered=2)


def test_a_stream_is_there_after_shutdown(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, flush_interval_seconds=60)
    stream_one()
    assert spanloop.shutdown()
    assert collector.received.names == ["chat gpt-4o-mini"]


def test_a_stream_in_a_batch_sent_in_pieces_is_there_once(collector: Collector) -> None:
    collector.received.refusal = Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED, message="too large", is_wanted=lambda body: len(body) > 2500
    )
    spanloop.init("bot", endpoint=collector.endpoint, flush_interval_seconds=60)
    stream_one()
    for n in range(20):
        with spanloop.start_span(f"{n}"):
            pass
    assert spanloop.flush()
    assert collector.received.names.count("chat gpt-4o-mini") == 1
    assert len(collector.received.names) == 21


def test_in_the_applications_provider_a_stream_ends_at_once(collector: Collector) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=provider)
    answer = stream_one()
    [span] = exporter.get_finished_spans()
    assert answer in str((span.attributes or {})["spanloop.output"])


def test_a_call_still_running_can_be_seen(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, running_spans=True, flush_interval_seconds=60)
    with running_provider() as url, openai.OpenAI(base_url=url, api_key="k") as plain:
        client = spanloop.wrap_openai(plain)
        stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
        next(stream)
        assert spanloop.flush()
        [running] = collector.received.spans
        assert running.end_time_unix_nano == 0
        assert attributes(running)["spanloop.input"] == '[{"role":"user","content":"Where is order 7?"}]'
        for _ in stream:
            pass
    assert spanloop.flush()
    assert [span.end_time_unix_nano > 0 for span in collector.received.spans] == [False, True]
