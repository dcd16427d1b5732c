"""Dataset rows in files: JSON lines, CSV, Parquet, and folders as Hugging Face lays them out; any size, row by row."""

from spanloop_collector.datasets.files.columns import Columns, to_row
from spanloop_collector.datasets.files.formats import (
    STANDARD_STREAM,
    FileFormat,
    choose_format,
    read_records,
    write_rows,
)

__all__ = ["STANDARD_STREAM", "Columns", "FileFormat", "choose_format", "read_records", "to_row", "write_rows"]
