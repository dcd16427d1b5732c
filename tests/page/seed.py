"""What the page is shown: a support agent's traces, a long trace, a running one, and one that attacks the page."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.collector_process import CollectorProcess

PROJECT = "support"
SECOND_NS = 1_000_000_000
TRACES = 60
LONG_TRACE = "b" * 32
LONG_TRACE_SPANS = 10_000
MAIN_TRACE = "a" * 31 + "1"
MAIN_CALL = "a" * 15 + "2"
HOSTILE_TRACE = "c" * 32
RUNNING_TRACE = "d" * 32
# Two for each question, six of the main trace, two that attack, one that runs.
TOTAL_SPANS = 2 * TRACES + 6 + 2 + 1 + LONG_TRACE_SPANS

HOSTILE_TEXTS = (
    "<script>window.attacked='script'</script>",
    "<img src=x onerror=\"window.attacked='img'\">",
    '"><svg onload="window.attacked=\'svg\'">',
    "javascript:window.attacked='link'",
    "[click](javascript:window.attacked='markdown') ![x](http://192.0.2.1/pixel.png) "
    "<iframe srcdoc='<script>parent.attacked=1</script>'>",
    "{{constructor.constructor('window.attacked=1')()}} ${window.attacked=1} `",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuYXR0YWNrZWQ9MTwvc2NyaXB0Pg==",
)
HOSTILE = " ".join(HOSTILE_TEXTS)
HOSTILE_SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>window.attacked=1</script></svg>"

# A red square of 24 × 24 pixels.
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABgAAAAYCAIAAABvFaqvAAAAH0lEQVR42mN4YOBAFcQwatCoQaMGjRo0atCoQQNv"
    "EAD2fPQfMtwsIwAAAABJRU5ErkJggg=="
)
ANSWER = """Your order **4711** is on its way.

| step | when |
| --- | --- |
| packed | Monday |
| shipped | Tuesday |

1. Track it under *My orders*.
2. If it is late, write to us.

```sql
SELECT * FROM orders WHERE id = 4711
```"""
QUESTION = "Where is my order 4711? I have been waiting for a week."


def fill(collector: CollectorProcess, *, key: str = "") -> None:
    """Sends everything; it shows in SQL a moment later."""
    now = time.time_ns()
    spans = [*support_traces(now), *main_trace(now), running_span(now)]
    send(collector, "traces", spans, key=key)
    hostile = {"service.name": HOSTILE_TEXTS[1], HOSTILE_TEXTS[2]: HOSTILE}
    send(collector, "traces", hostile_trace(now), key=key, resource=hostile)
    for start in range(0, LONG_TRACE_SPANS, 5000):
        send(collector, "traces", long_trace(now, start, start + 5000), key=key)
    send(collector, "logs", [log_record(now), hostile_record(now)], key=key)


def span(
    trace: str, span_id: str, name: str, start: int, seconds: float, *, parent: str = "", **more: Any
) -> dict[str, Any]:
    """An OTLP span as JSON; `more` are attributes, but for `error`, `events` and `running`."""
    error, events, running = more.pop("error", ""), more.pop("events", []), more.pop("running", False)
    made: dict[str, Any] = {
        "traceId": trace,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": str(start),
        "attributes": [{"key": key.replace("__", "."), "value": value_of(value)} for key, value in more.items()],
        "events": events,
    }
    if not running:
        made["endTimeUnixNano"] = str(start + int(seconds * SECOND_NS))
    if error:
        made["status"] = {"code": 2, "message": error}
    return made


def value_of(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": json.dumps(value)}


def send(
    collector: CollectorProcess,
    signal: str,
    items: Sequence[Mapping[str, Any]],
    *,
    key: str = "",
    project: str = PROJECT,
    resource: Mapping[str, str] | None = None,
) -> None:
    """Sends spans or log records over OTLP/HTTP; `resource` are its attributes, and name the scope as well."""
    attributes = [{"key": name, "value": value_of(value)} for name, value in (resource or {}).items()]
    scope = {"scope": {"name": HOSTILE_TEXTS[0] if resource else ""}}
    spans = {"scopeSpans": [scope | {"spans": items}]}
    found = spans if signal == "traces" else {"scopeLogs": [scope | {"logRecords": items}]}
    whole = [{"resource": {"attributes": attributes}} | found]
    body = json.dumps({"resourceSpans" if signal == "traces" else "resourceLogs": whole}).encode()
    headers = {"content-type": "application/json", "x-spanloop-project": project}
    headers |= {"authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{collector.http_url}/v1/{signal}", body, headers)
    urllib.request.urlopen(request, timeout=60).close()


def support_traces(now: int) -> list[dict[str, Any]]:
    """An hour of questions: some slow, some failing, half of them scored."""
    topics = ("refund", "invoice", "password", "delivery", "upgrade", "cancel")
    models = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5")
    spans = []
    for number in range(TRACES):
        trace, topic, model = f"{number:031x}e", topics[number % 6], models[number % 3]
        start = now - (number + 2) * 55 * SECOND_NS
        root, call = f"{number:015x}a", f"{number:015x}b"
        question, answer = f"How do I handle the {topic}?", f"For your {topic}, open the settings and follow the steps."
        scores = {"helpfulness": 0.35 + number % 7 / 10, "faithfulness": 0.9} if number % 2 else {}
        error = "RateLimitError: the provider asks to slow down" if number % 11 == 5 else ""
        spans.append(
            span(
                trace,
                root,
                "answer question",
                start,
                1.2 + number % 5,
                spanloop__type="task",
                spanloop__input={"question": question},
                spanloop__output=answer,
                spanloop__scores=scores,
                spanloop__tags=["vip"] if number % 9 == 0 else [],
                user__id=f"user-{number % 8}",
                session__id=f"session-{number // 4}",
                deployment__environment="production" if number % 5 else "staging",
                error=error,
            )
        )
        spans.append(
            span(
                trace,
                call,
                f"chat {model}",
                start + SECOND_NS // 5,
                0.8 + number % 5,
                parent=root,
                gen_ai__operation__name="chat",
                gen_ai__request__model=model,
                gen_ai__provider__name="anthropic" if model.startswith("claude") else "openai",
                gen_ai__usage__input_tokens=400 + number * 7,
                gen_ai__usage__output_tokens=80 + number,
                gen_ai__input__messages=[{"role": "user", "content": question}],
                gen_ai__output__messages=[{"role": "assistant", "content": answer}],
                error=error,
            )
        )
    return spans


def main_trace(now: int) -> list[dict[str, Any]]:
    """An agent that looks something up: conversation, tool, picture, failure with its stack, score with a reason."""
    start, root = now - 20 * SECOND_NS, "a" * 15 + "1"
    messages = [
        {"role": "system", "content": "You are a support agent. Be kind and brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": QUESTION}, {"type": "image_url", "image_url": {"url": PNG}}],
        },
    ]
    call = {"id": "c1", "type": "function", "function": {"name": "lookup_order", "arguments": '{"order": 4711}'}}
    asks = {"role": "assistant", "content": None, "tool_calls": [call]}
    told = {"role": "tool", "content": '{"status": "shipped"}'}
    answers = {"role": "assistant", "content": ANSWER}
    exception = {
        "timeUnixNano": str(start + SECOND_NS),
        "name": "exception",
        "attributes": [
            {"key": "exception.type", "value": {"stringValue": "TimeoutError"}},
            {"key": "exception.message", "value": {"stringValue": "the carrier did not answer"}},
            {"key": "exception.stacktrace", "value": {"stringValue": 'File "carrier.py", line 12, in ask'}},
        ],
    }
    chat = {
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "gpt-4o",
        "gen_ai__provider__name": "openai",
        "gen_ai__usage__input_tokens": 812,
        "gen_ai__usage__output_tokens": 96,
    }
    return [
        span(
            MAIN_TRACE,
            root,
            "answer question",
            start,
            3.4,
            spanloop__type="task",
            spanloop__input={"question": QUESTION},
            spanloop__output=ANSWER,
            spanloop__scores={"helpfulness": 0.92},
            spanloop__tags=["vip"],
            user__id="ada",
            session__id="s-1",
        ),
        span(
            MAIN_TRACE,
            MAIN_CALL,
            "chat gpt-4o",
            start + SECOND_NS // 10,
            0.9,
            parent=root,
            gen_ai__input__messages=messages,
            gen_ai__output__messages=[asks],
            **chat,
        ),
        span(
            MAIN_TRACE,
            "a" * 15 + "3",
            "lookup_order",
            start + SECOND_NS,
            0.4,
            parent=root,
            spanloop__type="tool",
            spanloop__input={"order": 4711},
            spanloop__output={"status": "shipped", "carrier": None},
        ),
        span(
            MAIN_TRACE,
            "a" * 15 + "4",
            "ask carrier",
            start + SECOND_NS + SECOND_NS // 10,
            0.2,
            parent="a" * 15 + "3",
            spanloop__type="function",
            error="TimeoutError: the carrier did not answer",
            events=[exception],
        ),
        span(
            MAIN_TRACE,
            "a" * 15 + "5",
            "chat gpt-4o",
            start + SECOND_NS * 3 // 2,
            1.7,
            parent=root,
            gen_ai__input__messages=[*messages, asks, told],
            gen_ai__output__messages=[answers],
            **chat,
        ),
        span(
            MAIN_TRACE,
            "a" * 15 + "6",
            "helpfulness",
            start + SECOND_NS * 33 // 10,
            0.1,
            parent=root,
            spanloop__type="score",
            spanloop__scores={"helpfulness": 0.92},
            spanloop__metadata={"reason": "It answers where the order is."},
        ),
    ]


def hostile_trace(now: int) -> list[dict[str, Any]]:
    """Script payloads wherever a span can carry text."""
    fields: dict[str, Any] = {
        "spanloop__type": HOSTILE_TEXTS[0],
        "spanloop__input": [
            {"role": HOSTILE_TEXTS[1], "content": HOSTILE},
            {"role": "user", "content": HOSTILE_TEXTS[6]},
        ],
        "spanloop__output": HOSTILE,
        "spanloop__expected": {HOSTILE_TEXTS[2]: HOSTILE},
        "spanloop__scores": {HOSTILE_TEXTS[1]: 0.5},
        "spanloop__tags": list(HOSTILE_TEXTS[:2]),
        "spanloop__metadata": {HOSTILE_TEXTS[0]: HOSTILE, "comment": HOSTILE, "model": HOSTILE_TEXTS[1]},
        "user__id": HOSTILE_TEXTS[1],
        "error": HOSTILE,
        "events": [
            {
                "timeUnixNano": str(now),
                "name": HOSTILE,
                "attributes": [{"key": HOSTILE, "value": {"stringValue": HOSTILE}}],
            }
        ],
    }
    start = now - 10 * SECOND_NS
    link = {"traceId": "c" * 32, "spanId": "c" * 15 + "1", "traceState": HOSTILE_TEXTS[1]}
    svg = f"data:image/svg+xml;base64,{base64.b64encode(HOSTILE_SVG).decode()}"
    picture = {
        "spanloop__type": "llm",
        "spanloop__input": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": svg}}]}],
    }
    return [
        span(HOSTILE_TRACE, "c" * 16, HOSTILE, start, 1, **fields) | {"links": [link], "traceState": HOSTILE_TEXTS[1]},
        span(HOSTILE_TRACE, "c" * 15 + "1", HOSTILE_TEXTS[1], start, 0.5, parent="c" * 16, **picture),
    ]


def long_trace(now: int, first: int, last: int) -> list[dict[str, Any]]:
    """Spans of a trace of ten thousand."""
    start = now - 300 * SECOND_NS

    def id_of(number: int) -> str:
        return f"b{number:015x}"

    return [
        span(
            LONG_TRACE,
            id_of(number),
            f"step {number}",
            start + number * SECOND_NS // 50,
            200.0 if number == 0 else 0.05 + number % 40 / 100,
            parent="" if number == 0 else id_of(0 if number % 20 == 1 else max(0, number - 1 - number % 3)),
            spanloop__type=("task", "llm", "tool", "function")[number % 4],
        )
        for number in range(first, last)
    ]


def running_span(now: int) -> dict[str, Any]:
    """A root that has not ended."""
    return span(
        RUNNING_TRACE,
        "d" * 16,
        "long job",
        now - 5 * SECOND_NS,
        0,
        spanloop__type="task",
        spanloop__input="start",
        running=True,
    )


def log_record(now: int) -> dict[str, Any]:
    """A log record of the main trace's call."""
    return {
        "timeUnixNano": str(now - 19 * SECOND_NS),
        "traceId": MAIN_TRACE,
        "spanId": MAIN_CALL,
        "severityText": "WARN",
        "body": {"stringValue": "the answer took longer than usual"},
    }


def hostile_record(now: int) -> dict[str, Any]:
    """Script payloads in a log record of the trace that attacks."""
    return {
        "timeUnixNano": str(now - 9 * SECOND_NS),
        "traceId": HOSTILE_TRACE,
        "spanId": "c" * 16,
        "severityText": HOSTILE_TEXTS[0],
        "body": {"stringValue": HOSTILE},
        "attributes": [{"key": HOSTILE_TEXTS[1], "value": {"stringValue": HOSTILE}}],
    }


def send_now(collector: CollectorProcess, name: str, *, key: str = "") -> None:
    """A root span that ends this moment."""
    now = time.time_ns()
    made = span(f"{now:032x}", f"{now:016x}", name, now - SECOND_NS, 1, spanloop__type="task")
    send(collector, "traces", [made], key=key)
