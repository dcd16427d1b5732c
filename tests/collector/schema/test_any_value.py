"""Values survive being read from their bytes, at every width that a length or a number has on the wire."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from spanloop_collector.store import Store

from tests.collector.schema.spans import span, stored

NUMBERS = [
    sign * (2**bits + offset)
    for bits in (0, 6, 7, 13, 14, 48, 49, 55, 56, 62)
    for offset in (-1, 0, 1)
    for sign in (1, -1)
]
NUMBERS += [2**63 - 1, -(2**63)]


def test_numbers_of_every_width(store: Store) -> None:
    row = stored(store, span({f"n{number}": number for number in NUMBERS}))
    assert row["metadata"] == {f"n{number}": str(number) for number in NUMBERS}


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_strings_and_bytes_of_every_width_of_length(store: Store, length: int) -> None:
    text = "é" * (length // 2) + "x" * (length % 2)
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    row = stored(store, span({"text": text, "bytes": data, "spanloop.output": text}))
    assert row["metadata"] == {"text": text, "bytes": base64.b64encode(data).decode()}
    assert row["output"] == json.dumps(text, ensure_ascii=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (42, "42"),
        (-1, "-1"),
        (2.5, "2.5"),
        (True, "true"),
        (False, "false"),
        (float("nan"), '"nan"'),
        (b"\x00\xff", '"AP8="'),
        ("", '""'),
        ("plain", '"plain"'),
        ('{"a":1}', '{"a":1}'),
        ([1, "two"], '[1,"two"]'),
        ({"a": {"b": [True, None]}}, '{"a":{"b":[true,null]}}'),
        (None, '""'),
    ],
)
def test_an_input_of_every_kind(store: Store, value: Any, expected: str) -> None:
    row = stored(store, span({"spanloop.input": value, "spanloop.output": value, "spanloop.expected": value}))
    assert [row["input"], row["output"], row["expected"]] == [expected] * 3
