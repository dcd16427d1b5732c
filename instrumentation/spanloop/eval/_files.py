"""Files that define evals: found, loaded, and asked what they define."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spanloop.eval import _registry
from spanloop.eval._evaluator import Evaluator
from spanloop.eval._registry import Registry

PATTERNS = ("eval_*.py", "*_eval.py", "*.eval.py")
"""Names of eval files in a folder."""


class EvalFileError(Exception):
    """A file cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Only cases whose value at a path matches, such as `metadata.priority=^P0$`."""

    path: Sequence[str]
    pattern: re.Pattern[str]

    def matches(self, case: Any) -> bool:
        """Whether the case passes."""
        value = case
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
            if value is None:
                return False
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return self.pattern.search(text) is not None


def parse_filter(text: str) -> Filter:
    """The filter that `path=pattern` says."""
    path, equals, pattern = text.partition("=")
    if not path or not equals:
        raise EvalFileError(f"--filter {text!r}: expected path=pattern, for example metadata.priority='^P0$'")
    try:
        return Filter(path.split("."), re.compile(pattern))
    except re.error as error:
        raise EvalFileError(f"--filter {text!r}: {pattern!r} is no regular expression ({error})") from None


def find_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files themselves, and the eval files in folders."""
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside = {each for pattern in PATTERNS for each in path.rglob(pattern)}
            found += sorted(each for each in inside if not any(part.startswith(".") for part in each.parts))
        elif path.is_file():
            found.append(path)
        else:
            raise EvalFileError(f"{given}: there is no such file or folder")
    if not found:
        raise EvalFileError(f"no eval files in {', '.join(map(str, paths))}; they are called {', '.join(PATTERNS)}")
    return list(dict.fromkeys(found))


def load_files(paths: Sequence[Path]) -> Registry:
    """The evals and reporters that the files define, none of them run."""
    with _registry.collecting() as registry:
        for number, path in enumerate(paths):
            _load(path, number)
    return registry


def _load(path: Path, number: int) -> None:
    directory = str(path.resolve().parent)
    if directory not in sys.path:
        sys.path.insert(0, directory)  # what the file imports lies beside it
    name = f"spanloop_eval_{number}_{path.stem.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise EvalFileError(f"{path}: is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise EvalFileError(f"{path} could not be loaded:\n{_trace_from(path, error)}") from error


def _trace_from(path: Path, error: Exception) -> str:
    """The traceback, from the file on: what loaded it is of no interest."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != str(path):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()


def chosen(registry: Registry, filters: Sequence[Filter]) -> list[Evaluator]:
    """The evals, each with the filters for its cases."""
    for evaluator in registry.evaluators:
        evaluator.filters = filters
    return registry.evaluators
