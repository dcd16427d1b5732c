"""`spanloop datasets snapshots`: names for versions."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.dataset_client import find_dataset
from spanloop_collector.cli.dataset_options import DatasetName, Project
from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient

snapshots = typer.Typer(help="Give versions of a dataset names.", no_args_is_help=True)

SnapshotName = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Name of the snapshot.")]


@snapshots.command()
def create(
    name: DatasetName,
    snapshot: SnapshotName,
    project: Project = "",
    version: Annotated[
        str, typer.Option(help="Version or snapshot; empty: the newest.", envvar="SPANLOOP_DATASETS_VERSION")
    ] = "",
    description: Annotated[str, typer.Option(help="Why.", envvar="SPANLOOP_DATASETS_DESCRIPTION")] = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Name a version; a snapshot of that name moves to it."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    body = {"name": snapshot, "version": version, "description": description}
    made = client.post(f"/v1/datasets/{dataset['id']}/snapshots", body)["snapshot"]
    print(f"{snapshot} is version {made['version']} of {name}")


@snapshots.command("list")
def list_snapshots(
    name: DatasetName, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None
) -> None:
    """List the snapshots of a dataset, newest first."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    found = client.get(f"/v1/datasets/{dataset['id']}/snapshots")["snapshots"]
    table = Table("name", "version", "created", "description", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in found:
        table.add_row(*map(show_cell, (each["name"], each["version"], each["created"][:19], each["description"])))
    console().print(table if found else "No snapshots yet.")


@snapshots.command()
def delete(
    name: DatasetName,
    snapshot: SnapshotName,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Take a name away; the version stays."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    client.delete(f"/v1/datasets/{dataset['id']}/snapshots/{quote(snapshot, safe='')}")
    print(f"{snapshot} is no longer a snapshot of {name}")
