"""The command as a whole: help, versions, exit codes, missing parts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from spanloop_collector.cli.app import command_line
from typer.core import TyperOption

from tests.support.command import spanloop

PROVIDED_BY_TYPER = {"--help", "--version", "--install-completion", "--show-completion"}


def commands(command: Any, path: str = "spanloop") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


def options(command: Any) -> list[TyperOption]:
    return [parameter for parameter in command.params if isinstance(parameter, TyperOption)]


ALL_COMMANDS = dict(commands(typer.main.get_command(command_line())))


@pytest.mark.parametrize("path", ALL_COMMANDS)
def test_every_command_and_option_has_help(path: str) -> None:
    command = ALL_COMMANDS[path]
    assert command.help
    assert [option.name for option in options(command) if not option.help] == []


@pytest.mark.parametrize("path", ALL_COMMANDS)
def test_every_option_has_an_environment_variable(path: str) -> None:
    without = [
        option.opts[0]
        for option in options(ALL_COMMANDS[path])
        if option.opts[0] not in PROVIDED_BY_TYPER
        and not str(option.envvar or "").startswith("SPANLOOP_")
        and "[env var: SPANLOOP_" not in (option.help or "").replace("\\", "")
    ]
    assert without == []


def test_version() -> None:
    assert spanloop("--version").stdout == "spanloop 0.1.0\n"


def test_a_command_that_is_asked_for_is_the_only_one_that_is_read() -> None:
    read = "import sys; from spanloop_collector.cli.app import command_line; command_line('sql')\n"
    tell = "print(*sorted(name for name in sys.modules if name.startswith('spanloop_collector.cli.')))"
    modules = subprocess.run([sys.executable, "-c", read + tell], capture_output=True, text=True, check=True).stdout
    assert modules.split() == [
        f"spanloop_collector.cli.{name}" for name in ("app", "options", "output", "sql", "tables")
    ]


def test_a_command_that_is_not_known_is_compared_with_all() -> None:
    assert "No such command 'promot'. Did you mean 'promote'" in spanloop("promot").stderr


def test_without_arguments_help_is_shown() -> None:
    shown = spanloop()
    assert "spanloop demo" in shown.stdout
    assert "check-config" in shown.stdout


def test_completion_for_a_shell_is_offered() -> None:
    # Otherwise the shell is looked for among the processes above, and CI may have none.
    environment = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert "complete" in spanloop("--show-completion", "bash", environment=environment).stdout


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_missing_extra_is_reported_with_its_install_line(module: str) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['spanloop', 'serve']\n"
        "from spanloop_collector.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f'spanloop: {module} is missing, which the collector needs; run: pip install "spanloop[collector]"\n'
    )


def test_wrong_setting_stops_the_start_with_one_line() -> None:
    done = spanloop("serve", "--spool-max-bytes", "lots")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "spanloop: --spool-max-bytes: spool.max_bytes is 'lots'; expected bytes such as 67108864 or 64MiB\n"
    )


def test_address_beyond_loopback_is_refused_without_keys() -> None:
    done = spanloop("serve", "--receive-grpc-address", "0.0.0.0:4317")
    assert done.returncode == 2
    assert "receive.grpc_address is 0.0.0.0:4317, which other machines can reach, and keys are off" in done.stderr


def test_absent_collector_is_reported_with_what_to_do() -> None:
    done = spanloop("keys", "list", "--api-url", "http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("spanloop: no collector answers at http://127.0.0.1:9 (")
    assert "start one with `spanloop serve`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_wrong_api_url_is_named() -> None:
    done = spanloop("sql", "SELECT 1", environment={"SPANLOOP_API_URL": "127.0.0.1:7411"})
    assert done.returncode == 1
    assert "'127.0.0.1:7411' is not of the form http[s]://host:port" in done.stderr
