"""The SQL of a comparison: rows of several experiments, put together into cases by a key.

It runs as the caller's own statement would: read-only, checked, limited, one project's rows only. That is why users
may bring expressions of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spanloop_collector.experiments.measures import USAGE, Quantity
from spanloop_collector.schema.fragments import sql_text

PATH = re.compile(r"(?:metadata\.)?([\w-]+)")
FAILED = "(error != '' OR mapContains(metadata, 'scorer_errors'))"
"""SQL for whether a row's task or one of its scorers raised."""
ROW_FIELDS = ("input", "output", "expected", "error", "scores", "metrics", "metadata", "origin", "id", "trace_id")


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which rows are compared, and how they become cases."""

    project: str
    ids: Sequence[str]
    """Experiments, by their position in the answer."""
    key: str = "input"
    where: str = ""
    has_later_scores: bool = False
    has_usage: bool = False

    def names(self) -> str:
        """SQL for the names of the rows' scores, of scores that came later, of metrics, and for whether there are
        model calls below the cases."""
        return (
            "SELECT groupUniqArrayArray(mapKeys(scores)) AS scores, "
            f"(SELECT groupUniqArray(name) FROM experiment_scores WHERE {self._is_ours()}) AS later, "
            "groupUniqArrayArray(mapKeys(metrics)) AS metrics, "
            f"(SELECT count() FROM (SELECT 1 FROM eval_rows WHERE {self._is_llm()} LIMIT 1)) AS usage "
            f"FROM eval_rows AS run WHERE {self._is_case()}"
        )

    def values(self, quantities: Sequence[Quantity], *, group: str = "", order: str = "") -> str:
        """SQL for one row per case: its key, and per experiment how many trials, failures, and the mean of each
        quantity, NaN where it has none."""
        columns = ["hex(case_key) AS case_key"]
        for side in range(len(self.ids)):
            columns.append(f"toFloat64(countIf(side = {side})) AS n{side}")
            columns.append(f"toFloat64(countIf(side = {side} AND has_failed)) AS f{side}")
            columns += [
                f"avgIf(v{number}, side = {side} AND NOT isNaN(v{number})) AS v{number}_{side}"
                for number in range(len(quantities))
            ]
        inner = [f"toFloat64({each.sql}) AS v{number}" for number, each in enumerate(quantities)]
        if group:
            columns.append("ifNull(toString(any(group_value)), '') AS group_value")
            inner.append(f"{group_sql(group)} AS group_value")
        if order:
            columns.append("any(order_value) AS order_value")
            inner.append(f"{order} AS order_value")
        return f"SELECT {', '.join(columns)} FROM ({self._select(inner)}) GROUP BY case_key"

    def details(self, keys: Sequence[str], columns: Mapping[str, str]) -> str:
        """SQL for the rows of these cases."""
        own = [f"{expression} AS {_column_name(number)}" for number, expression in enumerate(columns.values())]
        listed = ", ".join(f"unhex({sql_text(key)})" for key in keys)
        fields = [*(f"{field} AS row_{field}" for field in ROW_FIELDS), "metadata_json AS row_metadata_json", *own]
        # First when the cases ran, which takes their keys alone; then whole rows, found by the tables' order.
        moments = (
            f"SELECT created FROM eval_rows AS run WHERE {self._is_case()} AND sipHash128({self.key}) IN ({listed})"
        )
        rows = self._select([*fields, "created AS row_created"], condition=f"run.created IN ({moments})")
        return (
            f"SELECT * EXCEPT (case_key), hex(case_key) AS case_hex FROM ({rows}) "
            f"WHERE case_key IN ({listed}) ORDER BY side, row_created, row_id"
        )

    def _select(self, columns: Sequence[str], *, condition: str = "1") -> str:
        sides = ", ".join(str(number) for number in range(len(self.ids)))
        return (
            f"SELECT transform(toString(experiment_id), [{self._ids()}], [{sides}], 255) AS side, "
            f"sipHash128({self.key}) AS case_key, {FAILED} AS has_failed, {', '.join(columns)} "
            f"FROM {self._rows()} WHERE {self._is_case()} AND {condition}"
        )

    def _rows(self) -> str:
        """The rows, with later scores over those of the run, and what their model calls add up to."""
        source = "eval_rows"
        if self.has_later_scores:
            source = (
                "(SELECT run.* REPLACE (if(empty(later.added), run.scores, mapUpdate(run.scores, later.added)) "
                "AS scores) FROM eval_rows AS run LEFT JOIN (SELECT experiment_id, id, "
                "CAST((groupArray(name), groupArray(assumeNotNull(score))), 'Map(LowCardinality(String), Float64)') "
                f"AS added FROM experiment_scores WHERE {self._is_ours()} AND isNotNull(score) "
                "GROUP BY experiment_id, id) AS later "
                f"ON run.experiment_id = later.experiment_id AND run.id = later.id WHERE {self._is_case('run.')})"
            )
        if not self.has_usage:
            return f"{source} AS run"
        sums = ", ".join(f"{sql} AS {name}" for name, (sql, _) in USAGE.items())
        return (
            f"{source} AS run LEFT JOIN (SELECT experiment_id, trace_id, {sums} FROM eval_rows "
            f"WHERE {self._is_llm()} GROUP BY experiment_id, trace_id) AS usage "
            "ON run.experiment_id = usage.experiment_id AND run.trace_id = usage.trace_id"
        )

    def _ids(self) -> str:
        return ", ".join(sql_text(each) for each in self.ids)

    def _is_ours(self, prefix: str = "") -> str:
        return f"{prefix}project = {sql_text(self.project)} AND {prefix}experiment_id IN ({self._ids()})"

    def _is_case(self, prefix: str = "run.") -> str:
        # Also of a row whose parent lies outside, as that of a task in another service's trace: it is a case
        # when it says so.
        condition = f"{self._is_ours(prefix)} AND {prefix}parent_id = ''"
        return f"{condition} AND ({self.where})" if self.where else condition

    def _is_llm(self) -> str:
        return f"{self._is_ours()} AND type = 'llm' AND metadata['spanloop.purpose'] != 'scorer'"


def group_sql(group: str) -> str:
    """SQL for what a group is named by: a path below metadata, or an expression."""
    match = PATH.fullmatch(group)
    return f"metadata[{sql_text(match[1])}]" if match else f"toString({group})"


def _column_name(number: int) -> str:
    return f"column_{number}"
