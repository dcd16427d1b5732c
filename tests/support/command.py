"""Runs the `spanloop` command as a user does: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

RUN_SECONDS = 60
WIDE = {"COLUMNS": "200"}


def spanloop(
    *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The finished command with its exit code and output."""
    return subprocess.run(
        [sys.executable, "-m", "spanloop_collector", *arguments],
        input=stdin,
        cwd=folder,
        env={**os.environ, **WIDE, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
