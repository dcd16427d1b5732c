"""Table of contents of the command line: one file per command."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from spanloop_collector.cli.alerts import alerts
from spanloop_collector.cli.attachments import attachments
from spanloop_collector.cli.check_config import check_config
from spanloop_collector.cli.datasets import datasets
from spanloop_collector.cli.dead_letters import dead_letters
from spanloop_collector.cli.demo import demo
from spanloop_collector.cli.doctor import doctor
from spanloop_collector.cli.eval import run_evals
from spanloop_collector.cli.experiments import experiments
from spanloop_collector.cli.keys import keys
from spanloop_collector.cli.promote import lineage, promote
from spanloop_collector.cli.review import review
from spanloop_collector.cli.rules import rules
from spanloop_collector.cli.score import score
from spanloop_collector.cli.serve import serve
from spanloop_collector.cli.sql import sql
from spanloop_collector.cli.tail import tail
from spanloop_collector.cli.variants import variants

app = typer.Typer(
    name="spanloop",
    help="Traces and logs of LLM applications, from production to evals: SQL over ClickHouse.",
    epilog="Start with `spanloop demo`. Settings may also come from SPANLOOP_… variables or a file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"spanloop {version('spanloop')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    pass


app.command(rich_help_panel="Run")(serve)
app.command(rich_help_panel="Run")(demo)
app.command(rich_help_panel="Run")(score)
app.command("eval", rich_help_panel="Improve")(run_evals)
app.add_typer(experiments, name="experiments", rich_help_panel="Improve")
app.command("check-config", rich_help_panel="Run")(check_config)
app.command(rich_help_panel="Look")(sql)
app.command(rich_help_panel="Look")(tail)
app.command(rich_help_panel="Look")(doctor)
app.add_typer(rules, name="rules", rich_help_panel="Improve")
app.command(rich_help_panel="Improve")(promote)
app.command(rich_help_panel="Improve")(lineage)
app.add_typer(datasets, name="datasets", rich_help_panel="Improve")
app.add_typer(review, name="review", rich_help_panel="Improve")
app.add_typer(alerts, name="alerts", rich_help_panel="Improve")
app.add_typer(variants, name="variants", rich_help_panel="Improve")
app.add_typer(keys, name="keys", rich_help_panel="Manage")
app.add_typer(dead_letters, name="dead-letters", rich_help_panel="Manage")
app.add_typer(attachments, name="attachments", rich_help_panel="Manage")
