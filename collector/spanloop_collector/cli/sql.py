"""`spanloop sql`: runs a statement and prints its result."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from spanloop_collector.cli.options import DEFAULT_API_URL, ApiKey, ApiUrl
from spanloop_collector.cli.output import notes
from spanloop_collector.cli.tables import print_table, split_lines
from spanloop_collector.client import ApiClient
from spanloop_collector.errors import ConfigError


class Format(StrEnum):
    """What a result looks like."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


CLICKHOUSE_FORMATS = {
    Format.TABLE: "JSONCompactStringsEachRowWithNamesAndTypes",
    Format.JSON: "JSONEachRow",
    Format.JSONL: "JSONEachRow",
    Format.CSV: "CSVWithNames",
    Format.PARQUET: "Parquet",
}


def sql(
    statement: Annotated[
        str | None,
        typer.Argument(help="One SELECT. Without it, -f or standard input is read.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            help="File with the statement; - is standard input.",
            envvar="SPANLOOP_SQL_FILE",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-F",
            help="What the result looks like; without it a table, or what the output file's name ends with.",
            envvar="SPANLOOP_SQL_FORMAT",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file, such as result.parquet.",
            envvar="SPANLOOP_SQL_OUTPUT",
            show_default=False,
        ),
    ] = None,
    max_rows: Annotated[
        int,
        typer.Option(min=1, help="Rows that a table shows; other formats show all.", envvar="SPANLOOP_SQL_MAX_ROWS"),
    ] = 200,
    timeout: Annotated[
        float,
        typer.Option(help="Seconds to wait for the next piece of the result.", envvar="SPANLOOP_SQL_TIMEOUT"),
    ] = 60.0,
    api_url: ApiUrl = DEFAULT_API_URL,
    api_key: ApiKey = None,
) -> None:
    """Ask a question in SQL.

    Views: logs (one row per span), traces, otel_logs; `spanloop sql "SHOW TABLES"` lists them all. A statement that
    ends with FORMAT, such as FORMAT Vertical, is answered as it says.

    Examples:

      spanloop sql "SELECT name, count() FROM logs GROUP BY name"

      spanloop sql -f report.sql --format csv > report.csv

      echo "SELECT * FROM traces LIMIT 5" | spanloop sql --format jsonl
    """
    text = read_statement(statement, file)
    chosen = choose_format(format, output)
    client = ApiClient(api_url, key=api_key)
    with client.sql(text, format=CLICKHOUSE_FORMATS[chosen], timeout=timeout) as result:
        arriving = wait_for_first(result.pieces)
        is_own = result.format != CLICKHOUSE_FORMATS[chosen]
        if chosen is Format.TABLE and not is_own:
            print_table(split_lines(arriving), max_rows=max_rows)
            return
        with open_output(output) as target:
            write = write_json_array if chosen is Format.JSON and not is_own else write_pieces
            write(arriving, target)


def choose_format(asked: Format | None, output: Path | None) -> Format:
    """The format asked for, else the one that the output file's name ends with, else a table."""
    if asked is None and output is not None:
        suffix = output.suffix.removeprefix(".").lower()
        asked = next((format for format in Format if format == suffix), None)
    chosen = asked or Format.TABLE
    if chosen is Format.TABLE and output is not None:
        raise ConfigError(f"{output}: say what to write with --format json, jsonl, csv or parquet")
    if chosen is Format.PARQUET and output is None and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal; name a file with -o result.parquet")
    return chosen


def read_statement(statement: str | None, file: Path | None) -> str:
    """The statement from the argument, the file or what is piped in."""
    if statement and file:
        raise ConfigError("two statements: give one as an argument or name a file with -f, not both")
    if file is not None and str(file) != "-":
        try:
            statement = file.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    elif not statement and (file is not None or not sys.stdin.isatty()):
        statement = sys.stdin.read()
    if not statement or not statement.strip():
        raise ConfigError('no statement; try `spanloop sql "SELECT count() FROM logs"`, -f FILE or a pipe')
    return statement


def wait_for_first(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, after a spinner on a terminal has waited for the first."""
    with notes().status("asking"):
        first = next(pieces, b"")
    return itertools.chain([first], pieces)


@contextmanager
def open_output(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that gets its name only when it is complete."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as target:
            yield target
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def write_pieces(pieces: Iterator[bytes], target: BinaryIO) -> None:
    """The result as ClickHouse wrote it."""
    for piece in pieces:
        target.write(piece)


def write_json_array(pieces: Iterator[bytes], target: BinaryIO) -> None:
    """One JSON array of the result's rows, one row per line."""
    opening = b"[\n"
    for line in split_lines(pieces):
        target.write(opening + line)
        opening = b",\n"
    target.write(b"\n]\n" if opening == b",\n" else b"[]\n")
