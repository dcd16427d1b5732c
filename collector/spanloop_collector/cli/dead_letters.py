"""`spanloop dead-letters`: requests that ClickHouse refused because of their data."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient
from spanloop_collector.errors import ConfigError

dead_letters = typer.Typer(
    help="Look at, replay or delete requests that ClickHouse refused because of their data.",
    no_args_is_help=True,
)

PATH = "/v1/dead-letters"

Ids = Annotated[
    list[str] | None,
    typer.Argument(help="Ids, as `spanloop dead-letters list` shows them.", show_default=False),
]
All = Annotated[bool, typer.Option("--all", help="Every dead letter.", envvar="SPANLOOP_DEAD_LETTERS_ALL")]


@dead_letters.command("list")
def list_letters(api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List dead letters with the reason why each was set aside."""
    letters = _fetch(ApiClient(api_url, key=api_key))
    table = Table("id", "signal", "set aside", "items", "bytes", "reason", box=box.SIMPLE_HEAD, pad_edge=False)
    for letter in letters:
        table.add_row(*(show_cell(_text(letter.get(name))) for name in COLUMNS))
    console().print(table if letters else "No dead letters: ClickHouse took everything.")


COLUMNS = ("id", "signal", "created", "items", "bytes", "reason")


@dead_letters.command()
def replay(ids: Ids = None, all: All = False, api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Send dead letters on their way again, after what made ClickHouse refuse them was repaired."""
    client = ApiClient(api_url, key=api_key)
    chosen = _choose(client, ids, all)
    for letter_id in chosen:
        client.post(f"{PATH}/{letter_id}/replay")
    print(f"replayed {len(chosen)}")


@dead_letters.command()
def delete(ids: Ids = None, all: All = False, api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Delete dead letters for good."""
    client = ApiClient(api_url, key=api_key)
    chosen = _choose(client, ids, all)
    for letter_id in chosen:
        client.delete(f"{PATH}/{letter_id}")
    print(f"deleted {len(chosen)}")


def _choose(client: ApiClient, ids: list[str] | None, every: bool) -> list[str]:
    if bool(ids) == every:
        raise ConfigError("name dead letters by their ids, or say --all")
    return ids or [str(letter["id"]) for letter in _fetch(client)]


def _fetch(client: ApiClient) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = client.get(PATH).get("dead_letters", [])
    return letters


def _text(value: object) -> str:
    return "" if value is None else str(value)
