"""What `spanloop serve` announces can be read back by a program."""

from __future__ import annotations

import dataclasses

import pytest
from spanloop_collector.listening import Listening, read_announcement

LISTENING = Listening(
    grpc_address="127.0.0.1:4317",
    http_address="[::1]:4318",
    api_address="collector.example:7411",
    is_tls=True,
    store="26.9.2.1, embedded in /data/clickhouse",
)


def test_announcement_is_read_back_among_log_lines() -> None:
    text = f"2026-01-01 INFO starting\n{LISTENING.announcement('0.1.0')}\n2026-01-01 INFO ready\n"
    assert read_announcement(text) == LISTENING


def test_half_an_announcement_is_none() -> None:
    text = LISTENING.announcement("0.1.0")
    assert read_announcement(text[: text.index("API and SQL")]) is None


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("127.0.0.1:4317", "https://127.0.0.1:4317"),
        ("0.0.0.0:4317", "https://localhost:4317"),
        ("[::]:4317", "https://localhost:4317"),
    ],
)
def test_the_endpoint_is_one_that_can_be_called(address: str, endpoint: str) -> None:
    assert dataclasses.replace(LISTENING, grpc_address=address).endpoint == endpoint
