"""`spanloop datasets import` and `export`: rows from files and into files, of any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from spanloop_collector.cli.dataset_client import Imported, RowConnection, find_dataset, make_dataset
from spanloop_collector.cli.dataset_options import DatasetName, Project
from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import notes
from spanloop_collector.client import ApiClient
from spanloop_collector.datasets.files import (
    STANDARD_STREAM,
    Columns,
    FileFormat,
    choose_format,
    read_records,
    to_row,
    write_rows,
)
from spanloop_collector.datasets.files.records import Numbered
from spanloop_collector.words import counted

File = Annotated[Path, typer.Argument(help="File or folder; - is standard input or output.")]
Format = Annotated[
    FileFormat | None,
    typer.Option("--format", "-F", help="Without it, what the name says.", envvar="SPANLOOP_DATASETS_FORMAT"),
]


def import_dataset(
    name: DatasetName,
    path: File,
    project: Project = "",
    format: Format = None,
    input: Annotated[
        list[str] | None,
        typer.Option(help="Column that is the input; several become an object.", envvar="SPANLOOP_DATASETS_INPUT"),
    ] = None,
    expected: Annotated[
        list[str] | None,
        typer.Option(help="Column that is expected; several become an object.", envvar="SPANLOOP_DATASETS_EXPECTED"),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(help="Column kept in metadata; without any, all others.", envvar="SPANLOOP_DATASETS_METADATA"),
    ] = None,
    tags: Annotated[str, typer.Option(help="Column with tags.", envvar="SPANLOOP_DATASETS_TAGS")] = "",
    id: Annotated[
        str,
        typer.Option(
            "--id", help="Column that tells rows apart; without one, their content.", envvar="SPANLOOP_DATASETS_ID"
        ),
    ] = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Read rows from a .jsonl, .csv or .parquet file, or from a folder of them as Hugging Face lays it out.

    A dataset that does not exist is made. The same file again changes nothing, so an import that was interrupted is
    simply started again.

    Example: spanloop datasets import golden cases.csv --input question --expected answer
    """
    source = read_records(path, choose_format(path, format))
    dataset = make_dataset(ApiClient(api_url, key=api_key), project, name)
    columns = Columns(id=id, input=input or (), expected=expected or (), metadata=metadata or None, tags=tags)
    connection = RowConnection(api_url, api_key, dataset["id"])
    done = Imported()
    with _progress() as progress:
        task = progress.add_task(f"into {name}", total=source.total or None)
        for done in connection.write(_rows(source.records, columns, progress, task)):
            rows = counted(done.inserted + done.updated + done.unchanged, "row")
            progress.update(task, description=f"into {name}: {rows}")
    _report(name, done)


def export_dataset(
    name: DatasetName,
    path: File = STANDARD_STREAM,
    project: Project = "",
    format: Format = None,
    version: Annotated[
        str, typer.Option(help="Version or snapshot; empty: the newest.", envvar="SPANLOOP_DATASETS_VERSION")
    ] = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Write rows to a .jsonl, .csv or .parquet file, or to a folder that Hugging Face's libraries open.

    Without a path, JSON lines go to standard output.

    Example: spanloop datasets export golden golden.parquet --version release-7
    """
    chosen = choose_format(path, format)
    dataset = find_dataset(ApiClient(api_url, key=api_key), project, name)
    rows = RowConnection(api_url, api_key, dataset["id"]).read(version)
    with _progress() as progress:
        task = progress.add_task(f"from {name}", total=dataset["row_count"] if not version else None)
        write_rows(path, chosen, _counted(rows, progress, task))
        count = int(progress.tasks[0].completed)
    if path != STANDARD_STREAM:
        notes().print(f"{path} has {counted(count, 'row')} of {name}")


def _rows(
    records: Iterator[Numbered], columns: Columns, progress: Progress, task: TaskID
) -> Iterator[tuple[Mapping[str, Any], str]]:
    for record, position, where in records:
        yield to_row(record, columns, where=where), where
        progress.update(task, completed=position)


def _counted(rows: Iterator[dict[str, Any]], progress: Progress, task: TaskID) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {name: value for name, value in row.items() if value is not None and (value or name != "tags")}
        progress.advance(task)


def _report(name: str, done: Imported) -> None:
    for error in done.errors:
        notes().print(error, style="red", markup=False)
    if done.rejected > len(done.errors):
        notes().print(f"… {done.rejected - len(done.errors):,} more were refused", style="red")
    print(
        f"{name}: {done.inserted:,} inserted, {done.updated:,} updated, {done.unchanged:,} unchanged, "
        f"{done.rejected:,} refused"
    )
    if done.rejected:
        raise typer.Exit(1)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    return Progress(*columns, console=notes(), transient=True, disable=not notes().is_terminal)
