"""`Eval(...)`: runs an eval and says how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from spanloop import _runtime
from spanloop._api import ApiClient, ApiError, default_project
from spanloop._failsafe import log
from spanloop._json import to_json
from spanloop.eval import _registry
from spanloop.eval._case import BaseExperiment, Data, EvalCase, as_case, resolve_data
from spanloop.eval._evaluator import Evaluator
from spanloop.eval._experiment import FLUSH_SECONDS, Experiment, create_experiment, dataset_fields
from spanloop.eval._git import repo_info as read_repo_info
from spanloop.eval._readonly import ReadonlyExperiment
from spanloop.eval._recording import Recording
from spanloop.eval._remote import Experiments, is_away, summary_of
from spanloop.eval._report import Reporter, default_reporter
from spanloop.eval._result import EvalResultWithSummary, ExperimentSummary
from spanloop.eval._run import Progress, Run, Skip, run_trials

NOT_RUN = ExperimentSummary("", "", {}, {}, text="collected by `spanloop eval`, which runs it")


def Eval(
    name: str,
    data: Data,
    task: Callable[..., Any],
    scores: Sequence[Any] = (),
    *,
    experiment_name: str | None = None,
    trial_count: int = 1,
    metadata: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    description: str | None = None,
    max_concurrency: int | None = None,
    timeout: float | None = None,
    update: bool = False,
    reporter: Reporter | str | None = None,
    base_experiment_name: str | None = None,
    base_experiment_id: str | None = None,
    git_metadata_settings: Mapping[str, Any] | None = None,
    repo_info: Mapping[str, Any] | None = None,
    error_score_handler: Callable[..., Any] | None = None,
    summarize_scores: bool = True,
    no_send_logs: bool = False,
    parameters: Mapping[str, Any] | None = None,
    max_results: int | None = None,
    on_start: Callable[[Any], None] | None = None,
    stream: Callable[[Any], None] | None = None,
) -> Any:
    """Tries `task` on every case of `data`, scores what comes out, and returns an EvalResultWithSummary.

    `name` is the project. `data` is a list, a generator, a dataset, `BaseExperiment()`, or a function that returns
    one; each case has an `input` and may have `expected`, `metadata`, `tags`. `task` takes the input, and hooks if it
    has a second argument; it may be async. Scorers take any of input, output, expected, metadata. One that raises is
    that trial's error and nobody else's.

    With a collector the results are an experiment, compared with the one before; without one they are summed up here.
    Where an event loop runs already, as in a notebook, this returns a task to await. A file that `spanloop eval`
    loads only says what to run.

        Eval("support", data=init_dataset("support", "golden"), task=answer, scores=[Factuality])
    """
    evaluator = Evaluator(
        project_name=name,
        data=data,
        task=task,
        scores=list(scores),
        experiment_name=experiment_name,
        trial_count=trial_count,
        metadata=dict(metadata or {}),
        tags=list(tags),
        description=description,
        max_concurrency=max_concurrency,
        timeout=timeout,
        update=update,
        reporter=reporter,
        base_experiment_name=base_experiment_name,
        base_experiment_id=base_experiment_id,
        git_metadata_settings=git_metadata_settings,
        repo_info=repo_info,
        error_score_handler=error_score_handler,
        summarize_scores=summarize_scores,
        no_send_logs=no_send_logs,
        parameters=dict(parameters or {}),
        max_results=max_results,
        on_start=on_start,
        stream=stream,
    )
    registry = _registry.loading()
    if registry is not None:
        registry.evaluators.append(evaluator)
        return EvalResultWithSummary(NOT_RUN, [])
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run_and_report(evaluator))
    return loop.create_task(run_and_report(evaluator))


async def EvalAsync(name: str, data: Data, task: Callable[..., Any], scores: Sequence[Any] = (), **options: Any) -> Any:
    """`Eval` for code that runs in an event loop, with the same arguments.

    result = await EvalAsync("support", data=cases, task=answer, scores=[exact])
    """
    result = Eval(name, data, task, scores, **options)
    return await result if isinstance(result, asyncio.Task) else result


async def run_and_report(evaluator: Evaluator, *, verbose: bool = False) -> EvalResultWithSummary:
    """Runs one eval outside of `spanloop eval`, with its reporter or the terminal."""
    from spanloop.eval._progress import bars

    reporter = choose_reporter(evaluator)
    with bars() as show:
        result = await run_evaluator(evaluator, progress=show(evaluator.eval_name))
    reporter.report_run([reporter.report_eval(evaluator, result, verbose, False)], verbose, False)
    return result


def choose_reporter(evaluator: Evaluator) -> Reporter:
    """The eval's own reporter, by itself or by name; else the terminal."""
    given = evaluator.reporter
    if isinstance(given, Reporter):
        return given
    if given is None:
        return default_reporter()
    found = _registry.find_reporter(given)
    if found is None:
        raise ValueError(f"reporter={given!r}: there is no Reporter of that name; define one in the same file")
    return found


async def run_evaluator(evaluator: Evaluator, *, progress: Progress | None = None) -> EvalResultWithSummary:
    """Runs one eval and sums it up; reports nothing."""
    data = await resolve_data(evaluator.data)
    experiment = await asyncio.to_thread(open_experiment, evaluator, data)
    data = await asyncio.to_thread(prepare_data, data, evaluator, experiment)
    recording = experiment.recording if experiment is not None else Recording()
    if evaluator.on_start is not None:
        evaluator.on_start(experiment)
    skip = await asyncio.to_thread(recorded_already, experiment) if evaluator.update and experiment else None
    run = await run_trials(evaluator, data, recording, progress=progress, skip=skip)
    return await finish_run(evaluator, experiment, run, not_recorded=recording.lost)


async def finish_run(
    evaluator: Evaluator, experiment: Experiment | None, run: Run, *, not_recorded: Callable[[], int] | int
) -> EvalResultWithSummary:
    """The result, once every row has left."""
    if experiment is None:
        summary = run.tally.summary(evaluator.project_name, evaluator.experiment_name or "")
    else:
        summary = await _finish(evaluator, experiment, run)
    return EvalResultWithSummary(
        summary,
        run.results,
        failures=run.failures,
        trial_total=run.total,
        failed_total=run.tally.failed,
        is_complete=run.is_complete,
        not_run=run.not_run,
        not_recorded=not_recorded if isinstance(not_recorded, int) else not_recorded(),
    )


def prepare_data(data: Any, evaluator: Evaluator, experiment: Experiment | None) -> Any:
    """The data, with the rows of an earlier experiment in the place of BaseExperiment()."""
    return _cases_of_base(data, evaluator, experiment) if isinstance(data, BaseExperiment) else data


def open_experiment(evaluator: Evaluator, data: Any) -> Experiment | None:
    """The experiment to record in; None, with a warning, where no collector answers."""
    if evaluator.no_send_logs or not _has_cases(evaluator, data):
        return None
    client = ApiClient()
    climbed_from = data.name if isinstance(data, BaseExperiment) else None
    wanted = {
        "name": evaluator.experiment_name,
        "description": evaluator.description,
        "metadata": dict(evaluator.metadata),
        "tags": list(evaluator.tags),
        "base": evaluator.base_experiment_id or evaluator.base_experiment_name or climbed_from,
        "update": evaluator.update,
        "repo_info": dict(evaluator.repo_info)
        if evaluator.repo_info is not None
        else read_repo_info(evaluator.git_metadata_settings),
        **dataset_fields(data),
    }
    try:
        experiment = create_experiment(client, evaluator.project_name or default_project(), wanted)
    except ApiError as error:
        if not is_away(error):
            raise
        log.warning("%s. The eval runs without being recorded", error)
        return None
    if not experiment.recording.is_on:
        log.warning("spanloop is switched off (SPANLOOP_ENABLED); the eval runs without being recorded")
        return None
    return experiment


def _has_cases(evaluator: Evaluator, data: Any) -> bool:
    """Whether the filters leave any case; of what can be read but once that shows only as it is read."""
    can_be_read_again = isinstance(data, Iterable) and not isinstance(data, Iterator)
    if not evaluator.filters or not can_be_read_again:
        return True
    return any(evaluator.wants(as_case(item, position)) for position, item in enumerate(data))


def _cases_of_base(data: BaseExperiment, evaluator: Evaluator, experiment: Experiment | None) -> Any:
    """Rows of the experiment to climb from."""
    if experiment is None:
        raise RuntimeError("data=BaseExperiment() needs a collector that has experiments, and none answers")
    if data.name is not None:
        return ReadonlyExperiment(ApiClient(), experiment.project, data.name).as_dataset()
    base = experiment.fetch_base_experiment(evaluator.base_experiment_id or evaluator.base_experiment_name)
    if base is None:
        raise RuntimeError(
            f"data=BaseExperiment(): project {experiment.project!r} has no earlier experiment to start from; name one "
            "with BaseExperiment('…')"
        )
    return base.as_dataset()


def recorded_already(experiment: Experiment) -> Skip:
    """Says of which trials there are rows, for an eval that goes on where it was interrupted."""
    left = Experiments(ApiClient()).recorded_inputs(experiment.id, experiment.project)

    def skip(case: EvalCase, trial_index: int) -> bool:
        text = to_json(case.input)
        if left.get(text, 0) <= 0:
            return False
        left[text] -= 1
        return True

    return skip


async def _finish(evaluator: Evaluator, experiment: Experiment, run: Run) -> ExperimentSummary:
    """The experiment's summary; it is finished unless the run was cut short and may be continued."""
    if not await asyncio.to_thread(_runtime.flush, FLUSH_SECONDS):
        log.warning("not every row of %r has reached the collector; its summary lacks them", experiment.name)

    def compare() -> dict[str, Any] | None:
        base = evaluator.base_experiment_id or evaluator.base_experiment_name or ""
        if not evaluator.summarize_scores:
            return None
        return Experiments(ApiClient()).compare(experiment.project, experiment.id, base=base)

    def finish() -> None:
        if not run.is_interrupted:
            experiment.finish()

    try:
        # Side by side: each waits in the collector until the last rows are stored.
        answer, _ = await asyncio.gather(asyncio.to_thread(compare), asyncio.to_thread(finish))
    except ApiError as error:
        if not is_away(error):
            raise
        log.warning("%s. The summary is this run's own, without a comparison", error)
        answer = None
    return summary_of(answer, experiment.project) if answer else run.tally.summary(experiment.project, experiment.name)
