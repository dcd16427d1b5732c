"""After a restart: everything acknowledged is there, under the same tokens; damage is cut and counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from spanloop_collector.errors import ConfigError
from spanloop_collector.spool import SealedSegment, Spool

from tests.collector.spool.conftest import OpenSpool, damaged


async def take_all(spool: Spool) -> list[SealedSegment]:
    segments = []
    while segment := await spool.take(timeout=0.05):
        segments.append(segment)
    return segments


def payloads(segments: list[SealedSegment]) -> list[bytes]:
    return [bytes(record.payload) for segment in segments for record in segment.records()]


def append_bytes(path: Path, extra: bytes) -> None:
    path.write_bytes(path.read_bytes() + extra)


def flip(path: Path, needle: bytes) -> None:
    """Damages the place where the needle is."""
    content = path.read_bytes()
    assert content.count(needle) == 1
    path.write_bytes(content.replace(needle, needle[:-1] + bytes([needle[-1] ^ 1])))


def only_segment(directory: Path) -> Path:
    (path,) = directory.glob("*.segment")
    return path


async def stored(open_spool: OpenSpool, directory: Path, *contents: bytes) -> Path:
    """The only segment of a spool that took the contents and was closed, not sealed."""
    spool = open_spool(directory, flush_after_seconds=60)
    for content in contents:
        await spool.append(content, item_count=1)
    await spool.close()
    return only_segment(directory)


async def test_unsealed_requests_are_ready_after_a_restart(open_spool: OpenSpool, directory: Path) -> None:
    await stored(open_spool, directory, b"one", b"two")
    spool = open_spool()
    assert (spool.backlog().items, spool.backlog().segments) == (2, 1)
    assert payloads(await take_all(spool)) == [b"one", b"two"]


async def test_a_large_segment_is_read_without_holding_it_in_memory(open_spool: OpenSpool, directory: Path) -> None:
    await stored(open_spool, directory, *(bytes([number]) * 2**20 for number in range(64)))
    (segment,) = await take_all(open_spool())
    before = mapped_bytes()
    most = max(mapped_bytes() for _ in segment.records())
    assert most - before < 20 * 2**20
    assert segment.is_whole()


def mapped_bytes() -> int:
    """Memory of this process that is pages of files."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile:"))
    return int(line.split()[1]) * 1024


async def test_segment_keeps_token_and_content_over_restarts(open_spool: OpenSpool) -> None:
    spool = open_spool()
    await spool.append(b"maybe inserted already", item_count=1)
    (taken,) = await take_all(spool)
    content = taken.path.read_bytes()
    await spool.close()
    for _ in range(2):
        spool = open_spool()
        (found,) = await take_all(spool)
        assert (found.token, found.path.read_bytes()) == (taken.token, content)
        assert found.is_whole()
        await spool.close()


async def test_order_holds_over_restarts(open_spool: OpenSpool) -> None:
    for name in (b"first", b"second", b"third"):
        spool = open_spool(flush_after_seconds=60)
        await spool.append(name, item_count=1)
        await spool.close()
    assert payloads(await take_all(open_spool())) == [b"first", b"second", b"third"]


@pytest.mark.parametrize(("torn", "counted"), [(1, 1), (9, 1), (10, 0), (40, 0)])
async def test_torn_end_is_cut_and_counted(open_spool: OpenSpool, directory: Path, torn: int, counted: int) -> None:
    path = await stored(open_spool, directory, b"whole", b"torn away")
    path.write_bytes(path.read_bytes()[:-torn])
    before = damaged()
    spool = open_spool()
    assert payloads(await take_all(spool)) == [b"whole"]
    # Where not even the header is whole, nothing tells a torn record from what lay in the file before.
    assert damaged() == before + counted
    await spool.close()
    assert payloads(await take_all(open_spool())) == [b"whole"]
    assert damaged() == before + counted


async def test_zeros_at_the_end_are_cut(open_spool: OpenSpool, directory: Path) -> None:
    path = await stored(open_spool, directory, b"whole")
    append_bytes(path, bytes(5000))
    spool = open_spool()
    assert payloads(await take_all(spool)) == [b"whole"]
    assert path.stat().st_size < 5000


async def test_flipped_bit_in_a_payload_leaves_the_rest(open_spool: OpenSpool, directory: Path) -> None:
    path = await stored(open_spool, directory, b"one", b"two damaged", b"three", b"four")
    flip(path, b"two damaged")
    before = damaged()
    (segment,) = await take_all(open_spool())
    assert payloads([segment]) == [b"one", b"three", b"four"]
    assert not segment.is_whole()
    assert damaged() == before + 1


async def test_flipped_bit_in_a_header_leaves_the_rest(open_spool: OpenSpool, directory: Path) -> None:
    path = await stored(open_spool, directory, b"one", b"two", b"three")
    content = bytearray(path.read_bytes())
    content[content.index(b"two") - 15] ^= 4
    path.write_bytes(content)
    before = damaged()
    (segment,) = await take_all(open_spool())
    assert not segment.is_whole()
    assert payloads([segment]) == [b"one", b"three"]
    assert damaged() == before + 1


async def test_flipped_bit_in_a_sealed_segment_is_found_when_read(open_spool: OpenSpool) -> None:
    spool = open_spool()
    for content in (b"good", b"bad one"):
        await spool.append(content, item_count=1)
    (segment,) = await take_all(spool)
    await spool.close()
    flip(segment.path, b"bad one")
    assert payloads(await take_all(open_spool())) == [b"good"]


async def test_wholly_damaged_segment_has_no_requests(open_spool: OpenSpool, directory: Path) -> None:
    path = await stored(open_spool, directory, b"only one")
    flip(path, b"only one")
    (segment,) = await take_all(open_spool())
    assert not segment.is_whole()
    assert payloads([segment]) == []


async def test_empty_and_foreign_files_do_not_stop_the_start(open_spool: OpenSpool, directory: Path) -> None:
    path = await stored(open_spool, directory, b"kept")
    empty = path.with_name("00000000000000000001-" + "a" * 32 + ".segment")
    empty.touch()
    foreign = path.with_name("notes.segment")
    foreign.write_text("mine")
    assert payloads(await take_all(open_spool())) == [b"kept"]
    assert not empty.exists()
    assert foreign.read_text() == "mine"


async def test_second_spool_in_a_directory_is_refused_with_the_holder(open_spool: OpenSpool) -> None:
    spool = open_spool()
    with pytest.raises(ConfigError, match=rf"in use by process {os.getpid()}; .*--data-dir"):
        open_spool()
    await spool.close()
    open_spool()
