"""Where the bytes lie: a folder of this machine, or an object store that fsspec reaches."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from spanloop_collector.errors import ConfigError, StoreUnavailableError

PIECE_BYTES = 256 * 1024


class Files(Protocol):
    """Files by path below one place, written whole or not at all. Every call may block."""

    def read(self, path: str) -> bytes | None:
        """A small file; None if there is none."""

    def pieces(self, path: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""

    def write(self, path: str, content: bytes) -> None: ...

    def take(self, path: str, source: Path) -> None:
        """Moves a local file here."""

    def remove(self, path: str) -> None:
        """Removes a file; one that is not there is none of its business."""

    def names(self, folder: str) -> list[str]:
        """Names in a folder, sorted; empty if there is no such folder."""


class Folder:
    """Files of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def pieces(self, path: str, start: int, stop: int) -> Iterator[bytes]:
        with (self._root / path).open("rb") as file:
            file.seek(start)
            yield from _up_to(file, stop - start)

    def write(self, path: str, content: bytes) -> None:
        target = self._prepared(path)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, target)

    def take(self, path: str, source: Path) -> None:
        target = self._prepared(path)
        try:
            os.replace(source, target)
        except OSError:  # another file system: copied beside its place first
            temporary = target.with_name(f".new-{target.name}")
            shutil.copyfile(source, temporary)
            os.replace(temporary, target)

    def remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            (self._root / path).unlink()

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._root / folder) if not name.startswith(".new-"))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _prepared(self, path: str) -> Path:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


class ObjectStore:
    """Files that fsspec reaches: `s3://bucket/folder`, `gs://…`, `az://…`, `file:///mnt/share`."""

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # ships no types
        except ImportError:
            raise ConfigError(
                "attachments.url needs fsspec, and the package for its scheme such as s3fs; "
                'run: pip install "spanloop[object-store]"'
            ) from None
        try:
            self._system, self._root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"attachments.url (SPANLOOP_ATTACHMENTS_URL) cannot be used: {error}") from None

    def read(self, path: str) -> bytes | None:
        try:
            content: bytes = self._call("cat_file", path)
        except FileNotFoundError:
            return None
        return content

    def pieces(self, path: str, start: int, stop: int) -> Iterator[bytes]:
        with self._call("open", path, "rb") as file:
            file.seek(start)
            yield from _up_to(file, stop - start)

    def write(self, path: str, content: bytes) -> None:
        self._call("makedirs", path.rpartition("/")[0], exist_ok=True)
        self._call("pipe_file", path, content)

    def take(self, path: str, source: Path) -> None:
        self._call("makedirs", path.rpartition("/")[0], exist_ok=True)
        self._call("put_file", path, str(source), has_source=True)
        source.unlink()

    def remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._call("rm_file", path)

    def names(self, folder: str) -> list[str]:
        self._system.invalidate_cache()
        try:
            found: list[str] = self._call("ls", folder, detail=False)
        except FileNotFoundError:
            return []
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def _call(self, method: str, path: str, *more: Any, has_source: bool = False, **options: Any) -> Any:
        where = f"{self._root}/{path}".rstrip("/")
        arguments = (*more, where) if has_source else (where, *more)
        try:
            return getattr(self._system, method)(*arguments, **options)
        except FileNotFoundError:
            raise
        except Exception as error:  # each store has its own; none of them is the sender's fault
            raise StoreUnavailableError(f"the attachments' store does not answer: {error}") from error


def open_files(url: str, data_dir: Path) -> Files:
    """What the setting `attachments.url` asks for; the data directory where it is empty."""
    return ObjectStore(url) if url else Folder(data_dir / "attachments")


def _up_to(file: Any, count: int) -> Iterator[bytes]:
    while count > 0 and (piece := file.read(min(PIECE_BYTES, count))):
        count -= len(piece)
        yield piece
