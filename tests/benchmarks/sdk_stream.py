"""What a wrapped client adds to a streamed answer of 200 tokens from a local server, in CPU time.

All of it counts: what the reading thread does at the call, at each chunk and at the end, and what the sending thread
makes of it later, up to the request to a collector. Wrapped and plain clients take turns stream by stream, since a
machine's speed moves by more than what is added, and the least of each is what it costs. Even so, whole streams differ
by more than a hundredth from each other; the parts are measured without a network and without the client's own reading
of events, one of a single token for what a call costs however long it is. The bar is what the application waits for.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.benchmarks.options import Options, print_table
from tests.benchmarks.sdk_sink import running_sink

TOKENS = 200
STREAMS = 20  # between two flushes; an application's requests to the collector hold more
TURNS = 10
PACE_SECONDS = 0.005  # a token, of a fast model
MESSAGES: Any = [{"role": "user", "content": "Where is order 7?"}]
BAR = 0.01


class Cost(NamedTuple):
    """Seconds of CPU time that tracing adds to a stream."""

    reading: float
    """In the thread that reads it."""
    sending: float
    """In all other threads; a plain client has none."""

    @property
    def all(self) -> float:
        return self.reading + self.sending


def measure(options: Options) -> None:
    """First the parts, then the whole from a server."""
    import spanloop

    with running_sink() as sink:
        spanloop.init("bench", endpoint=sink)
        _, call = _costs("http://x", 1, _read_bytes, _client_of_nothing(1))
        _, added = _costs("http://x", TOKENS, _read_bytes, _client_of_nothing(TOKENS))
        with _served() as url:
            plain, difference = _costs(url, TOKENS, _read_events)
        spanloop.shutdown()
    chunk = Cost(*((whole - one) / (TOKENS - 1) for whole, one in zip(added, call, strict=True)))
    parts = {"a call": call, "a chunk": chunk, f"{TOKENS} tokens": added}
    print_table(
        ["added µs, without a network", "reading", "sending", "all"],
        [[name, *(f"{part * 1e6:.2f}" for part in (*cost, cost.all))] for name, cost in parts.items()],
    )
    from_server = {"what the parts add up to": added, "the wrapped less the plain one": difference}
    print_table(
        [f"{TOKENS} tokens from a server, {plain * 1e3:.1f} ms", f"reading (bar {BAR:.0%})", "sending", "all"],
        [[name, *(f"{part / plain:.2%}" for part in (*cost, cost.all))] for name, cost in from_server.items()],
    )
    paced = TOKENS * PACE_SECONDS
    print(f"of {TOKENS} tokens in {paced:.0f} s: {added.all / paced:.2%}")


def _costs(url: str, tokens: int, read: Callable[[Any], int], http_client: Any = None) -> tuple[float, Cost]:
    """CPU seconds of the plain client's stream, and what the wrapped one's has beside them."""
    import openai
    import spanloop

    plain = openai.OpenAI(base_url=url, api_key="k", http_client=http_client)
    other = openai.OpenAI(base_url=url, api_key="k", http_client=http_client)
    wrapped = spanloop.wrap_openai(other)
    before: list[float] = []
    after: list[float] = []
    sending: list[float] = []
    for _ in range(TURNS):
        started = time.process_time()
        found = [(_seconds(read, plain, tokens), _seconds(read, wrapped, tokens)) for _ in range(STREAMS)]
        spanloop.flush()
        sending.append((time.process_time() - started - sum(map(sum, found))) / STREAMS)
        before += [each for each, _ in found]
        after += [each for _, each in found]
    plain.close()
    wrapped.close()
    return min(before), Cost(min(after) - min(before), min(sending))


def _seconds(read: Callable[[Any], int], client: Any, tokens: int) -> float:
    """CPU seconds of this thread for one stream."""
    started = time.thread_time()
    arrived = read(client)
    seconds = time.thread_time() - started
    if arrived != tokens:
        raise RuntimeError(f"{arrived} tokens arrived instead of {tokens}")
    return seconds


def _read_events(client: Any) -> int:
    """As applications do."""
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    return sum(1 for event in stream if event.choices and event.choices[0].delta.content)


def _read_bytes(client: Any) -> int:
    """What the client would make events of, most of whose time that takes."""
    calls = client.chat.completions.with_streaming_response
    with calls.create(model="gpt-4o-mini", messages=MESSAGES, stream=True) as response:
        return sum(b'"content"' in chunk for chunk in response.iter_bytes())


def _client_of_nothing(tokens: int) -> Any:
    """An HTTP client whose answers are in memory, a chunk for each token."""
    import openai

    # httpx, or httpx2 where that is what this version of the client is made of.
    kinds = openai.DefaultHttpxClient.__mro__
    module = importlib.import_module(next(kind.__module__ for kind in kinds if kind.__module__.startswith("httpx")))
    events = _events(tokens)

    def chunks() -> Iterator[bytes]:
        yield from events

    def answer(request: Any) -> Any:
        return module.Response(200, headers={"content-type": "text/event-stream"}, content=chunks())

    return openai.DefaultHttpxClient(transport=module.MockTransport(answer))


def _event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini", "choices": [choice]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _events(tokens: int) -> list[bytes]:
    return [*(_event({"content": f"token{n} "}) for n in range(tokens)), _event({}, "stop"), b"data: [DONE]\n\n"]


@contextmanager
def _served() -> Iterator[str]:
    """Address of a provider in a process of its own, which writes as fast as it can."""
    command = [sys.executable, "-m", "tests.benchmarks.sdk_stream"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
    finally:
        server.communicate()


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in _events(TOKENS):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are done go away."""


def main() -> None:
    """Serves until the input ends."""
    server = _Server(("127.0.0.1", 0), _Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
