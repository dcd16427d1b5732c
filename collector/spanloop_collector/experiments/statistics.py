"""Whether a difference between two experiments is real: paired, case by case.

The test is a permutation test: if the two did not differ, each case's difference could as well have the other sign.
The interval is a bootstrap over cases. Both work on how often each difference occurs, since scores take few values.
Beyond MAX_TESTED cases the test is the normal one, and so is the interval where the values are many: for means of so
many cases they agree, and cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

SEED = 20260101
RESAMPLES = 2000
PERMUTATIONS = 5_000
MAX_TESTED = 500
MAX_VALUES = 64
CONFIDENCE = 0.95
POWER_Z = 0.8416  # a difference is detectable when four runs in five would show it
SAME = 1e-9
MIN_PAIRS = 5
"""With fewer no paired test can say anything: all signs alike happens by chance once in 16."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """What the differences of many cases say together."""

    pairs: int
    mean: float
    improvements: int
    """Cases where the difference is above zero."""
    regressions: int
    p_value: float | None
    """None where there are too few pairs to tell."""
    low: float | None
    high: float | None
    detectable: float | None


def paired(differences: Numbers) -> Paired:
    """The summary of the cases' differences, none of them NaN."""
    count = len(differences)
    above, below = int((differences > SAME).sum()), int((differences < -SAME).sum())
    mean = float(differences.mean()) if count else 0.0
    if count < MIN_PAIRS:
        return Paired(count, mean, above, below, None, None, None, None)
    if not above and not below:
        return Paired(count, 0.0, 0, 0, 1.0, 0.0, 0.0, 0.0)
    values, occurs = np.unique(differences, return_counts=True)
    counts = occurs.astype(np.int64)
    error = float(differences.std(ddof=1)) / math.sqrt(count)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    is_large = count > MAX_TESTED
    p_value = _normal_p(mean / error if error else math.inf) if is_large else permutation_p(values, counts)
    is_normal = is_large and len(values) > MAX_VALUES
    low, high = (mean - z * error, mean + z * error) if is_normal else bootstrap(values, counts)
    return Paired(count, mean, above, below, p_value, low, high, (z + POWER_Z) * error)


def bootstrap(values: Numbers, counts: NDArray[np.int64]) -> tuple[float, float]:
    """The interval of the mean over RESAMPLES draws of as many cases with replacement."""
    total = int(counts.sum())
    draws = np.random.default_rng(SEED).multinomial(total, counts / total, size=RESAMPLES)
    means = draws @ values / total
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def permutation_p(values: Numbers, counts: NDArray[np.int64]) -> float:
    """How often a mean this far from zero comes about when each case's sign is a toss of a coin."""
    magnitudes, positions = np.unique(np.abs(values), return_inverse=True)
    sizes = np.bincount(positions, weights=counts).astype(np.int64)
    observed = abs(float(values @ counts))
    is_moved = magnitudes > SAME
    magnitudes, sizes = magnitudes[is_moved], sizes[is_moved]
    heads = np.random.default_rng(SEED).binomial(sizes, 0.5, size=(PERMUTATIONS, len(sizes)))
    totals = np.abs((2 * heads - sizes) @ magnitudes)
    return float((1 + np.count_nonzero(totals >= observed * (1 - 1e-12))) / (1 + PERMUTATIONS))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p values corrected for their number, by Holm's method; None stays None."""
    known = sorted((p, position) for position, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, position) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        corrected[position] = highest
    return corrected


def _normal_p(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
