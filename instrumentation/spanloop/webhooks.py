"""Receives what the collector sends: checks the signature, and puts a test's overrides in force.

Signatures are those of https://www.standardwebhooks.com, so any of its libraries works as well.

With FastAPI or any other ASGI framework:

    app.add_middleware(AsgiWebhooks, path="/spanloop", secret=os.environ["SPANLOOP_WEBHOOK_SECRET"])

With Flask or any other WSGI framework:

    app.wsgi_app = WsgiWebhooks(app.wsgi_app, path="/spanloop", secret=os.environ["SPANLOOP_WEBHOOK_SECRET"])
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from typing import Any

from spanloop.inference import overriding

SECRET_PREFIX = "whsec_"
TOLERANCE_SECONDS = 300.0
"""A message older than this, or as far in the future, is refused: it may be a copy of one that was sent before."""
MIN_SECRET_BYTES = 24
MAX_BODY_BYTES = 16 * 1024 * 1024

Secret = str | Iterable[str]
"""One secret, or several while one is being replaced."""


class WebhookError(Exception):
    """A message that does not come from the collector as it stands, or not now."""


def verify(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: Secret,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """The message as an object, once its signature and its time are found right; raises WebhookError.

    `body` is the request's body exactly as it came.

        message = verify(request.body, request.headers, os.environ["SPANLOOP_WEBHOOK_SECRET"])
    """
    raw = body.encode() if isinstance(body, str) else body
    given = {name.lower(): value for name, value in headers.items()}
    message_id, sent, signatures = (_header(given, f"webhook-{part}") for part in ("id", "timestamp", "signature"))
    if not sent.isascii() or not sent.isdecimal():
        raise WebhookError(f"webhook-timestamp {sent!r:.50} is not a number of seconds")
    if not abs(now() - int(sent)) <= tolerance_seconds:
        raise WebhookError(f"the message was signed more than {tolerance_seconds:g} seconds ago, or ahead of time")
    signed = f"{message_id}.{sent}.".encode() + raw
    expected = [_signature(key, signed) for key in _keys(secret)]
    found = [text.removeprefix("v1,") for text in signatures.split(" ") if text.startswith("v1,")]
    # Every pair is compared: how long it takes tells nothing.
    if not sum(hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in found):
        raise WebhookError("no signature of the message fits the secret")
    try:
        message = json.loads(raw)
    except ValueError as error:
        raise WebhookError(f"the message is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WebhookError("the message is not a JSON object")
    return message


@contextmanager
def in_force(message: Mapping[str, Any]) -> Iterator[None]:
    """Puts the overrides of a test in force for the block; for any other message, nothing happens.

    with in_force(verify(request.body, request.headers, secret)):
        answer(message["task"]["input"])
    """
    experiment = message.get("experiment") or {}
    with overriding(experiment.get("overrides") or {}, test_id=str(message.get("testId") or "")):
        yield


class AsgiWebhooks:
    """ASGI middleware: messages posted to `path` reach the application only when they are genuine.

    The overrides of a test are in force while the application handles it, in the tasks and threads it starts, too.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], *, path: str, secret: Secret) -> None:
        self._app = app
        self._path = path
        self._secret = [secret] if isinstance(secret, str) else list(secret)
        _keys(self._secret)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            body = await _read_body(receive)
            message = verify(body, headers, self._secret)
        except WebhookError as error:
            await _refuse(send, str(error))
            return
        with in_force(message):
            await self._app(scope, _again(body, receive), send)


class WsgiWebhooks:
    """WSGI middleware: messages posted to `path` reach the application only when they are genuine.

    The overrides of a test are in force while the application handles it and while its answer is read.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], *, path: str, secret: Secret) -> None:
        self._app = app
        self._path = path
        self._secret = [secret] if isinstance(secret, str) else list(secret)
        _keys(self._secret)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != self._path or environ.get("REQUEST_METHOD") != "POST":
            return self._app(environ, start_response)
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        try:
            body = _read_wsgi_body(environ)
            message = verify(body, headers, self._secret)
        except WebhookError as error:
            start_response("401 Unauthorized", [("content-type", "application/json")])
            return [json.dumps({"error": str(error)}).encode()]
        return self._call(message, {**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    def _call(
        self, message: Mapping[str, Any], environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        # The answer is read after this returns, when the thread may have turned to something else.
        own = copy_context()
        block = in_force(message)
        own.run(block.__enter__)
        return _Answer(own.run(self._app, environ, start_response), own, block)


class _Answer:
    """A WSGI answer, each part of which is made where the overrides are in force."""

    def __init__(self, parts: Iterable[bytes], own: Any, block: AbstractContextManager[None]) -> None:
        self._parts = parts
        self._own = own
        self._block = block
        self._iterator = own.run(iter, parts)

    def __iter__(self) -> _Answer:
        return self

    def __next__(self) -> bytes:
        part: bytes = self._own.run(next, self._iterator)
        return part

    def close(self) -> None:
        close = getattr(self._parts, "close", None)
        if close is not None:
            self._own.run(close)
        self._own.run(self._block.__exit__, None, None, None)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise WebhookError(f"the header {name} is missing")
    return value


def _keys(secret: Secret) -> list[bytes]:
    """The keys behind secrets; raises ValueError for one that is none, such as an empty variable."""
    keys = []
    for text in [secret] if isinstance(secret, str) else secret:
        try:
            key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
        except ValueError:
            key = b""
        if not text.startswith(SECRET_PREFIX) or len(key) < MIN_SECRET_BYTES:
            raise ValueError(f"a webhook secret is {SECRET_PREFIX} and base64, as `spanloop` printed it once")
        keys.append(key)
    return keys


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def _read_body(receive: Any) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] != "http.request":
            raise WebhookError("the connection ended before the whole message came")
        body += event.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise WebhookError(f"the message is larger than {MAX_BODY_BYTES} bytes")
        if not event.get("more_body"):
            return bytes(body)


def _read_wsgi_body(environ: Mapping[str, Any]) -> bytes:
    text = environ.get("CONTENT_LENGTH") or "0"
    if not text.isdecimal() or int(text) > MAX_BODY_BYTES:
        raise WebhookError(f"the message is larger than {MAX_BODY_BYTES} bytes")
    body: bytes = environ["wsgi.input"].read(int(text))
    return body


def _again(body: bytes, receive: Any) -> Callable[[], Awaitable[Any]]:
    """A `receive` that gives the body once more, then what comes after it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return waiting.pop() if waiting else await receive()

    return replay


async def _refuse(send: Any, reason: str) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps({"error": reason}).encode()})
