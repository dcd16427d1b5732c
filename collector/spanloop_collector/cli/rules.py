"""`spanloop rules`: which rows of production are scored, how many of them, and by what."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
import yaml
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.rule_files import read_rules
from spanloop_collector.cli.score import Modules
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient
from spanloop_collector.errors import ConfigError, NotFoundError

rules = typer.Typer(help="Make, try, watch and backfill the rules of online scoring.", no_args_is_help=True)

PATH = "/v1/scoring-rules"
PROGRESS_SECONDS = 1.0
STATUS_COLUMNS = (
    *("matched", "sampled", "scored", "skipped", "failed", "waiting", "lag_p50", "lag_p95", "cost"),
    *("backfilled", "backfill_failed", "backfill_waiting"),
)

Name = Annotated[str, typer.Argument(help="Name of the rule.")]
Project = Annotated[
    str,
    typer.Option(help="Project of the rule; empty: the key's, or a rule for every project.", envvar="SPANLOOP_PROJECT"),
]
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
            "--prune", help="Delete rules of the same projects that the file lacks.", envvar="SPANLOOP_RULES_PRUNE"
        ),
    ] = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make or change the rules of a file. Applied again, it changes nothing.

    Example: spanloop rules apply rules.yaml
    """
    client, wanted = ApiClient(api_url, key=api_key), read_rules(file)
    kept = set()
    for rule in wanted:
        answer = client.post(PATH, {"rule": rule})
        kept.add((answer["rule"]["project"], answer["rule"]["name"]))
        print(f"{answer['outcome']:<9} {_full_name(answer['rule'])}")
    if prune:
        projects = {project for project, _ in kept}
        for rule in _fetch(client, ""):
            if rule["project"] in projects and (rule["project"], rule["name"]) not in kept:
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
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make a rule, or change the one of this name; for options of scorers use a file.

    Example: spanloop rules create polite --scorer my_scorers:is_polite --filter "type = 'llm'" --rate 0.1
    """
    rule = {
        "name": name,
        "project": project,
        "filter": filter,
        "sampling_rate": rate,
        "scorers": [{"use": use} for use in scorer],
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


@rules.command("test")
def try_out(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Try the rule of this name in a YAML file, before it is applied.", envvar="SPANLOOP_RULES_FILE"
        ),
    ] = None,
    hours: Annotated[float, typer.Option(help="How far back to look.", envvar="SPANLOOP_RULES_HOURS")] = 24.0,
    rows: Annotated[int, typer.Option(help="Rows to score and show.", envvar="SPANLOOP_RULES_ROWS")] = 10,
    module: Modules = None,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Say what a rule would have matched, sampled and cost, and score some rows here. Nothing is stored.

    Example: spanloop rules test polite --file rules.yaml --hours 6
    """
    client = ApiClient(api_url, key=api_key)
    rule = _rule_of_file(file, name) if file is not None else {"name": name, "project": project}
    answer = client.post(f"{PATH}/test", {"rule": rule, "hours": hours, "rows": rows})
    cost = answer.get("estimated_cost")
    print(
        f"last {hours:g} h: matched {answer['matched']}, sampled {answer['sampled']}, "
        f"calls of scorers {answer['calls']}, cost {'unknown' if cost is None else f'{cost:.4f} USD'}"
    )
    if answer["sample"]:
        _print_scored(client, answer, module or [])


@rules.command()
def backfill(
    name: Name,
    since: Annotated[
        str, typer.Option(help="Time or Unix seconds; empty: from the oldest row.", envvar="SPANLOOP_RULES_SINCE")
    ] = "",
    until: Annotated[str, typer.Option(help="The same; empty: until now.", envvar="SPANLOOP_RULES_UNTIL")] = "",
    where: Annotated[
        str, typer.Option(help="Only rows for which this SQL condition holds.", envvar="SPANLOOP_RULES_WHERE")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="Every row that matches, not only the sample.", envvar="SPANLOOP_RULES_ALL")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also rows that were scored already.", envvar="SPANLOOP_RULES_AGAIN")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only rows where the rule failed.", envvar="SPANLOOP_RULES_FAILED")
    ] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Show the progress until it is done.", envvar="SPANLOOP_RULES_WAIT"),
    ] = True,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Put past rows through a rule, enabled or not: a window, chosen rows, or those that failed.

    It goes on by itself after Ctrl-C, and where it was after a crash.

    Example: spanloop rules backfill polite --since 2026-11-01 --where "metadata['plan'] = 'pro'"
    """
    client = ApiClient(api_url, key=api_key)
    request = {
        "project": project,
        "since": since,
        "until": until,
        "filter": where,
        "all": every,
        "again": again,
        "failed": failed,
    }
    started = client.post(f"{PATH}/{quote(name, safe='')}/backfills", request)
    print(f"backfill {started['id']}")
    told = ""
    while wait and not _is_over(found := _backfill(client, started["id"])):
        if (progress := _progress(found)) != told:
            notes().print(told := progress)
        time.sleep(PROGRESS_SECONDS)
    if wait:
        print(_progress(_backfill(client, started["id"])))


@rules.command()
def backfills(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List backfills with their progress."""
    found = ApiClient(api_url, key=api_key).get("/v1/backfills", project=project)["backfills"]
    columns = ("id", "rule", "state", "since", "until", "matched", "queued", "done", "error")
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for each in found:
        table.add_row(*(show_cell(str(each[column])) for column in columns))
    console().print(table if found else "No backfills yet.")


@rules.command("stop-backfill")
def stop_backfill(
    id: Annotated[str, typer.Argument(help="Id of the backfill.")],
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Queue no more rows of a backfill; those that are queued are scored."""
    print(_progress(ApiClient(api_url, key=api_key).post(f"/v1/backfills/{id}/stop", {"project": project})))


def _fetch(client: ApiClient, project: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(PATH, project=project)["rules"]
    return found


def _enable(client: ApiClient, name: str, project: str, *, is_on: bool) -> None:
    client.post(f"{PATH}/{quote(name, safe='')}/enabled", {"project": project, "enabled": is_on})
    print(f"{'enabled' if is_on else 'disabled'} {name}")


def _delete(client: ApiClient, name: str, project: str) -> None:
    client.delete(f"{PATH}/{quote(name, safe='')}?project={quote(project, safe='')}")


def _rule_of_file(file: Path, name: str) -> dict[str, Any]:
    for rule in read_rules(file):
        if rule.get("name") == name:
            return rule
    raise ConfigError(f"{file} has no rule {name!r}")


def _print_scored(client: ApiClient, answer: dict[str, Any], modules: list[str]) -> None:
    # Imported late: `spanloop --help` need not load what a worker needs.
    from spanloop_collector.cli.rule_trial import score_rows, shown

    scorers = answer["rule"]["scorers"]
    found = asyncio.run(score_rows(client, scorers, answer["sample"], modules=modules))
    names = [scorer["name"] for scorer in scorers]
    table = Table("id", "input", "output", *names, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in found:
        texts = (json.dumps(row[name], ensure_ascii=False)[:80] for name in ("input", "output"))
        table.add_row(*map(show_cell, (row["id"], *texts, *(shown(row["results"][name]) for name in names))))
    console().print(table)


def _backfill(client: ApiClient, id: str) -> dict[str, Any]:
    found = client.get("/v1/backfills")["backfills"]
    return next(each for each in found if each["id"] == id)


def _is_over(backfill: dict[str, Any]) -> bool:
    is_queued = backfill["state"] != "running"
    return is_queued and bool(backfill["done"] >= backfill["queued"] or backfill["state"] == "failed")


def _progress(backfill: dict[str, Any]) -> str:
    text = f"{backfill['state']}: matched {backfill['matched']}, queued {backfill['queued']}, done {backfill['done']}"
    return f"{text}: {backfill['error']}" if backfill["error"] else text


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
