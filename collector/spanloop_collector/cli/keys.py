"""`spanloop keys`: who may talk to the collector."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.client import ApiClient

keys = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


class KeyScope(StrEnum):
    """What a key may do; admin includes the other two."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


Project = Annotated[
    str,
    typer.Option(help="Project that the key belongs to; empty reaches every project.", envvar="SPANLOOP_PROJECT"),
]


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call the key, for example who holds it.")],
    project: Project = "",
    scope: Annotated[
        list[KeyScope] | None,
        typer.Option(
            help="What the key may do; repeat for several. Without it: ingest and read.",
            envvar="SPANLOOP_KEYS_SCOPE",
            show_default=False,
        ),
    ] = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Create a key and print it, this once. Only its hash is stored.

    Example: spanloop keys create checkout --project shop --scope ingest
    """
    scopes = scope or [KeyScope.INGEST, KeyScope.READ]
    body = {"name": name, "project": project, "scopes": [f"SCOPE_{s.name}" for s in scopes]}
    answer = ApiClient(api_url, key=api_key).post("/v1/keys", body)
    print(answer["secret_key"])
    notes().print("Keep it now: it is not shown again. The instrumentation and this command line", style="dim")
    notes().print("read it from SPANLOOP_API_KEY; others send `authorization: Bearer <key>`.", style="dim")


@keys.command("list")
def list_keys(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List keys, revoked ones included. Secrets are not kept and cannot be shown."""
    answer = ApiClient(api_url, key=api_key).get("/v1/keys", **({"project": project} if project else {}))
    table = Table("key", "name", "project", "may", "created", "state", box=box.SIMPLE_HEAD, pad_edge=False)
    for key in answer.get("keys", []):
        table.add_row(*_describe(key), style="dim" if key.get("is_revoked") else None)
    console().print(table if table.row_count else "No keys yet; make one with `spanloop keys create NAME`.")


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Public half of the key, as `spanloop keys list` shows it.")],
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """End a key for good; every collector refuses it within seconds."""
    answer = ApiClient(api_url, key=api_key).delete(f"/v1/keys/{key_id}")
    key = answer.get("key", {})
    print(f"revoked {key.get('key_id', key_id)} ({key.get('name', '')})")


def _describe(key: dict[str, Any]) -> tuple[str, ...]:
    scopes = [str(scope).removeprefix("SCOPE_").lower() for scope in key.get("scopes", [])]
    return (
        str(key.get("key_id", "")),
        str(key.get("name", "")),
        str(key.get("project", "")) or "(every project)",
        ", ".join(scopes),
        str(key.get("created", "")),
        "revoked" if key.get("is_revoked") else "active",
    )
