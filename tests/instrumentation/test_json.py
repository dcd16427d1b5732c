"""Any value becomes JSON text, whatever it is."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import uuid
from collections import OrderedDict, deque, namedtuple
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spanloop._json import MAX_NODES, to_json


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: object
    secret: str = dataclasses.field(default="hidden", repr=False)


class User(pydantic.BaseModel):
    name: str
    born: datetime.date
    password: pydantic.SecretStr = pydantic.SecretStr("pw")


class Plainless:
    """Has nothing to show but its class."""


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __str__(self) -> str:
        raise RuntimeError("no str")


class Settings(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        return {"a": 1}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


Pair = namedtuple("Pair", "left right")

CASES: list[tuple[object, Any]] = [
    (None, None),
    ("text", "text"),
    (True, True),
    (2**63 - 1, 2**63 - 1),
    (1.5, 1.5),
    (float("nan"), "NaN"),
    ([float("inf"), -float("inf")], ["Infinity", "-Infinity"]),
    (datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2030-01-02T03:04:05+00:00"),
    (datetime.date(2030, 1, 2), "2030-01-02"),
    (datetime.time(3, 4), "03:04:00"),
    (datetime.timedelta(minutes=1), 60.0),
    (decimal.Decimal("0.10"), "0.10"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (pathlib.PurePosixPath("/tmp/x"), "/tmp/x"),
    (Color.RED, "red"),
    (Point(1, Point(2, {3})), {"x": 1, "y": {"x": 2, "y": [3]}}),
    (
        User(name="Ada", born=datetime.date(1815, 12, 10)),
        {"name": "Ada", "born": "1815-12-10", "password": "SecretStr('**********')"},
    ),
    (b"abc", "data:application/octet-stream;base64,YWJj"),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset(["a"]), ["a"]),
    (Settings(), {"a": 1}),
    (OrderedDict(a=1), {"a": 1}),
    (deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    ((1, (2,)), [1, [2]]),
    (Pair(1, 2), [1, 2]),
    (ValueError("bad"), {"type": "ValueError", "message": "bad"}),
    (np.float32(1.5), 1.5),
    (np.arange(3), [0, 1, 2]),
    (np.array([1.0, np.nan]), [1.0, "NaN"]),
    ({1: "a", None: "b", (1, 2): "c", False: "d"}, {"1": "a", "null": "b", "(1, 2)": "c", "false": "d"}),
    (len, "<function builtins.len>"),
    (Point, "<class tests.instrumentation.test_json.Point>"),
    ((each for each in "ab"), "<builtins.generator>"),
    (Plainless(), "<tests.instrumentation.test_json.Plainless>"),
    ({"deep": Hostile(), "next": 1}, {"deep": "<tests.instrumentation.test_json.Hostile>", "next": 1}),
    (10**6000, "<int of 19932 bits>"),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_value_becomes_json(value: object, expected: object) -> None:
    assert json.loads(to_json(value)) == expected


def test_a_generator_is_not_consumed() -> None:
    generator = (each for each in "ab")
    to_json({"items": generator})
    assert list(generator) == ["a", "b"]


def test_circular_references_are_named() -> None:
    circle: dict[str, Any] = {"a": 1}
    circle["self"] = [circle]
    assert json.loads(to_json(circle)) == {"a": 1, "self": ["<circular reference to dict>"]}


def test_a_repeated_value_is_no_circle() -> None:
    shared = {"a": float("nan")}
    assert json.loads(to_json([shared, shared])) == [{"a": "NaN"}, {"a": "NaN"}]


def test_depth_is_bounded() -> None:
    value: Any = "bottom"
    for _ in range(100_000):
        value = [value]
    assert "[truncated: nested deeper than 40 levels]" in to_json(value)


def test_a_long_text_is_cut_and_says_so() -> None:
    text = json.loads(to_json({"document": "x" * 10_000, "question": "why?"}, 1000))
    assert text == {
        "document": "x" * 495 + "… [truncated: 495 of 10000 characters]",
        "question": "why?",
    }


def test_a_long_list_is_cut_and_says_so() -> None:
    kept = json.loads(to_json(list(range(MAX_NODES * 3))))
    assert kept[:3] == [0, 1, 2]
    assert kept[-1] == f"[truncated: {MAX_NODES * 3 - len(kept) + 1} more items]"


def test_many_keys_are_cut_and_say_so() -> None:
    kept = json.loads(to_json({f"key {n}": n for n in range(5000)}, 2000))
    assert kept["[truncated]"] == f"{5000 - len(kept) + 1} more keys"


def test_many_bytes_are_cut_and_say_so() -> None:
    assert json.loads(to_json(b"x" * 5000)).endswith("… [truncated: 904 more bytes]")


def test_a_large_array_is_summarized() -> None:
    assert json.loads(to_json(np.zeros((100, 100)))) == {
        "dtype": "float64",
        "shape": [100, 100],
        "first": [0.0] * 10,
        "[truncated]": "9990 more items",
    }


def test_half_surrogate_pairs_can_be_encoded() -> None:
    text = to_json("é\ud800")
    assert text == '"é\\ud800"'
    assert text.encode()


def test_mutation_afterwards_changes_nothing() -> None:
    value = {"a": [1]}
    text = to_json(value)
    value["a"].append(2)
    assert text == '{"a":[1]}'


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner),
)


@given(any_json, st.integers(min_value=0, max_value=300))
def test_result_is_always_valid_bounded_json(value: object, max_chars: int) -> None:
    text = to_json(value, max_chars)
    json.loads(text)
    text.encode()
    assert len(text) < max_chars * 8 + 2000
