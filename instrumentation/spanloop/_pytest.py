"""The pytest plugin: one fixture. `spanloop.testing` documents it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from spanloop.testing import Capture, capture


@pytest.fixture
def captured_spans() -> Iterator[Capture]:
    """The spans that the test's code finishes, kept in memory."""
    with capture() as captured:
        yield captured
