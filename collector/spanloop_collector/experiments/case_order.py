"""Which cases got better or worse, and the order in which that puts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.registry import Base
from spanloop_collector.experiments.statistics import SAME
from spanloop_collector.experiments.values import Values, position_of


def changes(
    values: Values, sides: Sequence[Experiment], base: Base, *, score: str = ""
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """For each case, in how many scores of how many experiments it is better and worse than the base.

    `score` is the only one that counts; empty: all do.
    """
    better = np.zeros(values.table.num_rows, dtype=np.int64)
    worse = np.zeros_like(better)
    position = position_of(sides, base)
    if position is None:
        return better, worse
    for number, quantity in enumerate(values.quantities):
        if not quantity.is_score or (score and quantity.name != score):
            continue
        reference = values.of(number, position)
        for side in range(len(sides)):
            if side != position:
                gain = quantity.gain(values.of(number, side) - reference)
                better += gain > SAME
                worse += gain < -SAME
    return better, worse


def ranks(
    change: str, values: Values, better: np.ndarray[Any, Any], worse: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Positions of the cases, ordered by a change or by SQL; equal ones by their key, so that pages do not overlap."""
    keys = np.array(values.table["case_key"].to_pylist(), dtype=object)
    if change == "improvements":
        return np.lexsort((keys.astype(str), worse, -better))
    if change == "regressions":
        return np.lexsort((keys.astype(str), better, -worse))
    own = values.table["order_value"].to_pylist()
    return np.array(sorted(range(len(own)), key=lambda at: (own[at] is None, own[at], keys[at])), dtype=np.int64)
