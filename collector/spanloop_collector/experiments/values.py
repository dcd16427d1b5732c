"""What experiments are compared by: for every case a number of each quantity and experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from spanloop_collector.experiments.measures import Quantity
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.registry import Base
from spanloop_collector.experiments.statistics import Numbers


@dataclass(frozen=True, slots=True)
class Values:
    """One number per case for each quantity of each experiment."""

    table: pa.Table
    quantities: Sequence[Quantity]

    def of(self, quantity: int, side: int) -> Numbers:
        """The means of a quantity, NaN where a case has none."""
        return self._column(f"v{quantity}_{side}")

    def trials(self, side: int) -> Numbers:
        """How many rows each case has."""
        return self._column(f"n{side}")

    def failures(self, side: int) -> Numbers:
        """How many of them failed."""
        return self._column(f"f{side}")

    def _column(self, name: str) -> Numbers:
        column: Numbers = self.table[name].to_numpy().astype(np.float64)
        return column

    def take(self, chosen: np.ndarray[Any, Any]) -> Values:
        """Only these cases."""
        return Values(self.table.take(pa.array(chosen)), self.quantities)


def position_of(sides: Sequence[Experiment], base: Base) -> int | None:
    """Where the base stands among the experiments; None without one to compare with."""
    if base.experiment is None or len(sides) < 2:
        return None
    return next(number for number, each in enumerate(sides) if each.id == base.experiment.id)
