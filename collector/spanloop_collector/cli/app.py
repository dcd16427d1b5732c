"""Table of contents of the command line: one file per command."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

# By heading of the help: each command, and the file and name of the function, or `typer.Typer`, that it is.
COMMANDS = {
    "Run": {
        "serve": "serve:serve",
        "demo": "demo:demo",
        "score": "score:score",
        "check-config": "check_config:check_config",
    },
    "Improve": {
        "eval": "eval:run_evals",
        "promote": "promote:promote",
        "lineage": "promote:lineage",
        "experiments": "experiments:experiments",
        "rules": "rules:rules",
        "datasets": "datasets:datasets",
        "review": "review:review",
        "alerts": "alerts:alerts",
        "variants": "variants:variants",
    },
    "Look": {
        "sql": "sql:sql",
        "tail": "tail:tail",
        "doctor": "doctor:doctor",
    },
    "Manage": {
        "keys": "keys:keys",
        "dead-letters": "dead_letters:dead_letters",
        "attachments": "attachments:attachments",
    },
}


def command_line(asked: str = "") -> typer.Typer:
    """Every command, or only the one that is asked for by its name: that starts in half of the time."""
    app = typer.Typer(
        name="spanloop",
        help="Traces and logs of LLM applications, from production to evals: SQL over ClickHouse.",
        epilog="Start with `spanloop demo`. Settings may also come from SPANLOOP_… variables or a file.",
        callback=_root,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    is_known = any(asked in commands for commands in COMMANDS.values())
    for panel, commands in COMMANDS.items():
        for name, place in commands.items():
            if name == asked or not is_known:
                _add(app, name, place, panel)
    return app


def _add(app: typer.Typer, name: str, place: str, panel: str) -> None:
    module, _, attribute = place.partition(":")
    command = getattr(import_module(f"spanloop_collector.cli.{module}"), attribute)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, rich_help_panel=panel)
    else:
        app.command(name, rich_help_panel=panel)(command)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        # Takes longer to import than most of what is above.
        from importlib.metadata import version

        print(f"spanloop {version('spanloop')}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    pass
