"""A prompt run against providers that speak the real wire formats on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from spanloop.v1 import playground_pb2 as pb
from spanloop_collector.api.json_codec import decode, encode, parse_json
from spanloop_collector.api.operations import Call, operation_of
from spanloop_collector.errors import InvalidRequestError, RetryableError, UnsupportedError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.playground.operations import PlaygroundOperations
from spanloop_collector.settings import PlaygroundSettings, ScoreSettings, Settings

from tests.collector.playground.wires import anthropic_reply, openai_events, openai_reply
from tests.instrumentation.provider import Provider, Reply, scripted_provider

KEY = "sk-secret-of-the-operator"
CALLER = Principal(key_id="k", project="", scopes=frozenset(Scope))
ASK = {"role": "user", "content": "Say hello to {{input}}"}


@dataclass
class Playground:
    """The operations as JSON, and the provider that they ask."""

    operations: PlaygroundOperations
    provider: Provider

    async def run(self, **fields: Any) -> list[dict[str, Any]]:
        """Every answer of a run but the first, which says nothing."""
        async with aclosing(self.stream(**fields)) as answers:
            first, *rest = [parse_json(encode(answer)) async for answer in answers]
        assert first == {"text": ""}
        return rest

    def stream(self, **fields: Any) -> Any:
        """The answers as they come."""
        given = {"endpoint": "openai", "model": "gpt-4o-mini", "messages": [ASK], "input": "Ada", **fields}
        request = pb.RunPromptRequest()
        problems = decode(request, given)
        operation = operation_of(
            pb.DESCRIPTOR.services_by_name["PlaygroundService"].methods_by_name["RunPrompt"], self.operations
        )
        return operation.stream(request, Call(CALLER, problems))

    async def end(self, **fields: Any) -> dict[str, Any]:
        """How a run ended."""
        (end,) = [answer["end"] for answer in await self.run(**fields) if "end" in answer]
        assert isinstance(end, dict)
        return end


@pytest.fixture
def provider() -> Iterator[Provider]:
    with scripted_provider() as running:
        yield running


@pytest.fixture
def settings() -> PlaygroundSettings:
    return PlaygroundSettings()


@pytest.fixture
async def playground(provider: Provider, settings: PlaygroundSettings, tmp_path: Path) -> AsyncIterator[Playground]:
    environment = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{provider.url}/v1",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": provider.url,
    }
    scorers = tmp_path / "own_scorers.py"
    scorers.write_text("def has_greeting(output):\n    return 'hello' in output.lower()\n")
    settings_of_all = Settings(tmp_path, playground=settings, score=ScoreSettings(modules=str(scorers)))
    operations = PlaygroundOperations(settings_of_all, environment=environment)
    yield Playground(operations, provider)
    await operations.close()


def texts(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["text"] for answer in answers if answer["text"]]


# ---- what is asked, and what comes back


async def test_openai_answer_comes_in_pieces_with_its_usage(playground: Playground) -> None:
    playground.provider.will(openai_reply("Hello", ", Ada", "!"))
    answers = await playground.run(parameters={"temperature": 0.5, "max_tokens": 20})

    assert texts(answers) == ["Hello", ", Ada", "!"]
    end = answers[-1]["end"]
    assert 0 < end.pop("time_to_first_token") <= end.pop("duration")
    # 600 fresh, 400 cached and 200 written tokens of gpt-4o-mini, in dollars per million.
    assert end.pop("cost") == pytest.approx((600 * 0.15 + 400 * 0.075 + 200 * 0.6) / 1e6)
    message = {"role": "assistant", "content": "Hello, Ada!", "refusal": None}
    assert end.pop("reply") == [{"index": 0, "message": message, "finish_reason": "stop"}]
    assert end == {
        "error": "",
        "output": "Hello, Ada!",
        "messages": [{"role": "user", "content": "Say hello to Ada"}],
        "model": "gpt-4o-mini-2024-07-18",
        "prompt_tokens": 1000,
        "completion_tokens": 200,
        "cached_tokens": 400,
    }
    assert playground.provider.headers[0]["authorization"] == f"Bearer {KEY}"
    assert playground.provider.requests == [
        (
            "/v1/chat/completions",
            {
                "model": "gpt-4o-mini",
                "messages": [{"role": "user", "content": "Say hello to Ada"}],
                "temperature": 0.5,
                "max_tokens": 20,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
        )
    ]


async def test_anthropic_answer_comes_in_pieces_with_its_usage(playground: Playground) -> None:
    playground.provider.will(anthropic_reply("Hello", ", Ada!"))
    messages = [{"role": "system", "content": "Be kind."}, ASK]
    answers = await playground.run(endpoint="anthropic", model="claude-sonnet-4-5", messages=messages)

    assert texts(answers) == ["Hello", ", Ada!"]
    end = answers[-1]["end"]
    assert (end["output"], end["error"], end["model"]) == ("Hello, Ada!", "", "claude-sonnet-4-5")
    assert (end["prompt_tokens"], end["completion_tokens"], end["cached_tokens"]) == (1000, 200, 400)
    assert end["cost"] == pytest.approx((600 * 3 + 400 * 0.3 + 200 * 15) / 1e6)
    assert playground.provider.headers[0]["x-api-key"] == KEY
    assert playground.provider.requests == [
        (
            "/v1/messages",
            {
                "model": "claude-sonnet-4-5",
                "max_tokens": 4096,
                "system": [{"type": "text", "text": "Be kind."}],
                "messages": [{"role": "user", "content": "Say hello to Ada"}],
                "stream": True,
            },
        )
    ]


async def test_placeholders_are_filled_in_every_text_of_a_message(playground: Playground) -> None:
    playground.provider.will(openai_reply("ok"))
    messages = [
        {"role": "system", "content": "{{metadata.tone}} {{missing}}"},
        {"role": "user", "content": [{"type": "text", "text": "{{question}} {{input.question}} {{ expected }}"}]},
    ]
    end = await playground.end(
        messages=messages, input={"question": "Why {{expected}}?"}, expected=[1], metadata={"tone": "kind"}
    )
    # What an input says is no template.
    filled = "Why {{expected}}? Why {{expected}}? [1]"
    assert end["messages"] == [
        {"role": "system", "content": "kind "},
        {"role": "user", "content": [{"type": "text", "text": filled}]},
    ]


async def test_calls_of_tools_are_the_output_where_there_is_more_than_text(playground: Playground) -> None:
    first, *_, last = openai_events()
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q":'}}
    rest = {"index": 0, "function": {"arguments": "1}"}}
    deltas = [{**first, "choices": [{"index": 0, "delta": {"tool_calls": [each]}}]} for each in (call, rest)]
    playground.provider.will(Reply(events=[first, *deltas, last]))
    end = await playground.end()
    assert end["output"]["tool_calls"][0]["function"] == {"name": "find", "arguments": '{"q":1}'}
    assert "cost" not in end
    assert "prompt_tokens" not in end


async def test_parameter_that_is_null_is_left_out(playground: Playground) -> None:
    playground.provider.will(openai_reply("ok"))
    await playground.end(parameters={"stream_options": None, "top_k": 3})
    assert "stream_options" not in playground.provider.requests[0][1]
    assert playground.provider.requests[0][1]["top_k"] == 3


# ---- scores


async def test_output_is_scored_by_name_in_processes(playground: Playground) -> None:
    playground.provider.will(openai_reply("Hello, Ada!"))
    scorers = [
        {"use": "exact_match"},
        {"use": "contains", "name": "names her", "options": {"text": "Ada"}},
        {"use": "own_scorers:has_greeting"},
        {"use": "own_scorers:missing"},
    ]
    answers = await playground.run(expected="Hello, Ada!", scorers=scorers)
    scores = {answer["score"]["name"]: answer["score"] for answer in answers if "score" in answer}
    assert "no function 'missing'" in scores.pop("missing")["error"]
    assert {name: score["score"] for name, score in scores.items()} == {
        "exact_match": 1,
        "names her": 1,
        "has_greeting": 1,
    }


async def test_failed_answer_is_not_scored(playground: Playground) -> None:
    playground.provider.will(Reply(json={"error": {"message": "overloaded"}}, status=529))
    answers = await playground.run(scorers=[{"use": "exact_match"}])
    assert [answer["end"]["error"] for answer in answers] == ["openai answered 529: overloaded"]


# ---- what goes wrong


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(json={"error": {"message": "no such model"}}, status=404), "openai answered 404: no such model"),
        (Reply(body=b"<html>bad gateway", content_type="text/html", status=502), "openai answered 502: <html>bad gat"),
        (Reply(json={"error": {"message": f"Incorrect API key: {KEY}"}}, status=401), "openai refuses the collector's"),
        (Reply(json={"error": {"message": f"limit of {KEY}"}}, status=429), "openai answered 429: limit of ***"),
        (Reply(body=b"", status=302, headers={"location": "http://192.0.2.1/"}), "openai answered 302"),
        (Reply(json={"choices": []}), "openai broke off: Expected response with content type 'text/event-stream'"),
        (Reply(events=["not json"]), "openai sent what is no event"),
        (Reply(events=["[1]"]), "openai sent what is no event"),
        (Reply(events=['{"choices": [{"delta": 3}]}']), "openai answered with what is no stream of kind openai"),
        (Reply(events=['{"choices": NaN}']), "openai sent what is no event"),
        (Reply(events=["[DONE]"]), "openai answered with what is no stream of kind openai"),
    ],
)
async def test_what_a_provider_refuses_is_said_and_never_shows_the_key(
    playground: Playground, reply: Reply, error: str
) -> None:
    playground.provider.will(reply)
    answers = await playground.run()
    assert answers[-1]["end"]["error"].startswith(error)
    assert KEY not in json.dumps(answers)


async def test_what_came_before_a_failure_is_kept(playground: Playground) -> None:
    pieces = openai_events("Hel", "lo")[:3]
    playground.provider.will(Reply(events=[*pieces, {"error": {"message": "out of memory"}}]))
    end = await playground.end()
    assert (end["output"], end["error"]) == ("Hello", "openai broke off: out of memory")
    playground.provider.will(Reply(events=pieces, breaks=True))
    end = await playground.end()
    assert end["output"] == "Hello"
    assert end["error"].startswith("openai broke off")


async def test_half_a_surrogate_pair_is_no_reason_to_fail(playground: Playground) -> None:
    events = [json.dumps(event) if isinstance(event, dict) else event for event in openai_events("a \ud83d b")]
    playground.provider.will(Reply(events=events))
    end = await playground.end()
    assert (end["output"], end["error"]) == ("a \ufffd b", "")


async def test_provider_that_is_away(playground: Playground, tmp_path: Path) -> None:
    table = json.dumps({"gone": {"url": "http://127.0.0.1:9/v1"}})
    operations = PlaygroundOperations(
        Settings(tmp_path, playground=PlaygroundSettings(endpoints=table)), environment={}
    )
    end = await Playground(operations, playground.provider).end(endpoint="gone")
    assert end["error"].startswith("gone cannot be reached at http://127.0.0.1:9/v1")
    await operations.close()


@pytest.mark.parametrize("settings", [PlaygroundSettings(timeout_seconds=0.3)])
async def test_model_that_takes_too_long_is_stopped(playground: Playground) -> None:
    gate = threading.Event()
    playground.provider.will(openai_reply("Hel", "lo", gate=gate, gate_before=2))
    end = await playground.end()
    assert (end["output"], end["error"]) == ("Hel", "stopped after 0.3 s (playground.timeout_seconds)")
    gate.set()


@pytest.mark.parametrize("settings", [PlaygroundSettings(max_answer_bytes=2000)])
async def test_endless_answer_is_cut_off(playground: Playground) -> None:
    playground.provider.will(openai_reply(*["more " for _ in range(100)]))
    end = await playground.end()
    assert end["error"] == "the answer was cut off after 2000 bytes (playground.max_answer_bytes)"
    assert end["output"].startswith("more more")
    playground.provider.will(Reply(events=["x" * 10_000]))
    assert "2000 byte limit" in (await playground.end())["error"]


async def test_leaving_the_answers_ends_the_call(playground: Playground) -> None:
    gate = threading.Event()
    playground.provider.will(openai_reply("Hel", "lo", gate=gate, gate_before=2))
    async with aclosing(playground.stream()) as answers:
        async for answer in answers:
            if answer.text == "Hel":
                break
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    gate.set()


@pytest.mark.parametrize("settings", [PlaygroundSettings(max_runs=1)])
async def test_no_more_run_at_once_than_are_allowed(playground: Playground) -> None:
    gate = threading.Event()
    playground.provider.will(openai_reply("a", gate=gate), openai_reply("b"))
    async with aclosing(playground.stream()) as answers:
        await anext(answers)
        with pytest.raises(RetryableError, match="max_runs"):
            await playground.run()
    gate.set()
    # The first was left, and another may run.
    assert (await playground.end())["error"] == ""


@pytest.mark.parametrize("settings", [PlaygroundSettings(max_runs=0)])
async def test_operator_may_turn_it_off(playground: Playground) -> None:
    listed = await playground.operations.list_playground_models(pb.ListPlaygroundModelsRequest(), Call(CALLER))
    assert (list(listed.endpoints), listed.hint.partition(":")[0]) == ([], "The playground is off")
    with pytest.raises(UnsupportedError):
        await playground.run()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"endpoint": "none"}, "endpoint"),
        ({"model": " "}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0]"),
        ({"messages": ["x"]}, "messages[0]"),
        ({"messages": [ASK] * 201}, "messages"),
        ({"parameters": [1]}, "parameters"),
        ({"parameters": {"stream": False}}, "parameters.stream"),
        ({"metadata": 3}, "metadata"),
        ({"scorers": [{"use": "no_such"}]}, "scorers[0]"),
        ({"scorers": [{"use": "import os"}]}, "scorers[0].use"),
        ({"scorers": [{"use": "is_json"}, {"use": "is_json"}]}, "scorers[1].name"),
        (
            {
                "scorers": [
                    {
                        "use": "judge",
                        "options": {"prompt": "{{output}}", "choices": {"a": 1, "b": 0}, "base_url": "http://x"},
                    }
                ]
            },
            "scorers[0].options.base_url",
        ),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_bad_request_names_its_field(playground: Playground, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        await playground.run(**fields)
    assert refused.value.field == field
    assert playground.provider.requests == []


# ---- what may be asked


async def test_models_are_those_of_the_provider(playground: Playground) -> None:
    names = ["gpt-4o", "text-embedding-3-small", "gpt-4o-mini"]
    lists = {"/v1/models": names, "/v1/models?limit=1000": ["claude-sonnet-4-5"]}

    def listed(_: Any) -> Reply:
        path = playground.provider.requests[-1][0]
        return Reply(json={"data": [{"id": name} for name in lists[path]]})

    playground.provider.will(Reply(status=401, json={}), Reply(status=401, json={}))
    first = await playground.operations.list_playground_models(pb.ListPlaygroundModelsRequest(), Call(CALLER))
    assert all("refuses the collector's API key" in each.problem for each in first.endpoints)
    playground.operations._lists.clear()
    playground.provider.will(listed, listed)
    for _ in range(2):
        answer = await playground.operations.list_playground_models(pb.ListPlaygroundModelsRequest(), Call(CALLER))
        assert {each.name: list(each.models) for each in answer.endpoints} == {
            "openai": ["gpt-4o", "gpt-4o-mini"],
            "anthropic": ["claude-sonnet-4-5"],
        }
    assert len(playground.provider.requests) == 4
    assert KEY not in str(answer)
