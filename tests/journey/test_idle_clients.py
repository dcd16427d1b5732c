"""A thousand clients that say nothing, and some that stop in the middle of a sentence, do not keep others waiting."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from tests.support.collector_process import CollectorProcess
from tests.support.sending import send_span, wait_for_rows

# What an HTTP/2 client says first: the preface, and a SETTINGS frame without settings.
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04\x00" + bytes(4)
# A DATA frame of 1,000,000 bytes on a stream of its own, of which only a few follow.
HALF_A_FRAME = (1_000_000).to_bytes(3) + b"\x00\x00" + (1).to_bytes(4) + b"half"
HALF_A_REQUEST = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhalf"
MAX_MEMORY_PER_CLIENT = 200_000


@contextmanager
def clients(address: tuple[str, int], count: int, words: bytes) -> Iterator[None]:
    """So many connections that say these words and no more."""
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(address, timeout=10))
            client.sendall(words)
        yield


@pytest.fixture
def usual_limit_of_files() -> Iterator[None]:
    """Processes started by the test may open as many files as those of a fresh login."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Beside other tests, this process may have more open itself, and must still start one.
    usual = max(1024, psutil.Process().num_fds() + 100)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(usual, before[0]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_others_are_served_beside_a_thousand_idle_clients(
    usual_limit_of_files: None, collector_process: CollectorProcess
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    send_span(collector_process, "before")
    wait_for_rows(collector_process, 1)
    process = psutil.Process(collector_process.pid)
    memory = process.memory_info().rss
    host, port = collector_process.grpc_address.split(":")
    http_port = int(collector_process.http_url.rsplit(":", 1)[1])
    with (
        clients((host, int(port)), 800, HELLO),
        clients((host, int(port)), 100, HELLO + HALF_A_FRAME),
        clients((host, http_port), 100, HALF_A_REQUEST),
    ):
        for number in range(5):
            send_span(collector_process, f"during {number}")
        wait_for_rows(collector_process, 6)
        assert process.memory_info().rss - memory < 1000 * MAX_MEMORY_PER_CLIENT
    send_span(collector_process, "after")
    wait_for_rows(collector_process, 7)
