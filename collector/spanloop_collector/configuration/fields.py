"""The catalogue of settings, read from the dataclasses of `settings.py`: names, types, help, defaults.

A field `max_bytes` of the group `spool` is `spool.max_bytes` in a config file, `SPANLOOP_SPOOL_MAX_BYTES` in
the environment and `--spool-max-bytes` on the command line. The sentence below a field is its help.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import textwrap
import typing
from dataclasses import dataclass

from spanloop_collector.settings import Settings

SHORT_NAMES = {
    "auth.require_keys": "require_keys",
    "auth.insecure": "insecure",
    "store.clickhouse_url": "clickhouse_url",
}
"""Settings with a shorter name in the environment and on the command line; the long one works, too."""

HOLDS_SECRET = frozenset({"store.clickhouse_url", "attachments.url"})
"""Settings whose value may carry a password."""

TABLES = frozenset({"playground.endpoints"})
"""Settings that are tables by name: in a config file tables below their group, elsewhere JSON."""

LISTS = {"score.modules": ",", "store.mask_keys": ",", "store.mask_patterns": "\n"}
"""Settings of several texts and what stands between them; in a config file they may be lists."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One thing an operator may set."""

    group: str
    """Name of the group's field in `Settings`; empty for a field of `Settings` itself."""
    name: str
    """Name inside the group."""
    type: type
    """str, int, float, bool or Path."""
    is_optional: bool
    """None is a value; an empty text means None."""
    default: object
    """What counts when nobody says anything; None for `data_dir`, whose default is the user's folder."""
    help: str
    """One sentence with unit and the meaning of zero or None."""

    @property
    def key(self) -> str:
        """Dotted name, as in a config file: `spool.max_bytes`."""
        return f"{self.group}.{self.name}" if self.group else self.name

    @property
    def variables(self) -> tuple[str, ...]:
        """Environment variables, the preferred one first."""
        return tuple(f"SPANLOOP_{name.upper()}" for name in self._flat_names)

    @property
    def variable(self) -> str:
        """The preferred environment variable: `SPANLOOP_SPOOL_MAX_BYTES`."""
        return self.variables[0]

    @property
    def options(self) -> tuple[str, ...]:
        """Command line options, the preferred one first."""
        return tuple(f"--{name.replace('_', '-')}" for name in self._flat_names)

    @property
    def option(self) -> str:
        """The preferred command line option: `--spool-max-bytes`."""
        return self.options[0]

    @property
    def is_size(self) -> bool:
        """A number of bytes, which may be written with a unit."""
        return self.type is int and self.name.endswith("_bytes")

    @property
    def is_secret(self) -> bool:
        """The value may carry a password."""
        return self.key in HOLDS_SECRET

    @property
    def is_table(self) -> bool:
        """The value is the JSON text of an object of objects; keys of providers may stand in it."""
        return self.key in TABLES

    @property
    def _flat_names(self) -> tuple[str, ...]:
        long = self.key.replace(".", "_")
        return (SHORT_NAMES[self.key], long) if self.key in SHORT_NAMES else (long,)


@functools.cache
def setting_fields() -> tuple[SettingField, ...]:
    """Every setting, in the order of `settings.py`."""
    found: list[SettingField] = []
    hints = typing.get_type_hints(Settings)
    for entry in dataclasses.fields(Settings):
        if dataclasses.is_dataclass(hints[entry.name]):
            found.extend(_fields_of(hints[entry.name], group=entry.name))
    own = [field for field in _fields_of(Settings, group="") if not dataclasses.is_dataclass(field.type)]
    return (*own, *found)


@functools.cache
def group_help() -> dict[str, str]:
    """What each group is about, by name."""
    hints = typing.get_type_hints(Settings)
    groups = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)}
    return {name: (hint.__doc__ or "").strip() for name, hint in groups.items()}


def _fields_of(owner: type, *, group: str) -> list[SettingField]:
    hints = typing.get_type_hints(owner)
    helps = _field_docstrings(owner)
    found = []
    for entry in dataclasses.fields(owner):
        kind, is_optional = _unwrap_optional(hints[entry.name])
        default = None if entry.default is dataclasses.MISSING else entry.default
        found.append(SettingField(group, entry.name, kind, is_optional, default, helps.get(entry.name, "")))
    return found


def _unwrap_optional(hint: object) -> tuple[type, bool]:
    choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
    if not choices:
        assert isinstance(hint, type)
        return hint, False
    assert len(choices) == 1, f"a setting has one type or is optional, not {hint}"
    return choices[0], True


def _field_docstrings(owner: type) -> dict[str, str]:
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)
    helps: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match text:
                case ast.Expr(value=ast.Constant(value=str(sentence))):
                    helps[field.target.id] = " ".join(sentence.split())
    return helps
