"""`spanloop promote`: rows of production and of experiments become rows of a dataset. `spanloop lineage`: both ways."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from spanloop._api import ApiError as KeptOpenError
from spanloop.datasets import PromoteJob, PromoteResult, TransformError, promote_job
from spanloop.datasets import promote as promote_rows

from spanloop_collector.cli.dataset_client import local_key
from spanloop_collector.cli.dataset_options import Project
from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient, ApiError
from spanloop_collector.errors import ConfigError
from spanloop_collector.words import counted


class SourceView(StrEnum):
    """Where rows come from."""

    LOGS = "logs"
    TRACES = "traces"
    EVAL_ROWS = "eval_rows"
    DATASET_ROWS = "dataset_rows"


class Deduplication(StrEnum):
    """What makes two rows one."""

    ORIGIN = "origin"
    INPUT = "input"
    NONE = "none"


def promote(
    to: Annotated[str, typer.Option(help="Dataset; made when it does not exist.", envvar="SPANLOOP_PROMOTE_TO")],
    where: Annotated[
        str,
        typer.Option(
            help="SQL condition on the rows, for example: is_root AND error != ''",
            envvar="SPANLOOP_PROMOTE_WHERE",
        ),
    ] = "",
    source: Annotated[
        SourceView, typer.Option("--from", help="View that the rows come from.", envvar="SPANLOOP_PROMOTE_FROM")
    ] = SourceView.LOGS,
    set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=SQL",
            help="What a field is: input, expected, metadata, metadata.KEY, tags or id, and a SQL expression. Without "
            "one, expected is the row's expected value, or else its output.",
            envvar="SPANLOOP_PROMOTE_SET",
        ),
    ] = None,
    root_only: Annotated[
        bool, typer.Option("--root-only", help="Only whole traces or cases.", envvar="SPANLOOP_PROMOTE_ROOT_ONLY")
    ] = False,
    deduplicate: Annotated[
        Deduplication,
        typer.Option(help="What makes two rows one; none rewrites.", envvar="SPANLOOP_PROMOTE_DEDUPLICATE"),
    ] = Deduplication.ORIGIN,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help="Rewrite rows copied before whose source says something else now, as after a review.",
            envvar="SPANLOOP_PROMOTE_UPDATE",
        ),
    ] = False,
    limit: Annotated[
        int, typer.Option(min=0, help="Rows at most, chosen by hash; 0 for all.", envvar="SPANLOOP_PROMOTE_LIMIT")
    ] = 0,
    sample_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Part of the rows, by hash.", envvar="SPANLOOP_PROMOTE_SAMPLE_RATE")
    ] = 1.0,
    group_by: Annotated[
        str, typer.Option(help="SQL expression to sample evenly over.", envvar="SPANLOOP_PROMOTE_GROUP_BY")
    ] = "",
    per_group: Annotated[
        int, typer.Option(min=0, help="Rows of each value of --group-by.", envvar="SPANLOOP_PROMOTE_PER_GROUP")
    ] = 0,
    seed: Annotated[str, typer.Option(help="Another seed chooses other rows.", envvar="SPANLOOP_PROMOTE_SEED")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be copied.", envvar="SPANLOOP_PROMOTE_DRY_RUN")
    ] = False,
    transform: Annotated[
        str,
        typer.Option(
            metavar="FILE.py:FUNCTION",
            help="Python function that makes rows of each row.",
            envvar="SPANLOOP_PROMOTE_TRANSFORM",
        ),
    ] = "",
    resume: Annotated[
        str, typer.Option(help="Job to go on with, after --transform stopped.", envvar="SPANLOOP_PROMOTE_RESUME")
    ] = "",
    concurrency: Annotated[
        int, typer.Option(min=1, help="Threads for --transform.", envvar="SPANLOOP_PROMOTE_CONCURRENCY")
    ] = 1,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Copy rows into a dataset. The same promotion again copies nothing twice.

    Examples:

      spanloop promote --to hard --where "mapContains(scores, 'Factuality') AND scores['Factuality'] < 0.5"

      spanloop promote --to answers --where "name = 'answer'" --set expected="JSONExtractString(output, 'answer')"

      spanloop promote --to golden --from eval_rows --root-only --where "error != ''" --dry-run
    """
    selection: dict[str, Any] = {
        "where": where,
        "source": source.value,
        "fields": _read_fields(set or []),
        "root_only": root_only,
        "update": update,
        "limit": limit,
        "sample_rate": sample_rate,
        "group_by": group_by,
        "per_group": per_group,
        "seed": seed,
        "project": project,
        "api_url": api_url,
        "api_key": api_key or local_key(api_url),
    }
    try:
        if not transform:
            _show(promote_rows(to, deduplicate=deduplicate.value, dry_run=dry_run, **selection), is_dry_run=dry_run)
        elif dry_run:
            raise ConfigError("--dry-run shows what is copied, not what a function makes of it; leave out --transform")
        else:
            _run_job(Work(load_function(transform), resume, concurrency), to, selection)
    except KeptOpenError as error:
        raise ApiError(str(error), status=error.status) from None
    except TransformError as error:
        raise ApiError(str(error)) from error.__cause__


@dataclass(frozen=True, slots=True)
class Work:
    """What `--transform` asks for."""

    function: Callable[..., Any]
    resume: str
    concurrency: int


def load_function(reference: str) -> Callable[..., Any]:
    """The function behind `FILE.py:NAME`."""
    file, _, name = reference.rpartition(":")
    path = Path(file)
    if not file or not path.is_file():
        raise ConfigError(f"--transform {reference!r}: expected FILE.py:FUNCTION, with a file that exists")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"--transform {reference!r}: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Its own imports find what lies beside it.
    sys.path.insert(0, str(path.parent.absolute()))
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise ConfigError(f"--transform {reference!r}: {path} has no function {name!r}")
    return function  # type: ignore[no-any-return]  # checked to be callable


def _read_fields(assignments: list[str]) -> dict[str, str]:
    fields = {}
    for assignment in assignments:
        name, equals, expression = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment!r}: expected FIELD=SQL, for example expected=output")
        fields[name.strip()] = expression
    return fields


def _show(result: PromoteResult, *, is_dry_run: bool) -> None:
    if is_dry_run:
        table = Table("input", "expected", "metadata", "tags", "from", box=box.SIMPLE_HEAD, pad_edge=False)
        for row in result.rows:
            fields = [_json_text(row.get(name)) for name in ("input", "expected", "metadata", "tags")]
            table.add_row(*map(show_cell, [*fields, str(row.get("origin", {}).get("id", ""))]))
        console().print(table)
        print(f"{counted(result.matched, 'matching row')}, {result.inserted:,} would be written to {result.dataset}")
        return
    for error in result.errors:
        notes().print(error, style="red", markup=False)
    print(
        f"{result.dataset}: {counted(result.matched, 'matching row')}, {result.inserted:,} inserted, "
        f"{result.updated:,} updated, {result.rejected:,} refused"
        + (f", version {result.version}" if result.version else "")
    )
    if result.rejected:
        raise typer.Exit(1)


def _run_job(work: Work, dataset: str, selection: dict[str, Any]) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes(), transient=True, disable=not notes().is_terminal) as progress:
        task = progress.add_task(f"into {dataset}", total=None)

        def show(job: PromoteJob) -> None:
            if progress.tasks[0].total is None:
                notes().print(f"job {job.id}; after an interruption go on with --resume {job.id}", style="dim")
            progress.update(task, total=job.total, completed=job.done)

        job = promote_job(
            work.function, dataset, resume=work.resume, concurrency=work.concurrency, on_progress=show, **selection
        )
    print(f"{dataset}: {counted(job.done, 'row')} went through, {job.written:,} written")


def lineage(
    id: Annotated[str, typer.Argument(help="Id of a log row, dataset row or eval row.")],
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Show where a row came from and everything that was made of it."""
    parameters = {"id": id} | ({"project": project} if project else {})
    answer = ApiClient(api_url, key=api_key).get("/v1/lineage", **parameters)
    if not answer["sources"] and not answer["uses"]:
        print(f"{id} was copied from nowhere and nothing was made of it; was it the id of a row of this project?")
        return
    for title, steps in (("came from", answer["sources"]), ("became", answer["uses"])):
        table = Table(
            "from", "row", "to", "row", box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left"
        )
        for step in steps:
            ends = [_place(step, "from"), step["from_id"], _place(step, "to"), step["to_id"]]
            table.add_row(*map(show_cell, ends))
        console().print(table if steps else f"{title}: nothing")


def _place(step: dict[str, Any], end: str) -> str:
    kind = {"project_logs": "logs"}.get(step[f"{end}_type"], step[f"{end}_type"])
    return f"{kind} {step[f'{end}_name'] or step[f'{end}_object_id']}"


def _json_text(value: Any) -> str:
    return "" if value in (None, {}, []) else json.dumps(value, ensure_ascii=False)
