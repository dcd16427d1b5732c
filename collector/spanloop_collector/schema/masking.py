r"""SQL that masks what rows must not keep, by the names of keys and by pattern.

The statements of inserts.py stay as they are: a SELECT around them replaces each column that holds what an application
said. Without masks there is none.

A member of JSON, its name and its whole value, is found by a regular expression, which knows values that are lists and
objects as deep as MAX_NESTING. Strings are masked one by one, so that no pattern reaches from one into the next, and
JSON in a string is masked as all other. What is no JSON afterwards is masked as a whole. Ids and times stay as
they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from spanloop_collector.schema.fragments import TEXT_MAP, let, sql_text

MASKED = "[masked]"
"""What the instrumentation's own masks leave, too."""

MAX_NESTING = 24
"""Lists and objects inside each other in a masked value; JSON that goes deeper there is masked as a whole."""
MAX_JSON_IN_STRINGS = 2
"""How often JSON is looked for in a string of JSON. Further in, patterns apply and keys do not."""
MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Taking JSON apart needs up to forty times its size; longer texts are masked as a whole."""

# Regular expressions are RE2's.
STRING = r'"(?:[^"\\]|\\.)*"'
NUMBER = r"-?[0-9][0-9.eE+-]*"
BETWEEN = r'[^"0-9-]+'

MASKED_JSON = sql_text(f'"{MASKED}"')


@dataclass(frozen=True, slots=True)
class Mask:
    """What is masked; `Mask()` masks nothing."""

    keys: tuple[str, ...] = ()
    """Names of members and attributes, in any case, at any depth; `user.email` is each `email` inside a `user`."""
    patterns: tuple[str, ...] = ()
    """Regular expressions of RE2."""

    @classmethod
    def read(cls, keys: str, patterns: str) -> Mask:
        """From settings: commas between keys, each pattern on a line of its own."""
        return cls(
            tuple(key.strip() for key in keys.split(",") if key.strip()),
            tuple(pattern for pattern in patterns.splitlines() if pattern.strip()),
        )

    def around(self, table: str, select: str) -> str:
        """SQL for the same rows of the table, masked."""
        if not self.keys and not self.patterns:
            return select
        maps, columns = _MASKED[table](self)
        replaced = ",\n".join(f"{sql} AS {name}" for name, sql in columns.items())
        return (
            f"\nSELECT * EXCEPT (masked) REPLACE (\n{replaced}\n)\n"
            f"FROM (SELECT *, arrayMap(one -> {_map(self, 'one')}, {maps}) AS masked FROM (\n{select}\n))\n"
        )

    @property
    def pattern(self) -> str:
        """All patterns as one, '' where there are none. A dot is no line break, as in Python."""
        return f"(?-s:{'|'.join(f'(?:{pattern})' for pattern in self.patterns)})" if self.patterns else ""


def _spans(mask: Mask) -> tuple[str, dict[str, str]]:
    """All texts that may be JSON, as maps, whose masking is one expression; then the columns, from `masked`."""
    fields = ("input", "output", "expected", "error", "origin")
    maps = (
        f"arrayConcat([{_map_of(fields)}, metadata, resource], "
        "arrayMap(event -> event.3, events), arrayMap(link -> link.4, links))"
    )
    value = {name: f"mapValues(masked[1])[{position}]" for position, name in enumerate(fields, 1)}
    of_links = "arraySlice(masked, 4 + length(events))"
    return maps, value | {
        **{name: _text(mask, name) for name in ("name", "model", "provider", "trace_state", "scope_name")},
        **{name: _json_or_nothing(value[name]) for name in ("input", "output", "expected")},
        **{name: _numbers(mask, name) for name in ("scores", "online_scores", "metrics")},
        "tags": f"arrayMap(tag -> {_text(mask, 'tag')}, tags)",
        "metadata": "masked[2]",
        # What was a number is a text when it is masked.
        "metadata_json": (
            f"arrayFilter(key -> isValidJSON(masked[2][key]), arrayMap(key -> {_text(mask, 'key')}, metadata_json))"
        ),
        "resource": "masked[3]",
        "events": f"arrayMap((event, its) -> (event.1, {_text(mask, 'event.2')}, its), events, "
        "arraySlice(masked, 4, length(events)))",
        "links": f"arrayMap((link, its) -> (link.1, link.2, {_text(mask, 'link.3')}, its), links, {of_links})",
    }


def _log_records(mask: Mask) -> tuple[str, dict[str, str]]:
    """The same for log records."""
    body, event_name = "mapValues(masked[1])[1]", _text(mask, "event_name")
    return f"[{_map_of(['body'])}, attributes, resource]", {
        "body": body,
        "event_name": event_name,
        "scope_name": _text(mask, "scope_name"),
        "attributes": "masked[2]",
        "resource": "masked[3]",
        "content_hash": f"cityHash64({body}, severity, {event_name}, masked[2])",
    }


_MASKED = {"spans": _spans, "log_records": _log_records}


def _map_of(columns: Iterable[str]) -> str:
    members = ", ".join(f"{sql_text(column)}, {column}" for column in columns)
    return f"CAST(map({members}), '{TEXT_MAP}')"


def _json_or_nothing(text: str) -> str:
    return f"if(empty({text}) OR isValidJSON({text}), {text}, {MASKED_JSON})"


def _text(mask: Mask, text: str) -> str:
    """SQL for a text without what the patterns match."""
    if not mask.patterns:
        return text
    return f"replaceRegexpAll(toValidUTF8({text}), {sql_text(mask.pattern)}, {sql_text(MASKED)})"


def _numbers(mask: Mask, numbers: str) -> str:
    """SQL for a map of numbers without those whose names are masked."""
    return f"mapFilter((name, number) -> NOT {_is_masked(mask, 'name')}, {numbers})"


def _map(mask: Mask, texts: str) -> str:
    """SQL for a map of texts, each of which may be JSON."""
    is_masked = f"{_is_masked(mask, 'name')} OR length(text) > {MAX_TEXT_BYTES}"
    value = (
        f"multiIf(empty(text), '', {is_masked}, {sql_text(MASKED)}, "
        f"{_is_json('text')}, {_json(mask, 'name', 'text')}, {_text(mask, 'text')})"
    )
    names = f"arrayMap(name -> {_text(mask, 'name')}, mapKeys({texts}))"
    # Regular expressions pass over bytes that are no UTF-8, and JSON with such bytes is none.
    valid = f"arrayMap(text -> toValidUTF8(text), mapValues({texts}))"
    values = f"arrayMap((name, text) -> {value}, mapKeys({texts}), {valid})"
    return f"CAST(({names}, {values}), '{TEXT_MAP}')"


def _is_masked(mask: Mask, name: str) -> str:
    if not mask.keys:
        return "false"
    return f"match({name}, {sql_text(f'^(?i:(?:.*[.])?(?:{_any_of(mask.keys)}))$')})"


def _is_json(text: str) -> str:
    """SQL for whether a text is JSON that may hold what is masked, other than a number."""
    return f"(match({text}, '^\\\\s*[\\\\[{{\"]') AND isValidJSON({text}))"


def _json(mask: Mask, name: str, text: str) -> str:
    """SQL for the JSON of a member of that name."""
    # The name stands before the value meanwhile, for keys that name both.
    whole = _members(mask.keys, f"concat(start, {text})")
    masked = _as_json(_strings(mask, f"substring({whole}, length(start) + 1)", MAX_JSON_IN_STRINGS))
    return let("start", f"concat(toJSONString({name}), ':')", masked)


def _as_json(text: str) -> str:
    return let("masked", text, f"if(isValidJSON(masked), masked, {MASKED_JSON})")


def _members(keys: Iterable[str], text: str) -> str:
    """SQL for the text of JSON in which the values of members are masked that have such names."""
    if not keys:
        return text
    member, instead = sql_text(f"({_name(keys)}){VALUE}"), sql_text(f'\\1"{MASKED}"')
    text = f"replaceRegexpAll({text}, {member}, {instead})"
    by_parent: dict[str, list[str]] = {}
    for key in keys:
        names = key.split(".")
        for count in range(1, len(names)):
            by_parent.setdefault(".".join(names[:count]), []).append(".".join(names[count:]))
    for parent, children in by_parent.items():
        text = _inside(parent, children, text)
    return text


def _inside(parent: str, keys: list[str], text: str) -> str:
    """SQL for the text of JSON in which keys are masked inside the values of members that have the parent's name."""
    name = _name([parent])
    is_member, a_part = sql_text(f"^{name}"), sql_text(f'{name}{VALUE}|{STRING}|[^"]+')
    masked = f"concat(start, {_members(keys, 'substring(part, length(start) + 1)')})"
    masked = let("start", f"extract(part, {is_member})", masked)
    parts = f"arrayMap(part -> if(match(part, {is_member}), {masked}, part), extractAll(text, {a_part}))"
    return let("text", text, f"if(match(text, {sql_text(name)}), arrayStringConcat({parts}), text)")


def _strings(mask: Mask, text: str, level: int) -> str:
    """SQL for the text of JSON with its strings masked, and its numbers."""
    plain = _text(mask, "string")
    inner = _as_json(_strings(mask, _members(mask.keys, "string"), level - 1)) if level else plain
    of_string = let("now", f"if({_is_json('string')}, {inner}, {plain})", "if(now = string, part, toJSONString(now))")
    of_string = let("string", "JSONExtractString(part)", of_string)
    of_number = f"if(match(part, {sql_text(mask.pattern)}), {MASKED_JSON}, part)" if mask.patterns else "part"
    of_part = f"multiIf(startsWith(part, '\"'), {of_string}, match(part, '^[-0-9]'), {of_number}, part)"
    a_part = sql_text(f"{STRING}|{NUMBER}|{BETWEEN}")
    # Keys are masked by now, but for JSON in strings, whose quotes are escaped.
    is_needed = "true" if mask.patterns else "position(text, '\\\\\"') > 0"
    parts = f"arrayMap(part -> {of_part}, extractAll(text, {a_part}))"
    return let("text", text, f"if({is_needed}, arrayStringConcat({parts}), text)")


def _name(keys: Iterable[str]) -> str:
    """A regular expression for the name of a member and the colon behind it."""
    return rf'"(?i:(?:(?:[^"\\]|\\.)*\.)?(?:{_any_of(keys)}))"\s*:\s*'


def _any_of(keys: Iterable[str]) -> str:
    """A regular expression for any of the keys, as they are and as JSON writes them."""
    return "|".join("".join(_character(character) for character in key) for key in keys)


def _character(character: str) -> str:
    if character.isascii():
        return re.escape(json.dumps(character)[1:-1])
    cases = (character, character.lower(), character.upper())
    return f"(?:{'|'.join(dict.fromkeys([character, *(re.escape(json.dumps(case)[1:-1]) for case in cases)]))})"


def _value_of_member() -> str:
    """A regular expression for a value of JSON; for all that follows, where it is nested deeper than MAX_NESTING."""
    nested = ""
    for _ in range(MAX_NESTING):
        nested = rf'[\[{{](?:[^\[\]{{}}"]|{STRING}{nested})*[\]}}]'
        nested = f"|{nested}"
    return rf'(?:{STRING}|[^\s,\[\]{{}}"]+{nested}|[\[{{](?s:.*))'


VALUE = _value_of_member()
