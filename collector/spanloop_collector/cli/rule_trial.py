"""`spanloop rules test`: what a rule would do, with some rows scored at once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console
from spanloop_collector.cli.rule_files import read_rules
from spanloop_collector.cli.rule_options import PATH, Name, Project
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.client import ApiClient
from spanloop_collector.errors import ConfigError


def try_out(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Try the rule of this name in a YAML file, before it is applied.", envvar="SPANLOOP_RULES_FILE"
        ),
    ] = None,
    hours: Annotated[float, typer.Option(help="How far back to look.", envvar="SPANLOOP_RULES_HOURS", min=0.01)] = 24.0,
    rows: Annotated[
        int, typer.Option(help="Rows to score and show.", envvar="SPANLOOP_RULES_ROWS", min=1, max=100)
    ] = 10,
    module: Annotated[
        list[str] | None,
        typer.Option(
            help="Module or file with scorers that the collector does not have yet; they run here. Repeat for several.",
            envvar="SPANLOOP_SCORE_MODULE",
            show_default=False,
        ),
    ] = None,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Say what a rule would have matched, sampled and cost, and score some rows. Nothing is stored.

    Scorers run on the collector, as they will, with its modules and its keys for models: that takes a key that may
    administer.

    Example: spanloop rules test polite --file rules.yaml --hours 6
    """
    client = ApiClient(api_url, key=api_key)
    rule = _rule_of_file(file, name, project) if file is not None else {"name": name, "project": project}
    answer = client.post(f"{PATH}/test", {"rule": rule, "hours": hours, "rows": rows})
    cost = answer.get("estimated_cost")
    print(
        f"last {hours:g} h: matched {answer['matched']}, sampled {answer['sampled']}, "
        f"calls of scorers {answer['calls']}, cost {'unknown' if cost is None else f'{cost:.4f} USD'}"
    )
    if answer["sample"]:
        _print_scored(client, answer, module or [])


def _rule_of_file(file: Path, name: str, project: str) -> dict[str, Any]:
    for _, rule in read_rules(file, project=project):
        if rule.get("name") == name:
            return rule
    raise ConfigError(f"{file} has no rule {name!r}")


def _print_scored(client: ApiClient, answer: dict[str, Any], modules: list[str]) -> None:
    # Imported late: `spanloop --help` need not load what a worker needs.
    from spanloop_collector.cli.rule_trial_rows import score_rows, shown

    scorers = answer["rule"]["scorers"]
    found = asyncio.run(score_rows(client, scorers, answer["sample"], modules=modules))
    names = [scorer["name"] for scorer in scorers]
    table = Table("id", "input", "output", *names, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in found:
        texts = (json.dumps(row[name], ensure_ascii=False)[:80] for name in ("input", "output"))
        table.add_row(*map(show_cell, (row["id"], *texts, *(shown(row["results"][name]) for name in names))))
    console().print(table)
