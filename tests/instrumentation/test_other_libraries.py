"""Beside tracing that an application has already: each side sees its own spans, every one of them and once.

A process of its own for each library, since they change classes and set the global provider for good; in both orders
of starting. A library that is not installed is skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PRELUDE = """
import json, os, sys
import openai, spanloop, spanloop.testing
from opentelemetry import trace
from tests.instrumentation.provider import Reply, scripted_provider

MESSAGES = [{"role": "user", "content": "Capital?"}]
HEAD = {"id": "1", "created": 1, "model": "m"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ANSWER = {**HEAD, "object": "chat.completion", "usage": USAGE, "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}]}
PIECES = [{**HEAD, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
          for delta, end in (({"role": "assistant", "content": "Par"}, None), ({"content": "is."}, "stop"))]

def memory():
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    return InMemorySpanExporter()

def in_memory(exporter):
    "Name and parent's name of each span."
    spans = exporter.get_finished_spans()
    names = {span.context.span_id: span.name for span in spans}
    return [(span.name, span.parent and names.get(span.parent.span_id, "?")) for span in spans]
"""

# Each starts a library, and defines `outer`, its decorator of a function named so, and `found`, what it has traced.
LIBRARIES = {
    "langfuse": """
def start():
    global outer, found
    import langfuse, langfuse.openai
    exporter = memory()
    client = langfuse.Langfuse(public_key="p", secret_key="s", base_url="http://127.0.0.1:9", span_exporter=exporter)
    outer = langfuse.observe(name="outer")
    def found():
        client.flush()
        return in_memory(exporter)
""",
    "logfire": """
def start():
    global outer, found
    import logfire
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    exporter = memory()
    processors = [SimpleSpanProcessor(exporter)]
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=processors, metrics=False)
    logfire.instrument_openai()
    outer = logfire.instrument("outer")
    found = lambda: in_memory(exporter)
""",
    "sentry_sdk": """
def start():
    global outer, found
    import sentry_sdk
    from sentry_sdk.transport import Transport
    sent = []
    class Kept(Transport):
        def capture_envelope(self, envelope):
            sent.extend(item.payload.json for item in envelope.items if item.type == "transaction")
    # Most of its integrations import whatever is installed, which takes its time.
    sentry_sdk.init(
        dsn="http://k@127.0.0.1:9/1", traces_sample_rate=1.0, transport=Kept, auto_enabling_integrations=False)
    def outer(function):
        def call():
            with sentry_sdk.start_transaction(name="outer"), sentry_sdk.start_span(op="step"):
                return function()
        return call
    def found():
        sentry_sdk.flush()
        [transaction] = sent
        root = transaction["contexts"]["trace"]["span_id"]
        steps = [span for span in transaction["spans"] if not span["op"].startswith("subprocess")]
        return [(span["op"], "outer" if span["parent_span_id"] == root else "?") for span in steps] + [("outer", None)]
""",
    "ddtrace": """
def start():
    global outer, found
    os.environ["DD_INSTRUMENTATION_TELEMETRY_ENABLED"] = "false"
    import ddtrace
    from ddtrace.trace import TraceFilter, tracer
    kept = []
    class Kept(TraceFilter):
        def process_trace(self, spans):
            kept.extend(spans)
    tracer.configure(trace_processors=[Kept()])
    ddtrace.patch(openai=True)
    outer = tracer.wrap("outer")
    def found():
        names = {span.span_id: span.name for span in kept}
        return [(span.name, names.get(span.parent_id)) for span in kept]
""",
}

PROGRAM = """
IS_FIRST = sys.argv[1] == "first"
if IS_FIRST:
    start()
before = trace.get_tracer_provider()
with scripted_provider() as provider, spanloop.testing.capture() as spans:
    spanloop.auto_instrument(others=False)
    assert trace.get_tracer_provider() is before
    if not IS_FIRST:
        start()
    provider.will(Reply(ANSWER), Reply(events=[*PIECES, "[DONE]"]))
    with openai.OpenAI(base_url=provider.url, api_key="k") as client:
        @outer
        @spanloop.traced(name="inner")
        def ask():
            answer = client.chat.completions.create(model="m", messages=MESSAGES).choices[0].message.content
            stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            return [answer, "".join(piece.choices[0].delta.content or "" for piece in stream)]
        answers = ask()
    print(json.dumps({"answers": answers, "ours": spans.tree(), "theirs": found()}))
"""

# What each records of this program without us: spans, and their parents.
RECORDED: dict[str, list[list[str | None]]] = {
    "langfuse": [["OpenAI-generation", "outer"], ["OpenAI-generation", "outer"], ["outer", None]],
    "logfire": [
        ["Chat Completion with {request_data[model]!r}", "outer"],
        ["Chat Completion with {request_data[model]!r}", "outer"],
        ["outer", None],
        ["streaming response from {request_data[model]!r} took {duration:.2f}s", "outer"],
    ],
    "sentry_sdk": [["outer", None], ["step", "outer"]],
    "ddtrace": [["openai.request", "outer"], ["openai.request", "outer"], ["outer", None]],
}


@pytest.mark.parametrize("order", ["first", "second"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_another_librarys_tracing(library: str, order: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    found = run(PRELUDE + LIBRARIES[library] + PROGRAM, order)
    assert found["answers"] == ["Paris.", "Paris."]
    [inner] = found["ours"]
    assert inner["name"] == "inner"
    assert [(call["name"], call["output"][0]["message"]["content"]) for call in inner["children"]] == [
        ("chat m", "Paris."),
        ("chat m", "Paris."),
    ]
    assert sorted(found["theirs"], key=lambda span: str(span[0])) == RECORDED[library]


def run(code: str, order: str) -> Any:
    """What the program printed last."""
    command = [sys.executable, "-W", "ignore", "-c", code, order]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
