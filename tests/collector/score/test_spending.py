"""What a day has cost so far, while ClickHouse is asked about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from spanloop_collector.score.spending import Spending


@dataclass
class Costs:
    """A store that answers with these costs; meanwhile something happens."""

    stored: dict[str, float] = field(default_factory=dict)
    meanwhile: Any = None
    database: str = "d"

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any:
        answer = list(self.stored.items())
        if self.meanwhile:
            self.meanwhile()
        return type("Result", (), {"result_rows": answer})


async def test_what_is_spent_while_the_costs_are_read_counts() -> None:
    costs = Costs({"r": 1.0})
    spending = Spending(costs, is_needed=lambda: True)
    assert spending.today("r") == math.inf
    await spending.read()
    spending.add("r", 0.25)
    costs.stored = {"r": 1.25}
    costs.meanwhile = lambda: spending.add("r", 0.5)

    await spending.read()

    assert spending.today("r") == 1.75
    costs.stored, costs.meanwhile = {"r": 1.75}, None
    await spending.read()
    assert spending.today("r") == 1.75
    assert spending.today("other") == 0
