"""One eval over several processes, or over a Ray cluster: each takes a part of the cases, all record in one experiment.

Each worker loads the same file, so nothing of the eval has to be sent: only which file, which eval, which part, and
the experiment. To Ray's machines goes a copy of the folder that one is in, and the settings of the environment. The
experiment is finished, and summed up, by whoever shared it out.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloop import _runtime
from spanloop._api import ApiClient
from spanloop.eval._case import resolve_data
from spanloop.eval._eval import finish_run, open_experiment, prepare_data, recorded_already
from spanloop.eval._evaluator import Evaluator
from spanloop.eval._experiment import FLUSH_SECONDS, Experiment
from spanloop.eval._files import chosen, load_files, parse_filter
from spanloop.eval._recording import Recording
from spanloop.eval._result import EvalResultWithSummary
from spanloop.eval._run import Progress, Run, run_trials

INSTALL_LINE = 'pip install "spanloop[ray]"'

Answer = tuple[Run, int]
"""What a worker made of its cases, without the results themselves, and how many rows did not arrive."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one worker does."""

    paths: Sequence[str]
    number: int
    """Of the eval among those of the files."""
    filters: Sequence[str]
    experiment: dict[str, Any] | None
    """As the collector knows it; None records nothing."""
    shard: int
    shards: int
    skips_recorded: bool


def run_part(part: Part) -> Answer:
    """Tries the worker's cases."""
    registry = load_files([Path(path) for path in part.paths])
    evaluator = chosen(registry, [parse_filter(text) for text in part.filters])[part.number]
    return asyncio.run(_run_part(part, evaluator))


async def _run_part(part: Part, evaluator: Evaluator) -> Answer:
    data = await resolve_data(evaluator.data)
    experiment = None
    if part.experiment is not None:
        if _runtime.active() is None:
            _runtime.init(part.experiment["project"])
        experiment = Experiment(ApiClient(), part.experiment)
    data = prepare_data(data, evaluator, experiment)
    skip = recorded_already(experiment) if part.skips_recorded and experiment is not None else None
    recording = experiment.recording if experiment is not None else Recording()
    evaluator.max_results = evaluator.max_results or 0
    run = await run_trials(evaluator, data, recording, skip=skip, shard=(part.shard, part.shards))
    _runtime.flush(FLUSH_SECONDS)
    return run, recording.lost()


async def run_sharded(
    evaluator: Evaluator,
    number: int,
    paths: Sequence[Path],
    *,
    filters: Sequence[str],
    workers: int,
    on_ray: bool,
    progress: Progress | None = None,
) -> EvalResultWithSummary:
    """Shares the eval out and sums it up."""
    shards = await asyncio.to_thread(_ray_cpus) if on_ray and workers == 1 else workers
    data = await resolve_data(evaluator.data)
    experiment = await asyncio.to_thread(open_experiment, evaluator, data)
    parts = [
        Part(
            [_shared_path(path) if on_ray else str(path.resolve()) for path in paths],
            number,
            list(filters),
            dict(experiment.found) if experiment is not None else None,
            shard,
            shards,
            evaluator.update,
        )
        for shard in range(shards)
    ]
    answers = _on_ray(parts) if on_ray else _in_processes(parts)
    run, lost = await asyncio.to_thread(_add_up, answers, progress)
    return await finish_run(evaluator, experiment, run, not_recorded=lost)


def _add_up(answers: Iterator[Answer], progress: Progress | None) -> tuple[Run, int]:
    whole, all_lost = Run(is_complete=False), 0
    for run, lost in answers:
        whole.merge(run)
        all_lost += lost
        if progress is not None:
            progress(whole, None)
    return whole, all_lost


def _in_processes(parts: Sequence[Part]) -> Iterator[Answer]:
    # Forking a process with threads of gRPC in it is asking for a deadlock.
    with ProcessPoolExecutor(len(parts), mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(run_part, part) for part in parts]):
            yield done.result()


def _on_ray(parts: Sequence[Part]) -> Iterator[Answer]:
    ray = _ray()
    # A worker that is lost is not started again: what it had recorded would be there twice. --resume goes on.
    task = ray.remote(max_retries=0)(run_part)
    waiting = [task.remote(part) for part in parts]
    while waiting:
        done, waiting = ray.wait(waiting)
        yield from ray.get(done)


def _ray_cpus() -> int:
    return max(1, int(_ray().cluster_resources().get("CPU", 1)))


def _ray() -> Any:
    """Ray, connected to this machine's cluster, or to one that it starts here."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # type: ignore[import-not-found,unused-ignore]  # an optional extra
    except ModuleNotFoundError:
        raise RuntimeError(f"--ray needs Ray; run: {INSTALL_LINE}") from None
    if not ray.is_initialized():
        settings = {name: value for name, value in os.environ.items() if name.startswith("SPANLOOP_")}
        ray.init(
            runtime_env={"working_dir": ".", "env_vars": settings},
            log_to_driver=False,
            logging_level=logging.ERROR,
            ignore_reinit_error=True,  # evals of one file start side by side
        )
    return ray


def _shared_path(path: Path) -> str:
    """The path as it is in a worker, which runs in a copy of the folder that one is in."""
    whole = path.resolve()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(whole)
