"""The two kinds of spans that are measured, and a way to make many different requests of them fast.

`llm`: 15 attributes, about 3.4 KB a span. `small`: 10 attributes, about 360 bytes. 100 spans a request, 5 a trace.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS_PER_REQUEST = 100
SPANS_PER_TRACE = 5
CONTENT_CHARACTERS = 1300
VOCABULARY = 3000
TEMPLATES = 40

Bytes = npt.NDArray[np.uint8]


def llm_span(span: Span, rng: random.Random) -> None:
    """A chat completion with its messages."""
    span.name = "chat gpt-4o"
    span.kind = Span.SPAN_KIND_CLIENT
    question = [{"role": "user", "parts": [{"type": "text", "content": _prose(rng)}]}]
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": _prose(rng)}], "finish_reason": "stop"}]
    _set(
        span,
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.request.temperature": 0.7,
            "gen_ai.request.max_tokens": 1024,
            "gen_ai.response.id": f"chatcmpl-{rng.getrandbits(64):016x}",
            "gen_ai.output.type": "text",
            "gen_ai.usage.input_tokens": rng.randint(100, 2000),
            "gen_ai.usage.output_tokens": rng.randint(10, 800),
            "gen_ai.usage.cache_read.input_tokens": 64,
            "gen_ai.input.messages": json.dumps(question),
            "gen_ai.output.messages": json.dumps(answer),
            "user.id": f"user-{rng.randint(0, 5000)}",
            "session.id": f"session-{rng.randint(0, 50_000)}",
        },
    )


def small_span(span: Span, rng: random.Random) -> None:
    """An HTTP request."""
    span.name = "GET /api/items"
    span.kind = Span.SPAN_KIND_CLIENT
    _set(
        span,
        {
            "http.request.method": "GET",
            "url.path": "/api/items",
            "server.address": "shop",
            "network.protocol.version": "1.1",
            "http.route": "/api/items",
            "user_agent.original": "python",
            "http.response.status_code": 200,
            "server.port": 443,
            "http.response.body.size": rng.randint(100, 9999),
            "thread.id": rng.randint(1, 64),
        },
    )


PROFILES: dict[str, Callable[[Span, random.Random], None]] = {"llm": llm_span, "small": small_span}


class Requests:
    """Endless different requests of one profile: prepared ones with new ids and times stamped over the old."""

    def __init__(self, profile: str, *, seed: int = 7) -> None:
        rng = random.Random(seed)
        self._templates = [_Template(PROFILES[profile], rng) for _ in range(TEMPLATES)]
        self._next = 0
        self.bytes_per_span = sum(len(template.content) for template in self._templates) / (
            TEMPLATES * SPANS_PER_REQUEST
        )

    def new(self, start_unix_nano: int | None = None) -> bytes:
        """A request whose spans start now, or at the time given."""
        self._next = (self._next + 1) % TEMPLATES
        return self._templates[self._next].fill(start_unix_nano or time.time_ns())


class _Template:
    """A serialized request, and where in it the ids and times lie."""

    def __init__(self, fill_span: Callable[[Span, random.Random], None], rng: random.Random) -> None:
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        service = resource_spans.resource.attributes.add(key="service.name")
        service.value.string_value = "bench"
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = "bench"
        for number in range(SPANS_PER_REQUEST):
            span = scope_spans.spans.add(
                trace_id=b"T%015d" % (number // SPANS_PER_TRACE),
                span_id=b"S%07d" % number,
                start_time_unix_nano=0x1111111111111100 + number,
                end_time_unix_nano=0x2222222222222200 + number,
            )
            if number % SPANS_PER_TRACE:
                span.parent_span_id = b"S%07d" % (number - number % SPANS_PER_TRACE)
            fill_span(span, rng)
        serialized = request.SerializeToString()
        self.content: Bytes = np.frombuffer(serialized, dtype=np.uint8).copy()
        self._durations = np.array([rng.randint(10**7, 5 * 10**9) for _ in range(SPANS_PER_REQUEST)], dtype=np.uint64)
        numbers = range(SPANS_PER_REQUEST)
        parents = [n - n % SPANS_PER_TRACE for n in numbers if n % SPANS_PER_TRACE]
        self._trace_ids = _places([_trace_offset(serialized, n) for n in numbers], 16)
        self._span_ids = _places([_span_offset(serialized, n) for n in numbers], 8)
        children = [n for n in numbers if n % SPANS_PER_TRACE]
        self._parent_ids = _places([_parent_offset(serialized, n) for n in children], 8)
        self._parents = np.array(parents)
        self._start_times = _places(
            [_offset(serialized, b"\x39" + (0x1111111111111100 + n).to_bytes(8, "little")) for n in numbers], 8
        )
        self._end_times = _places(
            [_offset(serialized, b"\x41" + (0x2222222222222200 + n).to_bytes(8, "little")) for n in numbers], 8
        )

    def fill(self, start_unix_nano: int) -> bytes:
        content = self.content
        # All that differs from request to request is written over: nothing of the last one stays.
        span_ids = np.frombuffer(os.urandom(8 * SPANS_PER_REQUEST), dtype=np.uint8).reshape(-1, 8)
        traces = np.frombuffer(os.urandom(16 * SPANS_PER_REQUEST // SPANS_PER_TRACE), dtype=np.uint8).reshape(-1, 16)
        starts = np.uint64(start_unix_nano) + np.arange(SPANS_PER_REQUEST, dtype=np.uint64) * np.uint64(1000)
        content[self._trace_ids] = np.repeat(traces, SPANS_PER_TRACE, axis=0)
        content[self._span_ids] = span_ids
        content[self._parent_ids] = span_ids[self._parents]
        content[self._start_times] = starts.view(np.uint8).reshape(-1, 8)
        content[self._end_times] = (starts + self._durations).view(np.uint8).reshape(-1, 8)
        return content.tobytes()


def _prose(rng: random.Random) -> str:
    words = (f"word{rng.randint(0, VOCABULARY)}" for _ in range(CONTENT_CHARACTERS // 5))
    return " ".join(words)[:CONTENT_CHARACTERS]


def _set(span: Span, attributes: dict[str, str | int | float]) -> None:
    for key, value in attributes.items():
        attribute = span.attributes.add(key=key)
        match value:
            case str():
                attribute.value.string_value = value
            case int():
                attribute.value.int_value = value
            case float():
                attribute.value.double_value = value


def _offset(serialized: bytes, tag_and_value: bytes) -> int:
    """Where a fixed-size value lies, which only this field has."""
    return serialized.index(tag_and_value) + 1


def _span_offset(serialized: bytes, number: int) -> int:
    return serialized.index(b"\x12\x08S%07d" % number) + 2


def _trace_offset(serialized: bytes, number: int) -> int:
    """Spans share trace ids: the one just before the span's own id is its."""
    return serialized.rindex(b"T%015d" % (number // SPANS_PER_TRACE), 0, _span_offset(serialized, number))


def _parent_offset(serialized: bytes, number: int) -> int:
    parent = b"\x22\x08S%07d" % (number - number % SPANS_PER_TRACE)
    return serialized.index(parent, _span_offset(serialized, number)) + 2


def _places(starts: list[int], width: int) -> npt.NDArray[np.int64]:
    return np.array(starts, dtype=np.int64)[:, None] + np.arange(width)
