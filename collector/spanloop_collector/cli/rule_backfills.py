"""`spanloop rules backfill`: past rows put through a rule, with progress."""

from __future__ import annotations

import time
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.rule_options import PATH, Name, Project
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient, ApiError

PROGRESS_SECONDS = 1.0


def backfill(
    name: Name,
    since: Annotated[
        str, typer.Option(help="Time or Unix seconds; empty: from the oldest row.", envvar="SPANLOOP_RULES_SINCE")
    ] = "",
    until: Annotated[str, typer.Option(help="The same; empty: until now.", envvar="SPANLOOP_RULES_UNTIL")] = "",
    where: Annotated[
        str, typer.Option(help="Only rows for which this SQL condition holds.", envvar="SPANLOOP_RULES_WHERE")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Every row that matches, not only the sample.", envvar="SPANLOOP_RULES_ALL")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also rows that were scored already.", envvar="SPANLOOP_RULES_AGAIN")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only rows where the rule failed.", envvar="SPANLOOP_RULES_FAILED")
    ] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Show the progress until it is done.", envvar="SPANLOOP_RULES_WAIT"),
    ] = True,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Put past rows through a rule, enabled or not: a window, chosen rows, or those that failed.

    It goes on by itself after Ctrl-C, and where it was after a crash.

    Example: spanloop rules backfill polite --since 2026-11-01 --where "metadata['plan'] = 'pro'"
    """
    client = ApiClient(api_url, key=api_key)
    request = {
        "project": project,
        "since": since,
        "until": until,
        "filter": where,
        "all": every,
        "again": again,
        "failed": failed,
    }
    started = client.post(f"{PATH}/{quote(name, safe='')}/backfills", request)
    print(f"backfill {started['id']}")
    if wait:
        print(_progress(_follow(client, started)))


def backfills(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List backfills with their progress."""
    found = ApiClient(api_url, key=api_key).get("/v1/backfills", project=project)["backfills"]
    columns = ("id", "rule", "state", "since", "until", "matched", "queued", "done", "error")
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for each in found:
        shown = each | {"state": _state(each)}
        table.add_row(*(show_cell(str(shown[column])) for column in columns))
    console().print(table if found else "No backfills yet.")


def stop_backfill(
    id: Annotated[str, typer.Argument(help="Id of the backfill.")],
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Queue no more rows of a backfill; those that are queued are scored."""
    print(_progress(ApiClient(api_url, key=api_key).post(f"/v1/backfills/{id}/stop", {"project": project})))


def _follow(client: ApiClient, started: dict[str, Any]) -> dict[str, Any]:
    """The backfill at its end; shows how far it is, and waits for a collector that is away."""
    told = ""
    while True:
        try:
            found = _now(client, started)
            text = _progress(found)
            if _is_over(found):
                return found
        except ApiError as error:
            if error.status:
                raise
            text = "the collector does not answer; the backfill goes on when it is back"
        if text != told:
            notes().print(told := text)
        time.sleep(PROGRESS_SECONDS)


def _now(client: ApiClient, started: dict[str, Any]) -> dict[str, Any]:
    """The backfill as it is now."""
    found = client.get("/v1/backfills", project=started["project"], rule=started["rule"])["backfills"]
    return next(each for each in found if each["id"] == started["id"])


def _is_over(backfill: dict[str, Any]) -> bool:
    is_queued = backfill["state"] != "running"
    return is_queued and bool(backfill["done"] >= backfill["queued"] or backfill["state"] == "failed")


def _state(backfill: dict[str, Any]) -> str:
    return "done" if backfill["state"] == "queued" and _is_over(backfill) else str(backfill["state"])


def _progress(backfill: dict[str, Any]) -> str:
    text = f"{_state(backfill)}: matched {backfill['matched']}, queued {backfill['queued']}, done {backfill['done']}"
    return f"{text}: {backfill['error']}" if backfill["error"] else text
