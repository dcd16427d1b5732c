"""What an application logs where a row should refer to bytes, and what it reads them back with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from spanloop import _runtime, _settings
from spanloop._attachments.reference import (
    ATTACHMENT,
    EXTERNAL,
    UNKNOWN_TYPE,
    Reference,
    content_type_of,
    to_nothing,
    to_url,
)
from spanloop._failsafe import log

READ_SECONDS = 60.0
MAX_JSON_CHARS = 64 * 1024 * 1024

Source = bytes | bytearray | memoryview | str | os.PathLike[str] | IO[bytes]


class Attachment:
    """A file that a row refers to; its bytes go to the collector apart from the row, and only once.

    `data` is bytes, a path, or a file opened for reading bytes. It may stand anywhere in input, output, expected
    or metadata. A file is read when the value is logged. What cannot be read is said in the row.

        span.log(input={"question": question, "photo": spanloop.Attachment("cat.png")})
    """

    def __init__(self, data: Source, *, filename: str | None = None, content_type: str | None = None) -> None:
        self._source = data
        self.filename = filename if filename is not None else _name_of(data)
        self._content_type = content_type

    def __repr__(self) -> str:
        return f"Attachment({self.filename!r})"

    @property
    def data(self) -> bytes:
        """The bytes themselves; raises OSError where the file cannot be read."""
        return self._read()

    def _read(self) -> bytes:
        source = self._source
        if isinstance(source, bytes):
            return source
        if isinstance(source, bytearray | memoryview):
            self._source = bytes(source)
        elif isinstance(source, str | os.PathLike):
            self._source = Path(source).read_bytes()
        else:
            self._source = source.read()
        if not isinstance(self._source, bytes):
            raise TypeError(f"{self.filename or 'the file'} gives text, not bytes; open it with mode 'rb'")
        return self._source

    @property
    def reference(self) -> Reference:
        """What the row says."""
        runtime = _runtime.active()
        if runtime is None or runtime.attachments is None:
            return self._failed("not sent: spanloop.init() was not called, or attachments are off")
        try:
            data = self._read()
        except Exception as error:
            log.error("attachment %r cannot be read: %s", self.filename, error)
            return self._failed(f"cannot be read: {error}")
        return runtime.attachments.keep(data, self._content_type or content_type_of(data, self.filename), self.filename)

    def _failed(self, error: str) -> Reference:
        return to_nothing(content_type=self._content_type or UNKNOWN_TYPE, filename=self.filename, error=error)


class JSONAttachment(Attachment):
    """A value too large for its row, as a JSON file.

    span.log(output={"summary": summary, "transcript": spanloop.JSONAttachment(transcript)})
    """

    def __init__(self, data: object, *, filename: str = "data.json") -> None:
        from spanloop._json import to_json

        text = to_json(data, MAX_JSON_CHARS)
        super().__init__(text.encode(), filename=filename, content_type="application/json")


class ExternalAttachment:
    """A file that lies elsewhere; nothing is uploaded, the row says where it is.

    span.log(input={"scan": spanloop.ExternalAttachment("s3://bucket/scan.pdf")})
    """

    def __init__(self, url: str, *, filename: str | None = None, content_type: str | None = None) -> None:
        self.url = url
        self.filename = filename if filename is not None else url.partition("?")[0].rpartition("/")[2]
        self._content_type = content_type or content_type_of(b"", self.filename)

    def __repr__(self) -> str:
        return f"ExternalAttachment({self.url!r})"

    @property
    def reference(self) -> Reference:
        """What the row says."""
        return to_url(url=self.url, content_type=self._content_type, filename=self.filename)


class ReadonlyAttachment:
    """What a row refers to, read back: give it the reference as the row has it.

    for row in rows:
        photo = spanloop.ReadonlyAttachment(row["input"]["photo"])
        photo.filename, photo.content_type, photo.data
    """

    def __init__(self, reference: Mapping[str, Any], *, api_url: str | None = None, api_key: str | None = None) -> None:
        """Without `api_url` and `api_key`, those that tracing uses, or the environment's."""
        if not is_reference(reference):
            raise ValueError(f"no reference to an attachment: {str(reference)[:200]}")
        self.reference: Reference = dict(reference)
        self.filename = str(reference.get("filename") or "")
        self.content_type = str(reference.get("content_type") or UNKNOWN_TYPE)
        self._settings = _reader_settings(api_url, api_key)
        self._data: bytes | None = None

    def __repr__(self) -> str:
        return f"ReadonlyAttachment({self.filename!r})"

    @property
    def data(self) -> bytes:
        """The bytes, fetched when first asked for; raises OSError where they cannot be had."""
        if self._data is None:
            self._data = self._fetch()
        return self._data

    def json(self) -> Any:
        """The value of a JSON attachment."""
        return json.loads(self.data)

    def _fetch(self) -> bytes:
        from spanloop._attachments.upload import Uploader

        if self.reference["type"] == EXTERNAL:
            return _download(str(self.reference["url"]))
        if "key" not in self.reference:
            raise FileNotFoundError(f"the attachment was never sent: {self.reference.get('error', '')}")
        uploader = Uploader(self._settings)
        try:
            return uploader.read(str(self.reference["key"]), READ_SECONDS)
        finally:
            uploader.close()


def is_reference(value: object) -> bool:
    """Whether a value of a row refers to an attachment."""
    return isinstance(value, Mapping) and value.get("type") in (ATTACHMENT, EXTERNAL)


def _name_of(data: object) -> str:
    name = data if isinstance(data, str | os.PathLike) else getattr(data, "name", None)
    return os.path.basename(os.fspath(name)) if isinstance(name, str | os.PathLike) else ""


def _reader_settings(api_url: str | None, api_key: str | None) -> _settings.Settings:
    runtime = _runtime.active()
    if runtime is not None and api_url is None and api_key is None:
        return runtime.settings
    settings, _ = _settings.resolve({"api_url": api_url, "api_key": api_key})
    return settings


def _download(url: str) -> bytes:
    import urllib.request

    if not url.startswith(("http://", "https://")):
        raise OSError(f"{url} is not http[s]://; fetch it with a client of its own")
    with urllib.request.urlopen(url, timeout=READ_SECONDS) as response:
        content: bytes = response.read()
    return content
