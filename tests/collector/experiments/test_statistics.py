"""Differences are called real when they are, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from spanloop_collector.experiments.statistics import (
    MAX_TESTED,
    holm,
    paired,
)


def test_equal_cases_are_the_same() -> None:
    found = paired(np.zeros(50))
    assert (found.mean, found.improvements, found.regressions, found.p_value) == (0.0, 0, 0, 1.0)
    assert (found.low, found.high) == (0.0, 0.0)


def test_fewer_than_five_cases_say_nothing() -> None:
    found = paired(np.array([1.0, 1.0, 1.0, 1.0]))
    assert (found.pairs, found.mean, found.p_value, found.low) == (4, 1.0, None, None)


def test_signs_all_alike_have_the_exact_probability() -> None:
    found = paired(np.ones(8))
    assert found.p_value == pytest.approx(2 / 2**8, rel=0.5)


@pytest.mark.parametrize("count", [30, MAX_TESTED + 1])
def test_chance_alone_is_called_real_one_time_in_twenty(count: int) -> None:
    random = np.random.default_rng(7)
    false_alarms = sum((paired(random.normal(size=count)).p_value or 0) < 0.05 for _ in range(100))
    assert 1 <= false_alarms <= 12


def test_interval_holds_the_true_difference_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(11)
    held = 0
    for _ in range(100):
        found = paired(random.choice([-1.0, 0.0, 1.0], size=300, p=[0.2, 0.5, 0.3]))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
    assert 88 <= held <= 99


def test_detectable_difference_is_found_four_times_in_five() -> None:
    random = np.random.default_rng(3)
    count = MAX_TESTED + 100
    detectable = paired(random.normal(size=count)).detectable
    assert detectable is not None
    hits = sum((paired(random.normal(detectable, size=count)).p_value or 1) < 0.05 for _ in range(100))
    assert 68 <= hits <= 92


def test_holm_corrects_the_smallest_most() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
