"""Asks ClickHouse whether it understands the masks: Python's regular expressions are not RE2's."""

from __future__ import annotations

import re
from typing import Any, Protocol

from clickhouse_connect.driver.exceptions import DatabaseError

from spanloop_collector.errors import ConfigError
from spanloop_collector.schema.masking import Mask

CANNOT_COMPILE_REGEXP = 427
SETTING = "store.mask_patterns (SPANLOOP_STORE_MASK_PATTERNS)"
SYNTAX = "https://github.com/google/re2/wiki/Syntax"


class Server(Protocol):
    """The store, as far as it is asked."""

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


def check_mask(server: Server, mask: Mask) -> None:
    """Returns where inserts can mask so. Raises ConfigError that names the pattern, and clickhouse-connect's errors."""
    for pattern in mask.patterns:
        if _matches_empty_text(server, pattern, shown=repr(pattern)):
            raise ConfigError(f"{SETTING}: {pattern!r} matches the empty text, which is everywhere; say what it masks")
    if mask.patterns:
        _matches_empty_text(server, mask.pattern, shown="all together")


def _matches_empty_text(server: Server, pattern: str, *, shown: str) -> bool:
    try:
        ((answer,),) = server.query("SELECT match('', {pattern:String})", {"pattern": pattern}).result_rows
    except DatabaseError as error:
        if error.code != CANNOT_COMPILE_REGEXP:
            raise
        reason = re.search(r"error: (.*?)\. Look at", str(error), re.DOTALL)
        raise ConfigError(
            f"{SETTING}: {shown} is no regular expression of RE2: {reason[1] if reason else error}; see {SYNTAX}"
        ) from None
    return bool(answer)
