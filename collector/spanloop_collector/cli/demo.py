"""`spanloop demo`: the whole journey in half a minute, on this machine alone."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.syntax import Syntax

from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.tables import print_table, split_lines
from spanloop_collector.client import ApiClient
from spanloop_collector.demo.processes import DemoFailed, Processes
from spanloop_collector.demo.questions import QUESTIONS, Question
from spanloop_collector.listening import Listening

VISIBLE_SECONDS = 20.0
POLL_SECONDS = 0.1
# A model that the collector meets for the first time gets its price a moment after its spans.
PRICED = "SELECT 1 FROM logs WHERE type = 'llm' HAVING count() > 0 AND countIf(model != '' AND cost = 0) = 0"
TABLE_FORMAT = "JSONCompactStringsEachRowWithNamesAndTypes"


def demo(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Keep the data here; without it a folder that is removed at the end.",
            envvar="SPANLOOP_DEMO_DATA_DIR",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave the collector running until Ctrl-C.", envvar="SPANLOOP_DEMO_KEEP"),
    ] = False,
) -> None:
    """See a traced application's model calls arrive in ClickHouse, and ask about them in SQL.

    Starts a collector with an embedded ClickHouse and a stand-in of a model provider, runs a sample application
    that answers eight customers, prints questions and answers, and cleans up. Nothing leaves this machine.
    """
    # A plain kill ends the children, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="spanloop-demo-") as scratch, Processes(Path(scratch)) as processes:
        directory = (data_dir or Path(scratch) / "data").expanduser()
        listening = run_application(processes, directory)
        client = ApiClient(f"http://{listening.api_address}")
        for question in QUESTIONS:
            print_answer(client, question)
        print_next_steps(listening, data_dir=data_dir, is_kept=keep)
        if keep:
            signal.pause()


def run_application(processes: Processes, data_dir: Path) -> Listening:
    """Starts everything, runs the application and returns when its rows can be queried."""
    with step("starting a collector with an embedded ClickHouse"):
        listening = processes.start_collector(data_dir)
        provider_url = processes.start_provider()
    with step("running an application that asks a model to answer eight customers"):
        processes.run_application(listening, provider_url)
    with step("waiting until its spans can be queried"):
        wait_until_visible(ApiClient(f"http://{listening.api_address}"))
    return listening


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Says what takes the time, and how long it took."""
    started = time.monotonic()
    with notes().status(doing):
        yield
    console().print(f"[green]✓[/] {doing} [dim]{time.monotonic() - started:.1f} s[/]")


def wait_until_visible(client: ApiClient) -> None:
    """Returns when everything that the collector acknowledged can be queried, with its cost."""
    deadline = time.monotonic() + VISIBLE_SECONDS
    while not (is_everything_written(client) and client.sql_rows(PRICED)):
        if time.monotonic() > deadline:
            raise DemoFailed(f"the application's rows were not there after {VISIBLE_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def is_everything_written(client: ApiClient) -> bool:
    """Nothing waits in the spools."""
    return not any(spool["bytes"] for spool in client.get("/v1/status")["spools"])


def print_answer(client: ApiClient, question: Question) -> None:
    """The question in words and in SQL, and its answer."""
    out = console()
    out.print(f"\n[bold]{question.title}[/]\n")
    out.print(Syntax(question.sql.strip(), "sql", theme="ansi_dark", background_color="default"))
    with client.sql(question.sql, format=TABLE_FORMAT) as result:
        print_table(split_lines(result.pieces), max_rows=20)


def print_next_steps(listening: Listening, *, data_dir: Path | None, is_kept: bool) -> None:
    """How to go on from here."""
    at = f" --api-url http://{listening.api_address}" if is_kept else ""
    serve = f"spanloop serve --data-dir {data_dir}" if data_dir else "spanloop serve"
    print("\nWhere to go next\n")
    if not is_kept:
        print(f"  {serve}\n      runs a collector that stays")
    print(f"  spanloop tail{at}\n      shows rows as they arrive")
    print(f'  spanloop sql{at} "SELECT * FROM traces"\n      answers questions')
    print("\nYour own application needs two lines, spanloop.init(project=...) and @spanloop.traced.")
    print("One that speaks OpenTelemetry already needs a variable and no code:")
    endpoint = f"http://{listening.grpc_address}" if is_kept else "http://127.0.0.1:4317"
    print(f"  OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}")
    if is_kept:
        print("\nThe collector runs until Ctrl-C.", flush=True)
