"""One function decides every setting: argument, then environment, then file, then default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from spanloop_collector.configuration.fields import SettingField, group_help, setting_fields
from spanloop_collector.configuration.places import default_data_dir
from spanloop_collector.configuration.rules import check_rules
from spanloop_collector.configuration.values import Value, parse_value, show_value
from spanloop_collector.errors import ConfigError
from spanloop_collector.settings import Settings

CONFIG_VARIABLE = "SPANLOOP_CONFIG"


@dataclass(frozen=True, slots=True)
class ResolvedValue:
    """One setting, decided."""

    field: SettingField
    """What was decided."""
    value: Value
    """What it came to."""
    origin: str
    """Who decided: `--spool-max-bytes`, `SPANLOOP_SPOOL_MAX_BYTES`, a file's path or `default`."""

    @property
    def shown(self) -> str:
        """The value as an operator would write it, secrets masked."""
        return show_value(self.field, self.value)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings and where each came from."""

    settings: Settings
    """What the collector starts with."""
    values: tuple[ResolvedValue, ...]
    """Every setting in the order of `settings.py`."""
    config_file: Path | None
    """The file that was read, if any."""


def resolve(
    arguments: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    config_file: Path | None = None,
) -> Configuration:
    """Every setting with its origin.

    Args:
        arguments: values given on the command line by dotted key; None means not given.
        environment: read for `SPANLOOP_…` variables.
        config_file: a TOML file; without it `SPANLOOP_CONFIG` names one.

    Raises:
        ConfigError: for an unknown name, a value of the wrong kind or settings that do not fit together.
    """
    path = config_file or _config_file_from(environment)
    from_file = read_config_file(path) if path else {}
    refuse_unknown_variables(environment)
    given = arguments or {}
    values = tuple(_decide(field, given, environment, from_file, path) for field in setting_fields())
    settings = build_settings(values)
    check_rules(settings)
    return Configuration(settings, values, path)


def read_config_file(path: Path) -> dict[str, Any]:
    """Values of a TOML file by dotted key; unknown keys are refused."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"config file {path} is not valid TOML: {error}") from None
    flat: dict[str, Any] = {}
    for name, value in content.items():
        inner = value if isinstance(value, dict) and name in group_help() else None
        flat |= {name: value} if inner is None else {f"{name}.{key}": item for key, item in inner.items()}
    known = {field.key for field in setting_fields()}
    for key in flat:
        if key not in known:
            raise ConfigError(f"config file {path}: {key} is not a setting{_suggest(key, known)}")
    return flat


def refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Raises ConfigError for a variable that looks like a setting's and is none: a typing mistake."""
    known = {variable for field in setting_fields() for variable in field.variables}
    prefixes = tuple(f"SPANLOOP_{group.upper()}_" for group in group_help())
    for name in environment:
        if name.startswith(prefixes) and name not in known:
            raise ConfigError(f"environment: {name} is not a setting{_suggest(name, known)}")


def build_settings(values: tuple[ResolvedValue, ...]) -> Settings:
    """The nested dataclasses from the flat list."""
    hints = get_type_hints(Settings)
    arguments: dict[str, Any] = {r.field.name: r.value for r in values if not r.field.group}
    for group in group_help():
        arguments[group] = hints[group](**{r.field.name: r.value for r in values if r.field.group == group})
    return Settings(**arguments)


def _config_file_from(environment: Mapping[str, str]) -> Path | None:
    named = environment.get(CONFIG_VARIABLE)
    return Path(named).expanduser() if named else None


def _decide(
    field: SettingField,
    arguments: Mapping[str, object],
    environment: Mapping[str, str],
    from_file: Mapping[str, Any],
    path: Path | None,
) -> ResolvedValue:
    if arguments.get(field.key) is not None:
        return _resolved(field, arguments[field.key], field.option)
    for variable in field.variables:
        if variable in environment:
            return _resolved(field, environment[variable], variable)
    if field.key in from_file:
        return _resolved(field, from_file[field.key], str(path))
    default = default_data_dir(environment) if field.key == "data_dir" else field.default
    assert default is None or isinstance(default, str | int | float | Path)
    return ResolvedValue(field, default, "default")


def _resolved(field: SettingField, raw: object, origin: str) -> ResolvedValue:
    return ResolvedValue(field, parse_value(field, raw, source=origin), origin)


def _suggest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else "; `spanloop check-config` lists all settings"
