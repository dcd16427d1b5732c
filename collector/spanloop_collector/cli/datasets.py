"""`spanloop datasets`: rows that evals run over, every change a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.dataset_client import find_dataset
from spanloop_collector.cli.dataset_files import export_dataset, import_dataset
from spanloop_collector.cli.dataset_options import DatasetName, Project
from spanloop_collector.cli.dataset_snapshots import snapshots
from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient
from spanloop_collector.errors import ConfigError
from spanloop_collector.words import counted

datasets = typer.Typer(help="Make datasets, move rows in and out, go back to earlier versions.", no_args_is_help=True)
datasets.add_typer(snapshots, name="snapshots")
datasets.command("import")(import_dataset)
datasets.command("export")(export_dataset)

FIELD_MARKS = {"added": "+", "removed": "-", "changed": "~"}


@datasets.command("list")
def list_datasets(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List datasets with their rows and newest version."""
    found = ApiClient(api_url, key=api_key).get("/v1/datasets", **({"project": project} if project else {}))
    table = _table("name", "project", "rows", "version", "created", "description")
    for each in found["datasets"]:
        table.add_row(
            *map(
                show_cell,
                (
                    each["name"],
                    each["project"],
                    f"{each['row_count']:,}",
                    each["version"],
                    each["created"][:19],
                    each["description"],
                ),
            )
        )
    console().print(table if table.row_count else "No datasets yet; make one with `spanloop datasets create NAME`.")


@datasets.command()
def create(
    name: DatasetName,
    project: Project = "",
    description: Annotated[str, typer.Option(help="What it is for.", envvar="SPANLOOP_DATASETS_DESCRIPTION")] = "",
    input_schema: Annotated[
        Path | None,
        typer.Option(help="File with a JSON Schema that inputs must follow.", envvar="SPANLOOP_DATASETS_INPUT_SCHEMA"),
    ] = None,
    expected_schema: Annotated[
        Path | None,
        typer.Option(
            help="File with a JSON Schema that expected values must follow.",
            envvar="SPANLOOP_DATASETS_EXPECTED_SCHEMA",
        ),
    ] = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make a dataset. One of that name is left as it is.

    Example: spanloop datasets create golden --project support
    """
    body = {"project": project, "name": name, "description": description}
    schemas = {"input_schema": input_schema, "expected_schema": expected_schema}
    body |= {field: _read_json(path) for field, path in schemas.items() if path is not None}
    answer = ApiClient(api_url, key=api_key).post("/v1/datasets", body)
    dataset = answer["dataset"]
    print(f"{'made' if answer['is_new'] else 'there is'} {dataset['name']} ({dataset['id']})")


@datasets.command()
def show(
    name: DatasetName,
    project: Project = "",
    version: Annotated[
        str, typer.Option(help="Version or snapshot; empty: the newest.", envvar="SPANLOOP_DATASETS_VERSION")
    ] = "",
    max_rows: Annotated[int, typer.Option(min=1, help="Rows shown.", envvar="SPANLOOP_DATASETS_MAX_ROWS")] = 20,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Show a dataset and its first rows."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    parameters = {"limit": str(max_rows)} | ({"version": version} if version else {})
    page = client.get(f"/v1/datasets/{dataset['id']}/rows", **parameters)
    table = _table("id", "input", "expected", "metadata", "tags")
    for row in page["rows"]:
        texts = [_json_text(row.get(field)) for field in ("input", "expected", "metadata", "tags")]
        table.add_row(*map(show_cell, [row["id"], *texts]))
    console().print(table)
    rows = counted(len(page["rows"]), "row")
    if page["next_cursor"]:
        rows = f"first {rows}" if version else f"first {rows} of {dataset['row_count']:,}"
    console().print(f"{rows}, version {page['version'] or '(none yet)'}", style="dim")


@datasets.command()
def versions(
    name: DatasetName,
    project: Project = "",
    limit: Annotated[int, typer.Option(min=1, help="Versions shown.", envvar="SPANLOOP_DATASETS_LIMIT")] = 50,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """List every change of a dataset, newest first."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    answer = client.get(f"/v1/datasets/{dataset['id']}/versions", limit=str(limit))
    table = _table("version", "when", "what", "inserted", "updated", "deleted", "key", "snapshots")
    for each in answer["versions"]:
        counts = [f"{each[count]:,}" for count in ("inserted", "updated", "deleted")]
        names = ", ".join(each["snapshots"])
        cells = [each["version"], each["created"][:19], each["operation"], *counts, each["key_id"], names]
        table.add_row(*map(show_cell, cells))
    console().print(table if table.row_count else "Nothing was ever written to it.")


@datasets.command()
def diff(
    name: DatasetName,
    from_version: Annotated[str, typer.Argument(help="Version or snapshot.")],
    to_version: Annotated[str, typer.Argument(help="Version or snapshot; empty: the newest.")] = "",
    project: Project = "",
    max_rows: Annotated[int, typer.Option(min=1, help="Rows shown.", envvar="SPANLOOP_DATASETS_MAX_ROWS")] = 50,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Show what lies between two versions."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    parameters = {"from_version": from_version, "limit": str(max_rows)}
    parameters |= {"to_version": to_version} if to_version else {}
    answer = client.get(f"/v1/datasets/{dataset['id']}/diff", **parameters)
    table = _table("", "id", "field", "before", "after")
    for row in answer["rows"]:
        before, after = row.get("before", {}), row.get("after", {})
        for number, field in enumerate(row["fields"]):
            first = (FIELD_MARKS[row["change"]], row["id"]) if number == 0 else ("", "")
            table.add_row(*map(show_cell, [*first, field, _json_text(before.get(field)), _json_text(after.get(field))]))
    if table.row_count:
        console().print(table)
    print(f"{answer['added']:,} added, {answer['removed']:,} removed, {answer['changed']:,} changed")


@datasets.command()
def restore(
    name: DatasetName,
    version: Annotated[str, typer.Argument(help="Version or snapshot to go back to.")],
    project: Project = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change.", envvar="SPANLOOP_DATASETS_DRY_RUN")
    ] = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make the rows what they were. This is a new version: nothing is lost."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    answer = client.post(f"/v1/datasets/{dataset['id']}/restore", {"version": version, "dry_run": dry_run})
    bring, take = ("would bring", "take") if dry_run else ("brought", "took")
    made = f", version {answer['version']}" if answer["version"] else ""
    back, away = counted(answer["rows_to_restore"], "row"), answer["rows_to_delete"]
    print(f"{bring} {back} back and {take} {away:,} away{made}")


@datasets.command()
def delete(
    name: DatasetName,
    project: Project = "",
    is_sure: Annotated[
        bool, typer.Option("--yes", help="Do not ask.", envvar="SPANLOOP_DATASETS_YES", show_default=False)
    ] = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Delete a dataset with every version of its rows."""
    client = ApiClient(api_url, key=api_key)
    dataset = find_dataset(client, project, name)
    if not is_sure:
        typer.confirm(f"Delete {name} with {counted(dataset['row_count'], 'row')} and all its versions?", abort=True)
    client.delete(f"/v1/datasets/{quote(dataset['id'])}")
    print(f"deleted {name}")


def _table(*columns: str) -> Table:
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)


def _json_text(value: Any) -> str:
    return "" if value in (None, {}, []) else json.dumps(value, ensure_ascii=False)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is not a JSON file: {error}") from None
