"""`spanloop doctor`: is everything well, and what to do where it is not."""

from __future__ import annotations

import typer
from rich.text import Text

from spanloop_collector.cli.checks import Finding, State, check_absent_collector, check_collector, check_listeners
from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl, ConfigFile
from spanloop_collector.cli.output import console
from spanloop_collector.client import ApiClient, ApiError
from spanloop_collector.configuration import resolve

MARKS = {State.OK: ("✓", "green"), State.WARNING: ("!", "yellow"), State.FAILED: ("✗", "red")}


def doctor(config: ConfigFile = None, api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Check the collector and say what to do.

    Looks at ports, disk, ClickHouse, the spool's backlog, dead letters and the clock. Where no collector
    answers, it checks what would keep one from starting here; without a good key, what can be seen
    from outside. Exit code 1 when something has failed; warnings leave it 0.
    """
    settings = resolve(config_file=config).settings
    client = ApiClient(api_url, key=api_key)
    try:
        findings = check_collector(client, settings)
    except ApiError as error:
        if error.status:
            refused = Finding("collector", State.FAILED, f"the one at {client.url} does not tell its state: {error}")
            findings = [refused, *check_listeners(client, settings)]
        else:
            absent = Finding(
                "collector", State.FAILED, f"none answers at {client.url}", "start one with `spanloop serve`"
            )
            findings = [absent, *check_absent_collector(settings)]
    for finding in findings:
        print_finding(finding)
    if any(finding.state is State.FAILED for finding in findings):
        raise typer.Exit(1)


def print_finding(finding: Finding) -> None:
    """One line for what was found, one for what to do about it."""
    mark, style = MARKS[finding.state]
    console().print(Text.assemble((f"{mark} ", style), (f"{finding.subject:<12} ", "bold"), finding.text))
    if finding.advice:
        console().print(Text(f"  {'':<12} → {finding.advice}", style=style))
