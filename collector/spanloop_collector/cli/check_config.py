"""`spanloop check-config`: every setting, its value and where it came from."""

from __future__ import annotations

from rich import box
from rich.table import Table

from spanloop_collector.cli.options import with_settings
from spanloop_collector.cli.output import console
from spanloop_collector.configuration import Configuration


@with_settings
def check_config(configuration: Configuration) -> None:
    """Show every setting with its value and origin, secrets masked.

    Takes the same options as `serve`, reads the same environment and file, and fails where `serve` would.
    """
    table = Table("setting", "value", "origin", "variable", box=box.SIMPLE, pad_edge=False)
    for value in configuration.values:
        style = "dim" if value.origin == "default" else None
        table.add_row(value.field.key, value.shown, value.origin, value.field.variable, style=style)
    console().print(table)
