"""Output formats that a statement from outside may ask for, and what they are called over HTTP."""

from __future__ import annotations

from spanloop_collector.query.refusal import refuse

DEFAULT_FORMAT = "TabSeparated"
"""What ClickHouse answers when nobody names a format."""

TEXT = "text/plain; charset=UTF-8"
JSON = "application/json; charset=UTF-8"
JSON_LINES = "application/x-ndjson; charset=UTF-8"
TABS = "text/tab-separated-values; charset=UTF-8"
CSV = "text/csv; charset=UTF-8"
BYTES = "application/octet-stream"

# Formats that need a schema or template file, or that look things up by name, are left out.
CONTENT_TYPES = {
    "Arrow": "application/vnd.apache.arrow.file",
    "ArrowStream": "application/vnd.apache.arrow.stream",
    "CSV": CSV,
    "CSVWithNames": f"{CSV}; header=present",
    "CSVWithNamesAndTypes": f"{CSV}; header=present",
    "JSON": JSON,
    "JSONColumns": JSON,
    "JSONColumnsWithMetadata": JSON,
    "JSONCompact": JSON,
    "JSONCompactColumns": JSON,
    "JSONCompactEachRow": JSON_LINES,
    "JSONCompactEachRowWithNames": JSON_LINES,
    "JSONCompactEachRowWithNamesAndTypes": JSON_LINES,
    "JSONCompactStrings": JSON,
    "JSONCompactStringsEachRow": JSON_LINES,
    "JSONCompactStringsEachRowWithNames": JSON_LINES,
    "JSONCompactStringsEachRowWithNamesAndTypes": JSON_LINES,
    "JSONEachRow": JSON_LINES,
    "JSONLines": JSON_LINES,
    "JSONObjectEachRow": JSON,
    "JSONStrings": JSON,
    "JSONStringsEachRow": JSON_LINES,
    "LineAsString": TEXT,
    "Markdown": "text/markdown; charset=UTF-8",
    "MsgPack": BYTES,
    "NDJSON": JSON_LINES,
    "Native": BYTES,
    "Null": TEXT,
    "ORC": BYTES,
    "Parquet": BYTES,
    "Pretty": TEXT,
    "PrettyCompact": TEXT,
    "PrettyCompactMonoBlock": TEXT,
    "PrettyCompactNoEscapes": TEXT,
    "PrettyNoEscapes": TEXT,
    "PrettySpace": TEXT,
    "RowBinary": BYTES,
    "RowBinaryWithNames": BYTES,
    "RowBinaryWithNamesAndTypes": BYTES,
    "TSKV": TEXT,
    "TSV": TABS,
    "TSVRaw": TABS,
    "TSVWithNames": TABS,
    "TSVWithNamesAndTypes": TABS,
    "TabSeparated": TABS,
    "TabSeparatedRaw": TABS,
    "TabSeparatedWithNames": TABS,
    "TabSeparatedWithNamesAndTypes": TABS,
    "Values": TEXT,
    "Vertical": TEXT,
    "XML": "application/xml; charset=UTF-8",
}

_BY_LOWER_CASE = {name.lower(): name for name in CONTENT_TYPES}


def known_format(name: str) -> str:
    """The format's own spelling; raises for one that is not offered."""
    found = _BY_LOWER_CASE.get(name.lower())
    if found is None:
        raise refuse("UNKNOWN_FORMAT", f"format {name} is not offered here")
    return found


def content_type(name: str) -> str:
    """Content-Type of a result in this format."""
    return CONTENT_TYPES[name]
