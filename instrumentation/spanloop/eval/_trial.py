"""One trial: the task on one case, then every scorer on what came out, each in a span of its own.

eval            input, output, expected, scores, metadata, tags of the case
├── task        and below it whatever the task traces
└── scorer …    its score, and below it whatever it traces
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from opentelemetry import trace

from spanloop import _attributes as names
from spanloop import _context
from spanloop._fields import merged_json, merged_tags
from spanloop._json import numbers_to_json, to_json
from spanloop._otel_span import record_error
from spanloop._span import Span
from spanloop.eval._case import EvalCase
from spanloop.eval._hooks import EvalHooks
from spanloop.eval._recording import Recording
from spanloop.eval._result import EvalResult
from spanloop.eval._scorers import Arguments, PreparedScorer, as_users_see, error_trace
from spanloop.eval._scoring import Scoring
from spanloop.eval._threads import Threads
from spanloop.scoring.score import Score

TASK_SECONDS = "task_duration"
TRIAL = "spanloop.trial"
SENT_TOGETHER = 256  # spans
SEND_AFTER_SECONDS = 0.05

ErrorScoreHandler = Callable[[Span, EvalCase, list[str]], "dict[str, float] | None"]


class Trials:
    """Runs trials of one eval."""

    def __init__(
        self,
        task: Callable[..., Any],
        scorers: Sequence[PreparedScorer],
        *,
        recording: Recording,
        threads: Threads,
        parameters: Mapping[str, Any],
        error_score_handler: ErrorScoreHandler | None,
        progress: Callable[[Any], None] | None,
    ) -> None:
        self._task = task
        self._takes_hooks = _takes_hooks(task)
        self._is_async = _is_async(task)
        self._scoring = Scoring(scorers, recording=recording, threads=threads)
        self._recording = recording
        self._threads = threads
        self._parameters = parameters
        self._error_score_handler = error_score_handler
        self._progress = progress
        self._outgoing: list[trace.Span] = []
        self._send_later: asyncio.TimerHandle | None = None

    def flush(self) -> None:
        """Hands over the spans of finished trials."""
        if self._send_later is not None:
            self._send_later.cancel()
            self._send_later = None
        if self._outgoing:
            spans, self._outgoing = self._outgoing, []
            self._recording.send(spans)

    def _send(self, spans: Sequence[trace.Span]) -> None:
        """Quick trials go together; none waits longer than a moment."""
        self._outgoing += spans
        if len(self._outgoing) >= SENT_TOGETHER:
            self.flush()
        elif self._send_later is None:
            self._send_later = asyncio.get_running_loop().call_later(SEND_AFTER_SECONDS, self.flush)

    async def run(self, case: EvalCase, trial_index: int, trial_count: int) -> EvalResult:
        """The result, whatever the task and the scorers do; only being cancelled is raised."""
        recording = self._recording
        root = recording.start("eval", "eval")
        result = EvalResult(
            input=case.input,
            expected=case.expected,
            metadata=dict(case.metadata),
            tags=list(case.tags),
            trial_index=trial_index,
            origin=case.origin,
        )
        spans: list[trace.Span] = []
        await self._run_task(case, result, root, spans)
        await self._run_scorers(case, result, root, spans)
        # What was cancelled did not come this far: it leaves no row, so that --resume runs it.
        if recording.is_on:
            self._record(result, case, root, trial_index if trial_count > 1 else None)
            spans.append(root)
            self._send(spans)
        return result

    async def _run_task(self, case: EvalCase, result: EvalResult, root: trace.Span, spans: list[trace.Span]) -> None:
        span = self._recording.start("task", "task", root)
        arguments: tuple[Any, ...] = (case.input,)
        hooks = None
        if self._takes_hooks:
            hooks = self._hooks(result, root)
            arguments = (case.input, hooks)
        started = time.perf_counter()
        entry = _context.enter(span, is_shared=self._recording.is_shared)
        try:
            result.output = await self._call_task(arguments)
        except Exception as error:
            result.error = as_users_see(error)
        finally:
            result.duration = time.perf_counter() - started
            _context.leave(entry)
            if hooks is not None:
                result.metadata, result.expected, result.tags = hooks.metadata, hooks.expected, list(hooks.tags)
            if self._recording.is_on:
                self._end_task(span, result)
                spans.append(span)

    async def _call_task(self, arguments: tuple[Any, ...]) -> Any:
        if self._is_async:
            return await self._task(*arguments)
        returned = await self._threads.run(partial(contextvars.copy_context().run, self._task, *arguments))
        return await returned if inspect.isawaitable(returned) else returned

    def _hooks(self, result: EvalResult, root: trace.Span) -> EvalHooks:
        return EvalHooks(
            metadata=result.metadata,
            expected=result.expected,
            span=Span(root),
            trial_index=result.trial_index,
            tags=result.tags,
            parameters=self._parameters,
            progress=self._progress,
        )

    def _end_task(self, span: trace.Span, result: EvalResult) -> None:
        if result.error is not None:
            record_error(span, result.error)
        else:
            result.output_json = to_json(result.output, self._recording.max_chars)
            span.set_attribute(names.OUTPUT, result.output_json)
        self._recording.end(span)

    # The scorers.

    async def _run_scorers(self, case: EvalCase, result: EvalResult, root: trace.Span, spans: list[trace.Span]) -> None:
        if result.error is not None:
            self._handle_unscored(case, result, root)
            return
        arguments: Arguments = {
            "input": result.input,
            "output": result.output,
            "expected": result.expected,
            "metadata": result.metadata,
        }
        for scored in await self._scoring.score(arguments, root):
            spans.append(scored.span)
            if scored.error is not None:
                result.scorer_errors[scored.scorer.name] = error_trace(scored.error)
            for score in scored.scores:
                result.scores[score.name] = score.score

    def _handle_unscored(self, case: EvalCase, result: EvalResult, root: trace.Span) -> None:
        """Scores for a case whose task failed, where the user wants any; never a 0 by ourselves."""
        if self._error_score_handler is None:
            return
        entry = _context.enter(root, is_shared=self._recording.is_shared)
        try:
            given = self._error_score_handler(Span(root), case, [scorer.name for scorer in self._scoring.scorers]) or {}
            result.scores.update({name: Score(name, score).score for name, score in given.items()})
        except Exception as error:
            result.scorer_errors["error_score_handler"] = error_trace(error)
        finally:
            _context.leave(entry)

    # The row.

    def _record(self, result: EvalResult, case: EvalCase, root: trace.Span, trial_index: int | None) -> None:
        metadata = result.metadata
        if result.scorer_errors:
            metadata = {**metadata, "scorer_errors": result.scorer_errors}
        max_chars = self._recording.max_chars
        existing: Mapping[str, Any] = getattr(root, "attributes", None) or {}
        attributes: dict[str, Any] = {
            names.INPUT: to_json(result.input, max_chars),
            names.OUTPUT: result.output_json or to_json(result.output, max_chars),
            names.EXPECTED: to_json(result.expected, max_chars),
            names.METRICS: _with_numbers(existing.get(names.METRICS), {TASK_SECONDS: result.duration}, max_chars),
        }
        scores = {name: score for name, score in result.scores.items() if score is not None}
        if scores:
            attributes[names.SCORES] = _with_numbers(existing.get(names.SCORES), scores, max_chars)
        if metadata:
            attributes[names.METADATA] = merged_json(existing.get(names.METADATA), metadata, max_chars)
        if result.tags:
            attributes[names.TAGS] = merged_tags(existing.get(names.TAGS), result.tags)
        if case.origin is not None:
            attributes[names.ORIGIN] = to_json(case.origin, max_chars)
        if trial_index is not None:
            attributes[TRIAL] = str(trial_index)
        root.set_attributes(attributes)
        if result.error is not None:
            record_error(root, result.error)
        self._recording.end(root)
        context = root.get_span_context()
        result.id, result.trace_id = f"{context.span_id:016x}", f"{context.trace_id:032x}"


def _with_numbers(existing: str | None, numbers: Mapping[str, float], max_chars: int) -> str:
    """The JSON object of numbers, and of what the task logged beside them."""
    return merged_json(existing, numbers, max_chars) if existing else numbers_to_json(numbers)


def _takes_hooks(task: Callable[..., Any]) -> bool:
    """Whether the task takes a second argument."""
    try:
        parameters = inspect.signature(task).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    is_open = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    needed = [p for p in positional if p.default is p.empty]
    return is_open or len(needed) > 1 or any(p.name == "hooks" for p in positional[1:])


def _is_async(task: Callable[..., Any]) -> bool:
    target = getattr(task, "func", task)
    called = target if inspect.isroutine(target) else getattr(target, "__call__", target)  # noqa: B004 - the method
    return inspect.iscoroutinefunction(called)
