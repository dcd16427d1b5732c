"""The comparison of experiments: ClickHouse puts rows together into cases, numpy says what their differences mean.

One implementation behind the API, the command line, the SDK's summary and the page.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.row_input import invalid
from spanloop_collector.experiments.cases import CaseQuery
from spanloop_collector.experiments.details import compared_cases
from spanloop_collector.experiments.measures import Quantity, quantities
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.registry import Base, Registry
from spanloop_collector.experiments.statistics import SAME, Numbers, Paired, holm, paired
from spanloop_collector.experiments.words import describe, sentence, verdict
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.queries import Queries

MAX_EXPERIMENTS = 50
MAX_GROUPS = 1000
MAX_CASES_SHOWN = 1000


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


class Comparer:
    """Answers CompareExperiments."""

    def __init__(self, registry: Registry, queries: Queries) -> None:
        self._registry = registry
        self._queries = queries

    async def compare(
        self, request: pb.CompareExperimentsRequest, *, project: str, principal: Principal
    ) -> pb.CompareExperimentsResponse:
        """Everything the request asks for."""
        sides, base = await asyncio.to_thread(self._choose, request, project)
        query = CaseQuery(project, [each.id for each in sides], request.key or "input", request.where)
        ((score_names, later_names, metric_names, has_usage),) = await self._rows(query.names(), principal)
        query = replace(query, has_later_scores=bool(later_names), has_usage=bool(has_usage))
        measured = quantities(
            {*score_names, *later_names},
            metric_names,
            request.aggregates,
            has_usage=bool(has_usage),
            lower_is_better=request.lower_is_better,
        )
        order = "" if request.order_by in ("", "regressions", "improvements") else request.order_by
        sql = query.values(measured, group=request.group_by, order=order)
        values = Values(await self._table(sql, principal), measured)
        answer = await asyncio.to_thread(_answer, sides, base, values, is_grouped=bool(request.group_by))
        if request.limit:
            answer.cases.extend(await self._cases(request, query, values, sides, base, principal))
        answer.text = describe(answer)
        return answer

    def _choose(self, request: pb.CompareExperimentsRequest, project: str) -> tuple[list[Experiment], Base]:
        """The experiments in the order of the answer, and what they are compared with."""
        if not 0 < len(request.experiments) <= MAX_EXPERIMENTS:
            raise invalid("experiments", f"name between 1 and {MAX_EXPERIMENTS} experiments")
        found = {
            each.id: each
            for number, named in enumerate(request.experiments)
            for each in [self._registry.get(project, named, field=f"experiments[{number}]")]
        }
        sides = list(found.values())
        if len(sides) > 1 and not request.base:
            base = Base(sides[-1], "last named")
        else:
            base = self._registry.base_of(sides[0], request.base)
        if base.experiment is not None and base.experiment.id not in found:
            sides.append(base.experiment)
        return sides, base

    async def _cases(
        self,
        request: pb.CompareExperimentsRequest,
        query: CaseQuery,
        values: Values,
        sides: Sequence[Experiment],
        base: Base,
        principal: Principal,
    ) -> list[pb.ComparedCase]:
        """The page of cases that the request asks for."""
        columns = _columns(request)
        better, worse = changes(values, sides, base)
        ranks = _ranks(request.order_by, values, better, worse)
        limit = min(request.limit, MAX_CASES_SHOWN)
        chosen = ranks[request.offset : request.offset + limit]
        page = values.take(chosen)
        keys = page.table["case_key"].to_pylist()
        if not keys:
            return []
        data = await self._queries.run(query.details(keys, columns), principal=principal, default_format="JSONEachRow")
        rows = [json.loads(line) for line in data.data.splitlines() if line]
        return compared_cases(page, rows, sides, list(columns), better=better[chosen], worse=worse[chosen])

    async def _rows(self, sql: str, principal: Principal) -> list[tuple[Any, ...]]:
        table = await self._table(sql, principal)
        return [tuple(row.values()) for row in table.to_pylist()]

    async def _table(self, sql: str, principal: Principal) -> pa.Table:
        result = await self._queries.run(
            sql,
            principal=principal,
            settings={"output_format_arrow_string_as_string": "1"},
            default_format="ArrowStream",
        )
        return pa.ipc.open_stream(result.data).read_all()


def _columns(request: pb.CompareExperimentsRequest) -> Mapping[str, str]:
    columns = parse_json(request.columns) if request.columns else {}
    if not isinstance(columns, dict) or not all(isinstance(sql, str) for sql in columns.values()):
        raise invalid("columns", f"expected an object of name → SQL, got {columns!r:.100}")
    return columns


def changes(
    values: Values, sides: Sequence[Experiment], base: Base
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """For each case, in how many scores of how many experiments it is better and worse than the base."""
    better = np.zeros(values.table.num_rows, dtype=np.int64)
    worse = np.zeros_like(better)
    position = _position(sides, base)
    if position is None:
        return better, worse
    for number, quantity in enumerate(values.quantities):
        if not quantity.is_score:
            continue
        reference = values.of(number, position)
        for side in range(len(sides)):
            if side != position:
                difference = _towards_better(values.of(number, side) - reference, quantity)
                better += difference > SAME
                worse += difference < -SAME
    return better, worse


def _ranks(
    order_by: str, values: Values, better: np.ndarray[Any, Any], worse: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Positions of the cases in the order asked for; equal ones by their key, so that pages do not overlap."""
    keys = np.array(values.table["case_key"].to_pylist(), dtype=object)
    if order_by == "improvements":
        return np.lexsort((keys.astype(str), worse, -better))
    if order_by in ("", "regressions"):
        return np.lexsort((keys.astype(str), better, -worse))
    own = values.table["order_value"].to_pylist()
    return np.array(sorted(range(len(own)), key=lambda at: (own[at] is None, own[at], keys[at])), dtype=np.int64)


def _answer(
    sides: Sequence[Experiment], base: Base, values: Values, *, is_grouped: bool
) -> pb.CompareExperimentsResponse:
    answer = pb.CompareExperimentsResponse(
        base_id=base.experiment.id if base.experiment else "",
        base_reason=base.reason,
        case_count=values.table.num_rows,
    )
    for side, experiment in enumerate(sides):
        trials = values.trials(side)
        answer.experiments.add(
            experiment=experiment.message(),
            cases=int(np.count_nonzero(trials)),
            trials=int(trials.sum()),
            errors=int(values.failures(side).sum()),
        )
    scores, metrics = compared_measures(sides, base, values)
    answer.scores.extend(scores)
    answer.metrics.extend(metrics)
    if is_grouped:
        answer.groups.extend(_groups(sides, base, values))
    return answer


def _groups(sides: Sequence[Experiment], base: Base, values: Values) -> list[pb.MeasureGroup]:
    named = values.table["group_value"].combine_chunks().dictionary_encode()
    names = named.dictionary.to_pylist()
    if len(names) > MAX_GROUPS:
        raise invalid("group_by", f"makes {len(names)} groups; choose something with at most {MAX_GROUPS} values")
    codes = named.indices.to_numpy()
    # Positions group by group; where there are no cases, one part and no name.
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes, minlength=len(names)))[:-1])
    groups = []
    for name, chosen in sorted(zip(names, members, strict=False), key=lambda pair: pair[0]):
        scores, metrics = compared_measures(sides, base, values.take(chosen))
        groups.append(pb.MeasureGroup(value=name, cases=len(chosen), scores=scores, metrics=metrics))
    return groups


def compared_measures(
    sides: Sequence[Experiment], base: Base, values: Values
) -> tuple[list[pb.Measure], list[pb.Measure]]:
    """Scores and metrics, each with its means and differences."""
    found: dict[bool, list[tuple[pb.Measure, Quantity, list[tuple[str, Paired]]]]] = {True: [], False: []}
    position = _position(sides, base)
    for number, quantity in enumerate(values.quantities):
        measure = pb.Measure(name=quantity.name, unit=quantity.unit, is_lower_better=quantity.is_lower_better)
        columns = [values.of(number, side) for side in range(len(sides))]
        for experiment, column in zip(sides, columns, strict=True):
            measure.sides.append(_side(experiment, column))
        differences = []
        for side, experiment in enumerate(sides):
            if position is not None and side != position:
                difference = columns[side] - columns[position]
                differences.append((experiment.id, paired(difference[~np.isnan(difference)])))
        found[quantity.is_score].append((measure, quantity, differences))
    return _judged(found[True]), _judged(found[False])


def _side(experiment: Experiment, column: Numbers) -> pb.MeasureSide:
    known = column[~np.isnan(column)]
    side = pb.MeasureSide(experiment_id=experiment.id, cases=len(known))
    if len(known):
        side.mean = float(known.mean())
    if len(known) > 1:
        side.deviation = float(known.std(ddof=1))
    return side


def _judged(measures: Sequence[tuple[pb.Measure, Quantity, list[tuple[str, Paired]]]]) -> list[pb.Measure]:
    """The measures with their differences, corrected for how many there are."""
    adjusted = iter(holm([found.p_value for _, _, differences in measures for _, found in differences]))
    for measure, quantity, differences in measures:
        for experiment_id, found in differences:
            measure.differences.append(_difference(experiment_id, found, next(adjusted), quantity))
    return [measure for measure, _, _ in measures]


def _difference(experiment_id: str, found: Paired, adjusted: float | None, quantity: Quantity) -> pb.Difference:
    said = verdict(found, adjusted, is_lower_better=quantity.is_lower_better)
    counts = (found.improvements, found.regressions)
    improvements, regressions = reversed(counts) if quantity.is_lower_better else counts
    return pb.Difference(
        experiment_id=experiment_id,
        difference=found.mean if found.pairs else None,
        pairs=found.pairs,
        improvements=improvements,
        regressions=regressions,
        p_value=found.p_value,
        p_adjusted=adjusted,
        low=found.low,
        high=found.high,
        detectable=found.detectable,
        verdict=said,
        words=sentence(found, said, adjusted, unit=quantity.unit, is_score=quantity.is_score),
    )


def _towards_better(difference: Numbers, quantity: Quantity) -> Numbers:
    return -difference if quantity.is_lower_better else difference


def _position(sides: Sequence[Experiment], base: Base) -> int | None:
    """Where the base stands among the experiments; None without one to compare with."""
    if base.experiment is None or len(sides) < 2:
        return None
    return next(number for number, each in enumerate(sides) if each.id == base.experiment.id)
