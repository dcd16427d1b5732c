"""Runs the `spanloop` command in this process, which takes a second less: for journeys of many commands."""

from __future__ import annotations

from dataclasses import dataclass

from spanloop_collector.cli.app import command_line
from typer.testing import CliRunner

from tests.support.collector_process import CollectorProcess


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    stdout: str
    stderr: str
    error: str
    """What it raised; `spanloop` prints it and ends with an exit code. Empty when all went well."""


def ask_here(collector: CollectorProcess, *arguments: str, **environment: str) -> Done:
    """The finished command, pointed at this collector."""
    variables = {"SPANLOOP_API_URL": collector.api_url, "COLUMNS": "200", **environment}
    result = CliRunner().invoke(command_line(arguments[0]), arguments, env=variables)
    error = "" if result.exception is None else str(result.exception) or type(result.exception).__name__
    return Done(result.stdout, result.stderr, error)
