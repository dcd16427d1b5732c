"""Finds `libchdb.so`, the ClickHouse server that the tests run, fetching it once from the npm registry.

The library is kept outside the repository, so a second run downloads nothing:
`SPANLOOP_TEST_LIBCHDB` if set, else `~/.cache/spanloop-tests/`.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "@chdb/lib-linux-x64-gnu"
VERSION = "26.7.3-stable.1"
TARBALL_SHA512 = "XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw=="
DOWNLOAD_SECONDS = 600
LIBRARY_VARIABLE = "SPANLOOP_TEST_LIBCHDB"
CACHE_VARIABLE = "SPANLOOP_TEST_CACHE"


class LibraryUnavailable(Exception):
    """No ClickHouse server can run here; the message is one line that says how to get one."""


def find_library() -> Path:
    """Path of a usable `libchdb.so`, downloaded (180 MB) when this machine has none yet."""
    chosen = os.environ.get(LIBRARY_VARIABLE)
    if chosen:
        return _existing(Path(chosen))
    library = cache_directory() / VERSION / "libchdb.so"
    if library.exists():
        return library
    _require_linux_x64()
    with _only_one_download(library.parent):
        if not library.exists():
            _download(library)
    return library


def cache_directory() -> Path:
    """Where downloads are kept between runs; outside the repository."""
    root = os.environ.get(CACHE_VARIABLE)
    return Path(root) if root else Path.home() / ".cache" / "spanloop-tests"


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise LibraryUnavailable(f"{LIBRARY_VARIABLE}={path} is not a file; point it at libchdb.so or unset it")
    return path


def _require_linux_x64() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise LibraryUnavailable(
            f"no ClickHouse server library for {sys.platform}/{platform.machine()}; "
            "set SPANLOOP_TEST_CLICKHOUSE_URL to a ClickHouse server to run these tests"
        )


@contextmanager
def _only_one_download(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "download.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(library: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise LibraryUnavailable(
            "npm is missing: install it (for example `apt-get install npm`) "
            "or set SPANLOOP_TEST_CLICKHOUSE_URL to a ClickHouse server to run these tests"
        )
    print(f"fetching {PACKAGE} {VERSION} (180 MB, once) into {library.parent}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        tarball = _pack(npm, Path(scratch))
        _verify(tarball)
        _extract(tarball, library)


def _pack(npm: str, directory: Path) -> Path:
    command = [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"]
    try:
        subprocess.run(command, cwd=directory, check=True, timeout=DOWNLOAD_SECONDS, capture_output=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise LibraryUnavailable(
            f"`npm pack {PACKAGE}@{VERSION}` failed ({error}); "
            "set SPANLOOP_TEST_CLICKHOUSE_URL to a ClickHouse server to run these tests"
        ) from error
    (tarball,) = directory.glob("*.tgz")
    return tarball


def _verify(tarball: Path) -> None:
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = base64.b64encode(digest).decode()
    if found != TARBALL_SHA512:
        raise LibraryUnavailable(f"{PACKAGE}@{VERSION} has sha512 {found}, expected {TARBALL_SHA512}")


def _extract(tarball: Path, library: Path) -> None:
    partial = library.with_suffix(".partial")
    with tarfile.open(tarball) as archive:
        source = archive.extractfile("package/libchdb.so")
        assert source is not None, "the package holds package/libchdb.so"
        with source, partial.open("wb") as target:
            shutil.copyfileobj(source, target, 1024 * 1024)
    partial.rename(library)


if __name__ == "__main__":
    print(find_library())
