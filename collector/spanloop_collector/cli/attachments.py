"""`spanloop attachments`: the images, audio and documents that rows refer to."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient
from spanloop_collector.errors import ConfigError
from spanloop_collector.words import counted

attachments = typer.Typer(help="List, fetch and sweep the bytes that rows refer to.", no_args_is_help=True)

PATH = "/v1/attachments"
COLUMNS = ("key", "project", "size", "content_type", "filename", "created")
UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

Project = Annotated[
    str, typer.Option(help="Only this project's; empty means every project's.", envvar="SPANLOOP_PROJECT")
]


@attachments.command("list")
def list_attachments(
    project: Project = "",
    limit: Annotated[
        int, typer.Option(help="At most so many.", envvar="SPANLOOP_ATTACHMENTS_LIST_LIMIT", min=1)
    ] = 1000,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """List what is stored, project by project."""
    answer = ApiClient(api_url, key=api_key).get(PATH, limit=str(limit), **_only(project))
    found: list[dict[str, Any]] = answer.get("attachments", [])
    table = Table(*COLUMNS, box=box.SIMPLE_HEAD, pad_edge=False)
    for each in found:
        table.add_row(*(show_cell(str(each.get(name, ""))) for name in COLUMNS))
    console().print(table if found else "No attachments yet.")


@attachments.command()
def get(
    key: Annotated[str, typer.Argument(help="The `key` of the reference in the row.")],
    output: Annotated[Path, typer.Argument(help="File to write.")],
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Fetch one into a file."""
    client = ApiClient(api_url, key=api_key)
    with client.open(f"{PATH}/{key}", **_only(project)) as content, output.open("wb") as file:
        shutil.copyfileobj(content, file)
    print(f"{output}: {output.stat().st_size} bytes")


@attachments.command()
def sweep(
    project: Project = "",
    older_than: Annotated[
        str,
        typer.Option(
            help="Keep what was sent or asked for in this time; its rows may still be on their way.",
            envvar="SPANLOOP_ATTACHMENTS_SWEEP_OLDER_THAN",
        ),
    ] = "7d",
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Count, remove nothing.", envvar="SPANLOOP_ATTACHMENTS_SWEEP_DRY_RUN"),
    ] = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Remove attachments that no row refers to any more. Run it now and then where rows are not kept for good.

    Example: spanloop attachments sweep --older-than 30d --dry-run
    """
    body = {"project": project, "older_than_seconds": _seconds(older_than), "dry_run": dry_run}
    answer = ApiClient(api_url, key=api_key).post(f"{PATH}/sweep", body)
    done = "would remove" if dry_run else "removed"
    removed, size = int(answer.get("removed", 0)), int(answer.get("removed_bytes", 0))
    print(f"{done} {removed} of {counted(int(answer.get('examined', 0)), 'attachment')}, {counted(size, 'byte')}")


def _only(project: str) -> dict[str, str]:
    return {"project": project} if project else {}


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d+)([dhms])", text.strip().lower())
    if match is None:
        raise ConfigError(f"--older-than {text!r} is no length of time such as 7d or 36h")
    return int(match[1]) * UNITS[match[2]]
