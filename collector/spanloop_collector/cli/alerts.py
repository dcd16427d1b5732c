"""`spanloop alerts`: SQL that is asked again and again, and a webhook when its answer crosses a threshold."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
import yaml
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.prune import lacking
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient, ApiError
from spanloop_collector.errors import ConfigError

alerts = typer.Typer(help="Watch SQL, and send a signed webhook when it crosses a threshold.", no_args_is_help=True)

PATH = "/v1/alerts"

Project = Annotated[
    str,
    typer.Option(help="Project whose rows it sees; empty: the key's, or every project.", envvar="SPANLOOP_PROJECT"),
]
Name = Annotated[str, typer.Argument(help="Name of the alert.")]
Secret = Annotated[
    str,
    typer.Option(
        help="Signing secret, whsec_…; without it the one it has, or a new one.",
        envvar="SPANLOOP_ALERTS_SECRET",
        show_default=False,
    ),
]


@alerts.command()
def create(
    name: Name,
    sql: Annotated[
        str,
        typer.Option(
            help="SELECT whose last column is the value to watch; the ones before it name its group.",
            envvar="SPANLOOP_ALERTS_SQL",
        ),
    ],
    when: Annotated[
        str,
        typer.Option(
            help="When it fires: `> 0.1`, `< 0.8`, …; without it when the value is true, or not 0.",
            envvar="SPANLOOP_ALERTS_WHEN",
        ),
    ] = "",
    url: Annotated[str, typer.Option(help="Where its messages go, http[s]://…", envvar="SPANLOOP_ALERTS_URL")] = "",
    every: Annotated[
        float, typer.Option(help="How often it is asked, in seconds.", envvar="SPANLOOP_ALERTS_EVERY")
    ] = 60,
    window: Annotated[
        float,
        typer.Option(help="Seconds between {window_start} and {window_end}.", envvar="SPANLOOP_ALERTS_WINDOW"),
    ] = 300,
    hold_off: Annotated[
        float,
        typer.Option(help="Seconds before the same group is announced again.", envvar="SPANLOOP_ALERTS_HOLD_OFF"),
    ] = 3600,
    slack: Annotated[
        bool,
        typer.Option("--slack", help="Send text only, as Slack takes it.", envvar="SPANLOOP_ALERTS_SLACK"),
    ] = False,
    description: Annotated[str, typer.Option(help="Shown in its messages.", envvar="SPANLOOP_ALERTS_DESCRIPTION")] = "",
    paused: Annotated[
        bool, typer.Option("--paused", help="Keep it without watching.", envvar="SPANLOOP_ALERTS_PAUSED")
    ] = False,
    secret: Secret = "",
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make an alert, or replace the one of that name. Its statement is run once before.

    Example: spanloop alerts create errors --when "> 0.1" --url https://example.com/hook --sql "SELECT model,
    countIf(error != '') / count() FROM logs WHERE created > {window_start:DateTime64(3)} GROUP BY model"
    """
    comparison, threshold = read_condition(when)
    alert = {
        "name": name,
        "project": project,
        "sql": sql,
        "comparison": comparison,
        "threshold": threshold,
        "url": url,
        "every_seconds": every,
        "window_seconds": window,
        "hold_off_seconds": hold_off,
        "format": "slack" if slack else "json",
        "description": description,
        "is_paused": paused,
    }
    _save(ApiClient(api_url, key=api_key), alert, secret)


@alerts.command("list")
def list_alerts(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List alerts with what they saw last. Their messages are in the SQL view webhook_deliveries."""
    found = ApiClient(api_url, key=api_key).get(PATH, **({"project": project} if project else {}))["alerts"]
    table = Table(
        "name", "project", "status", "fires when", "asked", "firing", "target", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for each in found:
        table.add_row(*map(show_cell, _describe(each)))
    console().print(table if found else "No alerts yet; make one with `spanloop alerts create NAME …`.")


@alerts.command("test")
def try_out(
    name: Name,
    send: Annotated[
        bool,
        typer.Option("--send", help="Send a message that says it is a test.", envvar="SPANLOOP_ALERTS_SEND"),
    ] = False,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Show what an alert would see now."""
    body = {"alert": {"name": name, "project": project}, "send": send}
    answer = ApiClient(api_url, key=api_key).post(f"{PATH}/test", body)
    table = Table("group", "value", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for group in answer["groups"]:
        state = "fires" if group["is_firing"] else ""
        table.add_row(show_cell(_labels(group["labels"])), show_cell(_number(group["value"])), state)
    console().print(table if answer["groups"] else "The statement gives no row: nothing fires.")
    if send and answer["error"]:
        raise ConfigError(f"the test message was not delivered: {answer['error']}")
    if send:
        print(f"the test message was delivered ({answer['http_status']})")


@alerts.command()
def delete(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """End an alert."""
    query = urlencode({"project": project, "actor": getpass.getuser()})
    ApiClient(api_url, key=api_key).delete(f"{PATH}/{quote(name, safe='')}?{query}")
    print(f"deleted {name}")


@alerts.command()
def apply(
    file: Annotated[
        Path, typer.Option("--file", "-f", help="YAML file with a list `alerts`.", envvar="SPANLOOP_ALERTS_FILE")
    ],
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Delete alerts that the file lacks, of its projects and of --project.",
            envvar="SPANLOOP_ALERTS_PRUNE",
        ),
    ] = False,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make the alerts of a file what they are there. Doing it again changes nothing.

    Each entry has the fields of the API: name, sql, when, url, every_seconds, window_seconds, hold_off_seconds,
    format, description, is_paused, secret, project.
    """
    client = ApiClient(api_url, key=api_key)
    kept: set[tuple[str, str]] = set()
    for number, (alert, secret) in enumerate(list(read_file(file, project))):
        try:
            saved = _save(client, alert, secret)
        except ApiError as error:
            raise ApiError(f"{file}: alerts[{number}]: {error}", status=error.status) from None
        kept.add((saved["project"], saved["name"]))
    if prune:
        _prune(client, kept, project)


def read_condition(text: str) -> tuple[str, float]:
    """Comparison and threshold of `> 0.1`; nothing stands for "is true"."""
    comparison = text.strip().rstrip("0123456789.eE+- \t")
    try:
        return comparison, float(text.strip().removeprefix(comparison)) if text.strip() else 0.0
    except ValueError:
        raise ConfigError(f"condition {text!r} is not of the form `> 0.1`") from None


def read_file(file: Path, project: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The alerts of a file with their secrets; raises ConfigError naming the entry that is wrong."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None
    entries = content.get("alerts") if isinstance(content, Mapping) else None
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ConfigError(f"{file}: expected `alerts:` with a list of alerts")
    for entry in entries:
        alert = {"project": project, **entry}
        secret = str(alert.pop("secret", ""))
        if "when" in alert:
            alert["comparison"], alert["threshold"] = read_condition(str(alert.pop("when")))
        yield alert, secret


def _save(client: ApiClient, alert: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Saves an alert and says so; returns it."""
    answer = client.post(PATH, {"alert": alert, "secret": secret, "actor": getpass.getuser()})
    print(f"{answer['outcome']} {answer['alert']['name']}")
    if answer["secret"]:
        print(answer["secret"])
        notes().print("Its messages are signed with this secret, which is not shown again; give it to the receiver.")
    saved: dict[str, Any] = answer["alert"]
    return saved


def _prune(client: ApiClient, kept: set[tuple[str, str]], project: str) -> None:
    for alert in lacking((each["alert"] for each in client.get(PATH)["alerts"]), kept, project):
        query = urlencode({"project": alert["project"], "actor": getpass.getuser()})
        client.delete(f"{PATH}/{quote(alert['name'], safe='')}?{query}")
        print(f"deleted {alert['name']}")


def _describe(each: Mapping[str, Any]) -> list[str]:
    alert = each["alert"]
    firing = [f"{_labels(group['labels'])} {_number(group['value'])}".strip() for group in each["firing"]]
    return [
        alert["name"],
        alert["project"] or "(every project)",
        each["status"],
        f"{alert['comparison']} {alert['threshold']:g}",
        each["evaluated"] or "never",
        each["error"] or ", ".join(firing),
        alert["url"],
    ]


def _labels(labels: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in labels.items()
    )


def _number(value: float | None) -> str:
    return "NULL" if value is None else f"{value:g}"
