"""What the numbers say: means, differences, and whether those are more than chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.errors import invalid
from spanloop_collector.experiments.measures import Quantity
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.registry import Base
from spanloop_collector.experiments.statistics import Numbers, Paired, holm, paired
from spanloop_collector.experiments.values import Values, position_of
from spanloop_collector.experiments.words import sentence, verdict

MAX_GROUPS = 1000


def compared_measures(
    sides: Sequence[Experiment], base: Base, values: Values
) -> tuple[list[pb.Measure], list[pb.Measure]]:
    """Scores and metrics, each with its means and differences."""
    found: dict[bool, list[tuple[pb.Measure, Quantity, list[tuple[str, Paired]]]]] = {True: [], False: []}
    position = position_of(sides, base)
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


def compared_groups(sides: Sequence[Experiment], base: Base, values: Values) -> list[pb.MeasureGroup]:
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
