"""`spanloop review`: rows put before people, and what they say about them."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient
from spanloop_collector.errors import ConfigError

review = typer.Typer(help="Queue rows for people, claim them, and correct them.", no_args_is_help=True)

PATH = "/v1/review/items"
COLUMNS = ("id", "queue", "status", "assignee", "claimed_by", "reviewed_by", "source", "row_id", "comment")

Project = Annotated[
    str,
    typer.Option(help="Project of the rows; empty: the key's, or the collector's default.", envvar="SPANLOOP_PROJECT"),
]
Queue = Annotated[str, typer.Option(help="Name of the queue.", envvar="SPANLOOP_REVIEW_QUEUE")]
Reviewer = Annotated[
    str | None,
    typer.Option(
        help="Who you are, for the audit log; your user name where nothing is said.",
        envvar="SPANLOOP_REVIEWER",
        show_default=False,
    ),
]
ItemId = Annotated[str, typer.Argument(metavar="ID", help="Id of the item, as `spanloop review list` shows it.")]
Comment = Annotated[str, typer.Option(help="Why.", show_default=False, envvar="SPANLOOP_REVIEW_COMMENT")]


@review.command()
def add(
    where: Annotated[
        str,
        typer.Option(
            help="SQL condition over the rows, for example: is_root AND error != ''",
            envvar="SPANLOOP_REVIEW_WHERE",
        ),
    ],
    source: Annotated[
        str, typer.Option(help="View that the rows come from.", envvar="SPANLOOP_REVIEW_SOURCE")
    ] = "logs",
    queue: Queue = "default",
    assign: Annotated[
        str, typer.Option(help="Who is to review them; empty for anyone.", envvar="SPANLOOP_REVIEW_ASSIGN")
    ] = "",
    limit: Annotated[
        int, typer.Option(help="At most so many rows, newest first.", envvar="SPANLOOP_REVIEW_LIMIT")
    ] = 1000,
    project: Project = "",
    reviewer: Reviewer = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Queue the rows that match a condition. Rows that are queued already stay as they are.

    Example: spanloop review add --where "metadata['thumbs'] = 'down'" --queue complaints
    """
    body = {"project": project, "queue": queue, "source": source, "where": where, "limit": limit, "assignee": assign}
    answer = ApiClient(api_url, key=api_key).post(PATH, body | {"reviewer": _reviewer(reviewer)})
    known = f", {answer['known']} were queued already" if answer["known"] else ""
    print(f"queued {answer['queued']} for review{known}")
    if not answer["queued"] and not known:
        notes().print(
            f"Nothing matches in {f'project {project}' if project else 'this project'}; --project names another."
        )


@review.command("list")
def list_items(
    queue: Annotated[str, typer.Option(help="Only this queue.", envvar="SPANLOOP_REVIEW_QUEUE")] = "",
    status: Annotated[
        str, typer.Option(help="Only pending, in_progress, done or skipped ones.", envvar="SPANLOOP_REVIEW_STATUS")
    ] = "",
    assignee: Annotated[
        str, typer.Option(help="Only those assigned to this person.", envvar="SPANLOOP_REVIEW_ASSIGNEE")
    ] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", envvar="SPANLOOP_REVIEW_LIMIT")] = 100,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """List items, oldest first. `spanloop sql "SELECT … FROM review_queue"` tells more."""
    given = {"project": project, "queue": queue, "status": status, "assignee": assignee, "limit": str(limit)}
    items = ApiClient(api_url, key=api_key).get(PATH, **given)["items"]
    table = Table(*COLUMNS, box=box.SIMPLE_HEAD, pad_edge=False)
    for item in items:
        table.add_row(*(show_cell(str(item[name])) for name in COLUMNS))
    console().print(table if items else "Nothing here; queue rows with `spanloop review add --where …`.")


@review.command("next")
def next_item(
    queue: Annotated[str, typer.Option(help="Only from this queue.", envvar="SPANLOOP_REVIEW_QUEUE")] = "",
    minutes: Annotated[int, typer.Option(help="How long it is yours alone.", envvar="SPANLOOP_REVIEW_MINUTES")] = 30,
    project: Project = "",
    reviewer: Reviewer = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Take the next item and print it with its row, as JSON. Nobody else gets it meanwhile."""
    body = {"project": project, "queue": queue, "minutes": minutes, "reviewer": _reviewer(reviewer)}
    item = ApiClient(api_url, key=api_key).post("/v1/review/claim", body).get("item")
    if item is None:
        notes().print("Nothing waits for you.")
        raise typer.Exit(1)
    _print(item)
    notes().print(f"Yours until {item['claimed_until']}: `spanloop review done {item['id']} …`", style="dim")


@review.command()
def show(id: ItemId, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Print one item with its row, as JSON."""
    _print(ApiClient(api_url, key=api_key).get(f"{PATH}/{quote(id, safe='')}", project=project))


@review.command()
def done(
    id: ItemId,
    score: Annotated[
        list[str] | None,
        typer.Option(help="NAME=0..1; repeat for several.", show_default=False, envvar="SPANLOOP_REVIEW_SCORE"),
    ] = None,
    expected: Annotated[
        str | None,
        typer.Option(
            help="The answer it should have been: JSON, or plain text.",
            show_default=False,
            envvar="SPANLOOP_REVIEW_EXPECTED",
        ),
    ] = None,
    comment: Comment = "",
    tag: Annotated[
        list[str] | None,
        typer.Option(help="Added to the row's tags.", show_default=False, envvar="SPANLOOP_REVIEW_TAG"),
    ] = None,
    project: Project = "",
    reviewer: Reviewer = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Finish an item. Scores, correction and comment are written to its row.

    Example: spanloop review done 3f… --score human=0 --expected '{"answer": 42}' --comment "off by one"
    """
    body: dict[str, object] = {"project": project, "reviewer": _reviewer(reviewer), "comment": comment}
    if score:
        body["scores"] = dict(map(_read_score, score))
    if expected is not None:
        body["expected"] = _read_expected(expected)
    item = _post(ApiClient(api_url, key=api_key), id, "submit", body | {"tags": tag or []})
    print(f"done: {item['source']} {item['row_id']}")


@review.command()
def skip(
    id: ItemId,
    comment: Comment = "",
    project: Project = "",
    reviewer: Reviewer = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """End an item without a verdict."""
    body = {"project": project, "reviewer": _reviewer(reviewer), "comment": comment}
    print(f"{_post(ApiClient(api_url, key=api_key), id, 'skip', body)['status']} {id}")


@review.command()
def assign(
    id: ItemId,
    assignee: Annotated[str, typer.Argument(help="Who is to review it; '' for anyone.")],
    project: Project = "",
    reviewer: Reviewer = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Leave an item to one person."""
    body = {"project": project, "reviewer": _reviewer(reviewer), "assignee": assignee}
    item = _post(ApiClient(api_url, key=api_key), id, "assign", body)
    print(f"{id} is for {item['assignee'] or 'anyone'}")


@review.command()
def requeue(
    id: ItemId,
    comment: Comment = "",
    project: Project = "",
    reviewer: Reviewer = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make an item pending again, whatever became of it."""
    body = {"project": project, "reviewer": _reviewer(reviewer), "comment": comment}
    print(f"{_post(ApiClient(api_url, key=api_key), id, 'requeue', body)['status']} {id}")


def _post(client: ApiClient, id: str, verb: str, body: Mapping[str, object]) -> dict[str, Any]:
    return client.post(f"{PATH}/{quote(id, safe='')}/{verb}", body)


def _reviewer(given: str | None) -> str:
    return given or getpass.getuser()


def _read_score(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        score = float(number)
    except ValueError:
        score = -1.0
    if not name or not 0 <= score <= 1:
        raise ConfigError(f"--score {text!r} is not of the form name=0.5, with a number from 0 to 1")
    return name, score


def _read_expected(text: str) -> object:
    """The JSON value; what is not JSON is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _print(item: dict[str, Any]) -> None:
    print(json.dumps(item, indent=2, ensure_ascii=False))
