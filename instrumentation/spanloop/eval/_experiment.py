"""Experiments logged by hand: for loops of one's own, and for frameworks that run the cases themselves.

experiment = spanloop.init_experiment("support", "my own loop")
for question, right in questions:
    with experiment.start_span("case", input=question) as span:
        answer = ask(question)
        span.log(output=answer, expected=right, scores={"exact": answer == right})
print(experiment.summarize())
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar, overload

from spanloop import _attributes as names
from spanloop import _runtime
from spanloop._api import ApiClient
from spanloop._failsafe import log
from spanloop._fields import UNSET
from spanloop._json import to_json
from spanloop._span import Span
from spanloop._words import counted
from spanloop.eval._readonly import Described, ReadonlyExperiment
from spanloop.eval._recording import Direct, Recording, recording
from spanloop.eval._remote import Experiments, summary_of
from spanloop.eval._result import ExperimentSummary
from spanloop.eval._row_decorator import one_row_a_call

F = TypeVar("F", bound=Callable[..., Any])

FLUSH_SECONDS = 120.0


class MixedLoggingError(RuntimeError):
    """`experiment.log` was called while spans of the same experiment are open."""


def create_experiment(client: ApiClient, project: str, wanted: Mapping[str, Any]) -> Experiment:
    """The experiment, ready to record: tracing is started if nobody has."""
    found = Experiments(client).create({"project": project, **wanted})
    if _runtime.active() is None:
        _runtime.init(found["project"])
    return Experiment(client, found)


def dataset_fields(dataset: Any) -> dict[str, str]:
    """What an experiment remembers of the dataset it ran on: the version that was resolved, not the one asked for."""
    if dataset is None or not hasattr(dataset, "version") or not hasattr(dataset, "id"):
        return {}
    return {"dataset_id": str(dataset.id), "dataset_version": str(dataset.version)}


class Experiment(Described):
    """An experiment that takes rows; made by `init_experiment`. Safe to use from several threads."""

    def __init__(self, client: ApiClient, found: Mapping[str, Any]) -> None:
        super().__init__(found)
        self._experiments = Experiments(client)
        self._lock = threading.Lock()  # protects the two below
        self._open_spans = 0
        self._last_log_ns = time.time_ns()
        self._recording = recording(self.id, self.project)

    def __repr__(self) -> str:
        return f"<Experiment {self.name!r} of project {self.project!r}>"

    @property
    def recording(self) -> Recording:
        """Where its rows go."""
        return self._recording

    # ---- rows

    def log(
        self,
        *,
        input: Any = UNSET,
        output: Any = UNSET,
        expected: Any = UNSET,
        error: object = None,
        scores: Mapping[str, float | None] | None = None,
        metadata: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Sequence[str] | None = None,
        origin: Mapping[str, Any] | None = None,
        allow_concurrent_with_spans: bool = False,
    ) -> str:
        """Writes one whole row, which begins where the last one ended; returns its id.

        Inside open spans of this experiment it would make rows of their own, without a parent. That is refused,
        unless you say `allow_concurrent_with_spans=True`.
        """
        with self._lock:
            if self._open_spans and not allow_concurrent_with_spans:
                spans = counted(self._open_spans, "open span")
                raise MixedLoggingError(
                    f"experiment.log() beside {spans} of experiment {self.name!r} would make rows that belong to none "
                    "of them; call log() on the span instead (spanloop.current_span().log), "
                    "or pass allow_concurrent_with_spans=True"
                )
            started, self._last_log_ns = self._last_log_ns, time.time_ns()
        otel: Any = self._recording.start("log", "eval")
        if hasattr(otel, "start_time"):
            otel.start_time = started
        elif hasattr(otel, "_start_time"):
            otel._start_time = started
        span = Span(otel)
        span.log(
            input=input, output=output, expected=expected, error=error, scores=scores, metadata=metadata,
            metrics=metrics, tags=tags,
        )  # fmt: skip
        if origin is not None:
            otel.set_attribute(names.ORIGIN, to_json(dict(origin)))
        self._end(otel)
        return span.span_id

    def start_span(
        self,
        name: str = "root",
        *,
        type: str = "eval",
        input: Any = UNSET,
        expected: Any = UNSET,
        metadata: Mapping[str, Any] | None = None,
        tags: Sequence[str] | None = None,
    ) -> Span:
        """Starts a row; what is traced inside it belongs to it. Use it with `with`, or call `end`."""
        otel = self._start_open(name, type)
        span = ExperimentSpan(otel, self._span_ended)
        span.log(input=input, expected=expected, metadata=metadata, tags=tags)
        return span

    @overload
    def traced(self, function: F, /) -> F: ...

    @overload
    def traced(self, function: None = None, /, *, name: str | None = None, type: str = "eval") -> Callable[[F], F]: ...

    def traced(self, function: Any = None, /, *, name: str | None = None, type: str = "eval") -> Any:
        """Makes a row of every call of a function, its arguments as input and its result as output.

        @experiment.traced
        def case(question): ...
        """

        def decorate(target: Callable[..., Any]) -> Callable[..., Any]:
            return one_row_a_call(target, functools.partial(self.start_span, name or target.__name__, type=type))

        return decorate if function is None else decorate(function)

    def _start_open(self, name: str, kind: str) -> Any:
        with self._lock:
            self._open_spans += 1
        if isinstance(self._recording, Direct):
            return self._recording.start(name, kind, on_end=self._send)
        return self._recording.start(name, kind)

    def _send(self, span: Any) -> None:
        self._recording.send([span])

    def _span_ended(self) -> None:
        with self._lock:
            self._open_spans -= 1
            self._last_log_ns = time.time_ns()

    def _end(self, otel: Any) -> None:
        otel.end()
        if isinstance(self._recording, Direct):
            self._recording.send([otel])

    # ---- afterwards

    def log_feedback(
        self,
        id: str,
        *,
        scores: Mapping[str, float | None] | None = None,
        comment: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        source: str = "external",
    ) -> None:
        """Scores a row afterwards, finished or not. They are kept apart from the scores of the run."""
        self.flush()
        said = {**dict(metadata or {}), **({"comment": comment} if comment else {})}
        given = scores if scores else {"comment": None} if comment else {}
        items = [
            {"id": id, "name": name, "score": score, "metadata": said, "source": source}
            for name, score in given.items()
        ]
        if items:
            self._experiments.add_scores(self.id, self.project, items)

    def flush(self, timeout_seconds: float = FLUSH_SECONDS) -> bool:
        """Sends what waits; True when all of it has left."""
        return _runtime.flush(timeout_seconds)

    def finish(self) -> None:
        """Sends what waits and ends the experiment for good: rows that come later are refused."""
        self.flush()
        self._experiments.finish(self.id, self.project)

    def close(self) -> str:
        """`finish`; returns the experiment's id."""
        self.finish()
        return self.id

    def summarize(
        self, summarize_scores: bool = True, comparison_experiment_id: str | None = None
    ) -> ExperimentSummary:
        """Means, and what they say against the experiment that this one is compared with."""
        if not self.flush():
            log.warning("the summary of %r lacks rows that have not reached the collector yet", self.name)
        if not summarize_scores:
            return ExperimentSummary(self.project, self.name, {}, {}, self.id, text=self.name)
        answer = self._experiments.compare(self.project, self.id, base=comparison_experiment_id or "")
        return summary_of(answer, self.project)

    def fetch_base_experiment(self, base_experiment: str | None = None) -> ReadonlyExperiment | None:
        """The experiment that this one is compared with; None where there is none."""
        base = self._experiments.get(self.id, self.project, base=base_experiment or "").get("base")
        return ReadonlyExperiment(self._experiments.client, self.project, base["id"]) if base else None

    def export(self) -> str:
        """The experiment as text, for `experiment_id:` in other tools."""
        return f"experiment_id:{self.id}"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.flush()
        return self._experiments.cases(self.id, self.project)

    def __enter__(self) -> Experiment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        """Finishes the experiment, unless the block failed: then it may be continued."""
        if error is None:
            self.finish()
        else:
            self.flush()


class ExperimentSpan(Span):
    """A row under way, which tells its experiment when it ends."""

    __slots__ = ("_on_end",)

    def __init__(self, otel: Any, on_end: Callable[[], None]) -> None:
        super().__init__(otel)
        self._on_end: Callable[[], None] | None = on_end

    def end(self) -> None:
        """Ends the row."""
        super().end()
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()
