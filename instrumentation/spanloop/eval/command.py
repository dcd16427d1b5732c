"""`spanloop eval FILES…`, also as `python -m spanloop.eval FILES…` where only the SDK is installed."""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloop import _runtime
from spanloop._api import ApiClient, ApiError, default_project
from spanloop.eval._eval import choose_reporter, run_evaluator
from spanloop.eval._evaluator import Evaluator
from spanloop.eval._files import EvalFileError, chosen, find_files, load_files, parse_filter
from spanloop.eval._progress import bars
from spanloop.eval._registry import Registry
from spanloop.eval._remote import Experiments
from spanloop.eval._report import Reporter, default_reporter
from spanloop.eval._result import EvalResultWithSummary
from spanloop.eval._run import Progress

WATCH_SECONDS = 0.3
PASSED, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    files: Sequence[str] = ()
    filters: Sequence[str] = ()
    jsonl: bool = False
    verbose: bool = False
    watch: bool = False
    list: bool = False
    resume: bool = False
    no_send_logs: bool = False
    no_progress: bool = False
    workers: int = 1
    ray: bool = False


@dataclass(slots=True)
class Finished:
    """An eval that ran, or could not."""

    evaluator: Evaluator
    result: EvalResultWithSummary | None = None
    error: BaseException | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 passed, 1 something failed, 2 used wrongly, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="spanloop eval", description="Run the evals that files define.")
    parser.add_argument("files", nargs="+", help="files, or folders with eval_*.py, *_eval.py")
    parser.add_argument("--filter", action="append", default=[], help="only cases where path=pattern; repeatable")
    for name, text in FLAGS.items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    parser.add_argument("--workers", type=int, default=1, help="processes that share each eval's cases")
    given = parser.parse_args(arguments)
    flags = {name.replace("-", "_"): getattr(given, name.replace("-", "_")) for name in FLAGS}
    return run(Options(given.files, given.filter, workers=given.workers, **flags))


FLAGS = {
    "jsonl": "one line of JSON per eval",
    "verbose": "a hundred tracebacks, not only the first",
    "watch": "run again whenever a file changes",
    "list": "say what would run, and stop",
    "resume": "go on with the last unfinished experiment of each eval",
    "no-send-logs": "record nothing",
    "no-progress": "no progress lines",
    "ray": "share each eval's cases over the Ray cluster this machine belongs to",
}


def run(options: Options) -> int:
    """Runs what the options say."""
    try:
        if options.watch:
            return watch(options)
        return run_once(options)
    except EvalFileError as error:
        print(f"spanloop eval: {error}", file=sys.stderr)
        return MISUSED
    except ApiError as error:
        print(f"spanloop eval: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        kept = "" if options.no_send_logs else "; what ran is recorded: continue with --resume"
        print(f"\ninterrupted{kept}", file=sys.stderr)
        return INTERRUPTED


def run_once(options: Options) -> int:
    """One run of every eval."""
    filters = [parse_filter(text) for text in options.filters]
    paths = find_files(options.files)
    registry = load_files(paths)
    evaluators = chosen(registry, filters)
    if options.list:
        for evaluator in evaluators:
            print(evaluator.eval_name)
        return PASSED
    if not evaluators:
        raise EvalFileError(f"{', '.join(map(str, paths))}: no call of Eval(...) at the top level")
    for evaluator in evaluators:
        evaluator.no_send_logs = evaluator.no_send_logs or options.no_send_logs
    if options.resume:
        _continue(evaluators)
    finished = asyncio.run(run_all(evaluators, options, paths))
    has_passed = report(finished, registry, options)
    if not any(each.error or each.evaluator.update or (each.result and each.result.trial_total) for each in finished):
        # A missing case is not a passing case.
        print(f"\nno case was tried{' that matches --filter' if filters else '; data is empty'}", file=sys.stderr)
        has_passed = False
    _runtime.flush()
    return PASSED if has_passed else FAILED


async def run_all(evaluators: Sequence[Evaluator], options: Options, paths: Sequence[Path]) -> list[Finished]:
    """All evals side by side; one that cannot run does not stop the others."""
    with bars(is_shown=False if options.no_progress or options.jsonl else None) as show:
        runs = [
            _run_one(number, evaluator, options, paths, show(evaluator.eval_name))
            for number, evaluator in enumerate(evaluators)
        ]
        return list(await asyncio.gather(*runs))


async def _run_one(
    number: int, evaluator: Evaluator, options: Options, paths: Sequence[Path], progress: Progress | None
) -> Finished:
    from spanloop.eval._shards import run_sharded

    try:
        if options.ray or options.workers > 1:
            result = await run_sharded(
                evaluator,
                number,
                paths,
                filters=options.filters,
                workers=options.workers,
                on_ray=options.ray,
                progress=progress,
            )
        else:
            result = await run_evaluator(evaluator, progress=progress)
    except Exception as error:
        return Finished(evaluator, error=error)
    return Finished(evaluator, result)


def report(finished: Sequence[Finished], registry: Registry, options: Options) -> bool:
    """Lets reporters speak; True when all are content and every eval ran. One that raises is not content."""
    only = next(iter(registry.reporters.values())) if len(registry.reporters) == 1 else None
    terminal = default_reporter()
    reports: dict[str, list[Any]] = defaultdict(list)
    reporters: dict[str, Reporter] = {}
    verdicts: list[bool] = []
    for each in finished:
        reporter = _reporter(each.evaluator, registry, only) or terminal
        reporters[reporter.name] = reporter
        if each.error is not None:
            _say_error(f"{each.evaluator.eval_name} could not run", each.error)
            verdicts.append(False)
        elif each.result is not None:
            with _hearing(reporter, verdicts):
                said = reporter.report_eval(each.evaluator, each.result, options.verbose, options.jsonl)
                reports[reporter.name].append(said)
    if len(finished) > 1 and not options.jsonl:
        print(f"\n{final_table(finished)}")
    for name, reporter in reporters.items():
        with _hearing(reporter, verdicts):
            verdicts.append(reporter.report_run(reports[name], options.verbose, options.jsonl))
    return all(verdicts)


@contextmanager
def _hearing(reporter: Reporter, verdicts: list[bool]) -> Iterator[None]:
    """Takes a reporter's crash for a verdict, so that the others are heard, too."""
    try:
        yield
    except Exception as error:
        _say_error(f"reporter {reporter.name} failed", error)
        verdicts.append(False)


def _reporter(evaluator: Evaluator, registry: Registry, only: Reporter | None) -> Reporter | None:
    """The eval's own, or the only one of the files; None for the terminal."""
    given = evaluator.reporter
    if isinstance(given, str):
        return registry.reporters.get(given) or choose_reporter(evaluator)
    return given or only


def _say_error(what: str, error: BaseException) -> None:
    print(f"\n{what}:", file=sys.stderr)
    print("".join(traceback.format_exception(error)), file=sys.stderr, end="")


def final_table(finished: Sequence[Finished]) -> str:
    """A line for each eval."""
    rows = [("eval", "experiment", "cases", "failed", "scores")]
    for each in finished:
        if each.result is None:
            rows.append((each.evaluator.eval_name, "could not run", "", "", ""))
            continue
        summary = each.result.summary
        scores = "  ".join(
            f"{name} {score.score * 100:.1f}%" for name, score in summary.scores.items() if score.score is not None
        )
        failed = str(each.result.failed_total)
        rows.append((each.evaluator.eval_name, summary.experiment_name, str(summary.cases), failed, scores))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4])).rstrip()
        for row in rows
    )


def _continue(evaluators: Sequence[Evaluator]) -> None:
    """Points each eval at its last experiment that was not finished, if there is one."""
    names = Counter(evaluator.eval_name for evaluator in evaluators)
    for evaluator in evaluators:
        if names[evaluator.eval_name] > 1:
            raise EvalFileError(
                f"--resume: several evals are called {evaluator.eval_name!r}, so nobody can tell their experiments "
                "apart; give each an experiment_name="
            )
        project, name = evaluator.project_name or default_project(), evaluator.experiment_name or ""
        found = Experiments(ApiClient()).newest(project, name=name)
        unfinished = (each for each in found if not each["finished"] and _is_run_of(each["name"], name))
        if (last := next(unfinished, None)) is not None:
            evaluator.experiment_name, evaluator.update = last["name"], True


def _is_run_of(experiment: str, name: str) -> bool:
    """Whether an experiment has the name an eval gives, or that name made unique."""
    return not name or re.fullmatch(rf"{re.escape(name)}(-\d+)?", experiment) is not None


def watch(options: Options) -> int:
    """Runs again, each time in a process of its own, whenever a Python file beside the evals changes."""
    command = [sys.executable, "-m", "spanloop.eval", *_arguments(options)]
    try:
        while True:
            seen = _stamps(options.files)
            subprocess.run(command, check=False)
            print("\nwaiting for changes; Ctrl-C stops", file=sys.stderr, flush=True)
            while _stamps(options.files) == seen:
                time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        return INTERRUPTED


def _arguments(options: Options) -> list[str]:
    """The command line of one run."""
    flags = [f"--{name}" for name in FLAGS if name != "watch" and getattr(options, name.replace("-", "_"))]
    filters = [f"--filter={text}" for text in options.filters]
    return [*flags, *filters, f"--workers={options.workers}", "--", *options.files]


def _stamps(files: Sequence[str]) -> dict[Path, int]:
    folders = {Path(each) if Path(each).is_dir() else Path(each).resolve().parent for each in files}
    stamps: dict[Path, int] = {}
    for folder in folders:
        for path in folder.rglob("*.py"):
            try:
                stamps[path] = path.stat().st_mtime_ns
            except OSError:  # just removed
                continue
    return stamps
