"""Which format a file has, and reading and writing it as a stream of records."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from spanloop_collector.datasets.files import csv_file, jsonl
from spanloop_collector.datasets.files.records import Numbered, Source
from spanloop_collector.errors import ConfigError

STANDARD_STREAM = Path("-")


class FileFormat(StrEnum):
    """What a file of rows looks like."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    FOLDER = "folder"


ENDINGS = {
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".csv": FileFormat.CSV,
    ".parquet": FileFormat.PARQUET,
}


def choose_format(path: Path, given: FileFormat | None) -> FileFormat:
    """The format that was asked for, else what the name says. JSON lines and CSV may end in .gz besides."""
    if given is not None:
        return given
    if path == STANDARD_STREAM:
        return FileFormat.JSONL
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending in ENDINGS:
        return ENDINGS[ending]
    if path.is_dir() or not ending:
        return FileFormat.FOLDER
    raise ConfigError(f"{path}: cannot tell its format from its name; say it with --format ({', '.join(FileFormat)})")


def read_records(path: Path, format: FileFormat) -> Source:
    """The records of a file or folder, as they are asked for."""
    if format is FileFormat.FOLDER:
        return _read_folder(path)
    if format is FileFormat.PARQUET:
        from spanloop_collector.datasets.files import parquet  # late: pyarrow is large, and few commands need it

        return parquet.read(path)
    if path == STANDARD_STREAM:
        read = jsonl.read_stream if format is FileFormat.JSONL else csv_file.read_stream
        return Source(0, read(sys.stdin.buffer))
    return jsonl.read(path) if format is FileFormat.JSONL else csv_file.read(path)


def write_rows(path: Path, format: FileFormat, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes rows as they come. A file takes its name only once it is whole."""
    if format is FileFormat.FOLDER:
        from spanloop_collector.datasets.files import parquet

        parquet.write_folder(path, rows)
    elif path == STANDARD_STREAM:
        write = {FileFormat.JSONL: jsonl.write_stream, FileFormat.CSV: csv_file.write_stream}.get(format)
        if write is None:
            raise ConfigError(f"{format} cannot be written to standard output; name a file")
        write(sys.stdout.buffer, rows)
    else:
        _write_file(path, format, rows)


def _write_file(path: Path, format: FileFormat, rows: Iterable[Mapping[str, Any]]) -> None:
    from spanloop_collector.datasets.files import parquet

    part = path.with_name(path.name + ".part")
    writers = {FileFormat.JSONL: jsonl.write, FileFormat.CSV: csv_file.write, FileFormat.PARQUET: parquet.write}
    try:
        writers[format](part, rows)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class DataFile(NamedTuple):
    """One file of a folder."""

    path: Path
    split: str
    """What Hugging Face would call its part of the data: train, test, …"""


SPLITS = {"train": "train", "test": "test", "eval": "test", "validation": "validation", "valid": "validation"}
SPLITS |= {"val": "validation", "dev": "validation"}


def _read_folder(folder: Path) -> Source:
    files = list(_data_files(folder))
    if not files:
        raise ConfigError(f"{folder}: there are no .parquet, .jsonl or .csv files in it")
    has_splits = len({file.split for file in files}) > 1
    sizes = [file.path.stat().st_size for file in files]

    def records() -> Iterator[Numbered]:
        before = 0
        for file, size in zip(files, sizes, strict=True):
            source = read_records(file.path, choose_format(file.path, None))
            for record, position, where in source.records:
                share = position / source.total if source.total else 1
                shown = {**record, "split": file.split} if has_splits and "split" not in record else record
                yield Numbered(shown, before + int(size * min(share, 1)), where)
            before += size

    return Source(sum(sizes), records())


def _data_files(folder: Path) -> Iterator[DataFile]:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: there is no such folder")
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_hidden = any(part.startswith((".", "_")) for part in inside.parts)
        if path.is_file() and not is_hidden and Path(path.name.removesuffix(".gz")).suffix.lower() in ENDINGS:
            yield DataFile(path, _split_of(inside))


def _split_of(path: Path) -> str:
    words = [word for part in path.parts for word in part.lower().replace(".", "-").replace("_", "-").split("-")]
    return next((SPLITS[word] for word in words if word in SPLITS), "train")
