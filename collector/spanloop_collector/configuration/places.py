"""Where the collector keeps its data when nobody says."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def default_data_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's folder for application data, plus `spanloop`."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "spanloop"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "spanloop"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "spanloop"
