"""What `apply --prune` deletes: what the collector has and the file lacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def lacking(found: Iterable[dict[str, Any]], kept: set[tuple[str, str]], project: str) -> list[dict[str, Any]]:
    """Those of the found that are not kept, by project and name, of the projects that the file names and of `project`.

    What is about every project goes only where the file has such, too.
    """
    projects = {each for each, _ in kept} | ({project} if project else set())
    return [each for each in found if each["project"] in projects and (each["project"], each["name"]) not in kept]
