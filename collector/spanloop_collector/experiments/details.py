"""The cases of a comparison, each with its rows in every experiment."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.values import Values

Row = dict[str, Any]


def compared_cases(
    page: Values,
    rows: Sequence[Row],
    sides: Sequence[Experiment],
    columns: Sequence[str],
    *,
    better: np.ndarray[Any, Any],
    worse: np.ndarray[Any, Any],
) -> list[pb.ComparedCase]:
    """The cases of the page in its order."""
    by_case: dict[str, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_case[row["case_hex"]][int(row["side"])].append(row)
    return [
        _case(page, position, key, by_case[key], sides, columns, int(better[position]), int(worse[position]))
        for position, key in enumerate(page.table["case_key"].to_pylist())
    ]


def _case(
    page: Values,
    position: int,
    key: str,
    rows: Mapping[int, list[Row]],
    sides: Sequence[Experiment],
    columns: Sequence[str],
    better: int,
    worse: int,
) -> pb.ComparedCase:
    case = pb.ComparedCase(key=key, improvements=better, regressions=worse)
    first = next((each for side in sorted(rows) for each in rows[side]), None)
    if first is not None:
        case.input, case.expected = _json_text(first["row_input"]), _json_text(first["row_expected"])
        case.metadata = write_json(_metadata(first))
    for side, experiment in enumerate(sides):
        case.sides.add(
            experiment_id=experiment.id,
            trials=len(rows.get(side, ())),
            scores=write_json(_means(page, position, side, is_score=True)),
            metrics=write_json(_means(page, position, side, is_score=False)),
            rows=write_json([_row(each, columns) for each in rows.get(side, ())]),
        )
    return case


def _means(page: Values, position: int, side: int, *, is_score: bool) -> dict[str, float]:
    means = {
        quantity.name: float(page.of(number, side)[position])
        for number, quantity in enumerate(page.quantities)
        if quantity.is_score == is_score
    }
    return {name: value for name, value in means.items() if not np.isnan(value)}


def _row(row: Row, columns: Sequence[str]) -> Row:
    shown = {
        "id": row["row_id"],
        "trace_id": row["row_trace_id"],
        "output": _value(row["row_output"]),
        "error": row["row_error"],
        "scores": row["row_scores"],
        "origin": _value(row["row_origin"]),
    }
    if columns:
        shown["columns"] = {name: row[f"column_{number}"] for number, name in enumerate(columns)}
    return shown


def _metadata(row: Row) -> Row:
    """Metadata as it was given: the names in `metadata_json` hold JSON, the others text."""
    json_names = set(row["row_metadata_json"])
    return {name: _value(text) if name in json_names else text for name, text in row["row_metadata"].items()}


def _json_text(text: str) -> str:
    return write_json(_value(text))


def _value(text: str) -> Any:
    """The JSON value of a column; text that is no JSON is itself, and an empty one null."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
