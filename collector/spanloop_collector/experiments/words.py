"""A comparison in plain words: a sentence for each difference, and the whole for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.experiments.statistics import MIN_PAIRS, Paired
from spanloop_collector.words import counted

SIGNIFICANT = 0.05
MAX_NAME = 32


def verdict(found: Paired, adjusted: float | None, *, is_lower_better: bool) -> str:
    """better, worse, unclear, same, or too few."""
    if found.p_value is None:
        return "too few"
    if not found.improvements and not found.regressions:
        return "same"
    if adjusted is None or adjusted > SIGNIFICANT:
        return "unclear"
    return "better" if (found.mean > 0) != is_lower_better else "worse"


def sentence(found: Paired, said: str, adjusted: float | None, *, unit: str, is_score: bool) -> str:
    """What the difference means."""
    if said == "too few":
        few = f"only {counted(found.pairs, 'case')} in both" if found.pairs else "no case is in both"
        return f"{few}; it takes at least {MIN_PAIRS} to tell a difference from chance"
    if said == "same":
        return f"the same in all {found.pairs:,} cases"
    if said == "unclear":
        chance = f"could be chance (p = {adjusted:.2f})"
        if not found.detectable:  # all differ alike: what is missing are cases
            return f"{chance}; {found.pairs:,} cases are too few to tell"
        detectable = amount(found.detectable, unit, is_score)
        return f"{chance}; with {found.pairs:,} cases a difference under {detectable} hardly shows"
    low, high = found.low or 0.0, found.high or 0.0
    return (
        f"{said}, and hardly by chance (p {_p(adjusted or 0.0)}); likely between "
        f"{signed(low, unit, is_score, beside=high)} and {signed(high, unit, is_score, beside=low)}"
    )


def amount(value: float, unit: str, is_score: bool, *, beside: float = 0.0) -> str:
    """A value as people read it: scores in percent. Where it stands beside another, both have the same decimals."""
    if is_score:
        return f"{value * 100:.1f}%"
    size = max(abs(value), abs(beside))
    if unit == "$":
        return f"${value:,.{_cents(size)}f}"
    most = _decimals(size)
    decimals = max(_decimals_shown(each, most) for each in (value, beside))
    return f"{value:,.{decimals}f} {unit}".rstrip()


def _cents(dollars: float) -> int:
    """Decimals that show two digits: a call may cost thousandths of a cent."""
    return 2 if dollars >= 1 or not dollars else max(4, 1 - floor(log10(dollars)))


def _decimals(size: float) -> int:
    """Decimals that show three digits."""
    return max(0, 2 - floor(log10(size))) if size else 0


def _decimals_shown(value: float, most: int) -> int:
    """How many of its decimals are no trailing zeros."""
    return len(f"{value:.{most}f}".rstrip("0").partition(".")[2])


def signed(value: float, unit: str, is_score: bool, *, beside: float = 0.0) -> str:
    """The same with its sign."""
    return ("+" if value >= 0 else "−") + amount(abs(value), unit, is_score, beside=beside)


def describe(answer: pb.CompareExperimentsResponse) -> str:
    """The comparison as lines of text."""
    experiments = {each.experiment.id: each for each in answer.experiments}
    base = experiments.get(answer.base_id)
    lines = [_headline(each, base) for each in answer.experiments if each is not base or len(experiments) == 1]
    if base is not None and len(experiments) > 1:
        reason = f" ({answer.base_reason})" if answer.base_reason else ""
        lines.append(f"compared with {base.experiment.name}{reason}: {_size(base)}")
        if not any(found.pairs for measure in (*answer.scores, *answer.metrics) for found in measure.differences):
            lines.append("no case is in both")
    for measures in (answer.scores, answer.metrics):
        if shown := [measure for measure in measures if _is_of_compared(measure, answer)]:
            lines += ["", *_table(shown, answer, is_score=measures is answer.scores)]
    return "\n".join(lines)


def _is_of_compared(measure: pb.Measure, answer: pb.CompareExperimentsResponse) -> bool:
    """Whether anything but the base has it."""
    is_alone = len(answer.experiments) == 1
    return any(side.cases and (is_alone or side.experiment_id != answer.base_id) for side in measure.sides)


def _headline(each: pb.ComparedExperiment, base: pb.ComparedExperiment | None) -> str:
    return f"{each.experiment.name}: {_size(each)}"


def _size(each: pb.ComparedExperiment) -> str:
    trials = f", {counted(each.trials, 'trial')}" if each.trials != each.cases else ""
    errors = f", {each.errors} failed" if each.errors else ""
    return f"{counted(each.cases, 'case')}{trials}{errors}"


def _table(measures: Sequence[pb.Measure], answer: pb.CompareExperimentsResponse, *, is_score: bool) -> list[str]:
    names = {each.experiment.id: each.experiment.name for each in answer.experiments}
    several = len(names) > 2
    width = min(MAX_NAME, max(len(measure.name) for measure in measures))
    lines = []
    for measure in measures:
        means = {side.experiment_id: side for side in measure.sides}
        for side in measure.sides:
            if side.experiment_id == answer.base_id and len(names) > 1:
                continue
            label = f"{measure.name[:MAX_NAME]:<{width}}"
            mean = amount(side.mean, measure.unit, is_score) if side.HasField("mean") else "–"
            line = f"  {label}  {mean:>10}"
            if several:
                line += f"  {names[side.experiment_id][:MAX_NAME]}"
            found = next((each for each in measure.differences if each.experiment_id == side.experiment_id), None)
            if found is not None:
                line += _against(found, measure, means.get(answer.base_id), is_score)
            lines.append(line.rstrip())
    return lines


def _against(found: pb.Difference, measure: pb.Measure, base: pb.MeasureSide | None, is_score: bool) -> str:
    if not found.pairs:
        return ""
    if not found.HasField("difference"):
        return f"  {found.words}"
    change = signed(found.difference, measure.unit, is_score)
    return f"  {change:>9}  {found.improvements:>3} better {found.regressions:>3} worse  {found.words}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
