"""Who is to blame for a refused insert: the bytes, their number, or the moment."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from spanloop_collector.write.refusal import Refusal, refusal_of

CODES = {
    "CANNOT_READ_ALL_DATA": (33, Refusal.DATA),
    "UNKNOWN_PROTOBUF_FORMAT": (444, Refusal.DATA),
    "MEMORY_LIMIT_EXCEEDED": (241, Refusal.SIZE),
    "TABLE_IS_READ_ONLY": (242, Refusal.MOMENT),
    "NOT_ENOUGH_SPACE": (243, Refusal.MOMENT),
    "TOO_MANY_PARTS": (252, Refusal.MOMENT),
    "NO_SUCH_COLUMN_IN_TABLE": (16, Refusal.MOMENT),
    "UNKNOWN_TABLE": (60, Refusal.MOMENT),
    "KEEPER_EXCEPTION": (999, Refusal.MOMENT),
    "AUTHENTICATION_FAILED": (516, Refusal.MOMENT),
}


@pytest.mark.parametrize("name", CODES)
def test_only_what_speaks_of_the_bytes_is_held_against_them(name: str) -> None:
    code, refusal = CODES[name]
    error = DatabaseError(f"Code: {code}. DB::Exception: … ({name})")
    error.code = code
    assert refusal_of(error) is refusal
