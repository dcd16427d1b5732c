"""Reads ClickHouse's refusals: is it the data, the size, or the moment?"""

from __future__ import annotations

from enum import Enum

from clickhouse_connect.driver.exceptions import Error


class Refusal(Enum):
    """What to do about an insert that failed."""

    DATA = "data"
    """These bytes will never be accepted: find the guilty request and set it aside."""
    SIZE = "size"
    """Too much at once: half of it may pass."""
    MOMENT = "moment"
    """Anything else: the same insert may succeed later, so nothing is given up."""


DATA_CODES = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        26,  # CANNOT_PARSE_QUOTED_STRING
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        128,  # TOO_LARGE_ARRAY_SIZE
        131,  # TOO_LARGE_STRING_SIZE
        190,  # SIZES_OF_ARRAYS_DONT_MATCH
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        407,  # DECIMAL_OVERFLOW
        444,  # UNKNOWN_PROTOBUF_FORMAT
        691,  # UNKNOWN_ELEMENT_OF_ENUM
    }
)
"""Codes that speak of the bytes we sent. A wrong schema or a full disk is none of the sender's fault."""

MEMORY_LIMIT_EXCEEDED = 241


def refusal_of(error: Error) -> Refusal:
    """What the error means for the batch that caused it."""
    if error.code in DATA_CODES:
        return Refusal.DATA
    if error.code == MEMORY_LIMIT_EXCEEDED:
        return Refusal.SIZE
    return Refusal.MOMENT
