"""ScoringRuleService: rules made, tried, changed and put to past rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from spanloop.v1 import rules_pb2, scoring_pb2

from spanloop_collector.api.operations import Call
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.queries import Queries
from spanloop_collector.score.backfill import Backfills, read_window
from spanloop_collector.score.condition import parse_condition, try_condition
from spanloop_collector.score.known_scorers import known_scorers
from spanloop_collector.score.rule import Rule
from spanloop_collector.score.rule_input import read_rule, read_scorer, write_rule
from spanloop_collector.score.rulebook import RuleBook, StoredRule
from spanloop_collector.score.scorer_trials import ScorerTrials
from spanloop_collector.score.trial import try_rule
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor


class NamedRule(Protocol):
    """A request that names a rule."""

    name: str
    project: str


class ScoringRuleOperations:
    """The operations of ScoringRuleService."""

    def __init__(
        self,
        store: Store,
        book: RuleBook,
        backfills: Backfills,
        *,
        queries: Queries,
        trials: ScorerTrials,
        barrier: Callable[[], Awaitable[None]],
    ) -> None:
        """`barrier` returns once what was acknowledged is stored: it belongs to the past that rules are put to."""
        self._store = store
        self._book = book
        self._backfills = backfills
        self._barrier = barrier
        self._queries = queries
        self._trials = trials

    async def put_scoring_rule(
        self, request: rules_pb2.PutScoringRuleRequest, call: Call
    ) -> rules_pb2.PutScoringRuleResponse:
        """The rule as it is stored now."""
        rule = await self._checked(request.rule, call)
        return _put_response(await asyncio.to_thread(self._book.put, rule, actor=_actor(call)))

    async def list_scoring_rules(
        self, request: rules_pb2.ListScoringRulesRequest, call: Call
    ) -> rules_pb2.ListScoringRulesResponse:
        """The rules of a project, or of all."""
        project = call.project(request.project)
        await asyncio.to_thread(self._book.read)
        rules = self._book.rules(project)
        return rules_pb2.ListScoringRulesResponse(
            rules=[write_rule(rule, failure=self._book.failure(rule.rule_id)) for rule in rules]
        )

    async def list_scorers(self, request: rules_pb2.ListScorersRequest, call: Call) -> rules_pb2.ListScorersResponse:
        """What a rule can name."""
        return rules_pb2.ListScorersResponse(scorers=await asyncio.to_thread(known_scorers))

    async def enable_scoring_rule(
        self, request: rules_pb2.EnableScoringRuleRequest, call: Call
    ) -> rules_pb2.PutScoringRuleResponse:
        """The rule, started or stopped."""
        rule = await self._find(request, call)
        changed = replace(rule, enabled=request.enabled)
        return _put_response(await asyncio.to_thread(self._book.put, changed, actor=_actor(call)))

    async def delete_scoring_rule(
        self, request: rules_pb2.DeleteScoringRuleRequest, call: Call
    ) -> rules_pb2.DeleteScoringRuleResponse:
        """Nothing; the rule has ended."""
        project = call.project(request.project)
        await asyncio.to_thread(self._book.delete, project, request.name, actor=_actor(call))
        return rules_pb2.DeleteScoringRuleResponse()

    async def test_scoring_rule(
        self, request: rules_pb2.TestScoringRuleRequest, call: Call
    ) -> rules_pb2.TestScoringRuleResponse:
        """What the rule would do; stores nothing."""
        if request.rule.scorers:
            rule = await self._checked(request.rule, call)
        else:
            rule = await self._find(request.rule, call)
        await self._barrier()
        with self._queries.errand() as errand:
            return await asyncio.to_thread(try_rule, errand, rule, hours=request.hours, rows=request.rows)

    async def try_scorer(
        self, request: rules_pb2.TryScorerRequest, call: Call
    ) -> AsyncIterator[scoring_pb2.TaskResult]:
        """What the scorer says about each row, as soon as it is known."""
        scorer = await asyncio.to_thread(read_scorer, request.scorer, "scorer")
        async with aclosing(self._trials.run(scorer, request.rows, call.principal)) as results:
            async for result in results:
                yield result

    async def start_backfill(self, request: rules_pb2.StartBackfillRequest, call: Call) -> rules_pb2.Backfill:
        """The backfill, under way."""
        rule = await self._find(request, call)
        condition = await self._condition(request.filter, call.principal, rule.project, "filter")
        since, until = read_window(request.since, request.until)
        await self._barrier()
        return await asyncio.to_thread(
            self._backfills.start, rule, request, condition=condition, since=since, until=until, actor=_actor(call)
        )

    async def list_backfills(
        self, request: rules_pb2.ListBackfillsRequest, call: Call
    ) -> rules_pb2.ListBackfillsResponse:
        """Backfills with their progress, newest first."""
        project = call.project(request.project)
        found = await asyncio.to_thread(self._backfills.all, project or "*", rule=request.rule)
        return rules_pb2.ListBackfillsResponse(backfills=found)

    async def stop_backfill(self, request: rules_pb2.StopBackfillRequest, call: Call) -> rules_pb2.Backfill:
        """The backfill, stopped."""
        project = call.project(request.project)
        return await asyncio.to_thread(self._backfills.stop, project, request.id, actor=_actor(call))

    async def _checked(self, given: rules_pb2.ScoringRule, call: Call) -> Rule:
        rule = await asyncio.to_thread(read_rule, given, project=call.principal.project)
        call.principal.require_project(rule.project)
        boosts = [
            replace(
                boost,
                filter=await self._condition(boost.filter, call.principal, rule.project, f"rule.boosts[{n}].filter"),
            )
            for n, boost in enumerate(rule.boosts)
        ]
        group_by = await self._condition(
            rule.scope.group_by, call.principal, rule.project, "rule.scope.group_by", is_value=True
        )
        return replace(
            rule,
            filter=await self._condition(rule.filter, call.principal, rule.project, "rule.filter"),
            boosts=tuple(boosts),
            scope=replace(rule.scope, group_by=group_by),
        )

    async def _condition(
        self, text: str, principal: Principal, project: str, field: str, *, is_value: bool = False
    ) -> str:
        if not text.strip():
            return ""
        condition = await asyncio.to_thread(parse_condition, self._store, text, field=field)
        await try_condition(
            self._queries, condition, principal=principal, project=project, field=field, is_value=is_value
        )
        return condition

    async def _find(self, request: NamedRule, call: Call) -> Rule:
        return await asyncio.to_thread(self._book.find, call.project(request.project), request.name)


def _actor(call: Call) -> Actor:
    return Actor(name=call.principal.key_id or "local", key_id=call.principal.key_id)


def _put_response(stored: StoredRule) -> rules_pb2.PutScoringRuleResponse:
    return rules_pb2.PutScoringRuleResponse(rule=write_rule(stored.rule), outcome=stored.outcome)
