"""Events that are read together say what they say one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spanloop._wrap.anthropic_messages import Messages
from spanloop._wrap.events import server_sent
from spanloop._wrap.openai_chat import ChatCompletions
from spanloop._wrap.runs import joined_run

Json = dict[str, Any]


def event(delta: Json, *, index: int = 0, **more: Any) -> Json:
    choice = {"index": index, "delta": delta, "finish_reason": None, **more}
    return {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}


def encoded(events: list[Json], **how: Any) -> list[bytes]:
    return [b"data: " + json.dumps(each, **how).encode() for each in events]


def said(events: list[bytes]) -> Any:
    """What the reply amounts to, read event by event."""
    return ChatCompletions().join([json.loads(each.removeprefix(b"data: ")) for each in events])


TEXTS = [event({"content": text}) for text in ("Par", "is", ' "is" ', "", "\\", '\\"', "é\n", "\U0001f600", "x")]


@pytest.mark.parametrize("how", [{}, {"separators": (",", ":")}, {"ensure_ascii": False}])
def test_texts_are_joined(how: Json) -> None:
    events = encoded([event({"role": "assistant", "content": ""}), *TEXTS, event({}, finish_reason="stop")], **how)
    assert len(joined_run(events)) == 3
    assert said(joined_run(events)) == said(events)


@pytest.mark.parametrize(
    "events",
    [
        [event({"content": "a"}, logprobs={"content": [{"token": "a"}]})] * 5,
        [event({"content": "a", "reasoning_content": "b"})] * 5,
        [event({"reasoning_content": "b", "content": "a"})] * 5,
        [event({"content": "a"}), event({"content": "b"}, index=1)] * 3,
        [event({"tool_calls": [{"index": 0, "function": {"arguments": "a"}}]})] * 5,
        [{"choices": [*event({"content": "a"})["choices"], *event({"content": "b"}, index=1)["choices"]]}] * 5,
        [event({"refusal": "a"}), event({"content": "b"}), event({"content": "c"}), event({"refusal": "d"})],
        [event({"content": 'a"},"x":{"y":"b'})] * 5,
        [event({})] * 5,
    ],
)
def test_what_else_an_event_brings_is_kept(events: list[Json]) -> None:
    texts = encoded(events, separators=(",", ":"))
    assert said(joined_run(texts)) == said(texts)


PIECES = st.fixed_dictionaries(
    {}, optional={name: st.text('a"\\}{,:\n', max_size=4) for name in ("content", "text", "refusal")}
)


@given(st.lists(st.builds(event, PIECES, index=st.integers(0, 1)), min_size=1, max_size=12), st.booleans())
def test_any_events(events: list[Json], is_tight: bool) -> None:
    texts = encoded(events, separators=(",", ":") if is_tight else None)
    assert said(joined_run(texts)) == said(texts)


@given(st.text("a\n", max_size=12))
def test_what_is_not_whole_yet_is_left(text: str) -> None:
    *_, rest = text.split("\n\n")
    assert server_sent(text.encode())[1].decode() == rest


def test_a_run_with_something_else_inside_is_read_one_by_one() -> None:
    events = encoded([*TEXTS[:4], event({"refusal": "no"}), *TEXTS[4:]])
    assert said(joined_run(events)) == said(events)


def test_events_with_names() -> None:
    deltas = [{"type": "text_delta", "text": text} for text in ("Par", "is", ".")]
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
    ]
    body = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events).encode()
    read, rest = server_sent(body)
    assert (len(read), rest) == (3, b"")
    assert Messages().join([*read])["content"] == [{"type": "text", "text": "Paris."}]


def test_what_hides_the_length_of_a_token_is_no_obstacle() -> None:
    events = [{**event({"content": str(number)}), "obfuscation": "x" * number} for number in range(9)]
    read, _ = server_sent(b"\n\n".join(encoded(events)) + b"\n\n")
    assert [each["choices"][0]["delta"]["content"] for each in read] == ["012345678"]
