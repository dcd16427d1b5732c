"""Every example runs as it stands, against a provider and a collector on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from spanloop_collector.demo.provider import running_provider

from tests.instrumentation.otlp_collector import Collector, attributes
from tests.instrumentation.provider import Reply, scripted_provider
from tests.instrumentation.test_wrap_anthropic import events as message_events
from tests.instrumentation.test_wrap_anthropic import text_delta
from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "instrumentation" / "examples"


@pytest.fixture
def provider() -> Iterator[str]:
    with running_provider() as url:
        yield url


def run(name: str, collector: Collector, provider: str = "", **environment: str) -> str:
    """What the example prints."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        env={
            **os.environ,
            "SPANLOOP_ENDPOINT": collector.endpoint,
            "OPENAI_BASE_URL": provider,
            "OPENAI_API_KEY": "k",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def trees(collector: Collector) -> list[Any]:
    """Names of the received spans, as nested pairs."""
    spans = sorted(collector.received.spans, key=lambda span: span.start_time_unix_nano)
    known = {span.span_id for span in spans}

    def below(parent: bytes) -> list[Any]:
        return [
            (span.name, *below(span.span_id))
            for span in spans
            if (span.parent_span_id if span.parent_span_id in known else b"") == parent
        ]

    return below(b"")


def test_every_example_is_run_here() -> None:
    source = Path(__file__).read_text()
    for example in EXAMPLES.glob("*.py"):
        assert f'"{example.name}"' in source, example.name


def test_traced_functions(collector: Collector) -> None:
    assert run("traced_functions.py", collector) == "Our lamps are red.\nI do not know.\n"
    assert trees(collector) == [("answer", ("search",)), ("answer", ("search",))]
    answer = next(span for span in collector.received.spans if span.name == "answer")
    assert attributes(answer) == {
        "spanloop.type": "function",
        "spanloop.input": '{"question":"What colour is the lamp?"}',
        "spanloop.output": '"Our lamps are red."',
        "spanloop.metadata": '{"session_id":"chat-1","user_id":"ada","articles":1}',
        "spanloop.scores": '{"grounded":1.0}',
        "spanloop.tags": ["shop"],
    }
    assert collector.received.resource()["spanloop.project"] == "examples"


def test_openai_chat(collector: Collector, provider: str) -> None:
    assert run("openai_chat.py", collector, provider).count("capital") == 2
    assert trees(collector) == [
        ("ask", ("chat gpt-4o-mini",)),
        ("ask_streaming", ("chat gpt-4o-mini",)),
    ]
    for span in collector.received.spans:
        if span.name.startswith("chat"):
            assert attributes(span)["gen_ai.usage.output_tokens"] > 0


def test_async_streaming(collector: Collector, provider: str) -> None:
    printed = run("async_streaming.py", collector, provider)
    assert sorted(line.partition(" ")[0] for line in printed.splitlines()) == ["ada", "alan"]
    assert trees(collector) == [("answer", ("chat gpt-4o-mini",))] * 2
    users = {attributes(span)["spanloop.metadata"] for span in collector.received.spans}
    assert users == {'{"user_id":"ada"}', '{"user_id":"alan"}'}


def test_across_processes(collector: Collector) -> None:
    run("across_processes.py", collector)
    assert trees(collector) == [("order", ("ship",))]


def test_logging_bridge(collector: Collector) -> None:
    run("logging_bridge.py", collector)
    [span], [record] = collector.received.spans, collector.received.records
    assert record.body.string_value == "card of order 7 was refused"
    assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)


def test_opentelemetry_application(collector: Collector) -> None:
    assert run("opentelemetry_application.py", collector) == "['lamp']\n"
    assert trees(collector) == [("GET /recommendations", ("recommend", ("sql",)))]


def gemini_reply(part: dict[str, Any]) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0, "finishReason": "STOP"}]}


def test_google_genai(collector: Collector) -> None:
    call = {"functionCall": {"name": "weather", "args": {"city": "Paris"}}}
    with scripted_provider() as gemini:
        gemini.will(
            Reply(events=[gemini_reply({"text": "Par"}), gemini_reply({"text": "is."})]),
            Reply(gemini_reply(call)),
            Reply(gemini_reply({"text": "You do."})),
        )
        printed = run("google_genai.py", collector, GOOGLE_GEMINI_BASE_URL=gemini.url, GEMINI_API_KEY="k")
    assert printed == "Paris.\nYou do.\n"
    model = ("generate_content gemini-2.5-flash",)
    assert trees(collector) == [model, ("umbrella?", model, ("weather",), model)]


def test_anthropic_messages(collector: Collector) -> None:
    tool = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
    arguments = {"type": "input_json_delta", "partial_json": '{"city": "Paris"}'}
    with scripted_provider() as claude:
        claude.will(
            Reply(events=message_events((tool, [arguments])), named=True),
            Reply(events=message_events(({"type": "text", "text": ""}, [text_delta("You do.")])), named=True),
        )
        printed = run("anthropic_messages.py", collector, ANTHROPIC_BASE_URL=claude.url, ANTHROPIC_API_KEY="k")
    assert printed == "You do.\n"
    model = ("chat claude-sonnet-4-5",)
    assert trees(collector) == [("ask", model, ("weather",), model)]


def test_litellm_any_provider(collector: Collector, provider: str) -> None:
    printed = run(
        "litellm_any_provider.py", collector, provider, LITELLM_LOCAL_MODEL_COST_MAP="True", PYTHONWARNINGS="ignore"
    )
    assert printed.count("capital") == 2
    assert trees(collector) == [("ask", ("chat gpt-4o-mini",))] * 2


def test_langchain_chain(collector: Collector, provider: str) -> None:
    assert "capital" in run("langchain_chain.py", collector, provider)
    assert trees(collector) == [("RunnableSequence", ("ChatPromptTemplate",), ("ChatOpenAI",))]
    [call] = [span for span in collector.received.spans if span.name == "ChatOpenAI"]
    assert attributes(call)["gen_ai.usage.output_tokens"] > 0


def run_with_api(name: str, collector: CollectorProcess) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        env={
            **os.environ,
            "SPANLOOP_ENDPOINT": f"http://{collector.grpc_address}",
            "SPANLOOP_API_URL": collector.api_url,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_direct_logging(shared_collector: CollectorProcess) -> None:
    run_with_api("direct_logging.py", shared_collector)
    query = (
        "SELECT output, expected, tags, scores, metadata['comment'] AS comment, mapContains(metrics, 'end') AS ended "
        "FROM logs WHERE project = 'examples' AND id = 'ticket-7' AND expected != ''"
    )
    assert wait_until(lambda: shared_collector.sql(query), what="the row with its feedback") == [
        {
            "output": '"On its way."',
            "expected": '"It arrived yesterday."',
            "tags": ["shop"],
            "scores": {"polite": 1, "thumbs": 0},
            "comment": "wrong order",
            "ended": 1,
        }
    ]


def test_feedback(shared_collector: CollectorProcess) -> None:
    run_with_api("feedback.py", shared_collector)
    query = "SELECT output FROM logs WHERE project = 'examples' AND name = 'answer' AND scores['thumbs'] = 1"
    rows = wait_until(lambda: shared_collector.sql(query), what="the span with its feedback")
    assert rows == [{"output": '"Our lamps are red."'}]


def test_captured_spans_example(tmp_path: Path) -> None:
    """As a user runs it: the fixture comes from the installed plugin, not from our own conftest."""
    example = tmp_path / "test_with_captured_spans.py"
    example.write_text((EXAMPLES / "test_with_captured_spans.py").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
