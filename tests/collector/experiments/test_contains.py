"""The quick search finds what Python's finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from spanloop_collector.experiments.contains import contains
from spanloop_collector.experiments.door import MARK


@given(before=st.binary(max_size=300), after=st.binary(max_size=300))
def test_the_mark_is_found_wherever_it_is(before: bytes, after: bytes) -> None:
    assert contains(before + MARK + after, MARK)


@given(data=st.text(alphabet="spanloop.exrimt_d\0", max_size=200).map(str.encode))
def test_it_says_what_python_says(data: bytes) -> None:
    assert contains(data, MARK) == (MARK in data)
