"""`spanloop variants`: a baseline and its variants, run by the application itself against the same tasks."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import console, notes
from spanloop_collector.cli.tables import show_cell
from spanloop_collector.cli.variant_tree import show_tree
from spanloop_collector.client import ApiClient, ApiError
from spanloop_collector.errors import ConfigError
from spanloop_collector.words import counted

variants = typer.Typer(help="Compare a baseline with variants that change one parameter each.", no_args_is_help=True)

PATH = "/v1/variant-experiments"
RUNNING = ("running_baseline", "running_variant")
LOOK_EVERY_SECONDS = 0.5

Name = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Name of the experiment.")]
Project = Annotated[
    str,
    typer.Option(
        help="Project of the experiment; empty: the key's, or the collector's default.", envvar="SPANLOOP_PROJECT"
    ),
]
Wait = Annotated[
    bool,
    typer.Option("--wait", help="Wait for the end of the run and show the outcome.", envvar="SPANLOOP_VARIANTS_WAIT"),
]


@variants.command()
def create(
    name: Name,
    url: Annotated[
        str, typer.Option(help="Where the application takes tests, http[s]://…", envvar="SPANLOOP_VARIANTS_URL")
    ],
    step: Annotated[
        list[str], typer.Option(help="Inference step in scope; repeat for several.", envvar="SPANLOOP_VARIANTS_STEP")
    ],
    description: Annotated[str, typer.Option(help="The hypothesis.", envvar="SPANLOOP_VARIANTS_DESCRIPTION")] = "",
    pass_when: Annotated[
        str,
        typer.Option(
            help="SQL over the root row of a test's trace; without it the output must be what is expected.",
            envvar="SPANLOOP_VARIANTS_PASS_WHEN",
        ),
    ] = "",
    timeout: Annotated[
        float, typer.Option(help="Seconds until a test without verdict has failed.", envvar="SPANLOOP_VARIANTS_TIMEOUT")
    ] = 300,
    at_once: Annotated[int, typer.Option(help="Tests under way at a time.", envvar="SPANLOOP_VARIANTS_AT_ONCE")] = 4,
    secret: Annotated[
        str,
        typer.Option(
            help="Signing secret, whsec_…; without it a new one.", show_default=False, envvar="SPANLOOP_VARIANTS_SECRET"
        ),
    ] = "",
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Make an experiment, in draft, and print the secret that signs its tests, this once.

    Example: spanloop variants create colder --url https://example.com/spanloop --step classifier
    """
    body = {
        "name": name,
        "project": project,
        "url": url,
        "steps": step,
        "description": description,
        "pass_when": pass_when,
        "timeout_seconds": timeout,
        "max_at_once": at_once,
        "secret": secret,
        "actor": getpass.getuser(),
    }
    answer = ApiClient(api_url, key=api_key).post(PATH, body)
    if answer["secret"]:
        print(answer["secret"])
        notes().print("Tests are signed with this secret, which is not shown again; give it to the application.")
    else:
        notes().print(f"{name} is {answer['experiment']['status']}; its tests are signed with the secret that it has.")


@variants.command("list")
def list_experiments(project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """List experiments."""
    found = ApiClient(api_url, key=api_key).get(PATH, project=project)["experiments"]
    table = Table("name", "status", "steps", "tasks", "variants", "target", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in found:
        cells = (each["name"], each["status"], ", ".join(each["steps"]), str(each["task_count"]))
        table.add_row(*map(show_cell, (*cells, str(len(each["variants"])), each["target"])))
    console().print(table if found else "No experiments yet; make one with `spanloop variants create NAME …`.")


@variants.command()
def show(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Show an experiment: its variants as a tree, each with its pass rate against the baseline's."""
    show_tree(ApiClient(api_url, key=api_key).get(_path(name), project=project))


@variants.command()
def tasks(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            help="JSON lines, each with input, expected, id, metadata.",
            show_default=False,
            envvar="SPANLOOP_VARIANTS_FILE",
        ),
    ] = None,
    where: Annotated[
        str, typer.Option(help="SQL condition over the rows to take.", envvar="SPANLOOP_VARIANTS_WHERE")
    ] = "",
    source: Annotated[
        str, typer.Option(help="View that the rows come from: dataset_rows or logs.", envvar="SPANLOOP_VARIANTS_SOURCE")
    ] = "dataset_rows",
    limit: Annotated[
        int, typer.Option(help="At most so many rows, newest first.", envvar="SPANLOOP_VARIANTS_LIMIT")
    ] = 100,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Set the tasks: the test cases that every variant runs against. Locked once the baseline runs.

    Example: spanloop variants tasks colder --where "dataset = 'golden questions'"
    """
    body: dict[str, object] = {"project": project, "actor": getpass.getuser()}
    if file is not None:
        body["tasks"] = _read_tasks(file)
    else:
        body |= {"source": source, "where": where, "limit": limit}
    answer = ApiClient(api_url, key=api_key).post(_path(name, "tasks"), body)
    print(counted(answer["task_count"], "task"))


@variants.command()
def baseline(
    name: Name,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="STEP.PARAMETER=VALUE of today; repeat for several.",
            show_default=False,
            envvar="SPANLOOP_VARIANTS_PARAMETER",
        ),
    ] = None,
    wait: Wait = False,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Run the baseline. What is not set stays as the application has it.

    Example: spanloop variants baseline colder --set classifier.temperature=0.7 --wait
    """
    configuration: dict[str, dict[str, Any]] = {}
    for text in parameter or []:
        step, name_of_parameter, value = read_setting(text)
        configuration.setdefault(step, {})[name_of_parameter] = value
    client = ApiClient(api_url, key=api_key)
    body = {"project": project, "configuration": configuration, "actor": getpass.getuser()}
    _started(client, client.post(_path(name, "baseline"), body), project, wait)


@variants.command()
def add(
    name: Name,
    variant: Annotated[str, typer.Argument(help="Name of the variant.")],
    parameter: Annotated[
        list[str],
        typer.Option("--set", help="STEP.PARAMETER=VALUE: its one change.", envvar="SPANLOOP_VARIANTS_PARAMETER"),
    ],
    parent: Annotated[
        str, typer.Option(help="The variant that it builds on.", envvar="SPANLOOP_VARIANTS_PARENT")
    ] = "baseline",
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Add a variant: one other value, on top of the baseline or of another variant.

    Example: spanloop variants add colder cold --set classifier.temperature=0.3
    """
    if len(parameter) > 1:
        raise ConfigError("--set: a variant changes one parameter; add a second variant with --parent for the next one")
    step, name_of_parameter, value = read_setting(parameter[0])
    body = {"project": project, "variant": variant, "parent": parent, "actor": getpass.getuser()}
    body |= {"step": step, "parameter": name_of_parameter, "value": value}
    answer = ApiClient(api_url, key=api_key).post(_path(name, "variants"), body)
    effective = next(each["effective"] for each in answer["variants"] if each["name"] == variant)
    print(f"{variant}: {json.dumps(effective, ensure_ascii=False)}")


@variants.command()
def run(
    name: Name,
    variant: Annotated[str, typer.Argument(help="Name of the variant.")],
    wait: Wait = False,
    project: Project = "",
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Run a variant against the tasks of the baseline."""
    client = ApiClient(api_url, key=api_key)
    path = _path(name, f"variants/{quote(variant, safe='')}/run")
    _started(client, client.post(path, {"project": project, "actor": getpass.getuser()}), project, wait)


@variants.command()
def complete(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """End an experiment for good."""
    _end(ApiClient(api_url, key=api_key), name, "complete", project)


@variants.command()
def archive(name: Name, project: Project = "", api_url: ApiUrl = DEFAULT_API_URL, api_key: ApiKey = None) -> None:
    """Put an experiment away."""
    _end(ApiClient(api_url, key=api_key), name, "archive", project)


def read_setting(text: str) -> tuple[str, str, Any]:
    """Step, parameter and value of `classifier.temperature=0.3`; a value that is not JSON is a text."""
    place, equals, value = text.partition("=")
    step, dot, parameter = place.rpartition(".")
    if not (step and dot and parameter and equals):
        raise ConfigError(f"--set {text!r} is not of the form step.parameter=value")
    try:
        return step, parameter, json.loads(value)
    except ValueError:
        return step, parameter, value


def _read_tasks(file: Path) -> list[Any]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read as JSON lines: {error}") from None


def _path(name: str, rest: str = "") -> str:
    return f"{PATH}/{quote(name, safe='')}" + (f"/{rest}" if rest else "")


def _end(client: ApiClient, name: str, verb: str, project: str) -> None:
    print(client.post(_path(name, verb), {"project": project, "actor": getpass.getuser()})["status"])


def _started(client: ApiClient, experiment: Mapping[str, Any], project: str, wait: bool) -> None:
    if not wait:
        print(experiment["status"])
        return
    while experiment["status"] in RUNNING:
        time.sleep(LOOK_EVERY_SECONDS)
        experiment = client.get(_path(experiment["name"]), project=project)
    show_tree(experiment)
    if experiment["status"] == "baseline_failed":
        raise ApiError('not one test of the baseline came back; look at `spanloop sql "SELECT * FROM variant_tests"`')
