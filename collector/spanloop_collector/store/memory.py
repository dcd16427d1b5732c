"""Keeps out of memory what libraries would load for things that the collector never does."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def leave_out_arrays() -> None:
    """Inserts ask whether they were given a DataFrame or an array, and load pandas (80 MiB) and numpy (20) for that.

    Holds for the whole process, which must be the collector's own; who needs numpy imports it.
    """
    options: Any = importlib.import_module("clickhouse_connect.driver.options")
    options.pd = options.pd_time_test = options.np = None


def import_engine() -> None:
    """Imports chdb without pyarrow, which it imports where that is installed: 40 MiB for what nobody asks it for."""
    if "chdb.state" in sys.modules or "pyarrow" in sys.modules:
        return
    sys.modules["pyarrow"] = None  # type: ignore[assignment]  # which makes an import fail
    try:
        importlib.import_module("chdb.state")
    finally:
        del sys.modules["pyarrow"]
