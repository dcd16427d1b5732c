from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spanloop.v1 import keys_pb2, query_pb2, rows_pb2, status_pb2
from spanloop_collector.api.json_codec import decode, encode, parse_json, write_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_json_fields_hold_any_json_value(value: Any) -> None:
    try:
        write_json(value).encode()
    except ValueError:
        return  # a lone surrogate, which UTF-8 does not have
    row = rows_pb2.Row()
    assert decode(row, {"input": value}) == []
    assert parse_json(encode(row))["input"] == value
    assert parse_json(row.input) == value


def test_json_texts_are_passed_on_as_they_are() -> None:
    text = '{"b": 1.10,\n "a": [1e400, "\\ud800"]}'
    row = rows_pb2.Row(input=text, name='"\n', tags=["\u2028"], origin="null")
    written = encode(row)
    assert f'"input":{text},' in written
    assert {"name": '"\n', "tags": ["\u2028"], "origin": None}.items() <= parse_json(written).items()


def test_json_that_was_never_given_is_null() -> None:
    row = rows_pb2.Row(input="")
    assert parse_json(encode(row))["input"] is None


def test_names_may_be_snake_or_camel_case_and_come_back_as_in_the_contract() -> None:
    row = rows_pb2.Row()
    assert decode(row, {"traceId": "a", "span_id": "b"}) == []
    assert (row.trace_id, row.span_id) == ("a", "b")
    assert {"trace_id": "a", "span_id": "b"}.items() <= parse_json(encode(row)).items()


def test_null_is_a_value_for_json_and_nothing_for_the_rest() -> None:
    row = rows_pb2.Row()
    assert decode(row, {"input": None, "name": None, "tags": None, "error": None}) == []
    assert row.HasField("input")
    assert row.input == "null"
    assert not row.HasField("error")


def test_every_kind_of_field_is_read_and_written() -> None:
    status = status_pb2.GetStatusResponse()
    value = {"now_unix_nano": 2**62, "uptime_seconds": 1.5, "keys_required": True, "spools": [{"bytes": "12"}]}
    assert decode(status, value) == []
    written = parse_json(encode(status))
    assert written["now_unix_nano"] == 2**62
    assert written["spools"][0]["bytes"] == 12
    key = keys_pb2.Key()
    assert decode(key, {"scopes": ["SCOPE_READ"]}) == []
    assert parse_json(encode(key))["scopes"] == ["SCOPE_READ"]
    query = query_pb2.QueryRequest()
    assert decode(query, {"parameters": {"a": "1"}, "format": "RESULT_FORMAT_PARQUET"}) == []
    assert parse_json(encode(query)) == {"sql": "", "parameters": {"a": "1"}, "format": "RESULT_FORMAT_PARQUET"}


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ({"now_unix_nano": 2**63}, ["now_unix_nano: 9223372036854775808 does not fit 64 bits"]),
        ({"now_unix_nano": 1.5}, ["now_unix_nano: expected a whole number, got 1.5"]),
        ({"now_unix_nano": True}, ["now_unix_nano: expected a whole number, got true"]),
        ({"now_unix_nano": "٣"}, ['now_unix_nano: expected a whole number, got "\\u0663"']),
        ({"uptime_seconds": "x"}, ['uptime_seconds: expected a number, got "x"']),
        ({"keys_required": 1}, ["keys_required: expected true or false, got 1"]),
        ({"store": []}, ["store: expected an object, got []"]),
        (
            {"spools": [1, {"bytes": None}, {"x": 1}]},
            [
                "spools[0]: expected an object, got 1",
                "spools[2].x: there is no such field",
            ],
        ),
        ([], ["request: expected an object, got []"]),
    ],
)
def test_each_problem_has_its_path(value: Any, problems: list[str]) -> None:
    found = decode(status_pb2.GetStatusResponse(), value)
    assert [f"{problem.path}: {problem.message}" for problem in found] == problems


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "{", "", "[1,]", "[" * 100_000])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)
