"""`spanloop eval`: runs the evals that files define."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from spanloop_collector.cli.options import API_PANEL


def run_evals(
    files: Annotated[list[str], typer.Argument(help="Files, or folders with eval_*.py and *_eval.py.")],
    filter: Annotated[
        list[str] | None,
        typer.Option(
            help="Only cases whose value at a path matches, for example metadata.priority='^P0$'; repeatable.",
            envvar="SPANLOOP_EVAL_FILTER",
            show_default=False,
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again whenever a file changes.", envvar="SPANLOOP_EVAL_WATCH")
    ] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One line of JSON per eval.", envvar="SPANLOOP_EVAL_JSONL")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", help="A hundred tracebacks, not only the first of each eval.", envvar="SPANLOOP_EVAL_VERBOSE"
        ),
    ] = False,
    list_evals: Annotated[
        bool, typer.Option("--list", help="Say what would run, and stop.", envvar="SPANLOOP_EVAL_LIST")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the last unfinished experiment of each eval: what is recorded is not run again.",
            envvar="SPANLOOP_EVAL_RESUME",
        ),
    ] = False,
    no_send_logs: Annotated[
        bool, typer.Option("--no-send-logs", help="Record nothing.", envvar="SPANLOOP_EVAL_NO_SEND_LOGS")
    ] = False,
    no_progress: Annotated[
        bool, typer.Option("--no-progress", help="No progress lines.", envvar="SPANLOOP_EVAL_NO_PROGRESS")
    ] = False,
    workers: Annotated[
        int, typer.Option(help="Processes that share each eval's cases.", min=1, envvar="SPANLOOP_EVAL_WORKERS")
    ] = 1,
    ray: Annotated[
        bool,
        typer.Option("--ray", help="Share each eval's cases over a Ray cluster.", envvar="SPANLOOP_EVAL_RAY"),
    ] = False,
    api_url: Annotated[
        str | None,
        typer.Option(
            help="Where the collector's API answers; rows go to SPANLOOP_ENDPOINT.",
            envvar="SPANLOOP_API_URL",
            show_default=False,
            rich_help_panel=API_PANEL,
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(help="API key.", envvar="SPANLOOP_API_KEY", show_default=False, rich_help_panel=API_PANEL),
    ] = None,
) -> None:
    """Run evals and compare each with the one before. Exits with 1 when a trial failed or a reporter says so.

    Example: spanloop eval evals/ --filter metadata.area=billing
    """
    from spanloop.eval.command import Options, run

    # Files read these themselves, and so do the processes that share the work.
    os.environ.update({name: value for name, value in _settings(api_url, api_key).items() if value})
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python FILE` does for the folder one is in
    options = Options(
        files,
        filter or [],
        jsonl=jsonl,
        verbose=verbose,
        watch=watch,
        list=list_evals,
        resume=resume,
        no_send_logs=no_send_logs,
        no_progress=no_progress,
        workers=workers,
        ray=ray,
    )
    raise typer.Exit(run(options))


def _settings(api_url: str | None, api_key: str | None) -> dict[str, str | None]:
    return {"SPANLOOP_API_URL": api_url, "SPANLOOP_API_KEY": api_key}
