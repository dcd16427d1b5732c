"""Reads one setting's value from text or TOML, and writes it back for people."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from urllib.parse import urlsplit

from spanloop_collector.configuration.fields import LISTS, SettingField
from spanloop_collector.errors import ConfigError

SIZE_UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 1 << 10,
    "MIB": 1 << 20,
    "GIB": 1 << 30,
    "TIB": 1 << 40,
}
TRUE_WORDS = frozenset({"true", "1", "yes", "on"})
FALSE_WORDS = frozenset({"false", "0", "no", "off"})
MASK = "***"

Value = str | int | float | bool | Path | None


def parse_value(field: SettingField, raw: object, *, source: str) -> Value:
    """The value that `raw` means for this setting; `source` names where it was written.

    Raises:
        ConfigError: naming the setting, the value seen and what would be right.
    """
    if field.is_optional and raw in ("", None):
        return None
    try:
        return _parse(field, raw)
    except ValueError as error:
        shown = _masked(field, str(raw)) if field.is_secret or field.is_table else raw
        raise ConfigError(f"{source}: {field.key} is {shown!r}; {error}") from None


def show_value(field: SettingField, value: object) -> str:
    """The value as an operator would write it, passwords masked."""
    if value is None or value == "":
        return "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    if field.is_size and isinstance(value, int):
        return show_size(value)
    return _masked(field, str(value))


def show_size(count: int) -> str:
    """Bytes with the largest unit that divides them: `64MiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        size = SIZE_UNITS[unit.upper()]
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return str(count)


def mask_password(url: str) -> str:
    """The URL with `***` for the password in it."""
    try:
        password = urlsplit(url).password
    except ValueError:
        password = None
    if not password:
        # Not a URL we understand: show nothing that could follow a user name.
        return re.sub(r"//[^/@]*@", f"//{MASK}@", url)
    return url.replace(f":{password}@", f":{MASK}@", 1)


def mask_keys(table: str) -> str:
    """The JSON text of endpoints with `***` for each key in it; a key that names a variable is none."""
    try:
        endpoints = json.loads(table)
        for endpoint in endpoints.values():
            if not str(endpoint.get("api_key", "$")).startswith("$"):
                endpoint["api_key"] = MASK
            endpoint |= {"url": mask_password(endpoint["url"])} if isinstance(endpoint.get("url"), str) else {}
    except (ValueError, AttributeError, TypeError):
        return MASK
    return json.dumps(endpoints, ensure_ascii=False)


def _masked(field: SettingField, text: str) -> str:
    if field.is_table:
        return mask_keys(text)
    return mask_password(text) if field.is_secret else text


def _parse(field: SettingField, raw: object) -> Value:
    if field.type is bool:
        return _parse_bool(raw)
    if field.is_size:
        return _parse_size(raw)
    if field.type is int:
        return _parse_int(raw)
    if field.type is float:
        return _parse_float(raw)
    if field.is_table and isinstance(raw, dict):
        return json.dumps(raw, ensure_ascii=False, default=str)
    if field.key in LISTS and isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return LISTS[field.key].join(raw)
    if not isinstance(raw, str | Path):
        raise ValueError("expected text")
    return Path(raw).expanduser() if field.type is Path else str(raw)


def _parse_bool(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    raise ValueError("expected true or false")


def _parse_int(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"[+-]?[\d_]+", raw.strip()):
        return int(raw)
    raise ValueError("expected a whole number")


def _parse_float(raw: object) -> float:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        number = float(raw)
    else:
        try:
            number = float(str(raw))
        except ValueError:
            raise ValueError("expected a number") from None
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _parse_size(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(raw).strip())
    if match is None or match[2].upper() not in SIZE_UNITS:
        raise ValueError("expected bytes such as 67108864 or 64MiB")
    unit = SIZE_UNITS[match[2].upper()]
    return int(float(match[1]) * unit) if "." in match[1] else int(match[1]) * unit
