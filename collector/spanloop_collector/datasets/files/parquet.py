"""Parquet files, and folders of them as Hugging Face lays them out.

JSON values are columns of JSON text, which a note in the file's schema says, so that they come back as they were.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spanloop_collector.datasets.files.records import Numbered, Source
from spanloop_collector.errors import ConfigError

JSON_COLUMNS = ("input", "expected", "metadata", "origin")
NOTE = b"spanloop.json_columns"
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        *(pa.field(name, pa.string()) for name in JSON_COLUMNS[:3]),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("origin", pa.string()),
    ],
    metadata={NOTE: ",".join(JSON_COLUMNS).encode()},
)
BATCH_ROWS = 1_000
SHARD_ROWS = 100_000

README = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
---

Rows of a spanloop dataset. The columns {columns} hold JSON.
"""


def read(path: Path) -> Source:
    """The records of a file."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigError(f"{path}: is not a Parquet file: {error}") from None
    return Source(file.metadata.num_rows, _read_batches(file, path.name))


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a file."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for batch in _batches(rows):
            writer.write_batch(batch)


def write_folder(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a folder that `datasets.load_dataset` opens: a README and the rows in shards."""
    data = folder / "data"
    if data.exists() and any(data.iterdir()):
        raise ConfigError(f"{data}: is not empty; name a new folder")
    data.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(README.format(columns=", ".join(JSON_COLUMNS)))
    remaining = iter(rows)
    for number in itertools.count():
        first = next(remaining, None)
        if first is None and number:
            return
        shard = itertools.chain([] if first is None else [first], itertools.islice(remaining, SHARD_ROWS - 1))
        write(data / f"train-{number:05}.parquet", shard)


def _read_batches(file: Any, name: str) -> Iterator[Numbered]:
    with file:
        noted = (file.schema_arrow.metadata or {}).get(NOTE, b"").decode()
        json_columns = set(noted.split(",")) if noted else set()
        number = 0
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for record in batch.to_pylist():
                number += 1
                yield Numbered(_read_json(record, json_columns), number, f"{name}, row {number}")


def _read_json(record: dict[str, Any], json_columns: set[str]) -> dict[str, Any]:
    return {
        key: json.loads(value) if key in json_columns and value is not None else value for key, value in record.items()
    }


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    remaining = iter(rows)
    while batch := [_arrow_row(row) for row in itertools.islice(remaining, BATCH_ROWS)]:
        yield pa.RecordBatch.from_pylist(batch, schema=SCHEMA)


def _arrow_row(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: json.dumps(row[name], ensure_ascii=False) for name in JSON_COLUMNS if row.get(name) is not None}
    return {"id": row["id"], "tags": list(row.get("tags") or []), **texts}
