"""Every dialect of attributes ends in the same row."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from spanloop_collector.store import Store

from tests.collector.schema.spans import END, START, any_value, key_values, span, stored

MESSAGES = [{"role": "user", "parts": [{"type": "text", "content": "Is it 🍀?"}]}]
ANSWER = [{"role": "assistant", "parts": [{"type": "text", "content": "yes"}], "finish_reason": "stop"}]

DIALECTS: dict[str, dict[str, Any]] = {
    "GenAI, messages as JSON text": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": json.dumps(MESSAGES),
        "gen_ai.output.messages": json.dumps(ANSWER),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 40,
    },
    "GenAI, messages as structured values": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.input.messages": MESSAGES,
        "gen_ai.output.messages": ANSWER,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 40,
    },
    "GenAI, deprecated names": {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.prompt": json.dumps(MESSAGES),
        "gen_ai.completion": json.dumps(ANSWER),
        "gen_ai.usage.prompt_tokens": 100,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.usage.cache_read_input_tokens": 40,
    },
    "OpenInference": {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.model_name": "gpt-4o",
        "input.value": json.dumps(MESSAGES),
        "input.mime_type": "application/json",
        "output.value": json.dumps(ANSWER),
        "output.mime_type": "application/json",
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 20,
        "llm.token_count.total": 120,
        "llm.token_count.prompt_details.cache_read": 40,
    },
    "spanloop": {
        "spanloop.type": "llm",
        "spanloop.input": json.dumps(MESSAGES),
        "spanloop.output": json.dumps(ANSWER),
        "spanloop.metadata": json.dumps({"provider": "openai", "model": "gpt-4o"}),
        "spanloop.metrics": json.dumps({"prompt_tokens": 100, "completion_tokens": 20, "prompt_cached_tokens": 40}),
    },
    "Braintrust": {
        "braintrust.span_attributes": json.dumps({"type": "llm"}),
        "braintrust.input_json": json.dumps(MESSAGES),
        "braintrust.output_json": json.dumps(ANSWER),
        "braintrust.metadata.provider": "openai",
        "braintrust.metadata.model": "gpt-4o",
        "braintrust.metrics": json.dumps({"prompt_tokens": 100, "completion_tokens": 20, "prompt_cached_tokens": 40}),
    },
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_makes_the_same_row(store: Store, dialect: str) -> None:
    row = stored(store, span(DIALECTS[dialect]))

    assert row["type"] == "llm"
    assert json.loads(row["input"]) == MESSAGES
    assert json.loads(row["output"]) == ANSWER
    assert row["metadata"]["model"] == "gpt-4o"
    assert row["metadata"]["provider"] == "openai"
    assert row["metrics"] == {
        "start": START / 1e9,
        "end": END / 1e9,
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_cached_tokens": 40,
        "tokens": 120,
    }


def test_every_value_survives_as_text_with_its_kind(store: Store) -> None:
    attributes = {
        "text": "naïve 🍀",
        "empty": "",
        "largest": 2**63 - 1,
        "smallest": -(2**63),
        "ratio": 0.1,
        "nan": math.nan,
        "yes": True,
        "bytes": b"\x00\xff",
        "nothing": None,
        "list": [1, "a", None, {"k": [b"\x01"]}],
        "map": {"a": 1, "b": {"c": False}},
        "nul": "a\x00b",
    }

    row = stored(store, span(attributes))

    assert row["metadata"] == {
        "text": "naïve 🍀",
        "empty": "",
        "largest": "9223372036854775807",
        "smallest": "-9223372036854775808",
        "ratio": "0.1",
        "nan": "nan",
        "yes": "true",
        "bytes": base64.b64encode(b"\x00\xff").decode(),
        "nothing": "",
        "list": '[1,"a",null,{"k":["AQ=="]}]',
        "map": '{"a":1,"b":{"c":false}}',
        "nul": "a\x00b",
    }
    assert row["metadata_json"] == ["largest", "smallest", "ratio", "nan", "yes", "list", "map"]


def test_duplicate_keys_are_both_kept(store: Store) -> None:
    twice = span()
    twice.attributes.extend([*key_values({"k": "first"}), *key_values({"k": "second"})])
    nested = twice.attributes.add(key="nested")
    nested.value.kvlist_value.values.extend([*key_values({"k": 1}), *key_values({"k": 2})])
    stored(store, twice)

    pairs = store.query(f"SELECT mapKeys(metadata), mapValues(metadata) FROM {store.database}.logs").result_rows

    assert pairs == [(["k", "k", "nested"], ["first", "second", '{"k":1,"k":2}'])]


def test_unmapped_attributes_land_in_metadata_and_request_parameters_lose_their_prefix(store: Store) -> None:
    row = stored(store, span({"http.route": "/ask", "gen_ai.request.temperature": 0.5, "session.id": "s1"}))

    assert row["metadata"] == {"http.route": "/ask", "temperature": "0.5", "session_id": "s1"}


def test_a_text_input_that_looks_like_json_stays_a_text(store: Store) -> None:
    row = stored(store, span({"input.value": "42", "output.value": "{}", "output.mime_type": "text/plain"}))

    assert (row["input"], row["output"]) == ('"42"', '"{}"')


def test_text_that_is_no_json_becomes_a_json_string(store: Store) -> None:
    row = stored(store, span({"gen_ai.prompt": 'say "hi"\n', "spanloop.output": "{broken"}))

    assert (json.loads(row["input"]), json.loads(row["output"])) == ('say "hi"\n', "{broken")


def test_a_span_without_input_has_an_empty_one(store: Store) -> None:
    row = stored(store, span())

    assert (row["input"], row["output"], row["expected"]) == ("", "", "")


def test_messages_spread_over_numbered_attributes_become_a_list(store: Store) -> None:
    row = stored(
        store,
        span(
            {
                "llm.input_messages.1.message.role": "user",
                "llm.input_messages.1.message.content": "second",
                "llm.input_messages.0.message.role": "system",
                "llm.input_messages.0.message.content": "first",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.tool_calls.0.name": "search",
            }
        ),
    )

    assert json.loads(row["input"]) == [
        {"role": "system", "content": "first"},
        {"role": "user", "content": "second"},
    ]
    assert json.loads(row["output"]) == [{"role": "assistant", "tool_calls": {"0": {"name": "search"}}}]
    assert row["metadata"] == {}


def test_messages_in_events_become_input_and_output(store: Store) -> None:
    chat = span({"gen_ai.operation.name": "chat"})
    for name, attributes in (
        ("gen_ai.system.message", {"content": "be brief"}),
        ("gen_ai.user.message", {"content": "hello"}),
        ("gen_ai.choice", {"index": 0, "message": {"content": "hi"}}),
    ):
        chat.events.add(name=name, time_unix_nano=START, attributes=key_values(attributes))

    row = stored(store, chat)

    assert json.loads(row["input"]) == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hello"},
    ]
    assert json.loads(row["output"]) == [{"role": "assistant", "index": 0, "message": {"content": "hi"}}]


@pytest.mark.parametrize(
    ("status", "event", "error"),
    [
        (Status(code=Status.STATUS_CODE_ERROR, message="no funds"), None, "no funds"),
        (Status(code=Status.STATUS_CODE_ERROR), ("ValueError", "bad input"), "ValueError: bad input"),
        (Status(code=Status.STATUS_CODE_ERROR), None, "error"),
        (Status(code=Status.STATUS_CODE_OK), ("ValueError", "handled"), ""),
    ],
)
def test_error_comes_from_status_then_exception(
    store: Store, status: Status, event: tuple[str, str] | None, error: str
) -> None:
    failed = span(status=status)
    if event:
        names = {"exception.type": event[0], "exception.message": event[1], "exception.stacktrace": "…"}
        failed.events.add(name="exception", time_unix_nano=START, attributes=key_values(names))

    assert stored(store, failed)["error"] == error


def test_scores_skip_null_and_read_booleans(store: Store) -> None:
    row = stored(store, span({"spanloop.scores": '{"exact": true, "judge": 0.25, "skipped": null}'}))

    assert row["scores"] == {"exact": 1.0, "judge": 0.25}


def test_metadata_objects_keep_nested_values_as_json(store: Store) -> None:
    row = stored(
        store,
        span(
            {
                "spanloop.metadata": '{"user": {"id": 7}, "plan": "pro", "age": null}',
                "llm.invocation_parameters": '{"temperature": 0.1}',
            }
        ),
    )

    assert row["metadata"] == {"user": '{"id":7}', "plan": "pro", "age": "null", "temperature": "0.1"}
    assert sorted(row["metadata_json"]) == ["age", "temperature", "user"]


def test_model_and_provider_are_found_in_metadata_objects(store: Store) -> None:
    row = stored(store, span({"spanloop.metadata": '{"model": "gpt-4o", "provider": "openai"}'}))

    assert (row["model"], row["provider"], row["type"]) == ("gpt-4o", "openai", "llm")


def test_a_metadata_text_that_is_no_object_is_kept(store: Store) -> None:
    assert stored(store, span({"metadata": "just words"}))["metadata"] == {"metadata": "just words"}


@pytest.mark.parametrize(("tags", "expected"), [(["a", "b"], ["a", "b"]), ('["a"]', ["a"]), ("one", ["one"]), ([], [])])
def test_tags(store: Store, tags: object, expected: list[str]) -> None:
    assert stored(store, span({"spanloop.tags": tags}))["tags"] == expected


@pytest.mark.parametrize(
    ("attributes", "resource", "project"),
    [
        ({}, {}, "p"),
        ({}, {"spanloop.project": "mine"}, "mine"),
        ({}, {"openinference.project.name": "phoenix"}, "phoenix"),
        ({"spanloop.project": "span"}, {"spanloop.project": "mine"}, "span"),
    ],
)
def test_project(store: Store, attributes: dict[str, Any], resource: dict[str, Any], project: str) -> None:
    assert stored(store, span(attributes), resource=resource)["project"] == project


def test_resource_scope_links_and_ids(store: Store) -> None:
    child = span(
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        parent_span_id=b"\xff" * 8,
        kind=Span.SPAN_KIND_CLIENT,
        trace_state="a=b",
    )
    child.links.add(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, attributes=key_values({"why": "retry"}))

    row = stored(store, child, resource={"service.name": "shop", "host.cpus": 4})

    assert row["trace_id"] == "000102030405060708090a0b0c0d0e0f"
    assert row["id"] == row["span_id"] == "0001020304050607"
    assert (row["parent_id"], row["is_root"]) == ("f" * 16, 0)
    assert (row["kind"], row["trace_state"], row["scope_name"]) == ("client", "a=b", "tests")
    assert row["resource"] == {"service.name": "shop", "host.cpus": "4"}
    assert row["links"] == [
        {
            "trace_id": "01" * 16,
            "span_id": "02" * 8,
            "trace_state": "",
            "attributes": {"why": "retry"},
        }
    ]


@pytest.mark.parametrize("start", [1, 2**64 - 1, 4_102_444_800_000_000_000 * 2])
def test_times_no_clock_shows_are_stored(store: Store, start: int) -> None:
    row = stored(store, span(start_time_unix_nano=start, end_time_unix_nano=start))

    assert row["metrics"]["start"] == pytest.approx(min(start, 2**63) / 1e9)


def test_start_and_end_keep_their_fractions(store: Store) -> None:
    row = stored(store, span(start_time_unix_nano=START + 250_000_000, end_time_unix_nano=END + 125_000_000))

    assert (row["metrics"]["start"], row["metrics"]["end"]) == (1_700_000_000.25, 1_700_000_001.625)


def test_an_end_before_the_start_has_no_negative_duration(store: Store) -> None:
    row = stored(store, span(end_time_unix_nano=START - 5))

    assert row["duration"] == 0


def test_empty_value_is_kept(store: Store) -> None:
    empty = span()
    empty.attributes.add(key="gone", value=any_value(None))

    assert stored(store, empty)["metadata"] == {"gone": ""}
