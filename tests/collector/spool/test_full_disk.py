"""A disk without space: senders are told, nothing half-written stays, and space is enough to go on."""

from __future__ import annotations

import errno
import itertools
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from spanloop_collector.errors import RetryableError, SpoolFullError
from spanloop_collector.spool import Spool
from spanloop_collector.spool import active as active_module
from spanloop_collector.spool.durable import free_bytes
from spanloop_collector.spool.record import HEADER_BYTES

from tests.collector.spool.conftest import OpenSpool

KIB = 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    mount = tmp_path / "small-disk"
    mount.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount)], capture_output=True, text=True
    )
    if mounting.returncode:
        pytest.skip(f"mounting a tmpfs needs root: {mounting.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "--lazy", str(mount)], check=True)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def append_forever(spool: Spool, *, size: int, acknowledged: list[bytes]) -> None:
    """Appends until the spool raises."""
    for number in itertools.count():
        payload = bytes([number]) * size
        await spool.append(payload, item_count=1)
        acknowledged.append(payload)


async def contents(spool: Spool) -> list[bytes]:
    """Everything in the spool, which is empty afterwards."""
    spool.seal()
    found: list[bytes] = []
    while segment := await spool.take(timeout=0.05):
        found.extend(bytes(record.payload) for record in segment.records())
        segment.remove()
    return found


async def test_full_disk_is_told_and_left_behind(open_spool: OpenSpool, small_disk: Path) -> None:
    spool = open_spool(small_disk / "spool", flush_after_seconds=60)
    acknowledged: list[bytes] = []
    with pytest.raises(SpoolFullError, match=r"disk of .* is full: No space left") as raised:
        await append_forever(spool, size=20 * KIB, acknowledged=acknowledged)
    assert 0 < raised.value.retry_after_seconds <= 2
    assert len(acknowledged) > 5
    await spool.append(b"a small one still fits", item_count=1)
    assert await contents(spool) == [*acknowledged, b"a small one still fits"]
    for number in range(5):
        await spool.append(bytes([number]) * 20 * KIB, item_count=1)
    assert len(await contents(spool)) == 5


async def test_full_disk_survives_a_restart(open_spool: OpenSpool, small_disk: Path) -> None:
    spool = open_spool(small_disk / "spool", flush_after_seconds=60)
    acknowledged: list[bytes] = []
    with pytest.raises(SpoolFullError):
        await append_forever(spool, size=30 * KIB, acknowledged=acknowledged)
    # Takes the last free page, too.
    (small_disk / "filler").write_bytes(bytes(free_bytes(small_disk)))
    await spool.close()
    spool = open_spool(small_disk / "spool")
    assert spool.backlog().items == len(acknowledged)
    assert await contents(spool) == acknowledged


async def test_partly_written_request_is_taken_away(open_spool: OpenSpool, tmp_path: Path) -> None:
    spool = open_spool(flush_after_seconds=60)
    await spool.append(b"before", item_count=1)
    with file_size_limit(10 * KIB), pytest.raises(SpoolFullError, match="File too large"):
        await spool.append(b"x" * 20 * KIB, item_count=1)
    (path,) = (tmp_path / "spool").glob("*.segment")
    assert path.stat().st_size == HEADER_BYTES + len(b"before")
    await spool.append(b"after", item_count=1)
    assert await contents(spool) == [b"before", b"after"]


async def test_some_disk_is_left_to_others(open_spool: OpenSpool) -> None:
    spool = open_spool(min_free_disk_bytes=2**60)
    with pytest.raises(SpoolFullError, match=r"spool\.min_free_disk_bytes"):
        await spool.append(b"no room", item_count=1)
    assert spool.backlog().bytes == 0


async def test_failed_fsync_is_never_acknowledged(open_spool: OpenSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = open_spool(flush_after_seconds=60)
    await spool.append(b"before", item_count=1)

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(active_module, "sync_file", broken)
        with pytest.raises(RetryableError, match="Input/output error"):
            await spool.append(b"not durable", item_count=1)
    await spool.append(b"after", item_count=1)
    segments = [await spool.take(timeout=10)]
    spool.seal()
    segments.append(await spool.take(timeout=10))
    # Nothing is written behind a failed fsync: what follows is in a file of its own.
    found = [[bytes(r.payload) for r in segment.records()] for segment in segments if segment]
    assert found == [[b"before"], [b"after"]]
