"""What a wrapped client adds to a streamed answer of 200 tokens from a local server.

What is added, a microsecond or two a token, is far below what two streams differ by on any machine. So it is taken from
streams without a network, as CPU time of the thread that reads, where the wrapped and the plain client take turns
hundreds of times; and shown as a part of the length of streams from a server: as fast as that can write, and at the
pace of a fast model.
"""

from __future__ import annotations

import importlib
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.benchmarks.options import Options, print_table
from tests.benchmarks.sdk_sink import running_sink

TOKENS = 200
TURNS = 200
PAUSES = {"at once": 0.0, "one each 5 ms": 0.005}
SERVED_TURNS = 7
MESSAGES: Any = [{"role": "user", "content": "Where is order 7?"}]


def measure(options: Options) -> None:
    """First what is added, then what it is added to."""
    import spanloop

    with running_sink() as sink:
        spanloop.init("bench", endpoint=sink)
        plain, wrapped = _without_network()
        added = wrapped - plain
        rows = [[name, *_served(pause, added)] for name, pause in PAUSES.items()]
        spanloop.shutdown()
    per_token = [f"{seconds / TOKENS * 1e6:.2f}" for seconds in (plain, wrapped, added)]
    print_table(["200 tokens", "plain µs a token", "wrapped", "added"], [["without a network", *per_token]])
    print_table(["from a server", "plain ms", "wrapped ms", "added µs", "added"], rows)


def _without_network() -> tuple[float, float]:
    """CPU seconds of a stream, plain and wrapped: the least of many each."""
    import openai
    import spanloop

    clients = [openai.OpenAI(base_url="http://x", api_key="k", http_client=_client_of_nothing()) for _ in range(2)]
    pair = (clients[0], spanloop.wrap_openai(clients[1]))
    best = [float("inf"), float("inf")]
    for _ in range(TURNS):
        for number, client in enumerate(pair):
            best[number] = min(best[number], _consume(client, time.thread_time))
            spanloop.flush()  # the sender's work is done beside, not during the next stream
    for client in clients:
        client.close()
    return best[0], best[1]


def _client_of_nothing() -> Any:
    """An HTTP client whose answers are in memory, a chunk for each token."""
    import openai

    # httpx, or httpx2 where that is what this version of the client is made of.
    kinds = openai.DefaultHttpxClient.__mro__
    module = importlib.import_module(next(kind.__module__ for kind in kinds if kind.__module__.startswith("httpx")))

    def chunks() -> Iterator[bytes]:
        yield from EVENTS

    def answer(request: Any) -> Any:
        return module.Response(200, headers={"content-type": "text/event-stream"}, content=chunks())

    return openai.DefaultHttpxClient(transport=module.MockTransport(answer))


def _served(pause: float, added: float) -> list[str]:
    """Lengths of streams from a server in a process of its own."""
    import openai
    import spanloop

    command = [sys.executable, "-m", "tests.benchmarks.sdk_stream", str(pause)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    lengths: list[list[float]] = [[], []]
    with openai.OpenAI(base_url=url, api_key="k") as plain, openai.OpenAI(base_url=url, api_key="k") as other:
        for _ in range(SERVED_TURNS):
            for number, client in enumerate((plain, spanloop.wrap_openai(other))):
                lengths[number].append(_consume(client))
                spanloop.flush()
    server.communicate()
    before, after = (statistics.median(each) for each in lengths)
    return [f"{before * 1e3:.1f}", f"{after * 1e3:.1f}", f"{added * 1e6:.0f}", f"{added / min(lengths[0]):.2%}"]


def _consume(client: Any, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one stream."""
    started = clock()
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    tokens = sum(1 for event in stream if event.choices and event.choices[0].delta.content)
    seconds = clock() - started
    if tokens != TOKENS:
        raise RuntimeError(f"{tokens} tokens arrived instead of {TOKENS}")
    return seconds


def _event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini", "choices": [choice]}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


EVENTS = [*(_event({"content": f"token{n} "}) for n in range(TOKENS)), _event({}, "stop"), b"data: [DONE]\n\n"]


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in EVENTS:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            time.sleep(float(sys.argv[1]))
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
