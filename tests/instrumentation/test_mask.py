"""What must not leave the process does not, whatever writes it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import spanloop
from opentelemetry.sdk.trace import TracerProvider
from spanloop import traced
from spanloop.testing import capture

from tests.instrumentation.otlp_collector import Collector, attributes

SECRET = "4111-1111-1111-1111"
CARD = r"\b\d{4}-\d{4}-\d{4}-\d{4}\b"


@traced
def pay(card: str, order: dict[str, Any]) -> dict[str, Any]:
    spanloop.current_span().log(metadata={"note": f"card {card}"}, tags=[card])
    logging.getLogger("shop").warning("paying with %s", card, extra={"card": card})
    with spanloop.start_span(f"charge {card}", input=[{"number": card}]) as span:
        span._otel.add_event(f"authorized {card}", {"number": card})
        span._otel.add_link(span._otel.get_span_context(), {"number": card})
    raise ValueError(f"refused: {card}")


def test_nothing_a_pattern_matches_is_on_the_wire(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, mask_patterns=[CARD], running_spans=True)
    handler = spanloop.logging_handler()
    logging.getLogger("shop").addHandler(handler)
    with pytest.raises(ValueError, match="refused"):
        pay(SECRET, {SECRET: [1, SECRET]})
    logging.getLogger("shop").removeHandler(handler)
    assert spanloop.flush()
    received = collector.received
    assert len(received.spans) == 2
    wire = b"".join(request.SerializeToString() for request in (*received.traces, *received.logs))
    assert SECRET.encode() not in wire
    assert received.names == ["charge [masked]", "pay"]
    assert received.records[0].body.string_value == "paying with [masked]"
    found = attributes(next(span for span in received.spans if span.name == "pay"))
    assert found["spanloop.input"] == '{"card":"[masked]","order":{"[masked]":[1,"[masked]"]}}'
    assert found["spanloop.error"] == "ValueError: refused: [masked]"


def test_keys_at_any_depth_and_dotted_paths() -> None:
    with (
        capture({"mask_keys": ("password", "user.email", "output.total")}) as spans,
        spanloop.start_span(
            "a",
            input={
                "Password": 1,
                "list": [{"password": {"deep": 2}}],
                "user": {"email": "x", "name": "Ada"},
                "email": "kept",
                "total": 3,
            },
        ) as span,
    ):
        span.log(output={"total": 4, "rest": 5}, metadata={"user": {"email": "y"}})
    assert spans.tree() == [
        {
            "name": "a",
            "input": {
                "Password": "[masked]",
                "list": [{"password": "[masked]"}],
                "user": {"email": "[masked]", "name": "Ada"},
                "email": "kept",
                "total": 3,
            },
            "output": {"total": "[masked]", "rest": 5},
            "metadata": {"user": {"email": "[masked]"}},
        }
    ]


def test_a_whole_field() -> None:
    with capture({"mask_keys": ("input",)}) as spans, spanloop.start_span("a", input={"q": 1}) as span:
        span.log(output={"input": 2, "x": 3})
    assert spans.find("a").fields == {"input": "[masked]", "output": {"input": "[masked]", "x": 3}}


def test_keys_in_json_that_is_a_text() -> None:
    arguments = json.dumps({"user": {"password": "x"}, "order": 7})
    with (
        capture({"mask_keys": ("user.password",)}) as spans,
        spanloop.start_span(
            "a",
            input=[{"arguments": arguments, "text": "{no JSON", "kept": "[1,  2]", "deep": "[" * 9999 + "]" * 9999}],
        ),
    ):
        pass
    assert spans.find("a").fields["input"] == [
        {
            "arguments": '{"user":{"password":"[masked]"},"order":7}',
            "text": "{no JSON",
            "kept": "[1,  2]",
            "deep": "[masked]",
        }
    ]


def test_a_function_sees_names_and_values() -> None:
    seen = {}

    def mask(name: str, value: Any) -> Any:
        seen[name] = value
        return {"length": len(str(value))} if name == "input" else value

    with (
        capture({"mask": mask, "mask_keys": ("secret",)}) as spans,
        spanloop.start_span("a", type="task", input={"q": "why?"}) as span,
    ):
        span.log(metadata={"secret": 1})
    assert spans.find("a").fields == {
        "type": "task",
        "input": {"length": 13},
        "metadata": {"secret": "[masked]"},
    }
    assert seen == {"input": {"q": "why?"}, "metadata": {"secret": 1}}


def test_a_function_that_fails_masks_everything(caplog: pytest.LogCaptureFixture) -> None:
    def mask(name: str, value: Any) -> Any:
        raise KeyError(name)

    with capture({"mask": mask}) as spans, spanloop.start_span("a", input="secret") as span:
        span.log(output="secret")
    assert spans.find("a").fields == {
        "input": "[masked: the masking function failed]",
        "output": "[masked: the masking function failed]",
    }
    assert len(caplog.records) == 1


def test_the_applications_own_spans_are_masked_for_us(collector: Collector) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=provider, mask_keys=["authorization"])
    with provider.get_tracer("http").start_as_current_span("GET", attributes={"http.header.Authorization": "x"}):
        pass
    spanloop.flush()
    assert attributes(collector.received.spans[0]) == {"http.header.Authorization": "[masked]"}


def test_from_the_environment(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_MASK_KEYS", "password, token")
    monkeypatch.setenv("SPANLOOP_MASK_PATTERNS", "(?i)A{2,3}\nb+")
    spanloop.init("bot", endpoint=collector.endpoint)
    with spanloop.start_span("x", input={"token": 1, "text": "aaa b c a"}):
        pass
    spanloop.flush()
    assert attributes(collector.received.spans[0])["spanloop.input"] == (
        '{"token":"[masked]","text":"[masked] [masked] c a"}'
    )


@pytest.mark.parametrize("wrong", [{"mask_patterns": ["("]}, {"mask": "no function"}])
def test_masks_that_cannot_work_stop_tracing(
    wrong: dict[str, Any], collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, **wrong)
    with spanloop.start_span("a", input="secret"):
        pass
    assert spanloop.flush()
    assert collector.received.spans == []
    assert "nothing is traced" in caplog.text
