"""The errors of SQL from outside, in ClickHouse's own numbers and words."""

from __future__ import annotations

import re

from spanloop_collector.errors import QueryError

CODE_NAMES = {
    36: "BAD_ARGUMENTS",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    159: "TIMEOUT_EXCEEDED",
    164: "READONLY",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    210: "NETWORK_ERROR",
    394: "QUERY_WAS_CANCELLED",
    452: "SETTING_CONSTRAINT_VIOLATION",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
}
CODES = {name: code for code, name in CODE_NAMES.items()}

_ENGINE_TEXT = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)
# What clickhouse-connect and the server append to the engine's words.
_TAIL = re.compile(r"(\s*\(version [^()]*(\([^()]*\))?\))?(\s*\(for url [^)]*\))?\s*$")


def refuse(name: str, message: str) -> QueryError:
    """A refusal of our own under ClickHouse's error name."""
    return QueryError(f"{message}. ({name})", code=CODES[name])


def from_engine(text: str, *, code: int | None = None) -> QueryError | None:
    """ClickHouse's own error out of a client's message; None when it carries none."""
    match = _ENGINE_TEXT.search(text)
    if match:
        # An error that crossed two layers repeats its prefix; the innermost says it best.
        inner = match[2].rpartition("DB::Exception: ")[2] if match[2].startswith("Code:") else match[2]
        return QueryError(_TAIL.sub("", inner), code=int(match[1]))
    return QueryError(text, code=code) if code else None
