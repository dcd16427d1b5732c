"""Messages of the collector, received by web applications."""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import hmac
import io
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import spanloop
from spanloop.webhooks import AsgiWebhooks, WebhookError, WsgiWebhooks, verify
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
TEST = {
    "type": "test.run",
    "testId": "run.1",
    "task": {"id": "t1", "input": "why?"},
    "experiment": {"overrides": {"classifier": {"temperature": 0.2}}},
}


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Headers as the specification has them, made without our code."""
    timestamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"msg_1.{timestamp}.".encode() + body, hashlib.sha256)
    signature = f"v1a,xxx v1,{base64.b64encode(digest).decode()}"
    return {"Webhook-Id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature}


def test_a_genuine_message_is_its_object() -> None:
    body = json.dumps(TEST).encode()
    assert verify(body, signed(body), SECRET) == TEST
    assert verify(body.decode(), signed(body), [OTHER, SECRET]) == TEST


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in signed(b"{}").items() if key.lower() != name}


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (b'{"a": 1}', lambda: signed(b"{}"), "no signature of the message fits"),
        (b"{}", lambda: signed(b"{}", secret=OTHER), "no signature of the message fits"),
        (b"{}", lambda: {**signed(b"{}"), "Webhook-Id": "msg_2"}, "no signature of the message fits"),
        (b"{}", lambda: {**signed(b"{}"), "webhook-signature": "v1, v2,x ä"}, "no signature of the message fits"),
        (b"{}", lambda: signed(b"{}", at=time.time() - 400), "more than 300 seconds ago"),
        (b"{}", lambda: signed(b"{}", at=time.time() + 400), "or ahead of time"),
        (b"{}", lambda: {**signed(b"{}"), "webhook-timestamp": "soon"}, "is not a number of seconds"),
        (b"{}", lambda: without("webhook-id"), "the header webhook-id is missing"),
        (b"{}", lambda: without("webhook-signature"), "the header webhook-signature is missing"),
        (b"[]", lambda: signed(b"[]"), "not a JSON object"),
        (b"\xff", lambda: signed(b"\xff"), "not JSON"),
    ],
)
def test_anything_else_is_refused(body: bytes, headers: Callable[[], dict[str, str]], words: str) -> None:
    """Headers are made in the test: between collection and here, minutes may pass."""
    with pytest.raises(WebhookError, match=words):
        verify(body, headers(), SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "c" * 44])
def test_a_secret_that_is_none_never_fits(secret: str) -> None:
    with pytest.raises(ValueError, match="a webhook secret is whsec_"):
        verify(b"{}", signed(b"{}"), secret)
    with pytest.raises(ValueError, match="a webhook secret is whsec_"):
        AsgiWebhooks(starlette_app(), path="/hook", secret=secret)


def starlette_app() -> Starlette:
    async def hook(request: Request) -> Response:
        message = await request.json()
        in_thread = await asyncio.to_thread(spanloop.inference_step, "classifier", temperature=0.7)
        return JSONResponse([message, spanloop.inference_step("classifier", temperature=0.7), in_thread])

    async def plain(request: Request) -> Response:
        return JSONResponse(spanloop.inference_step("classifier", temperature=0.7))

    return Starlette(routes=[Route("/hook", hook, methods=["POST"]), Route("/plain", plain, methods=["GET", "POST"])])


async def test_an_asgi_application_answers_with_the_overrides_in_force() -> None:
    transport = httpx.ASGITransport(AsgiWebhooks(starlette_app(), path="/hook", secret=SECRET))
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        body = json.dumps(TEST).encode()
        answers = await asyncio.gather(
            client.post("/hook", content=body, headers=signed(body)),
            client.post("/plain", content=body),
            client.post("/hook", content=body),
            client.post("/hook", content=body + b" ", headers=signed(body)),
        )
    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]
    assert answers[0].json() == [TEST, {"temperature": 0.2}, {"temperature": 0.2}]
    assert answers[1].json() == {"temperature": 0.7}
    assert answers[2].json() == {"error": "the header webhook-id is missing"}


async def test_the_readmes_application_uses_the_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    [code] = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "AsgiWebhooks" in block]
    monkeypatch.setenv("SPANLOOP_WEBHOOK_SECRET", SECRET)
    asked: list[dict[str, Any]] = []
    completions = SimpleNamespace(create=lambda **given: asked.append(given))
    names: dict[str, Any] = {"client": SimpleNamespace(chat=SimpleNamespace(completions=completions))}
    exec(code, names)
    body = json.dumps(TEST).encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(names["app"]), base_url="http://app") as client:
        answer = await client.post("/spanloop", content=body, headers=signed(body))
    assert answer.status_code == 204
    assert asked == [{"messages": [{"role": "user", "content": "why?"}], "model": "gpt-4o-mini", "temperature": 0.2}]


def wsgi_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    message = json.loads(environ["wsgi.input"].read())
    start_response("200 OK", [])
    before = spanloop.inference_step("classifier", temperature=0.7)

    def parts() -> Iterator[bytes]:
        yield json.dumps([message, before]).encode()
        yield json.dumps(spanloop.inference_step("classifier", temperature=0.7)).encode()

    return parts()


def make_environ(path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }


def call_wsgi(app: WsgiWebhooks, path: str, body: bytes, headers: dict[str, str]) -> tuple[str, list[bytes]]:
    statuses: list[str] = []
    answer = app(make_environ(path, body, headers), lambda status, headers: statuses.append(status))
    parts = list(answer)
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    return statuses[0], parts


def test_a_wsgi_application_answers_with_the_overrides_in_force_to_its_last_part() -> None:
    app = WsgiWebhooks(wsgi_app, path="/hook", secret=SECRET)
    body = json.dumps(TEST).encode()
    status, parts = call_wsgi(app, "/hook", body, signed(body))
    assert (status, [json.loads(part) for part in parts]) == (
        "200 OK",
        [[TEST, {"temperature": 0.2}], {"temperature": 0.2}],
    )
    assert spanloop.inference_step("classifier", temperature=0.7) == {"temperature": 0.7}
    _, parts = call_wsgi(app, "/other", body, {})
    assert json.loads(parts[1]) == {"temperature": 0.7}
    # A server that never closes the answer, against the specification, leaves no trace either.
    answer = app(make_environ("/hook", body, signed(body)), lambda status, headers: None)
    del answer
    gc.collect()
    assert spanloop.inference_step("classifier", temperature=0.7) == {"temperature": 0.7}
    status, parts = call_wsgi(app, "/hook", body + b" ", signed(body))
    assert (status, parts) == ("401 Unauthorized", [b'{"error": "no signature of the message fits the secret"}'])
