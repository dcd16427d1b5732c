"""`spanloop rules`: which rows of production are scored, how many of them, and by what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
import yaml
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console
from spanloop_collector.cli.prune import lacking
from spanloop_collector.cli.rule_backfills import backfill, backfills, stop_backfill
from spanloop_collector.cli.rule_files import read_rules
from spanloop_collector.cli.rule_options import PATH, Name, Project
from spanloop_collector.cli.rule_trial import try_out
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient, ApiError
from spanloop_collector.errors import NotFoundError

rules = typer.Typer(help="Make, try, watch and backfill the rules of online scoring.", no_args_is_help=True)

STATUS_COLUMNS = (
    *("matched", "sampled", "scored", "skipped", "failed", "waiting", "lag_p50", "lag_p95", "cost"),
    *("backfilled", "backfill_failed", "backfill_waiting"),
)

File = Annotated[Path, typer.Argument(help="YAML file with `rules:`, a list of rules.", exists=True, dir_okay=False)]
Filter = Annotated[
    str,
    typer.Option(
        help="SQL condition over the columns of `logs`; empty matches every row.", envvar="SPANLOOP_RULES_FILTER"
    ),
]


@rules.command()
def apply(
    file: File,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Delete rules that the file lacks, of its projects and of --project.",
            envvar="SPANLOOP_RULES_PRUNE",
        ),
    ] = False,
    project: Annotated[
        str, typer.Option(help="Project of the rules that name none; empty: the key's.", envvar="SPANLOOP_PROJECT")
    ] = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make or change the rules of a file, in its order. Applied again, it changes nothing.

    Example: spanloop rules apply rules.yaml
    """
    client, kept = ApiClient(api_url, key=api_key), set()
    for where, rule in read_rules(file, project=project):
        try:
            answer = client.post(PATH, {"rule": rule})
        except ApiError as error:
            raise ApiError(f"{where}: {error}", status=error.status) from None
        kept.add((answer["rule"]["project"], answer["rule"]["name"]))
        print(f"{answer['outcome']:<9} {_full_name(answer['rule'])}")
    if prune:
        for rule in lacking(_fetch(client, ""), kept, project):
            _delete(client, rule["name"], rule["project"])
            print(f"deleted   {_full_name(rule)}")


@rules.command()
def create(
    name: Name,
    scorer: Annotated[
        list[str],
        typer.Option(
            help="A built-in, autoevals.NAME or module:function; repeat for several.", envvar="SPANLOOP_RULES_SCORER"
        ),
    ],
    filter: Filter = "",
    rate: Annotated[
        float,
        typer.Option(help="Part of traces that is scored, from 0 to 1.", envvar="SPANLOOP_RULES_RATE", min=0, max=1),
    ] = 1.0,
    description: Annotated[str, typer.Option(help="What it is for.", envvar="SPANLOOP_RULES_DESCRIPTION")] = "",
    scope: Annotated[
        str, typer.Option(help="What is scored: span, trace or group.", envvar="SPANLOOP_RULES_SCOPE")
    ] = "span",
    root_spans: Annotated[
        bool, typer.Option("--root-spans", help="Root spans, and those named.", envvar="SPANLOOP_RULES_ROOT_SPANS")
    ] = False,
    span_name: Annotated[
        list[str] | None,
        typer.Option(
            help="Only spans of this name; repeat for several.", envvar="SPANLOOP_RULES_SPAN_NAME", show_default=False
        ),
    ] = None,
    group_by: Annotated[
        str,
        typer.Option(help="What a group shares, such as metadata.session_id.", envvar="SPANLOOP_RULES_GROUP_BY"),
    ] = "",
    interval: Annotated[
        float,
        typer.Option(help="Seconds after which a group is scored again; 0: once.", envvar="SPANLOOP_RULES_INTERVAL"),
    ] = 0,
    idle: Annotated[
        float,
        typer.Option(
            help="Seconds without anything new before a trace or a group is scored.", envvar="SPANLOOP_RULES_IDLE"
        ),
    ] = 30,
    scores_per_minute: Annotated[
        float, typer.Option(help="Budget; 0 means none.", envvar="SPANLOOP_RULES_SCORES_PER_MINUTE")
    ] = 0,
    cost_per_day: Annotated[
        float, typer.Option(help="Budget in US dollars; 0 means none.", envvar="SPANLOOP_RULES_COST_PER_DAY")
    ] = 0,
    disabled: Annotated[
        bool, typer.Option("--disabled", help="Make it without starting it.", envvar="SPANLOOP_RULES_DISABLED")
    ] = False,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make a rule, or replace the one of this name; for boosts and options of scorers use a file.

    Example: spanloop rules create polite --scorer my_scorers:is_polite --filter "type = 'llm'" --rate 0.1
    """
    rule = {
        "name": name,
        "project": project,
        "description": description,
        "filter": filter,
        "sampling_rate": rate,
        "scorers": [{"use": use} for use in scorer],
        "scope": {
            "type": scope,
            "root_spans": root_spans,
            "span_names": span_name or [],
            "group_by": group_by,
            "placement": "each" if interval else "first",
            "interval_seconds": interval,
            "idle_seconds": idle,
        },
        "budget": {"scores_per_minute": scores_per_minute, "cost_per_day": cost_per_day},
        "enabled": not disabled,
    }
    answer = ApiClient(api_url, key=api_key).post(PATH, {"rule": rule})
    print(f"{answer['outcome']} {_full_name(answer['rule'])}")


@rules.command("list")
def list_rules(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List rules with what keeps them from working, if anything does."""
    found = _fetch(ApiClient(api_url, key=api_key), project)
    table = Table(
        "project", "name", "on", "rate", "scope", "scorers", "filter", "fails", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for rule in found:
        table.add_row(
            *map(
                show_cell,
                (
                    rule["project"] or "(all)",
                    rule["name"],
                    "yes" if rule["enabled"] else "no",
                    f"{rule['sampling_rate']:g}",
                    rule["scope"]["type"],
                    ", ".join(scorer["name"] for scorer in rule["scorers"]),
                    rule["filter"],
                    rule["failure"],
                ),
            )
        )
    console().print(table if found else "No rules yet: `spanloop rules create`, or `spanloop rules apply FILE`.")


@rules.command()
def scorers(api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List the scorers that a rule can name without code of your own."""
    table = Table("scorer", "what it does", box=box.SIMPLE_HEAD, pad_edge=False)
    for scorer in ApiClient(api_url, key=api_key).get("/v1/scorers")["scorers"]:
        table.add_row(show_cell(scorer["use"]), show_cell(scorer["description"]))
    console().print(table)


@rules.command()
def show(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Print a rule as YAML, with every default."""
    for rule in _fetch(ApiClient(api_url, key=api_key), project):
        if rule["name"] == name and project in ("", rule["project"]):
            print(yaml.safe_dump({"rules": [rule]}, sort_keys=False, allow_unicode=True), end="")
            return
    raise NotFoundError(f"there is no rule {name!r}; `spanloop rules list` shows what there is")


@rules.command()
def enable(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Start a rule; what was waiting when it was stopped is scored."""
    _enable(ApiClient(api_url, key=api_key), name, project, is_on=True)


@rules.command()
def disable(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Stop a rule; what is waiting stays."""
    _enable(ApiClient(api_url, key=api_key), name, project, is_on=False)


@rules.command()
def delete(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Delete a rule; what it scored stays."""
    _delete(ApiClient(api_url, key=api_key), name, project)
    print(f"deleted {name}")


@rules.command()
def status(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Show what became of the rows that each rule matched; the same as the view `scoring_rule_status`."""
    where = f"WHERE project = '{_escaped(project)}'" if project else ""
    found = ApiClient(api_url, key=api_key).sql_rows(
        f"SELECT * FROM scoring_rule_status {where} ORDER BY project, name"
    )
    table = Table("project", "name", *STATUS_COLUMNS, "fails", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in found:
        name = row["name"] if row["enabled"] else f"{row['name']} (off)"
        numbers = (_number(row[column], column) for column in STATUS_COLUMNS)
        table.add_row(*map(show_cell, (row["project"] or "(all)", name, *numbers, row["failure"])))
    console().print(table if found else "No rules yet: `spanloop rules create`, or `spanloop rules apply FILE`.")


rules.command("test")(try_out)
rules.command()(backfill)
rules.command()(backfills)
rules.command("stop-backfill")(stop_backfill)


def _fetch(client: ApiClient, project: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(PATH, project=project)["rules"]
    return found


def _enable(client: ApiClient, name: str, project: str, *, is_on: bool) -> None:
    client.post(f"{PATH}/{quote(name, safe='')}/enabled", {"project": project, "enabled": is_on})
    print(f"{'enabled' if is_on else 'disabled'} {name}")


def _delete(client: ApiClient, name: str, project: str) -> None:
    client.delete(f"{PATH}/{quote(name, safe='')}?project={quote(project, safe='')}")


def _full_name(rule: dict[str, Any]) -> str:
    return f"{rule['project']}/{rule['name']}" if rule["project"] else str(rule["name"])


def _number(value: Any, column: str) -> str:
    if value is None:
        return ""
    if column.startswith("lag"):
        return f"{value:.2f} s"
    return f"{value:.4f}" if column == "cost" else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
