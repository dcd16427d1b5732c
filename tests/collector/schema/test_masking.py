"""What masks name is in no row, however it was sent; everything else is as it would be without."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from spanloop_collector.errors import ConfigError
from spanloop_collector.schema.inserts import INSERTS, from_body
from spanloop_collector.schema.masking import MAX_NESTING, MAX_TEXT_BYTES, Mask
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store
from spanloop_collector.write.nested import flatten_request

from tests.collector.schema.spans import any_value, key_values, request, span, stored

SECRET = "4111-1111-1111-1111"
CARD = r"\b\d{4}-\d{4}-\d{4}-\d{4}\b"

Masking = Callable[..., Store]


@pytest.fixture
def masking(store: Store) -> Iterator[Masking]:
    """Makes stores of the same tables that mask by keys and patterns."""
    with ExitStack() as stack:

        def make(keys: str = "", patterns: str = "") -> Store:
            settings = replace(store.settings, mask_keys=keys, mask_patterns=patterns)
            made = Store.open(settings, store.data_dir)
            stack.callback(made.close)
            return made

        yield make


def everything(store: Store) -> str:
    """All that all tables hold, as one text."""
    tables = store.column(
        "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'",
        {"database": store.database},
    )
    assert {"spans", "log_records"} <= set(tables)
    return "\n".join(str(store.query(f"SELECT * FROM {store.database}.{table}").result_rows) for table in tables)


def masked_input(store: Store, value: object) -> Any:
    return json.loads(stored(store, span({"spanloop.input": json.dumps(value)}))["input"])


def test_nothing_a_pattern_matches_is_in_any_table(masking: Masking) -> None:
    store = masking(patterns=CARD)
    said = f"card {SECRET}!"
    row = stored(
        store,
        span(
            {
                "spanloop.input": json.dumps({"card": SECRET, SECRET: [1, said]}),
                "gen_ai.output.messages": [{"role": "assistant", "content": said}],
                "spanloop.expected": said,
                "spanloop.metadata": json.dumps({"note": said, "deep": {"card": SECRET}, "n": 1}),
                "spanloop.tags": json.dumps([said, "beta"]),
                "spanloop.scores": json.dumps({"good": 1}),
                "spanloop.origin": json.dumps({"object": SECRET}),
                "gen_ai.request.model": said,
                f"name {SECRET}": said,
                "list": [said, {"card": SECRET}],
                "bytes": b"kept",
            },
            name=f"charge {SECRET}",
            status=Status(code=Status.STATUS_CODE_ERROR, message=f"refused: {SECRET}"),
            events=[Span.Event(name=said, attributes=key_values({"exception.message": said}))],
            links=[Span.Link(trace_id=b"T" * 16, span_id=b"S" * 8, attributes=key_values({"card": said}))],
        ),
        resource={"host": said, "service.name": "shop"},
    )

    assert SECRET not in everything(store)
    assert json.loads(row["input"]) == {"card": "[masked]", "[masked]": [1, "card [masked]!"]}
    assert json.loads(row["output"]) == [{"role": "assistant", "content": "card [masked]!"}]
    assert json.loads(row["expected"]) == "card [masked]!"
    assert row["name"] == "charge [masked]"
    assert row["error"] == "refused: [masked]"
    assert row["tags"] == ["card [masked]!", "beta"]
    assert row["scores"] == {"good": 1}
    assert row["resource"] == {"host": "card [masked]!", "service.name": "shop"}
    assert row["metadata"]["note"] == "card [masked]!"
    assert json.loads(row["metadata"]["deep"]) == {"card": "[masked]"}
    assert json.loads(row["metadata"]["list"]) == ["card [masked]!", {"card": "[masked]"}]
    assert row["metadata"]["name [masked]"] == "card [masked]!"
    assert sorted(row["metadata_json"]) == ["deep", "list", "n"]


def test_keys_in_any_case_at_any_depth_whatever_their_values_are(masking: Masking) -> None:
    store = masking(keys="password, API-Key,contraseña")
    nested = {"a": [{"b": '} ] "'}, [[]], {}], "password": 1}
    value = {
        "Password": 1,
        "list": [{"password": nested, "kept": True}, {"password": None}, {"password": "x"}],
        "user.password": '\\" x',
        "api-key": [1, 2],
        "contraseña": "x",
        "passwords": "kept",
        "text": 'the "password": is kept here',
        'password"': "kept",
        "last": {"password": -1.5e3},
    }
    expected = {
        "Password": "[masked]",
        "list": [{"password": "[masked]", "kept": True}, {"password": "[masked]"}, {"password": "[masked]"}],
        "user.password": "[masked]",
        "api-key": "[masked]",
        "contraseña": "[masked]",
        "passwords": "kept",
        "text": 'the "password": is kept here',
        'password"': "kept",
        "last": {"password": "[masked]"},
    }

    assert masked_input(store, value) == expected


def test_attributes_by_the_last_part_of_their_name(masking: Masking) -> None:
    store = masking(keys="authorization,email,cost")
    headers = {"http.request.header.Authorization": "Bearer x", "authorization.scheme": "kept"}
    event = Span.Event(name="e", attributes=key_values({"user.email": "x", "user.name": "Ada"}))

    row = stored(
        store,
        span(
            headers | {"email": 7, "gen_ai.usage.cost": 3.0, "spanloop.scores": json.dumps({"email": 1, "ok": 1})},
            events=[event],
        ),
        resource={"email": "x"},
    )

    assert row["metadata"] == {
        "http.request.header.Authorization": "[masked]",
        "authorization.scheme": "kept",
        "email": "[masked]",
    }
    assert row["metadata_json"] == []
    assert row["events"][0]["attributes"] == {"user.email": "[masked]", "user.name": "Ada"}
    assert row["resource"] == {"email": "[masked]"}
    assert row["scores"] == {"ok": 1}


def test_dotted_keys_are_keys_inside_others(masking: Masking) -> None:
    store = masking(keys="user.email,output.total,input.a.b")
    person = {"email": "x", "name": "Ada", "address": {"email": "x"}}
    sent = {"user": [person, {"email": [1]}], "email": "kept", "user.email": "x", "a": {"b": 1, "c": 2}, "total": 3}

    row = stored(
        store,
        span(
            {
                "spanloop.input": json.dumps(sent),
                "spanloop.output": json.dumps({"total": 4, "rest": 5}),
                "spanloop.metadata": json.dumps({"user": person, "email": "kept"}),
            }
        ),
    )

    without = {"email": "[masked]", "name": "Ada", "address": {"email": "[masked]"}}
    assert json.loads(row["input"]) == {
        "user": [without, {"email": "[masked]"}],
        "email": "kept",
        "user.email": "[masked]",
        "a": {"b": "[masked]", "c": 2},
        "total": 3,
    }
    assert json.loads(row["output"]) == {"total": "[masked]", "rest": 5}
    assert json.loads(row["metadata"]["user"]) == without
    assert row["metadata"]["email"] == "kept"


def test_a_whole_field(masking: Masking) -> None:
    store = masking(keys="input,expected,error")

    row = stored(store, span({"spanloop.input": "[1]", "spanloop.output": '{"input":2,"x":3}'}))

    assert row["input"] == '"[masked]"'
    assert json.loads(row["output"]) == {"input": "[masked]", "x": 3}
    assert (row["expected"], row["error"]) == ("", ""), "what is not there is not masked either"


@pytest.mark.parametrize("keys", ["password", "tool.password"])
def test_json_in_strings_of_json(masking: Masking, keys: str) -> None:
    store = masking(keys=keys)
    innermost = json.dumps({"tool": {"password": "x", "n": 1}})
    arguments = json.dumps({"tool": {"password": {"a": 1}}, "again": innermost})

    value = masked_input(store, [{"arguments": arguments, "text": 'a "quoted" text'}, arguments])

    for text in (value[0]["arguments"], value[1]):
        assert json.loads(text)["tool"] == {"password": "[masked]"}
        assert json.loads(json.loads(text)["again"]) == {"tool": {"password": "[masked]", "n": 1}}
    assert value[0]["text"] == 'a "quoted" text'


def test_patterns_see_texts_and_numbers_one_by_one(masking: Masking) -> None:
    store = masking(patterns="key=.*\n^sk-\\w+\n(?i)SECRET\n^\\d{6}$\né")
    value = ["key=1", {"a": "key=x\nkept", "b": "kept"}, "sk-1 sk-2", "top\\secret", 123456, -1.5, "caf\u00e9"]

    assert masked_input(store, value) == [
        "[masked]",
        {"a": "[masked]\nkept", "b": "kept"},
        "[masked] sk-2",
        "top\\[masked]",
        "[masked]",
        -1.5,
        "caf[masked]",
    ]


def test_what_cannot_be_masked_in_part_is_masked_whole(masking: Masking) -> None:
    too_deep: Any = SECRET
    for _ in range(MAX_NESTING + 1):
        too_deep = [too_deep]

    store = masking(keys="password")
    assert masked_input(store, {"a": 1, "password": too_deep}) == "[masked]"
    store.command(f"TRUNCATE TABLE {store.database}.spans")
    assert masked_input(store, "x" * MAX_TEXT_BYTES) == "[masked]"


def test_text_that_is_no_utf8_is_masked_as_well(masking: Masking) -> None:
    store = masking(keys="password", patterns="key=.*")
    sent = request(span({"spanloop.input": '{"a":"#","password":"hidden"}', "note": "# key=# hidden"}))
    store.insert_otlp("traces", delimited(sent.replace(b"#", b"\xff")), token=os.urandom(8).hex())

    assert store.column(f"SELECT count() FROM {store.database}.spans") == [1]
    assert "hidden" not in everything(store)


def test_log_records(masking: Masking) -> None:
    store = masking(keys="password", patterns=CARD)
    message = ExportLogsServiceRequest()
    resource_logs = message.resource_logs.add()
    resource_logs.resource.attributes.extend(key_values({"host": SECRET}))
    records = resource_logs.scope_logs.add().log_records
    for body in (f"paying with {SECRET}", {"password": 1, "card": SECRET}):
        attributes = key_values({"card": SECRET, "db.password": "hidden"})
        records.add(time_unix_nano=1_700_000_000_000_000_000, body=any_value(body), attributes=attributes)
    payload = flatten_request("logs", message.SerializeToString())
    store.insert_otlp("logs", delimited(payload), token=os.urandom(8).hex())

    bodies = store.column(f"SELECT body FROM {store.database}.log_records ORDER BY body")
    assert bodies == ["paying with [masked]", '{"password":"[masked]","card":"[masked]"}']
    assert SECRET not in everything(store)
    assert "hidden" not in everything(store)


def test_without_masks_the_statement_is_what_it_was() -> None:
    for insert in INSERTS.values():
        plain = from_body(insert, "d", {}, Mask())
        masked = from_body(insert, "d", {}, Mask.read("password", ""))
        assert "REPLACE (" not in plain
        assert "[masked]" not in plain
        assert plain.partition("WITH")[2].rpartition(" FORMAT")[0] in masked


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("ok\n(", r"store\.mask_patterns \(SPANLOOP_STORE_MASK_PATTERNS\): '\(' is no regular expression of RE2: miss"),
        ("a(?=b)", r"'a\(\?=b\)' is no regular expression of RE2: invalid perl operator: \(\?=; see https://"),
        ("a*", r"'a\*' matches the empty text"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(masking: Masking, pattern: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        masking(patterns=pattern)
