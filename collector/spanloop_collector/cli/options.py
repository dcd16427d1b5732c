"""Options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from spanloop_collector.client import DEFAULT_API_URL
from spanloop_collector.configuration import SettingField, resolve, setting_fields
from spanloop_collector.configuration.fields import group_help
from spanloop_collector.configuration.values import show_value

API_PANEL = "Which collector"

ApiUrl = Annotated[
    str,
    typer.Option(
        help="Where the collector's API and SQL answer.", envvar="SPANLOOP_API_URL", rich_help_panel=API_PANEL
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        help="API key; without it the key that a collector on this machine keeps in its data directory.",
        envvar="SPANLOOP_API_KEY",
        show_default=False,
        rich_help_panel=API_PANEL,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help=escape("TOML file with settings. [env var: SPANLOOP_CONFIG]"), show_default=False),
]

__all__ = ["DEFAULT_API_URL", "ApiKey", "ApiUrl", "ConfigFile", "with_settings"]


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with one option per setting; it is called with a resolved `configuration`.

    The options are read as text and resolved together with the environment and the file, so that each value's
    origin is known. The command's own parameters stay as they are.
    """

    def run(config: Path | None = None, **given: Any) -> None:
        own = {name: given.pop(name) for name in list(given) if name in own_parameters}
        arguments = {keys[name]: value for name, value in given.items()}
        command(configuration=resolve(arguments, config_file=config), **own)

    signature = inspect.signature(command, eval_str=True)
    own_parameters = {name: p for name, p in signature.parameters.items() if name != "configuration"}
    keys = {field.variable.lower(): field.key for field in setting_fields()}
    file = inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigFile)
    parameters = [*own_parameters.values(), file, *map(_option_of, setting_fields())]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by inspect.signature
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    return run


def _option_of(field: SettingField) -> inspect.Parameter:
    default = "the user's data folder" if field.default is None else show_value(field, field.default)
    if field.is_optional:
        default = "(none)"
    is_flag = field.type is bool
    option = typer.Option(
        *(f"{option}/--no-{option[2:]}" if is_flag else option for option in field.options),
        # Square brackets are markup to the help's renderer, also those in our sentences.
        help=escape(f"{field.help} [env var: {field.variable}] [default: {default}]"),
        metavar=None if is_flag else _metavar(field),
        show_default=False,
        rich_help_panel=group_help().get(field.group),
    )
    return inspect.Parameter(
        field.variable.lower(),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[bool | None if is_flag else str | None, option],
    )


def _metavar(field: SettingField) -> str:
    if field.is_size:
        return "SIZE"
    return {str: "TEXT", int: "NUMBER", float: "SECONDS", Path: "PATH"}.get(field.type, "TEXT")
