"""An experiment's variants as a tree in the terminal, each with its pass rate against the baseline's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.words import counted


def show_tree(experiment: Mapping[str, Any]) -> None:
    """Prints the experiment."""
    table = Table(
        "variant", "change", "passed", "pass rate", "against baseline", "completed", box=box.SIMPLE_HEAD, pad_edge=False
    )
    _add_rows(table, experiment["variants"], parent="", depth=0)
    tasks = counted(experiment["task_count"], "task")
    notes().print(f"{experiment['name']}: {experiment['status']}, {tasks}", style="dim")
    console().print(table if table.row_count else "No runs yet: set tasks, then run the baseline.")


def _add_rows(table: Table, found: list[Mapping[str, Any]], *, parent: str, depth: int) -> None:
    for each in found:
        if each["parent"] == parent:
            table.add_row(*map(show_cell, _describe(each, depth)))
            _add_rows(table, found, parent=each["name"], depth=depth + 1)


def _describe(variant: Mapping[str, Any], depth: int) -> list[str]:
    if variant["parent"]:
        change = _setting(variant["step"], variant["parameter"], variant.get("value"))
    else:
        steps = variant["effective"].items()
        change = ", ".join(_setting(step, *each) for step, given in steps for each in given.items()) or "as it is"
    cells = ["  " * depth + variant["name"], change]
    outcome = variant.get("outcome")
    if outcome is None:
        return [*cells, "", "", "", "not yet"]
    against = outcome.get("against_baseline")
    return [
        *cells,
        f"{outcome['passed']} of {outcome['total']}",
        f"{outcome['pass_rate']:.1f} %",
        "" if against is None else f"{against:+.1f} %",
        outcome["completed"],
    ]


def _setting(step: str, parameter: str, value: Any) -> str:
    return f"{step}.{parameter} = {json.dumps(value, ensure_ascii=False)}"
