"""The collector's API, for what the background threads send there."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome, request_headers
from spanloop._transport.http import Certificates, HttpConnection, refused, unanswered

API_PORT = 7411


def api_url(settings: Settings) -> str:
    """Where the API answers: `api_url`, or its usual port where the endpoint is."""
    return settings.api_url.rstrip("/") or api_beside(settings.endpoint)


def api_beside(endpoint: str) -> str:
    """The API's usual port, on the host that traces are sent to."""
    parts = urlsplit(endpoint)
    host = parts.hostname or "127.0.0.1"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{API_PORT}"


def open_api(settings: Settings) -> HttpConnection:
    """A connection to the API; `request_headers` go with each request."""
    return HttpConnection(api_url(settings), Certificates.of(settings))


class JsonApi:
    """JSON in, JSON out. Never raises."""

    def __init__(self, settings: Settings) -> None:
        self._headers = {**request_headers(settings), "content-type": "application/json"}
        self._connection = open_api(settings)
        self.forget, self.close = self._connection.forget, self._connection.close

    def post(self, path: str, body: bytes, timeout_seconds: float) -> tuple[Outcome, Any]:
        """What came of it, and the answer as JSON; None where there is none."""
        try:
            answer = self._connection.request("POST", path, body, self._headers, timeout_seconds)
        except Exception as error:
            return unanswered(error), None
        if not answer.is_success:
            return refused(answer), None
        try:
            return Outcome(Kind.DELIVERED), json.loads(answer.content)
        except ValueError:
            return Outcome(Kind.DELIVERED), None
