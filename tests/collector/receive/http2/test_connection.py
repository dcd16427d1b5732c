"""HTTP/2 as peers may speak it: well, oddly, and with bad intent."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from spanloop_collector.receive.http2 import connection, frames

from tests.collector.receive.http2.conftest import MAX_MESSAGE_BYTES, Connect, Served, Start
from tests.collector.receive.http2.peer import Peer, data, message

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 8, 12, 13, 14


async def echoed(peer: Peer, stream_id: int, content: bytes = b"hello") -> bool:
    """Whether the connection still serves."""
    await peer.send(peer.head(stream_id) + data(stream_id, message(content)))
    return (await peer.reply(stream_id)).messages == [content]


async def gone_away(peer: Peer) -> tuple[int, str]:
    """Code and reason of the end of the connection, which then is closed."""
    frame = await peer.until(frames.GOAWAY)
    assert await peer.rest() == b""
    return int.from_bytes(frame.payload[4:8], "big"), frame.payload[8:].decode()


# What peers may do.


async def test_a_call_is_answered(peer: Peer) -> None:
    await peer.send(peer.head(1) + data(1, message(b"hello")))
    reply = await peer.reply(1)
    assert (reply.messages, reply.status) == ([b"hello"], 0)
    assert reply.headers[":status"] == "200"
    assert reply.headers["content-type"] == "application/grpc"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 9, 10, 23, 24, 25])
async def test_bytes_may_arrive_in_any_pieces(peer: Peer, size: int) -> None:
    call = peer.head(1) + data(1, message(b"hello"), flags=0) + data(1, b"")
    for start in range(0, len(call), size):
        await peer.send(call[start : start + size])
        await asyncio.sleep(0)
    assert (await peer.reply(1)).messages == [b"hello"]


async def test_a_preface_may_arrive_in_pieces(served: Served) -> None:
    peer = Peer(*await asyncio.open_connection("127.0.0.1", served.port))
    for byte in frames.PREFACE:
        await peer.send(bytes((byte,)))
        await asyncio.sleep(0)
    assert await echoed(peer, 1)
    await peer.close()


@pytest.mark.parametrize("size", [1, 4095, 4096, 16_384])
async def test_a_message_may_be_cut_into_frames(peer: Peer, size: int) -> None:
    content = random.Random(1).randbytes(20_000)
    framed = message(content)
    pieces = [data(1, framed[start : start + size], flags=0) for start in range(0, len(framed), size)]
    await peer.send(peer.head(1) + b"".join(pieces) + data(1, b""))
    assert (await peer.reply(1)).messages == [content]


async def test_calls_may_be_interleaved(peer: Peer) -> None:
    streams = range(1, 21, 2)
    await peer.send(b"".join(peer.head(stream) for stream in streams))
    for half in (slice(0, 6), slice(6, None)):
        for stream in streams:
            framed = message(b"number %d" % stream)
            await peer.send(data(stream, framed[half], flags=0 if half.start == 0 else frames.END_STREAM))
    assert (await peer.reply(19)).messages == [b"number 19"]


async def test_frames_may_be_padded(peer: Peer) -> None:
    padded_head = b"\x03" + peer.block() + bytes(3)
    padded_data = b"\xff" + message(b"hello") + bytes(255)
    await peer.send(
        frames.frame(frames.HEADERS, frames.END_HEADERS | frames.PADDED, 1, padded_head)
        + frames.frame(frames.DATA, frames.PADDED, 1, padded_data)
        + frames.frame(frames.DATA, frames.PADDED | frames.END_STREAM, 1, b"\x02" + bytes(2))
    )
    assert (await peer.reply(1)).messages == [b"hello"]


async def test_headers_may_go_on_in_further_frames(peer: Peer) -> None:
    block = peer.block(authorization="x" * 1000)
    await peer.send(
        frames.frame(frames.HEADERS, frames.PRIORITIZED, 1, bytes(5) + block[:10])
        + frames.frame(frames.CONTINUATION, 0, 1, block[10:20])
        + frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[20:])
        + data(1, message(b"hello"))
    )
    assert (await peer.reply(1)).messages == [b"hello"]


async def test_what_was_known_of_headers_is_forgotten_when_the_table_changes(peer: Peer) -> None:
    # The second block is the first one's indexed twin; each further call with a new value moves the table under it.
    for number in range(20):
        assert await echoed(peer, 1 + 6 * number)
        assert await echoed(peer, 3 + 6 * number)
        stream = 5 + 6 * number
        await peer.send(peer.head(stream, path=f"/test.Service/No{number}") + data(stream, message(b"")))
        reply = await peer.reply(stream)
        assert reply.headers["grpc-message"] == f"/test.Service/No{number} does not exist here"


async def test_trailers_of_a_client_end_its_call(peer: Peer) -> None:
    ending = frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 1, b"\x00\x01a\x01b")
    await peer.send(peer.head(1) + data(1, message(b"hello"), flags=0) + ending)
    assert (await peer.reply(1)).messages == [b"hello"]


async def test_pings_and_unknown_frames_are_answered_or_passed_over(peer: Peer) -> None:
    await peer.send(
        frames.frame(99, 0xFF, 77, b"from the future")
        + frames.frame(frames.PRIORITY, 0, 3, bytes(5))
        + frames.frame(frames.PING, 0, 0, b"12345678")
    )
    assert (await peer.until(frames.PING)).payload == b"12345678"
    assert await echoed(peer, 1)


async def test_gzip_messages_are_unpacked(peer: Peer) -> None:
    content = b"hello " * 10_000
    framed = message(gzip.compress(content), is_compressed=True)
    await peer.send(peer.head(1, grpc_encoding="gzip") + data(1, framed))
    assert (await peer.reply(1)).messages == [content]


async def test_a_stream_of_messages_is_given_credit_as_it_is_read(peer: Peer) -> None:
    await peer.send(peer.head(1, path="/test.Service/Each"))
    content = bytes(MAX_MESSAGE_BYTES)
    granted = 0
    for _ in range(5):
        framed = message(content)
        await peer.send(b"".join(data(1, framed[at : at + 16_000], flags=0) for at in range(0, len(framed), 16_000)))
        await peer.send(frames.window_update(0, len(framed)) + frames.window_update(1, len(framed)))
        while granted < len(framed):
            frame = await peer.until(frames.WINDOW_UPDATE)
            granted += int.from_bytes(frame.payload, "big") if frame.stream_id == 1 else 0
        granted -= len(framed)
    await peer.send(data(1, b""))
    reply = await peer.reply(1)
    assert reply.status == 0


# How much we may send.


async def test_answers_wait_for_the_peers_windows(connect: Connect) -> None:
    peer = await connect(settings={frames.INITIAL_WINDOW_SIZE: 0})
    await peer.send(peer.head(1, path="/test.Service/Repeat") + data(1, message(b"")))
    await peer.until(frames.HEADERS)
    # Nothing may come before there is room; then no more than there is.
    await peer.send(frames.frame(frames.PING, 0, 0, bytes(8)))
    await peer.until(frames.PING)
    await peer.send(frames.window_update(1, 10))
    assert len((await peer.until(frames.DATA)).payload) == 10
    await peer.send(frames.window_update(1, 2_000_000) + frames.window_update(0, 2_000_000))
    reply = await peer.reply(1)
    assert len(reply.data) == 10 * 100_005 - 10
    assert reply.status == 0


async def test_a_window_that_shrinks_holds_for_calls_in_progress(connect: Connect) -> None:
    peer = await connect(settings={frames.INITIAL_WINDOW_SIZE: 1000})
    await peer.send(peer.head(1, path="/test.Service/Repeat") + data(1, message(b"")))
    assert len((await peer.until(frames.DATA)).payload) == 1000
    await peer.send(frames.settings({frames.INITIAL_WINDOW_SIZE: 0}) + frames.window_update(1, 1001))
    assert len((await peer.until(frames.DATA)).payload) == 1


async def test_a_peer_that_does_not_read_holds_up_nobody_else(connect: Connect, peer: Peer) -> None:
    lazy = await connect()
    calls = (lazy.head(n, path="/test.Service/Repeat") + data(n, message(b"")) for n in range(1, 41, 2))
    await lazy.send(b"".join(calls))
    assert await echoed(peer, 1)


# What is refused, call by call.


async def test_an_unknown_method_is_unimplemented(peer: Peer) -> None:
    await peer.send(peer.head(1, path="/nobody/Call") + data(1, message(b"")))
    reply = await peer.reply(1)
    assert (reply.status, reply.headers["grpc-message"]) == (UNIMPLEMENTED, "/nobody/Call does not exist here")
    assert await echoed(peer, 3)


async def test_another_content_type_is_unsupported(peer: Peer) -> None:
    await peer.send(peer.head(1, content_type="application/json") + data(1, b"{}"))
    assert (await peer.reply(1)).headers[":status"] == "415"
    assert await echoed(peer, 3)


async def test_a_message_over_the_bound_is_refused_by_its_length(peer: Peer) -> None:
    await peer.send(peer.head(1) + data(1, b"\0" + (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big"), flags=0))
    reply = await peer.reply(1)
    assert reply.status == RESOURCE_EXHAUSTED
    assert "receive.max_message_bytes=200000" in reply.headers["grpc-message"]
    # What was on its way is passed over.
    await peer.send(data(1, bytes(1000)))
    assert await echoed(peer, 3)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", INTERNAL),
        (message(b"a") + message(b"b"), INTERNAL),
        (message(b"hello")[:-1], INVALID_ARGUMENT),
        (b"\0\0", INVALID_ARGUMENT),
        (message(b"not gzip", is_compressed=True), INVALID_ARGUMENT),
        (message(gzip.compress(b"hello")[:-1], is_compressed=True), INVALID_ARGUMENT),
        (message(gzip.compress(bytes(MAX_MESSAGE_BYTES + 1)), is_compressed=True), RESOURCE_EXHAUSTED),
    ],
    ids=["none", "two", "truncated", "no-length", "no-gzip", "truncated-gzip", "bomb"],
)
async def test_a_bad_message_costs_its_call_alone(peer: Peer, content: bytes, status: int) -> None:
    await peer.send(peer.head(1, grpc_encoding="gzip") + data(1, content))
    assert (await peer.reply(1)).status == status
    assert await echoed(peer, 3)


async def test_an_unknown_compression_is_unimplemented(peer: Peer) -> None:
    await peer.send(peer.head(1, grpc_encoding="br") + data(1, message(b"?", is_compressed=True)))
    reply = await peer.reply(1)
    assert reply.status == UNIMPLEMENTED
    assert reply.headers["grpc-accept-encoding"] == "identity,gzip,deflate"


async def test_a_bug_of_ours_is_worth_another_try(peer: Peer) -> None:
    await peer.send(peer.head(1, path="/test.Service/Fail") + data(1, message(b"")))
    assert (await peer.reply(1)).status == UNAVAILABLE
    assert await echoed(peer, 3)


# How calls and connections end.


async def test_a_reset_cancels_the_handler(served: Served, peer: Peer) -> None:
    await peer.send(peer.head(1, path="/test.Service/Wait") + data(1, message(b"")))
    await served.started.wait()
    await peer.send(frames.reset(1, 8))
    await asyncio.wait_for(served.cancelled.wait(), 10)
    assert await echoed(peer, 3)


async def test_hanging_up_cancels_the_handler(served: Served, peer: Peer) -> None:
    await peer.send(peer.head(1, path="/test.Service/Wait") + data(1, message(b"")))
    await served.started.wait()
    await peer.close()
    await asyncio.wait_for(served.cancelled.wait(), 10)


async def test_a_stop_lets_calls_end_and_takes_no_new_ones(served: Served, peer: Peer) -> None:
    await peer.send(peer.head(1) + data(1, message(b"hello"), flags=0))
    await peer.send(frames.frame(frames.PING, 0, 0, bytes(8)))
    await peer.until(frames.PING)
    stopping = asyncio.create_task(served.server.stop(grace_seconds=10))
    goaway = await peer.until(frames.GOAWAY)
    assert int.from_bytes(goaway.payload[:4], "big") == 1
    await peer.send(peer.head(3) + data(3, message(b"too late")) + data(1, b""))
    assert (await peer.until(frames.RST_STREAM)).stream_id == 3
    assert (await peer.reply(1)).messages == [b"hello"]
    assert await peer.rest() == b""
    await stopping


async def test_a_stop_does_not_wait_for_longer_than_the_grace(served: Served, peer: Peer) -> None:
    await peer.send(peer.head(1, path="/test.Service/Wait") + data(1, message(b"")))
    await served.started.wait()
    await asyncio.wait_for(served.server.stop(grace_seconds=0.05), 5)
    assert served.cancelled.is_set()


async def test_a_browser_is_told_what_this_port_is(served: Served) -> None:
    peer = Peer(*await asyncio.open_connection("127.0.0.1", served.port))
    await peer.send(b"POST /v1/traces HTTP/1.1\r\nHost: here\r\n\r\n")
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"This port speaks gRPC" in answer
    await peer.close()


BROKEN: dict[str, tuple[Callable[[Peer], bytes], int]] = {
    "data on no stream": (lambda peer: data(0, b"x"), frames.PROTOCOL_ERROR),
    "data before headers": (lambda peer: data(5, b"x"), frames.PROTOCOL_ERROR),
    "an even stream": (lambda peer: peer.head(2), frames.PROTOCOL_ERROR),
    "headers twice": (lambda peer: peer.head(1) + peer.head(1), frames.PROTOCOL_ERROR),
    "an interrupted block": (lambda peer: peer.head(1, flags=0) + data(1, b""), frames.PROTOCOL_ERROR),
    "a block from nowhere": (
        lambda peer: frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1),
        frames.PROTOCOL_ERROR,
    ),
    "a block without an end": (
        lambda peer: peer.head(1, flags=0) + frames.frame(frames.CONTINUATION, 0, 1) * 100,
        frames.ENHANCE_YOUR_CALM,
    ),
    "headers without bound": (
        lambda peer: peer.head(1, flags=0) + frames.frame(frames.CONTINUATION, 0, 1, bytes(16_000)) * 5,
        frames.ENHANCE_YOUR_CALM,
    ),
    "packed headers that unfold": (
        # One entry of 4,000 bytes, referred to 20 times.
        lambda peer: frames.frame(
            frames.HEADERS, frames.END_HEADERS, 1, b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4000 + b"\xbe" * 20
        ),
        frames.ENHANCE_YOUR_CALM,
    ),
    "headers that cannot be unpacked": (
        lambda peer: frames.frame(frames.HEADERS, frames.END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
        frames.COMPRESSION_ERROR,
    ),
    "padding over the frame": (
        lambda peer: peer.head(1) + frames.frame(frames.DATA, frames.PADDED, 1, b"\x09abc"),
        frames.PROTOCOL_ERROR,
    ),
    "padding over the headers": (
        lambda peer: frames.frame(frames.HEADERS, frames.PADDED | frames.END_HEADERS, 1, b"\x09abc"),
        frames.PROTOCOL_ERROR,
    ),
    "a frame over the bound": (
        lambda peer: peer.head(1) + frames.frame_head(2**24 - 1, frames.DATA, 0, 1),
        frames.FRAME_SIZE_ERROR,
    ),
    "settings over the bound": (
        lambda peer: frames.frame_head(2**20, frames.SETTINGS, 0, 0),
        frames.FRAME_SIZE_ERROR,
    ),
    "settings of odd length": (lambda peer: frames.frame(frames.SETTINGS, 0, 0, b"abc"), frames.FRAME_SIZE_ERROR),
    "a setting out of range": (
        lambda peer: frames.settings({frames.MAX_FRAME_SIZE: 1}),
        frames.PROTOCOL_ERROR,
    ),
    "a window out of range": (
        lambda peer: frames.settings({frames.INITIAL_WINDOW_SIZE: 2**31}),
        frames.FLOW_CONTROL_ERROR,
    ),
    "a window that overflows": (lambda peer: frames.window_update(0, 2**31 - 1), frames.FLOW_CONTROL_ERROR),
    "a window of nothing": (lambda peer: frames.window_update(0, 0), frames.PROTOCOL_ERROR),
    "a short reset": (lambda peer: frames.frame(frames.RST_STREAM, 0, 1, b"a"), frames.FRAME_SIZE_ERROR),
    "a push": (lambda peer: frames.frame(frames.PUSH_PROMISE, 0, 1, bytes(4)), frames.PROTOCOL_ERROR),
    "more than the window of a stream": (
        lambda peer: (
            peer.head(1, path="/test.Service/Wait")
            + b"".join(data(1, message(bytes(90_000)), flags=0) for _ in range(3))
        ),
        frames.FLOW_CONTROL_ERROR,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_protocol_ends_its_connection_alone(connect: Connect, name: str) -> None:
    make, code = BROKEN[name]
    bystander, peer = await connect(), await connect()
    await peer.send(make(peer))
    found, reason = await gone_away(peer)
    assert found == code, reason
    assert reason
    assert await echoed(bystander, 1)


async def test_calls_that_are_ended_as_fast_as_they_begin_end_the_connection(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_RESETS", 10)
    assert await echoed(peer, 1)
    hasty = b"".join(peer.head(stream) + frames.reset(stream, 8) for stream in range(3, 60, 2))
    await peer.send(hasty)
    assert (await gone_away(peer))[0] == frames.ENHANCE_YOUR_CALM


async def test_pings_whose_answers_are_never_read_end_the_connection(connect: Connect, peer: Peer) -> None:
    flood = frames.frame(frames.PING, 0, 0, bytes(8)) * 10_000
    lazy = await connect()

    async def ask_without_end() -> None:
        while True:
            await lazy.send(flood)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(ask_without_end(), 20)
    assert await echoed(peer, 1)


async def test_too_many_calls_at_once_are_refused_one_by_one(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_CALLS", 2)
    await peer.send(b"".join(peer.head(stream) for stream in (1, 3, 5)))
    refused = await peer.until(frames.RST_STREAM)
    assert (refused.stream_id, int.from_bytes(refused.payload, "big")) == (5, frames.REFUSED_STREAM)
    await peer.send(data(1, message(b"hello")))
    assert (await peer.reply(1)).messages == [b"hello"]


async def test_silent_peers_are_asked_and_given_up(start: Start) -> None:
    served = await start(look_seconds=0.05)
    silent, answering = await Peer.connect(served.port), await Peer.connect(served.port)
    for _ in range(3):
        ping = await answering.until(frames.PING)
        await answering.send(frames.frame(frames.PING, frames.ACK, 0, ping.payload))
    assert await silent.rest()
    assert await echoed(answering, 1)
    for peer in (silent, answering):
        await peer.close()


@pytest.mark.parametrize("seed", range(40))
async def test_noise_never_stops_the_server(connect: Connect, seed: int) -> None:
    chance = random.Random(seed)
    peer = await connect()
    good = peer.head(1) + data(1, message(b"hello" * 100)) + peer.head(3, path="/test.Service/Repeat") + data(3, b"")
    noise = bytearray(good * 3)
    for _ in range(chance.randrange(1, 20)):
        noise[chance.randrange(len(noise))] = chance.randrange(256)
    noise += chance.randbytes(chance.randrange(200))
    with suppress(ConnectionError):
        await peer.send(bytes(noise))
        await peer.close()
    assert await echoed(await connect(), 1)
