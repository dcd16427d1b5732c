"""The attachments of every project: found, taken in, read, listed, removed. Every call may block.

<project>/3f/3f79…c2        the bytes
<project>/3f/3f79…c2.json   what is known of them; written last, removed first: without it there is no attachment
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from spanloop_collector.attachments.attachment import Attachment
from spanloop_collector.attachments.files import Files, open_files
from spanloop_collector.errors import InvalidRequestError, RetryableError, TooLargeError
from spanloop_collector.settings import AttachmentSettings

SEEN_AGAIN_SECONDS = 24 * 3600.0
MAX_FOLDER_CHARACTERS = 200
ABANDONED_SECONDS = 24 * 3600.0


class Attachments:
    """Stored bytes by project and key."""

    def __init__(self, files: Files, incoming: Path, *, max_bytes: int, clock: Callable[[], float] = time.time) -> None:
        """`incoming` is a local folder, where bytes wait until their hash has been checked."""
        self._files = files
        self._incoming = incoming
        self._clock = clock
        self.max_bytes = max_bytes

    def find(self, project: str, key: str) -> Attachment | None:
        """The attachment of this project; an empty project looks in every one."""
        folders = [_folder(project)] if project else self._files.names("")
        for folder in folders:
            content = self._files.read(f"{_path(folder, key)}.json")
            if content is not None:
                return Attachment.from_json(content)
        return None

    def see(self, attachment: Attachment) -> None:
        """Notes that a sender is about to refer to it again, which keeps a sweep from taking it."""
        now = self._clock()
        if now - attachment.seen > SEEN_AGAIN_SECONDS:
            self._describe(replace(attachment, seen=now))

    def receive(self) -> Incoming:
        """Takes new bytes, piece by piece."""
        try:
            return Incoming(self._incoming, self.max_bytes)
        except OSError as error:
            raise RetryableError(f"the attachment cannot be written to disk: {error.strerror}") from error

    def keep(self, incoming: Incoming, *, project: str, key: str, content_type: str, filename: str) -> Attachment:
        """Stores what came in.

        Raises InvalidRequestError when the bytes are not those that the key names.
        """
        path = incoming.finish(key)
        now = self._clock()
        attachment = Attachment(project, key, incoming.size, content_type, filename, now, now)
        self._files.take(_path(_folder(project), key), path)
        self._describe(attachment)
        return attachment

    def read(self, attachment: Attachment, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        return self._files.pieces(_path(_folder(attachment.project), attachment.key), start, stop)

    def all_of(self, project: str) -> Iterator[Attachment]:
        """Every attachment of a project; an empty project lists them all."""
        for folder in [_folder(project)] if project else self._files.names(""):
            for shelf in self._files.names(folder):
                for name in self._files.names(f"{folder}/{shelf}"):
                    content = self._files.read(f"{folder}/{shelf}/{name}") if name.endswith(".json") else None
                    if content is not None:
                        yield Attachment.from_json(content)

    def remove(self, attachment: Attachment) -> None:
        path = _path(_folder(attachment.project), attachment.key)
        self._files.remove(f"{path}.json")
        self._files.remove(path)

    def _describe(self, attachment: Attachment) -> None:
        self._files.write(f"{_path(_folder(attachment.project), attachment.key)}.json", attachment.to_json())


class Incoming:
    """Bytes on their way in, in a file of their own."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.size = 0
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        self._path = Path(name)
        self._file = os.fdopen(descriptor, "wb")

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise too_large(self._max_bytes)
        self._hash.update(piece)
        try:
            self._file.write(piece)
        except OSError as error:
            raise RetryableError(f"the attachment cannot be written to disk: {error.strerror}") from error

    def finish(self, key: str) -> Path:
        """The file with all that came, if its hash is the key."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self._hash.hexdigest() != key:
            raise InvalidRequestError(
                f"key: the {self.size} bytes received have the SHA-256 {self._hash.hexdigest()}, not {key}; "
                "send the bytes whose hash is in the path",
                field="key",
            )
        return self._path

    def close(self) -> None:
        """Forgets what was not kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(
        f"the attachment is larger than {max_bytes} bytes; send less, or raise attachments.max_bytes "
        "(SPANLOOP_ATTACHMENTS_MAX_BYTES) of the collector"
    )


def open_attachments(settings: AttachmentSettings, data_dir: Path) -> Attachments:
    """The attachments that the settings ask for. What a crash left half received is removed."""
    incoming = data_dir / "attachments-incoming"
    _remove_abandoned(incoming)
    return Attachments(open_files(settings.url, data_dir), incoming, max_bytes=settings.max_bytes)


def _remove_abandoned(incoming: Path) -> None:
    with suppress(OSError):
        for path in incoming.iterdir():
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()


def _path(folder: str, key: str) -> str:
    return f"{folder}/{key[:2]}/{key}"


def _folder(project: str) -> str:
    """A folder's name that any project can have: no dots, no slashes, not too long."""
    name = quote(project, safe=" ").replace(".", "%2E")
    if len(name) <= MAX_FOLDER_CHARACTERS:
        return name
    return f"{name[:100]}-{hashlib.sha256(project.encode()).hexdigest()}"
