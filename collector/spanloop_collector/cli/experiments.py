"""`spanloop experiments`: what evals recorded, compared, scored again, taken elsewhere."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.client import ApiClient, ApiError, local_admin_key
from spanloop_collector.errors import ConfigError
from spanloop_collector.words import counted

experiments = typer.Typer(help="List, show, compare, export and score experiments.", no_args_is_help=True)

Project = Annotated[
    str, typer.Option(help="Project; empty takes the key's, or the collector's default.", envvar="SPANLOOP_PROJECT")
]
Name = Annotated[str, typer.Argument(help="Name or id of the experiment.")]
Base = Annotated[
    str,
    typer.Option(
        help="Experiment to compare with; without it the stored one, then the nearest git ancestor, then the last.",
        envvar="SPANLOOP_EXPERIMENTS_BASE",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="The whole answer as JSON.", envvar="SPANLOOP_EXPERIMENTS_JSON")]


@experiments.command("list")
def list_experiments(
    project: Project = "",
    name: Annotated[str, typer.Option(help="Only names that contain this.", envvar="SPANLOOP_EXPERIMENTS_NAME")] = "",
    limit: Annotated[int, typer.Option(help="How many, the newest first.", envvar="SPANLOOP_EXPERIMENTS_LIMIT")] = 20,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """List experiments, the newest first."""
    answer = ApiClient(api_url, key=api_key).get("/v1/experiments", project=project, name=name, limit=str(limit))
    table = Table("name", "project", "created", "state", "commit", "id", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in answer["experiments"]:
        state = "finished" if each["finished"] else "open"
        commit = str(each.get("repo_info", {}).get("commit", ""))[:10]
        table.add_row(each["name"], each["project"], each["created"][:19], state, commit, each["id"])
    console().print(table if table.row_count else "No experiments yet; `spanloop eval FILE` makes one.")


@experiments.command()
def show(
    experiment: Name,
    project: Project = "",
    base: Base = "",
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Show an experiment's scores, and what they say against the one before."""
    body = {"project": project, "experiments": [experiment], "base": base}
    answer = ApiClient(api_url, key=api_key).post("/v1/experiments/compare", body)
    print(json.dumps(answer, indent=2) if as_json else answer["text"])


@experiments.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="Experiments; the last one is compared with, unless --base is.")],
    project: Project = "",
    base: Base = "",
    key: Annotated[
        str,
        typer.Option(
            help="SQL over a row; rows of equal keys are the same case. Without it: input.",
            envvar="SPANLOOP_EXPERIMENTS_KEY",
            show_default=False,
        ),
    ] = "",
    where: Annotated[str, typer.Option(help="SQL: only these cases.", envvar="SPANLOOP_EXPERIMENTS_WHERE")] = "",
    group_by: Annotated[
        str,
        typer.Option(
            help="Path below metadata, or SQL: scores for each value.", envvar="SPANLOOP_EXPERIMENTS_GROUP_BY"
        ),
    ] = "",
    order_by: Annotated[
        str,
        typer.Option(
            help="regressions, improvements, those of a score (regressions:name), or SQL.",
            envvar="SPANLOOP_EXPERIMENTS_ORDER_BY",
        ),
    ] = "regressions",
    cases: Annotated[int, typer.Option(help="How many cases to show.", envvar="SPANLOOP_EXPERIMENTS_CASES")] = 5,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="name=SQL, shown with each case; repeatable.",
            envvar="SPANLOOP_EXPERIMENTS_COLUMN",
            show_default=False,
        ),
    ] = None,
    aggregate: Annotated[
        list[str] | None,
        typer.Option(
            help="A score made of others: name=SQL over scores, name=min(a,b), name=max(a,b) or name=2*a+b*1.",
            envvar="SPANLOOP_EXPERIMENTS_AGGREGATE",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Compare experiments case by case.

    Example: spanloop experiments compare new old --group-by area --cases 10
    """
    body = {
        "project": project,
        "experiments": names,
        "base": base,
        "key": key,
        "where": where,
        "group_by": group_by,
        "order_by": order_by,
        "limit": cases,
        "columns": dict(_named(each, "--column") for each in column or []),
        "aggregates": [_aggregate(*_named(each, "--aggregate")) for each in aggregate or []],
    }
    answer = ApiClient(api_url, key=api_key).post("/v1/experiments/compare", body)
    if as_json:
        print(json.dumps(answer, indent=2))
        return
    print(answer["text"])
    for group in answer["groups"]:
        print(f"\n{group_by} = {group['value'] or '(none)'}: {counted(group['cases'], 'case')}")
        for score in group["scores"]:
            print(f"  {score['name']:<24} {_mean(score)}")
    if answer["cases"]:
        console().print(_case_table(answer))


@experiments.command()
def export(
    experiment: Name,
    project: Project = "",
    format: Annotated[
        str, typer.Option("-F", "--format", help="csv, json, jsonl or parquet.", envvar="SPANLOOP_EXPERIMENTS_FORMAT")
    ] = "jsonl",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="File to write; without it standard output.",
            envvar="SPANLOOP_EXPERIMENTS_OUTPUT",
            show_default=False,
        ),
    ] = None,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Write an experiment's cases to a file."""
    client = ApiClient(api_url, key=api_key)
    path = f"/v1/experiments/{quote(experiment, safe='')}/export"
    with client.open(path, project=project, format=format) as answer:
        if output is None:
            shutil.copyfileobj(answer, sys.stdout.buffer)
            return
        with output.open("wb") as file:
            shutil.copyfileobj(answer, file)
    notes().print(f"wrote {output}", style="dim")


@experiments.command()
def score(
    experiment: Name,
    scorer: Annotated[
        list[str],
        typer.Option(
            help="Scorer: module:function, or one that comes with spanloop; repeatable.",
            envvar="SPANLOOP_EXPERIMENTS_SCORER",
        ),
    ],
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Score an experiment again, finished or not. The scores are kept apart from those of the run.

    Example: spanloop experiments score prompt-v2 --scorer my_scorers:tone
    """
    from spanloop._api import ApiError as KeptOpenError
    from spanloop.eval.rescore import rescore
    from spanloop.scoring import ScoreError

    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        done = rescore(project, experiment, scorer, api_url=api_url, api_key=api_key or local_admin_key())
    except KeptOpenError as error:
        raise ApiError(str(error), status=error.status) from None
    except (ScoreError, ImportError) as error:
        raise ConfigError(f"--scorer: {error}") from None
    failed = f", {done.failed} failed: {done.first_error}" if done.failed else ""
    print(f"{counted(done.stored, 'score')} for {counted(done.rows, 'row')} of {experiment}{failed}")
    if done.failed:
        raise typer.Exit(1)


def _named(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise typer.BadParameter(f"{text!r}: expected name=…", param_hint=option)
    return name.strip(), value.strip()


def _aggregate(name: str, text: str) -> dict[str, Any]:
    """min(a, b), max(a, b), a*2 + b*1, or SQL."""
    for word, field in (("min", "minimum"), ("max", "maximum")):
        if text.startswith(f"{word}(") and text.endswith(")"):
            return {"name": name, field: [each.strip() for each in text[4:-1].split(",")]}
    weights = _weights(text)
    return {"name": name, "weights": weights} if weights else {"name": name, "formula": text}


def _weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in text.split("+"):
        found = _WEIGHT.fullmatch(part.strip())
        if found is None:
            return {}
        weights[found["score"] or found["same_score"]] = float(found["weight"] or found["same_weight"])
    return weights


_NUMBER, _SCORE = r"\d+(?:\.\d*)?|\.\d+", r"\w[\w-]*"
_WEIGHT = re.compile(
    rf"(?P<weight>{_NUMBER})\s*\*\s*(?P<score>{_SCORE})|(?P<same_score>{_SCORE})\s*\*\s*(?P<same_weight>{_NUMBER})"
)


def _mean(measure: dict[str, Any]) -> str:
    mean = measure["sides"][0].get("mean")
    said = measure["differences"][0] if measure["differences"] else {}
    change = f"  {said['difference'] * 100:+.1f}%  {said['verdict']}" if "difference" in said else ""
    return f"{mean * 100:.1f}%{change}" if mean is not None else "–"


def _case_table(answer: dict[str, Any]) -> Table:
    names = [each["experiment"]["name"] for each in answer["experiments"]]
    table = Table("input", "worse", "better", *names, box=box.SIMPLE_HEAD, pad_edge=False)
    for case in answer["cases"]:
        sides = [_side(side) for side in case["sides"]]
        table.add_row(_short(case.get("input")), str(case["regressions"]), str(case["improvements"]), *sides)
    return table


def _side(side: dict[str, Any]) -> str:
    scores = "  ".join(f"{name} {value * 100:.0f}%" for name, value in side.get("scores", {}).items())
    rows = side.get("rows") or []
    if not rows:
        return "–"
    first = rows[0]
    said = first["error"] or _short(first["output"])
    columns = "  ".join(f"{name}={value}" for name, value in first.get("columns", {}).items())
    return "\n".join(filter(None, (said, scores, columns)))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
