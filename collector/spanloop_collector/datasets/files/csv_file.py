"""CSV with a header. A cell that is JSON is that value, any other is a text.

So that rows come back as they were, a text that looks like JSON is written in quotes of its own: the text 42 as "42".
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from spanloop_collector.datasets.files.columns import FIELDS
from spanloop_collector.datasets.files.jsonl import create, decompressed, file_size
from spanloop_collector.datasets.files.records import Numbered, Source
from spanloop_collector.errors import ConfigError

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


def read(path: Path) -> Source:
    """The records of a file."""
    return Source(file_size(path), _read_file(path))


def read_stream(stream: IO[bytes]) -> Iterator[Numbered]:
    """The records of a stream whose end nobody knows."""
    return _read_lines(io.TextIOWrapper(stream, "utf-8-sig", newline=""), "standard input", lambda: 0)


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a file."""
    with create(path) as stream:
        write_stream(stream, rows)


def write_stream(stream: IO[bytes], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a header, and one line a row."""
    text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(FIELDS)
    for row in rows:
        writer.writerow([_cell(row.get(name)) if name != "id" else row.get(name) for name in FIELDS])
    text.flush()
    text.detach()


def _read_file(path: Path) -> Iterator[Numbered]:
    with path.open("rb") as raw:
        text = io.TextIOWrapper(decompressed(raw, path), "utf-8-sig", newline="")
        yield from _read_lines(text, path.name, raw.tell)


def _read_lines(text: io.TextIOWrapper, name: str, position: Callable[[], int]) -> Iterator[Numbered]:
    reader = csv.DictReader(text)
    try:
        for record in reader:
            where = f"{name}, line {reader.line_num}"
            if None in record:
                raise ConfigError(f"{where}: has more cells than the header has columns")
            yield Numbered({key: _value(key, cell) for key, cell in record.items()}, position(), where)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}, line {reader.line_num + 1}: is not CSV in UTF-8: {error}") from None


def _value(column: str, cell: str | None) -> Any:
    # Ids are texts, also those that look like numbers.
    if cell is None or cell == "":
        return None
    if column == "id":
        return cell
    try:
        return json.loads(cell, parse_constant=_refuse)
    except ValueError:
        return cell


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _cell(value: Any) -> str:
    if value is None or value in ({}, []):
        return "" if value is None else json.dumps(value)
    if isinstance(value, str) and value and _value("", value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)
