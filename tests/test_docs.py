"""The README says what is so: its settings, commands, examples and test command."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from spanloop._settings import Settings
from spanloop_collector.cli.app import command_line
from spanloop_collector.configuration import SettingField, setting_fields
from spanloop_collector.configuration.values import show_value

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def command_names(command: object, path: str = "") -> list[str]:
    children = getattr(command, "commands", {})
    if not children:
        return [path.strip()]
    return [name for child in children for name in command_names(children[child], f"{path} {child}")]


def settings_row(field: SettingField) -> str:
    """A line of the README's table of settings."""
    default = "the user's data folder" if field.key == "data_dir" else show_value(field, field.default)
    return f"| `{field.key}` | `{field.variable}` | {default} | {field.help} |"


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_every_setting_is_in_the_table() -> None:
    missing = [row for row in map(settings_row, setting_fields()) if row not in README]
    assert missing == [], "README.md, section Settings, lacks these lines:\n" + "\n".join(missing)


def test_table_holds_no_setting_that_does_not_exist() -> None:
    listed = re.findall(r"^\| `([\w.]+)` \| `SPANLOOP_", README, re.MULTILINE)
    assert listed == [field.key for field in setting_fields()]


def test_every_argument_of_init_is_in_its_table() -> None:
    (source,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(source, ast.ClassDef)
    meanings = {
        field.target.id: str(text.value.value)
        for field, text in pairwise(source.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
    rows = []
    for field in fields(Settings):
        variable = next((f"`{name}`" for name in field.metadata["variables"]), "")
        rows.append(f"| `{field.name}=` | {variable} | {meanings[field.name]} |")
    listed = [line for line in README.splitlines() if re.match(r"\| `\w+=` \|", line)]
    assert listed == rows


@pytest.mark.parametrize("command", command_names(typer.main.get_command(command_line())))
def test_every_command_is_shown(command: str) -> None:
    assert f"`spanloop {command}" in README


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (_, second) = code_blocks("sh")[0].strip().splitlines()
    assert second == 'pip install -e ".[dev]" && python -m tests'
    script = (ROOT / ".ci" / "run").read_text().replace(" --quiet --no-compile", "").splitlines()
    commands = [line for line in script if line.startswith(("pip ", "python -m "))]
    assert " && ".join(commands) == second


def test_linked_files_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_python_examples_are_valid() -> None:
    for block in code_blocks("python"):
        compile(block, "README.md", "exec")


def test_changelog_has_the_unreleased_changes_on_top() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
