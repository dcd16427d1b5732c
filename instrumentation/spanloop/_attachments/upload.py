"""Hands bytes to the collector over its API: asks for them first, so that the same bytes never travel twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from spanloop._attachments.keeper import Upload
from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome, request_headers
from spanloop._transport.api import open_api
from spanloop._transport.http import Answer, message_in, refused, unanswered

PATH = "/v1/attachments/"
PROJECT_HEADER = "x-spanloop-project"


def encode_upload(batch: Sequence[Upload]) -> bytes:
    """One upload as bytes, for the queue and the disk: a line that describes it, then its data."""
    (upload,) = batch
    head = {"key": upload.key, "content_type": upload.content_type, "filename": upload.filename}
    return json.dumps(head).encode() + b"\n" + upload.data


def decode_upload(body: bytes) -> Upload:
    head, _, data = body.partition(b"\n")
    return Upload(data=data, **json.loads(head))


class Uploader:
    """One connection to the API."""

    def __init__(self, settings: Settings) -> None:
        self._reading_headers = request_headers(settings)
        self._headers: dict[str, str | bytes] = {**self._reading_headers}
        if settings.project:
            self._headers[PROJECT_HEADER] = settings.project.encode()
        self._connection = open_api(settings)
        self.forget, self.close = self._connection.forget, self._connection.close

    def send(self, signal: str, body: bytes, timeout_seconds: float) -> Outcome:
        """Uploads what `encode_upload` made, unless the collector has it."""
        try:
            upload = decode_upload(body)
            path = PATH + upload.key
            answer = self._connection.request("HEAD", path, None, self._headers, timeout_seconds)
            if answer.status == 404:
                answer = self._put(path, upload, timeout_seconds)
        except Exception as error:
            return unanswered(error)
        return Outcome(Kind.DELIVERED) if answer.is_success else refused(answer)

    def _put(self, path: str, upload: Upload, timeout_seconds: float) -> Answer:
        headers = {**self._headers, "content-type": upload.content_type}
        if upload.filename:
            path = f"{path}?filename={quote(upload.filename, safe='')}"
        return self._connection.request("PUT", path, upload.data, headers, timeout_seconds)

    def read(self, key: str, timeout_seconds: float) -> bytes:
        """The bytes of a key, from whichever project the API key reaches."""
        answer = self._connection.request("GET", PATH + key, None, self._reading_headers, timeout_seconds)
        if answer.status != 200:
            raise FileNotFoundError(f"HTTP {answer.status}: {message_in(answer.content)}".rstrip(": "))
        return answer.content
