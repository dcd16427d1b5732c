"""Files of removed segments are written over: old requests never come back, and never lie around for long."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from spanloop_collector.errors import SpoolFullError
from spanloop_collector.spool import SealedSegment, Spool
from spanloop_collector.spool import committer as committer_module
from spanloop_collector.spool.record import HEADER_BYTES
from spanloop_collector.spool.segment import FOOTER_BYTES
from spanloop_collector.spool.spares import MAX_SPARES

from tests.collector.spool.conftest import OpenSpool, damaged
from tests.support.waiting import wait_until

OLD = b"stored long ago " * 1000


def spares(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spare"))


def segment_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.segment"))


async def take(spool: Spool) -> SealedSegment:
    spool.seal()
    segment = await spool.take(timeout=10)
    assert segment is not None
    return segment


def payloads(segment: SealedSegment) -> list[bytes]:
    return [bytes(record.payload) for record in segment.records()]


async def with_spare(open_spool: OpenSpool, directory: Path) -> Spool:
    """A spool with one spare file, which is full of old requests."""
    spool = open_spool(flush_after_seconds=60)
    for _ in range(3):
        await spool.append(OLD, item_count=1)
    (await take(spool)).remove()
    (spare,) = spares(directory)
    assert spare.read_bytes().count(OLD) == 3
    return spool


async def test_the_next_segment_is_written_over_the_last_one(open_spool: OpenSpool, directory: Path) -> None:
    spool = await with_spare(open_spool, directory)
    (spare,) = spares(directory)
    file = spare.stat().st_ino
    await spool.append(b"new", item_count=1)
    segment = await take(spool)
    assert not spares(directory)
    assert segment.path.stat().st_ino == file
    assert segment.path.stat().st_size == HEADER_BYTES + len(b"new") + FOOTER_BYTES
    assert segment.is_whole()
    assert payloads(segment) == [b"new"]


async def test_a_longer_segment_goes_on_behind_the_old_end(open_spool: OpenSpool, directory: Path) -> None:
    spool = await with_spare(open_spool, directory)
    contents = [bytes([number]) * len(OLD) for number in range(9)]
    for content in contents:
        await spool.append(content, item_count=1)
    segment = await take(spool)
    assert segment.is_whole()
    assert payloads(segment) == contents


async def test_old_requests_do_not_come_back_after_a_kill(open_spool: OpenSpool, directory: Path) -> None:
    spool = await with_spare(open_spool, directory)
    before = damaged()
    await spool.append(b"new", item_count=1)
    (path,) = segment_files(directory)
    content = path.read_bytes()
    await spool.close()
    # Closing leaves the file as a kill would: old requests follow.
    assert path.read_bytes() == content
    assert content.count(OLD) == 2
    again = open_spool()
    assert again.backlog().items == 1
    assert payloads(await take(again)) == [b"new"]
    assert damaged() == before


async def test_a_request_torn_over_an_old_one_is_left_out(open_spool: OpenSpool, directory: Path) -> None:
    spool = await with_spare(open_spool, directory)
    for content in (b"whole", b"torn" * 1000):
        await spool.append(content, item_count=1)
    await spool.close()
    (path,) = segment_files(directory)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"torn" * 500, OLD[:2000], 1))
    before = damaged()
    segment = await take(open_spool())
    assert not segment.is_whole()
    assert payloads(segment) == [b"whole"]
    assert damaged() == before + 1


async def test_a_file_that_was_not_cut_is_not_sent_as_it_lies(open_spool: OpenSpool, directory: Path) -> None:
    spool = await with_spare(open_spool, directory)
    await spool.append(b"new", item_count=1)
    segment = await take(spool)
    segment.path.write_bytes(segment.path.read_bytes() + OLD)
    assert not segment.is_whole()
    assert payloads(segment) == [b"new"]


async def test_a_write_that_fails_over_an_old_one_is_taken_away(
    open_spool: OpenSpool, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = await with_spare(open_spool, directory)
    await spool.append(b"before", item_count=1)
    with monkeypatch.context() as patch:
        patch.setattr("spanloop_collector.spool.active.sync_file", raise_no_space)
        with pytest.raises(SpoolFullError):
            await spool.append(b"not durable", item_count=1)
    await spool.append(b"after", item_count=1)
    assert payloads(await take(spool)) == [b"before", b"after"]


def raise_no_space(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_one_that_somebody_deleted_is_not_missed(open_spool: OpenSpool, directory: Path) -> None:
    spool = await with_spare(open_spool, directory)
    (spare,) = spares(directory)
    spare.unlink()
    await spool.append(b"new", item_count=1)
    assert payloads(await take(spool)) == [b"new"]


async def test_only_a_few_are_kept(open_spool: OpenSpool, directory: Path) -> None:
    spool = open_spool(flush_after_seconds=60)
    segments = []
    for _ in range(MAX_SPARES + 2):
        await spool.append(OLD, item_count=1)
        segments.append(await take(spool))
    for segment in segments:
        segment.remove()
        segment.remove()
    assert len(spares(directory)) == MAX_SPARES
    assert not segment_files(directory)
    assert spool.backlog().bytes == 0


async def test_they_go_when_nothing_comes_any_more(
    open_spool: OpenSpool, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer_module, "KEPT_SECONDS", 0.2)
    spool = open_spool(flush_after_seconds=60)
    for _ in range(2):
        await spool.append(OLD, item_count=1)
        (await take(spool)).remove()
        wait_until(lambda: not spares(directory), what="a spool without spare files")


async def test_they_go_with_the_spool(open_spool: OpenSpool, directory: Path) -> None:
    spool = await with_spare(open_spool, directory)
    await spool.close()
    assert not spares(directory)


async def test_they_go_when_the_disk_is_full(open_spool: OpenSpool, directory: Path) -> None:
    spool = open_spool(flush_after_seconds=60, min_free_disk_bytes=2**60)
    left = directory / "left.spare"
    spool_spares = spool._spares
    left.write_bytes(OLD)
    spool_spares.put(left)
    with pytest.raises(SpoolFullError):
        await spool.append(b"no room", item_count=1)
    assert not spares(directory)
