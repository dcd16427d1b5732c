"""The spool while all is well: append, take, release, remove, bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from spanloop_collector.errors import RetryableError, SpoolFullError, TooLargeError
from spanloop_collector.spool import Backlog, RecordFlags, SealedSegment, Spool
from spanloop_collector.spool.record import HEADER_BYTES
from spanloop_collector.spool.spool import LARGE_BYTES

from tests.collector.spool.conftest import OpenSpool


async def take(spool: Spool) -> SealedSegment:
    segment = await spool.take(timeout=10)
    assert segment is not None
    return segment


def payloads(segment: SealedSegment) -> list[bytes]:
    return [bytes(record.payload) for record in segment.records()]


async def test_appended_requests_are_taken_in_one_segment(open_spool: OpenSpool) -> None:
    spool = open_spool()
    await spool.append(b"first", item_count=2)
    await spool.append([b"sec", memoryview(b"ond")], item_count=3, flags=RecordFlags.HAS_NESTED)
    segment = await take(spool)
    assert [(bytes(r.payload), r.item_count, r.flags) for r in segment.records()] == [
        (b"first", 2, RecordFlags.NONE),
        (b"second", 3, RecordFlags.HAS_NESTED),
    ]
    assert (segment.item_count, segment.record_count) == (5, 2)
    assert segment.flags == RecordFlags.HAS_NESTED
    assert segment.is_whole()


async def test_taken_segment_never_changes(open_spool: OpenSpool) -> None:
    spool = open_spool()
    await spool.append(b"before", item_count=1)
    segment = await take(spool)
    content = segment.path.read_bytes()
    await spool.append(b"after", item_count=1)
    other = await take(spool)
    assert segment.path.read_bytes() == content
    assert payloads(other) == [b"after"]
    assert other.token != segment.token


async def test_append_is_on_disk_when_it_returns(open_spool: OpenSpool, tmp_path: Path) -> None:
    spool = open_spool(flush_after_seconds=60)
    await spool.append(b"look for me", item_count=1)
    (path,) = (tmp_path / "spool").glob("*.segment")
    assert b"look for me" in path.read_bytes()


async def test_take_waits_until_the_first_request_is_old_enough(open_spool: OpenSpool) -> None:
    spool = open_spool(flush_after_seconds=0.2)
    taking = asyncio.create_task(spool.take(timeout=10))
    loop = asyncio.get_running_loop()
    await spool.append(b"first", item_count=1)
    appended = loop.time()
    await spool.append(b"second", item_count=1)
    segment = await taking
    assert segment is not None
    assert loop.time() - appended >= 0.19
    assert payloads(segment) == [b"first", b"second"]


async def test_a_patient_taker_waits_as_long_as_more_comes(open_spool: OpenSpool) -> None:
    spool = open_spool(flush_after_seconds=0.01)
    patient = asyncio.create_task(spool.take(timeout=10, patience_seconds=lambda: 30))
    for _ in range(20):
        await spool.append(b"more", item_count=1)
        await asyncio.sleep(0.01)
    segment = await patient
    assert segment is not None
    assert segment.record_count == 20


async def test_a_patient_taker_does_not_wait_once_another_comes(open_spool: OpenSpool) -> None:
    spool = open_spool(flush_after_seconds=0.01)
    patient = asyncio.create_task(spool.take(timeout=10, patience_seconds=lambda: 30))
    await spool.append(b"first", item_count=1)
    hasty = asyncio.create_task(spool.take(timeout=10))
    (done,), (waiting,) = await asyncio.wait([patient, hasty], return_when=asyncio.FIRST_COMPLETED)
    segment = await done
    assert segment is not None
    assert payloads(segment) == [b"first"]
    waiting.cancel()


async def test_what_a_burst_left_does_not_wait_for_its_age(open_spool: OpenSpool) -> None:
    spool = open_spool(flush_after_seconds=60)
    taking = asyncio.create_task(spool.take(timeout=10, patience_seconds=lambda: 30))
    for _ in range(2):
        await spool.append(bytes(LARGE_BYTES // 2), item_count=1)
    segment = await taking
    assert segment is not None
    assert segment.record_count == 2


async def test_take_gives_up_in_time_when_nothing_comes(open_spool: OpenSpool) -> None:
    spool = open_spool()
    assert await spool.take(timeout=0.01) is None
    assert await spool.take(timeout=0) is None


async def test_seal_does_not_wait_for_the_age(open_spool: OpenSpool) -> None:
    spool = open_spool(flush_after_seconds=60)
    spool.seal()
    await spool.append(b"young", item_count=1)
    spool.seal()
    assert payloads(await take(spool)) == [b"young"]


async def test_sealing_an_empty_spool_does_not_stop_later_flushes(open_spool: OpenSpool) -> None:
    spool = open_spool(flush_after_seconds=0.01)
    spool.seal()
    assert await spool.take(timeout=0.05) is None
    await spool.append(b"later", item_count=1)
    assert payloads(await take(spool)) == [b"later"]


async def test_segments_roll_at_their_size_while_nobody_takes(open_spool: OpenSpool) -> None:
    spool = open_spool(segment_bytes=1000, flush_after_seconds=60)
    await asyncio.gather(*(spool.append(bytes([i]) * 400, item_count=1) for i in range(6)))
    sizes = [len(payloads(await take(spool))) for _ in range(2)]
    spool.seal()
    sizes.append(len(payloads(await take(spool))))
    assert sizes == [2, 2, 2]


async def test_segments_roll_at_a_number_of_items(open_spool: OpenSpool) -> None:
    spool = open_spool(flush_after_seconds=60)
    for request in (b"half", b"rest", b"next"):
        await spool.append(request, item_count=50_000)
    assert payloads(await take(spool)) == [b"half", b"rest"]


async def test_request_larger_than_a_segment_has_its_own(open_spool: OpenSpool) -> None:
    spool = open_spool(segment_bytes=100, flush_after_seconds=60)
    await asyncio.gather(*(spool.append(part, item_count=1) for part in (b"small", b"x" * 5000, b"tiny")))
    spool.seal()
    found = [payloads(await take(spool)) for _ in range(3)]
    assert found == [[b"small"], [b"x" * 5000], [b"tiny"]]


async def test_each_segment_goes_to_one_taker(open_spool: OpenSpool) -> None:
    spool = open_spool(segment_bytes=64)
    takers = [asyncio.create_task(take(spool)) for _ in range(3)]
    await asyncio.gather(*(spool.append(name * 30, item_count=1) for name in (b"aa", b"bb", b"cc")))
    segments = await asyncio.gather(*takers)
    assert sorted(payloads(segment)[0][:1] for segment in segments) == [b"a", b"b", b"c"]


async def test_released_segment_is_taken_again_in_its_order(open_spool: OpenSpool) -> None:
    spool = open_spool(segment_bytes=64)
    for name in (b"a", b"b"):
        await spool.append(name * 60, item_count=1)
    first, second = await take(spool), await take(spool)
    spool.release(second)
    spool.release(first)
    assert [await take(spool), await take(spool)] == [first, second]


async def test_cancelled_take_loses_nothing(open_spool: OpenSpool) -> None:
    spool = open_spool()
    taking = asyncio.create_task(spool.take(timeout=10))
    await asyncio.sleep(0)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    await spool.append(b"kept", item_count=1)
    assert payloads(await take(spool)) == [b"kept"]


async def test_cancelled_append_is_stored_all_the_same(open_spool: OpenSpool) -> None:
    spool = open_spool()
    appending = asyncio.create_task(spool.append(b"sender hung up", item_count=1))
    await asyncio.sleep(0)
    appending.cancel()
    await spool.append(b"next", item_count=1)
    assert payloads(await take(spool)) == [b"sender hung up", b"next"]


async def test_backlog_counts_until_removal(open_spool: OpenSpool) -> None:
    spool = open_spool()
    assert spool.backlog() == Backlog(bytes=0, items=0, segments=0, oldest_age_seconds=0.0)
    await spool.append(b"12345", item_count=7)
    assert (spool.backlog().bytes, spool.backlog().items) == (5 + HEADER_BYTES, 7)
    segment = await take(spool)
    waiting = spool.backlog()
    assert (waiting.bytes, waiting.items, waiting.segments) == (segment.byte_count, 7, 1)
    assert 0 < waiting.oldest_age_seconds < 60
    await asyncio.to_thread(segment.remove)
    segment.remove()
    assert spool.backlog() == Backlog(bytes=0, items=0, segments=0, oldest_age_seconds=0.0)
    assert not segment.path.exists()


async def test_full_spool_says_try_later_and_recovers(open_spool: OpenSpool) -> None:
    spool = open_spool(max_bytes=1000)
    await spool.append(b"x" * 600, item_count=1)
    with pytest.raises(SpoolFullError, match=r"spool\.max_bytes=1000") as raised:
        await spool.append(b"y" * 600, item_count=1)
    assert 0 < raised.value.retry_after_seconds <= 2
    (await take(spool)).remove()
    await spool.append(b"y" * 600, item_count=1)
    assert payloads(await take(spool)) == [b"y" * 600]


async def test_bound_counts_requests_that_are_being_written(open_spool: OpenSpool) -> None:
    spool = open_spool(max_bytes=1000)
    results = await asyncio.gather(*(spool.append(b"x" * 300, item_count=1) for _ in range(10)), return_exceptions=True)
    assert [type(result) for result in results].count(SpoolFullError) == 7
    assert spool.backlog().bytes == 3 * (300 + HEADER_BYTES)


async def test_request_that_can_never_fit_is_not_retryable(open_spool: OpenSpool) -> None:
    spool = open_spool(max_bytes=1000)
    with pytest.raises(TooLargeError, match=r"1033 bytes does not fit spool\.max_bytes=1000"):
        await spool.append(b"x" * 1000, item_count=1)


async def test_closed_spool_refuses_politely(open_spool: OpenSpool) -> None:
    spool = open_spool()
    waiting = asyncio.create_task(spool.append(b"in flight", item_count=1))
    await asyncio.sleep(0)
    await spool.close()
    await waiting
    with pytest.raises(RetryableError, match="stopping"):
        await spool.append(b"late", item_count=1)


async def test_many_concurrent_appends_are_all_there_once(open_spool: OpenSpool) -> None:
    spool = open_spool(segment_bytes=20_000)
    sent = [f"request {i} ".encode() * (i % 50 + 1) for i in range(2000)]
    found: list[bytes] = []

    async def drain() -> None:
        while len(found) < len(sent):
            segment = await take(spool)
            found.extend(payloads(segment))
            await asyncio.to_thread(segment.remove)

    await asyncio.gather(drain(), *(spool.append(payload, item_count=1) for payload in sent))
    assert sorted(found) == sorted(sent)
    assert spool.backlog().bytes == 0
