"""`spanloop score`: a worker that scores what rules have queued."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.serve import LOG_FORMAT, LogLevel

NICENESS = 5

Modules = Annotated[
    list[str] | None,
    typer.Option(
        "--module",
        help="Module or file with scorers of your own, which rules name as `module:function`; repeat for several.",
        envvar="SPANLOOP_SCORE_MODULE",
        show_default=False,
    ),
]


def score(
    module: Modules = None,
    max_tasks: Annotated[
        int, typer.Option(help="Rows in memory at once.", envvar="SPANLOOP_SCORE_MAX_TASKS", min=1, max=10_000)
    ] = 4000,
    name: Annotated[
        str,
        typer.Option(
            help="A name that no other worker has; empty: made of host and process.", envvar="SPANLOOP_SCORE_NAME"
        ),
    ] = "",
    until_input_ends: Annotated[
        bool,
        typer.Option(
            "--until-input-ends",
            help="Stop when standard input ends, as it does with the process that started this one.",
            envvar="SPANLOOP_SCORE_UNTIL_INPUT_ENDS",
        ),
    ] = False,
    log_level: Annotated[
        LogLevel, typer.Option(help="Least important log lines to write.", envvar="SPANLOOP_SCORE_LOG_LEVEL")
    ] = LogLevel.INFO,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Run a scorer worker; `spanloop serve` starts one by itself.

    Any number of workers, on any machines, share the rows without scoring one twice. Each scorer runs in processes
    of its own, with limits on time and memory. Ctrl-C or SIGTERM stops after what is under way.

    Example: spanloop score --module my_scorers.py
    """
    logging.basicConfig(level=log_level.value.upper(), format=LOG_FORMAT)
    # Imported late: `spanloop --help` need not load what a worker needs.
    from spanloop_collector.score.work.worker import Worker, WorkerOptions

    if until_input_ends:
        # Beside a collector: what comes in comes first.
        os.nice(NICENESS)
    options = WorkerOptions(api_url=api_url, api_key=api_key, modules=module or [], max_tasks=max_tasks, name=name)

    async def work() -> None:
        await work_until_stopped(Worker(options).run, until_input_ends=until_input_ends)

    asyncio.run(work())


async def work_until_stopped(run: Callable[[asyncio.Event], Awaitable[None]], *, until_input_ends: bool) -> None:
    """Runs until SIGTERM, SIGINT, or the end of standard input where that is asked for."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def stop_at_end() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.set()

    if until_input_ends:
        loop.add_reader(0, stop_at_end)
    await run(stop)
