"""A stand-in of a model provider: the chat completions API on loopback, without a model behind it.

Answers are made from the request alone, so the same question always gets the same answer, the same
number of tokens and, streamed, the same pieces. Speaks the real wire format, server-sent events
included; only the standard library is used.

    python -m spanloop_collector.demo.provider --port 0
"""

from __future__ import annotations

import argparse
import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CREATED = 1_700_000_000  # a fixed time, so that answers can be compared
POLL_SECONDS = 0.05

Json = dict[str, Any]


def complete(request: Json) -> Json:
    """The whole answer to a chat completions request."""
    prompt = [_text(message) for message in request["messages"]]
    content = _reply(request["messages"])
    prompt_tokens, completion_tokens = sum(map(_tokens, prompt)), _tokens(content)
    return {
        "id": _id(request),
        "object": "chat.completion",
        "created": CREATED,
        "model": request["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }


def stream(request: Json) -> Iterator[Json]:
    """The same answer in pieces, one word each."""
    whole = complete(request)
    first, *rest = whole["choices"][0]["message"]["content"].split(" ")
    yield _chunk(whole, {"role": "assistant", "content": "", "refusal": None}, None)
    for piece in (first, *(f" {word}" for word in rest)):
        yield _chunk(whole, {"content": piece}, None)
    yield _chunk(whole, {}, "stop")
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**_chunk(whole, {}, None), "choices": [], "usage": whole["usage"]}


def _chunk(whole: Json, delta: Json, finish_reason: str | None) -> Json:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    kept = {key: whole[key] for key in ("id", "created", "model")}
    return {**kept, "object": "chat.completion.chunk", "choices": [choice]}


def _reply(messages: list[Json]) -> str:
    """An answer that uses what the system message says, as a model would."""
    facts = " ".join(_text(each) for each in messages if each["role"] in ("system", "developer"))
    question = next((_text(each) for each in reversed(messages) if each["role"] == "user"), "")
    known = facts.rpartition("facts: ")[2] if "facts: " in facts else facts
    if not known or known == "none":
        return f"I do not know enough to answer: {question}"
    return f"Thank you for asking. {known}"


def _text(message: Json) -> str:
    """A message's text, whether it is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(part.get("text", "") for part in content)


def _tokens(text: str) -> int:
    """About what a tokenizer counts: four characters each."""
    return (len(text) + 3) // 4


def _id(request: Json) -> str:
    return f"chatcmpl-{zlib.crc32(json.dumps(request, sort_keys=True).encode()):08x}"


class ProviderHandler(BaseHTTPRequestHandler):
    """`POST /v1/chat/completions`, whole or streamed; everything else is an error as providers word it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.partition("?")[0] != "/v1/chat/completions":
            self._answer(404, _error(f"Unknown request URL: POST {self.path}", "invalid_request_error"))
            return
        try:
            request = json.loads(body)
            whole, pieces = complete(request), stream(request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._answer(400, _error(f"cannot read the request: {error!r}", "invalid_request_error"))
            return
        if request.get("stream"):
            self._stream(pieces)
        else:
            self._answer(200, whole)

    def _answer(self, status: int, answer: Json) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, pieces: Iterator[Json]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self._write_event(json.dumps(piece))
        self._write_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _write_event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the demo prints what matters."""


def _error(message: str, kind: str) -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


class ProviderServer(ThreadingHTTPServer):
    """Serves until it is shut down; a client that goes away in mid-answer is no error."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A broken connection is the client's affair."""


@contextmanager
def running_provider(port: int = 0) -> Iterator[str]:
    """Base URL, as clients want it, of a provider that runs for the length of the block."""
    with ProviderServer(("127.0.0.1", port), ProviderHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Serves in the foreground and prints where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 picks a free one")
    with ProviderServer(("127.0.0.1", parser.parse_args().port), ProviderHandler) as server:
        print(f"listening on http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
        try:
            server.serve_forever(POLL_SECONDS)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
