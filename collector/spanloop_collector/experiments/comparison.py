"""The comparison of experiments: ClickHouse puts rows together into cases, numpy says what their differences mean.

One implementation behind the API, the command line, the SDK's summary and the page.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.errors import QueryError, invalid
from spanloop_collector.experiments.case_order import changes, ranks
from spanloop_collector.experiments.cases import CaseQuery
from spanloop_collector.experiments.details import compared_cases
from spanloop_collector.experiments.expressions import explained, own_columns
from spanloop_collector.experiments.judgement import compared_groups, compared_measures
from spanloop_collector.experiments.measures import asked_change, quantities
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.registry import Base, Registry
from spanloop_collector.experiments.values import Values
from spanloop_collector.experiments.words import describe
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.queries import Queries

MAX_EXPERIMENTS = 50
MAX_CASES_SHOWN = 1000


class Comparer:
    """Answers CompareExperiments."""

    def __init__(self, registry: Registry, queries: Queries) -> None:
        self._registry = registry
        self._queries = queries

    async def compare(
        self, request: pb.CompareExperimentsRequest, *, project: str, principal: Principal
    ) -> pb.CompareExperimentsResponse:
        """Everything the request asks for. What ClickHouse says of its SQL is said under the name of the field."""
        try:
            return await self._compare(request, project, principal)
        except QueryError as error:
            raise await explained(error, request, self._queries, principal) from error

    async def _compare(
        self, request: pb.CompareExperimentsRequest, project: str, principal: Principal
    ) -> pb.CompareExperimentsResponse:
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
        change, score = asked_change(request.order_by)
        if score and not any(each.is_score and each.name == score for each in measured):
            known = ", ".join(each.name for each in measured if each.is_score)
            raise invalid("order_by", f"there is no score {score!r}; scores are: {known}")
        order = "" if change else request.order_by
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
        columns = own_columns(request)
        better, worse = changes(values, sides, base)
        change, score = asked_change(request.order_by)
        places = ranks(change, values, *(changes(values, sides, base, score=score) if score else (better, worse)))
        limit = min(request.limit, MAX_CASES_SHOWN)
        chosen = places[request.offset : request.offset + limit]
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
            cases=int((trials > 0).sum()),
            trials=int(trials.sum()),
            errors=int(values.failures(side).sum()),
        )
    scores, metrics = compared_measures(sides, base, values)
    answer.scores.extend(scores)
    answer.metrics.extend(metrics)
    if is_grouped:
        answer.groups.extend(compared_groups(sides, base, values))
    return answer
