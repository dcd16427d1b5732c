"""What git says about the code that is evaluated, and which commits came before it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

GIT_SECONDS = 5.0
MAX_ANCESTORS = 500
MAX_DIFF_CHARS = 64 * 1024

FIELDS = ("commit", "author_name", "author_email", "commit_time", "commit_message")
_FORMAT = "%H%x00%an%x00%ae%x00%aI%x00%B%x00%D"


def repo_info(settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Commit, branch, tag, author, whether there are changes, and the commits before; empty outside of git.

    `settings` is `{"collect": "all" | "none" | "some", "fields": […]}`: for `some`, only these fields.
    """
    collect = (settings or {}).get("collect", "all")
    if collect == "none":
        return {}
    head = _git("log", "-1", f"--format={_FORMAT}")
    if not head:
        return {}
    *values, references = head.strip().split("\0")
    found: dict[str, Any] = dict(zip(FIELDS, values, strict=False))
    found |= _branch_and_tag(references)
    found["git_diff"] = _git("diff", "HEAD")[:MAX_DIFF_CHARS]
    found["dirty"] = bool(found["git_diff"])
    if collect == "some":
        wanted = set((settings or {}).get("fields", ()))
        found = {name: value for name, value in found.items() if name in wanted}
    if "commit" in found:
        found["ancestors"] = _git("rev-list", f"--max-count={MAX_ANCESTORS + 1}", "HEAD").split()[1:]
    return {name: value for name, value in found.items() if value not in (None, "")}


def _branch_and_tag(references: str) -> dict[str, str]:
    """Of `HEAD -> main, tag: v1, origin/main`, as git decorates a commit; the branch is HEAD where there is none."""
    names = references.split(", ")
    branch = next((name.removeprefix("HEAD -> ") for name in names if name.startswith("HEAD")), "")
    return {"branch": branch, "tag": next((name[5:] for name in names if name.startswith("tag: ")), "")}


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, timeout=GIT_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
