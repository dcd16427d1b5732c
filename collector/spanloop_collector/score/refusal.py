"""Reads ClickHouse's errors: will the same statement pass later, or is there something wrong with it?"""

from __future__ import annotations

from clickhouse_connect.driver.exceptions import Error

PASSING_CODES = frozenset(
    {
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        236,  # ABORTED
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT
        999,  # KEEPER_EXCEPTION
    }
)
"""ClickHouse is in trouble; any other error is the statement's own."""


TOO_MUCH_CODES = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        241,  # MEMORY_LIMIT_EXCEEDED
        307,  # TOO_MANY_BYTES
    }
)


def is_passing(error: Error) -> bool:
    """Whether the same may succeed later."""
    return error.code in PASSING_CODES


def is_too_much(error: Error) -> bool:
    """Whether a statement about less may succeed."""
    return error.code in TOO_MUCH_CODES
