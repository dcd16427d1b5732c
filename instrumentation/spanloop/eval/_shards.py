"""One eval over several processes, or over a Ray cluster: each takes a part of the cases, all record in one experiment.

Each worker loads the same file, so nothing of the eval has to be sent: only which file, which eval, which part, and
the experiment. The experiment is finished, and summed up, by whoever shared it out.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
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
from spanloop.eval._run import Run, run_trials

INSTALL_LINE = 'pip install "spanloop[ray]"'


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


def run_part(part: Part) -> tuple[Run, int]:
    """What a worker made of its cases, without the results themselves, and how many rows did not arrive."""
    registry = load_files([Path(path) for path in part.paths])
    evaluator = chosen(registry, [parse_filter(text) for text in part.filters])[part.number]
    return asyncio.run(_run_part(part, evaluator))


async def _run_part(part: Part, evaluator: Evaluator) -> tuple[Run, int]:
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
) -> EvalResultWithSummary:
    """Shares the eval out and sums it up."""
    share: Callable[[Sequence[Part]], list[tuple[Run, int]]] = _on_ray if on_ray else _in_processes
    shards = _ray_cpus() if on_ray else workers
    data = await resolve_data(evaluator.data)
    experiment = await asyncio.to_thread(open_experiment, evaluator, data)
    parts = [
        Part(
            [str(path.resolve()) for path in paths],
            number,
            list(filters),
            dict(experiment.found) if experiment is not None else None,
            shard,
            shards,
            evaluator.update,
        )
        for shard in range(shards)
    ]
    answers = await asyncio.to_thread(share, parts)
    run = Run(is_complete=False)
    for each, _ in answers:
        run.merge(each)
    lost = sum(lost for _, lost in answers)
    return await finish_run(evaluator, experiment, run, not_recorded=lost)


def _in_processes(parts: Sequence[Part]) -> list[tuple[Run, int]]:
    # Forking a process with threads of gRPC in it is asking for a deadlock.
    with ProcessPoolExecutor(len(parts), mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(run_part, parts))


def _on_ray(parts: Sequence[Part]) -> list[tuple[Run, int]]:
    ray = _ray()
    task = ray.remote(run_part)
    made: list[tuple[Run, int]] = ray.get([task.remote(part) for part in parts])
    return made


def _ray_cpus() -> int:
    return max(1, int(_ray().cluster_resources().get("CPU", 1)))


def _ray() -> Any:
    try:
        import ray  # type: ignore[import-not-found,unused-ignore]  # an optional extra
    except ModuleNotFoundError:
        raise RuntimeError(f"--ray needs Ray; run: {INSTALL_LINE}") from None
    if not ray.is_initialized():
        ray.init(ignore_reinit_error=True, log_to_driver=False)
    return ray
