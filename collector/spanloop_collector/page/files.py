"""The built files of the page, held in memory: content, content type, entity tag and compressed form."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

INDEX = "index.html"
MANIFEST = "manifest.json"
"""Which sources the files were built from; not served."""

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}

# The builder puts a hash of the content into the names of files that are loaded later.
_NAME_WITH_HASH = re.compile(r"-[A-Z0-9]{8}\.\w+$")


@dataclass(frozen=True)
class PageFile:
    """One file of the page."""

    name: str
    content: bytes

    @property
    def content_type(self) -> str:
        """What the browser is told that it is."""
        return CONTENT_TYPES[self.name.rpartition(".")[2]]

    @property
    def never_changes(self) -> bool:
        """True when another content would have another name."""
        return _NAME_WITH_HASH.search(self.name) is not None

    @cached_property
    def etag(self) -> str:
        """The entity tag of the content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'

    @cached_property
    def compressed(self) -> bytes:
        """The content as gzip, made at the first request."""
        return gzip.compress(self.content, compresslevel=9, mtime=0)


def read_page_files() -> dict[str, PageFile]:
    """Every file of the page by its name below `static/`."""
    found = _read(files(__package__) / "static", "")
    return {name: PageFile(name, content) for name, content in found.items() if name != MANIFEST}


def _read(folder: Traversable, prefix: str) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for item in folder.iterdir():
        if item.is_dir():
            contents |= _read(item, f"{prefix}{item.name}/")
        else:
            contents[f"{prefix}{item.name}"] = item.read_bytes()
    return contents
