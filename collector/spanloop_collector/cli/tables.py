"""Results as tables for people."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from spanloop_collector.cli.output import console
from spanloop_collector.words import counted

MAX_CELL_CHARACTERS = 300
"""Longer values are cut in tables; the other formats show them whole."""
NUMBER_TYPES = ("Int", "UInt", "Float", "Decimal", "BFloat")


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines out of pieces of any size, without empty ones."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line for line in lines if line)
    if rest:
        yield rest


def print_table(lines: Iterator[bytes], *, max_rows: int) -> None:
    """Prints rows of JSONCompactStringsEachRowWithNamesAndTypes: names, types, then values as text."""
    names = json.loads(next(lines, b"[]"))
    types = json.loads(next(lines, b"[]"))
    if not names:
        return
    table = build_table(names, types)
    shown = 0
    for line in itertools.islice(lines, max_rows):
        table.add_row(*map(show_cell, json.loads(line)))
        shown += 1
    console().print(table)
    has_more = next(lines, None) is not None
    rows = counted(shown, "row")
    console().print(f"first {rows}; --max-rows shows more" if has_more else rows, style="dim")


def build_table(names: Sequence[str], types: Sequence[str]) -> Table:
    """An empty table with one column per name; numbers are right-aligned."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, kind in zip(names, types, strict=True):
        inner = kind.removeprefix("LowCardinality(").removeprefix("Nullable(")
        is_number = inner.startswith(NUMBER_TYPES)
        table.add_column(Text(name), justify="right" if is_number else "left", overflow="fold")
    return table


def show_cell(value: str | None) -> Text:
    """One value on few lines, without control characters that could play tricks with a terminal."""
    if value is None:
        return Text("NULL", style="dim")
    cut = value if len(value) <= MAX_CELL_CHARACTERS else value[: MAX_CELL_CHARACTERS - 1] + "…"
    return Text("".join(c if c.isprintable() or c == "\n" else "�" for c in cut.replace("\t", " ")))
