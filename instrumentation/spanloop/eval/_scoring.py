"""The scorers of a trial: each on what the task made, in a span of its own, none of them in the way of another."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from opentelemetry import trace

from spanloop import _attributes as names
from spanloop import _context
from spanloop._json import numbers_to_json, to_json
from spanloop._otel_span import record_error
from spanloop.eval._recording import Recording
from spanloop.eval._scorers import Arguments, PreparedScorer, as_users_see
from spanloop.eval._threads import Threads
from spanloop.scoring import Score


@dataclass(slots=True)
class Scored:
    """What came of one scorer."""

    scorer: PreparedScorer
    span: trace.Span
    scores: Sequence[Score] = ()
    error: BaseException | None = None
    coming: Awaitable[Any] | None = None
    """What a plain function returned for the loop to await, as lambdas around async scorers do."""


class Scoring:
    """Runs all scorers of an eval on one trial after another."""

    def __init__(self, scorers: Sequence[PreparedScorer], *, recording: Recording, threads: Threads) -> None:
        self.scorers = scorers
        self._recording = recording
        self._threads = threads

    async def score(self, arguments: Arguments, root: trace.Span) -> list[Scored]:
        """Quick scorers one after another in one thread, slow ones each in its own, async ones in the loop."""
        # Decided once: while this runs, other trials find out how quick a scorer is.
        together = [scorer for scorer in self.scorers if scorer.is_quick and not scorer.is_async]
        waiting: list[Awaitable[list[Scored]]] = []
        if together:
            waiting.append(self._in_thread(together, arguments, root, is_quick=True))
        for scorer in self.scorers:
            if scorer.is_async:
                waiting.append(self._in_loop(scorer, arguments, root))
            elif scorer not in together:
                waiting.append(self._in_thread([scorer], arguments, root))
        answers = [await waiting[0]] if len(waiting) == 1 else await asyncio.gather(*waiting)
        scored = [each for answer in answers for each in answer]
        for each in scored:
            if each.coming is not None:
                await self._finish(each, each.coming)
        return scored

    def _in_thread(
        self, scorers: Sequence[PreparedScorer], arguments: Arguments, root: trace.Span, *, is_quick: bool = False
    ) -> asyncio.Future[list[Scored]]:
        run = partial(contextvars.copy_context().run, self._call_all, scorers, arguments, root)
        return self._threads.run(run, is_quick=is_quick)

    def _call_all(self, scorers: Sequence[PreparedScorer], arguments: Arguments, root: trace.Span) -> list[Scored]:
        return [self._call(scorer, arguments, root) for scorer in scorers]

    def _call(self, scorer: PreparedScorer, arguments: Arguments, root: trace.Span) -> Scored:
        scored = self._start(scorer, root)
        started = time.perf_counter()
        entry = _context.enter(scored.span, is_shared=self._recording.is_shared)
        try:
            returned = scorer.call(arguments)
            if hasattr(returned, "__await__"):
                scored.coming = returned
                return scored
            scored.scores = scorer.scores(returned)
        except Exception as error:
            scored.error = as_users_see(error)
        finally:
            _context.leave(entry)
            scorer.took(time.perf_counter() - started)
        self._end(scored)
        return scored

    async def _in_loop(self, scorer: PreparedScorer, arguments: Arguments, root: trace.Span) -> list[Scored]:
        scored = self._start(scorer, root)
        entry = _context.enter(scored.span, is_shared=self._recording.is_shared)
        try:
            scored.scores = scorer.scores(await scorer.call(arguments))
        except Exception as error:
            scored.error = as_users_see(error)
        finally:
            _context.leave(entry)
        self._end(scored)
        return [scored]

    async def _finish(self, scored: Scored, coming: Awaitable[Any]) -> None:
        try:
            scored.scores = scored.scorer.scores(await coming)
        except Exception as error:
            scored.error = as_users_see(error)
        self._end(scored)

    def _start(self, scorer: PreparedScorer, root: trace.Span) -> Scored:
        return Scored(scorer, self._recording.start(scorer.name, "score", root, is_scorer=True))

    def _end(self, scored: Scored) -> None:
        if not self._recording.is_on:
            return
        if scored.error is not None:
            record_error(scored.span, scored.error)
        else:
            scored.span.set_attributes(_attributes(scored.scores, self._recording.max_chars))
        self._recording.end(scored.span)


def _attributes(scores: Sequence[Score], max_chars: int) -> Mapping[str, Any]:
    """The row of a scorer."""
    if len(scores) == 1 and not scores[0].metadata and not scores[0].reason and scores[0].score is not None:
        return {names.OUTPUT: repr(scores[0].score), names.SCORES: numbers_to_json({scores[0].name: scores[0].score})}
    output = {score.name: _said(score) for score in scores}
    attributes: dict[str, Any] = {
        names.OUTPUT: to_json(next(iter(output.values())) if len(output) == 1 else output, max_chars)
    }
    numbers = {score.name: score.score for score in scores if score.score is not None}
    if numbers:
        attributes[names.SCORES] = numbers_to_json(numbers)
    metadata = {score.name: score.metadata for score in scores if score.metadata}
    if metadata:
        only = next(iter(metadata.values())) if len(scores) == 1 else metadata
        attributes[names.METADATA] = to_json(only, max_chars)
    return attributes


def _said(score: Score) -> Any:
    return {"score": score.score, "reason": score.reason} if score.reason else score.score
