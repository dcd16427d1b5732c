"""The process that a scorer runs in, so that it can be killed and cannot take more memory than it may.

    python -m spanloop.scoring.child

Frames of JSON come over standard input and go over standard output, each behind its length in four bytes: first the
scorer, answered with what it is, then one row after another, each answered with its scores or what went wrong. What
the scorer prints goes to standard error. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import sys
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any, BinaryIO

from spanloop.scoring.call import Scorer, call_scorer, scorer_name, wants_trace
from spanloop.scoring.registry import LoadedScorer, ScorerSpec, load_module, load_scorer
from spanloop.scoring.score import Score, ScoreError
from spanloop.scoring.trace import Trace
from spanloop.scoring.usage import collect_usage

MIB = 1024 * 1024
LENGTH = struct.Struct("!I")
RETRIED_STATUS = frozenset({408, 409, 425, 429})
# The same row would fail the same way.
LASTING_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    NotImplementedError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


def main() -> None:
    """Serves one scorer until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    frames: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_frames, args=(sys.stdin.buffer, frames), daemon=True).start()
    request = frames.get()
    try:
        loaded = _load(request)
    except Exception as error:
        write_frame(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    write_frame(
        answers,
        {"version": loaded.version, "wants_trace": wants_trace(loaded.call), "name": scorer_name(loaded.call)},
    )
    _limit_memory(int(request["memory_mib"]) * MIB)
    while True:
        write_frame(answers, answer(loaded.call, frames.get()))


def answer(scorer: Scorer, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the scorer says about a row, or why it says nothing."""
    row, spans = request["row"], request.get("trace")
    started = time.perf_counter()
    with collect_usage() as usage:
        try:
            scores = call_scorer(
                scorer,
                input=row.get("input"),
                output=row.get("output"),
                expected=row.get("expected"),
                metadata=row.get("metadata"),
                trace=Trace(spans) if spans is not None else None,
            )
            said: dict[str, Any] = {"scores": [_score(score) for score in scores]}
        except Exception as error:
            said = _failure(error)
    said["duration"] = time.perf_counter() - started
    said["usage"] = [each.as_dict() for each in usage]
    return said


def write_frame(stream: BinaryIO, value: Mapping[str, Any]) -> None:
    """One JSON value behind its length."""
    content = json.dumps(value, default=str).encode()
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


def _read_frames(stream: BinaryIO, frames: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Ends the process when whoever started it is gone, even in the middle of a call."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        frames.put(json.loads(stream.read(LENGTH.unpack(head)[0])))
    os._exit(0)


def _load(request: Mapping[str, Any]) -> LoadedScorer:
    spec = ScorerSpec(request["use"], request["name"], request["options"])
    modules: dict[str, ModuleType] = {}
    if spec.is_code:
        wanted = spec.use.partition(":")[0]
        found = [named for named in request["modules"] if module_name(named) == wanted]
        modules = {wanted: load_module(found[-1])} if found else {}
    return load_scorer(spec, modules=modules)


def module_name(named: str) -> str:
    """What a rule calls a module: its dotted name, or the file's name without `.py`."""
    return os.path.basename(named)[: -len(".py")] if named.endswith(".py") else named


def _limit_memory(extra_bytes: int) -> None:
    """Lets the process grow by so much from here; what loading the scorer took is its own."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    try:
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # macOS does not say, and does not enforce it
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = now + extra_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def _score(score: Score) -> dict[str, Any]:
    return score.as_dict()


def _failure(error: Exception) -> dict[str, Any]:
    name = "" if isinstance(error, ScoreError) else f"{type(error).__name__}: "
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        is_retryable = status in RETRIED_STATUS or status >= 500
    else:
        is_retryable = getattr(error, "is_retryable", not isinstance(error, LASTING_ERRORS))
    return {
        "error": f"{name}{error}" if str(error) else type(error).__name__,
        "is_retryable": is_retryable,
        "retry_after": _retry_after(error),
    }


def _retry_after(error: Exception) -> float:
    """How long a provider asks to wait, in seconds."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return float(milliseconds) / 1000
        return float(headers.get("retry-after", 0))
    except ValueError:
        return 0.0


if __name__ == "__main__":
    main()
