"""Values in the words of a comparison."""

from __future__ import annotations

import pytest
from spanloop_collector.experiments.words import amount, signed


@pytest.mark.parametrize(
    ("dollars", "words"), [(0.0, "$0.00"), (12.0, "$12.00"), (0.5, "$0.5000"), (0.0123, "$0.0123"), (1e-5, "$0.000010")]
)
def test_dollars_have_as_many_decimals_as_they_need(dollars: float, words: str) -> None:
    assert amount(dollars, "$", False) == words


def test_scores_are_percent_with_a_sign() -> None:
    assert (signed(0.005, "", True), signed(-0.25, "", True)) == ("+0.5%", "−25.0%")
