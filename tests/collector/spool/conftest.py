"""Spools that are closed after the test."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool import Spool
from spanloop_collector.telemetry import REGISTRY

OpenSpool = Callable[..., Spool]


def damaged() -> float:
    return REGISTRY.get_sample_value("spanloop_spool_corrupt_records_total", {"signal": "test"}) or 0.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where `open_spool` opens by default."""
    return tmp_path / "spool"


@pytest.fixture
async def open_spool(tmp_path: Path) -> AsyncIterator[OpenSpool]:
    """Opens the spool of `directory` (default: one for the test); keywords are fields of SpoolSettings."""
    opened: list[Spool] = []

    def open_one(directory: Path | None = None, *, flush_after_seconds: float = 0.0, **fields: int) -> Spool:
        settings = SpoolSettings(min_free_disk_bytes=0)
        settings = dataclasses.replace(settings, **fields)  # type: ignore[arg-type]  # only int fields are given
        spool = Spool.open(
            directory or tmp_path / "spool",
            settings,
            signal="test",
            flush_after_seconds=flush_after_seconds,
        )
        opened.append(spool)
        return spool

    yield open_one
    for spool in opened:
        await spool.close()
