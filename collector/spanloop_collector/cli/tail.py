"""`spanloop tail`: rows as they arrive."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from spanloop_collector.cli.live_rows import LiveRows, Row
from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient, ApiError

LOOK_EVERY_SECONDS = 0.5
PREVIEW_CHARACTERS = 80


def tail(
    where: Annotated[
        str,
        typer.Option(
            "--where",
            "-w",
            help="SQL condition on columns of logs, such as: type = 'llm' AND metrics['tokens'] > 1000.",
            envvar="SPANLOOP_TAIL_WHERE",
            show_default=False,
        ),
    ] = "",
    since: Annotated[
        float, typer.Option(help="Start with rows of the last so many seconds.", envvar="SPANLOOP_TAIL_SINCE")
    ] = 10.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per row and line.", envvar="SPANLOOP_TAIL_JSON")
    ] = False,
    lines: Annotated[
        int,
        typer.Option(
            "--lines",
            "-n",
            min=0,
            help="Stop after so many rows; 0 goes on until Ctrl-C.",
            envvar="SPANLOOP_TAIL_LINES",
        ),
    ] = 0,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Show rows as they arrive, until Ctrl-C.

    A span is shown when it is finished; one that was sent while running is shown then, too. Rows come from ClickHouse,
    whichever collector wrote them; those that another collector kept back for more than ten seconds are left out.

    Example: spanloop tail --where "error != '' OR metrics['cost'] > 0.01"
    """
    live = LiveRows(ApiClient(api_url, key=api_key), where=where, since_seconds=since)
    notes().print(f"following {api_url}; Ctrl-C ends", style="dim")
    shown = 0
    while True:
        for row in look_patiently(live):
            print_row(row, as_json=as_json)
            shown += 1
            if shown == lines:
                return
        time.sleep(LOOK_EVERY_SECONDS)


def look_patiently(live: LiveRows) -> list[Row]:
    """New rows; none while the collector is away, which is said once per look."""
    try:
        return list(live.look())
    except ApiError as error:
        if error.status:
            raise
        notes().print(f"waiting: {error}", style="dim")
        return []


def print_row(row: Row, *, as_json: bool) -> None:
    """One line per row."""
    if as_json:
        print(json.dumps(row, ensure_ascii=False), flush=True)
    else:
        console().print(describe(row), overflow="ellipsis", no_wrap=True)


def describe(row: Row) -> Text:
    """Time, project, type, name, how long, how much, what came out."""
    created = datetime.fromisoformat(row["created"]).replace(tzinfo=UTC).astimezone()
    line = Text()
    line.append(f"{created:%H:%M:%S.%f}"[:12], style="dim")
    line.append(f"  {show_cell(row['project'])}  ", style="cyan")
    line.append(f"{show_cell(row['type'])} ", style="magenta")
    line.append(str(show_cell(row["name"])), style="bold")
    line.append(f"  {_measures(row)}")
    if row["error"]:
        line.append(f"  {_preview(row['error'])}", style="red")
    elif row["output"]:
        line.append(f"  {_preview(row['output'])}", style="dim")
    return line


def _measures(row: Row) -> str:
    metrics = row["metrics"]
    if not row["is_finished"]:
        return "running"
    measures = [f"{(metrics['end'] - metrics['start']) * 1000:.0f} ms"]
    if metrics.get("tokens"):
        measures.append(f"{metrics['tokens']:.0f} tokens")
    if metrics.get("cost"):
        measures.append(f"${metrics['cost']:.4f}")
    measures += [f"{name} {value:g}" for name, value in row["scores"].items()]
    return " · ".join(measures)


def _preview(text: str) -> str:
    flat = " ".join(text.split())
    return str(show_cell(flat if len(flat) <= PREVIEW_CHARACTERS else flat[: PREVIEW_CHARACTERS - 1] + "…"))
