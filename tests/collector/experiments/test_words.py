"""Values in the words of a comparison."""

from __future__ import annotations

import numpy as np
import pytest
from spanloop_collector.experiments.statistics import paired
from spanloop_collector.experiments.words import amount, sentence, signed


@pytest.mark.parametrize(
    ("dollars", "words"), [(0.0, "$0.00"), (12.0, "$12.00"), (0.5, "$0.5000"), (0.0123, "$0.0123"), (1e-5, "$0.000010")]
)
def test_dollars_have_as_many_decimals_as_they_need(dollars: float, words: str) -> None:
    assert amount(dollars, "$", False) == words


def test_scores_are_percent_with_a_sign() -> None:
    assert (signed(0.005, "", True), signed(-0.25, "", True)) == ("+0.5%", "−25.0%")


@pytest.mark.parametrize(
    ("low", "high", "unit", "words"),
    [
        (-0.0000012, 0.000034, "$", "−$0.000001 +$0.000034"),
        (0.0004, 1.5, "$", "+$0.00 +$1.50"),
        (0.0123, 1.5, "s", "+0.01 s +1.50 s"),
        (2.0, 2.0, "tokens", "+2 tokens +2 tokens"),
        (-2.0, 14.0, "tokens", "−2 tokens +14 tokens"),
        (1200.0, 1350.0, "", "+1,200 +1,350"),
        (0.00000123, 0.0000045, "s", "+0.00000123 s +0.00000450 s"),
    ],
)
def test_values_of_one_sentence_have_the_same_decimals(low: float, high: float, unit: str, words: str) -> None:
    assert f"{signed(low, unit, False, beside=high)} {signed(high, unit, False, beside=low)}" == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0 s"), (2.0, "2 s"), (12.34, "12.3 s"), (1e-5, "0.00001 s"), (1234.5, "1,234 s")]
)
def test_a_value_alone_has_three_digits(value: float, words: str) -> None:
    assert amount(value, "s", False) == words


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ([-0.5] * 7, "could be chance (p = 0.10); 7 cases are too few to tell"),
        ([-0.5] * 6 + [0.25], "could be chance (p = 0.10); with 7 cases a difference under 30.0% hardly shows"),
    ],
)
def test_what_would_show_is_said_where_cases_differ_differently(differences: list[float], words: str) -> None:
    assert sentence(paired(np.array(differences)), "unclear", 0.1, unit="", is_score=True) == words
