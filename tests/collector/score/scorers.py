"""Scorers of a user's own, good and bad ones, as rules of the tests name them: `scorers:is_polite`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import spanloop
from spanloop.scoring import Score


def is_polite(output: str) -> bool:
    return "please" in output


def count_calls(output: str, metadata: dict[str, Any]) -> float:
    """Leaves a line for each call in the file that the row names."""
    with Path(metadata["calls"]).open("a") as file:
        file.write(f"{metadata.get('n', '')}\n")
    return 1.0


def count_slowly(output: str, metadata: dict[str, Any]) -> float:
    """Like `count_calls`, and takes its time."""
    time.sleep(0.2)
    return count_calls(output, metadata)


def several(output: str) -> list[Score]:
    return [Score("length", min(len(output) / 10, 1.0)), Score("tone", None, reason="no tone"), Score("pace", 0.5)]


def not_applicable(output: str) -> None:
    return None


def broken(output: str) -> float:
    raise KeyError("nothing here")


def too_high(output: str) -> float:
    return 1.5


def hangs_on_stop(output: str) -> float:
    while output == "stop":
        time.sleep(0.1)
    return 1.0


def greedy(output: str) -> float:
    return float(len(bytearray(2 * 1024 * 1024 * 1024)) > 0)


def dies_on_stop(output: str) -> float:
    if output == "stop":
        os._exit(3)
    return 1.0


def fails_once(output: str, metadata: dict[str, Any]) -> float:
    """Fails as a network does, the first time it sees a row."""
    seen = Path(metadata["seen"])
    if not seen.exists():
        seen.touch()
        raise ConnectionError("connection reset")
    return 1.0


def tools_used(trace: Any) -> float:
    return min(len(trace.of_type("tool")) / 4, 1.0)


def traced_judge(output: str) -> float:
    """Sends spans of its own while it scores."""
    spanloop.init("guarded", endpoint=os.environ["TEST_OTLP_ENDPOINT"])
    with spanloop.start_span("inner", type="llm", input="what do you think?"):
        pass
    spanloop.flush()
    return 1.0
