"""Scorers by name: built-ins, the judge, the whole of `autoevals`, and functions of modules that were named.

exact_match                 a built-in, see `builtins.py`
judge                       an LLM with a prompt of your own, see `judge.py`
autoevals.Levenshtein       a class of that library
my_scorers:is_polite        a function of a module or file
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, overload

from spanloop.scoring.call import Scorer, check_scorer, scorer_version
from spanloop.scoring.score import ScoreError

AUTOEVALS = "autoevals."
JUDGE = "judge"
Marked = TypeVar("Marked", bound=Callable[..., Any])
INSTALL_AUTOEVALS = 'pip install "spanloop[autoevals]"'


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """A scorer as text: what a rule names."""

    use: str
    """`exact_match`, `judge`, `autoevals.Factuality`, `my_scorers:is_polite`."""
    name: str = ""
    """What its scores are called; empty takes the scorer's own name."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments: of the built-in, of the judge, of the autoevals class, of the function."""

    @property
    def is_code(self) -> bool:
        """Whether it needs a module that only some workers have."""
        return ":" in self.use

    @property
    def score_name(self) -> str:
        """What its scores are called."""
        return self.name or self.use.rpartition(":")[2].removeprefix(AUTOEVALS)


@dataclass(frozen=True, slots=True)
class LoadedScorer:
    """A scorer ready to be called."""

    call: Scorer
    version: str
    """Names its content: code, package version and options."""


@overload
def scorer(function: Marked, /) -> Marked: ...


@overload
def scorer(*, name: str = "", version: str = "") -> Callable[[Marked], Marked]: ...


def scorer(function: Any = None, /, *, name: str = "", version: str = "") -> Any:
    """Gives a function the name of its scores, and a version other than the hash of its source.

    @scorer(name="polite")
    def is_polite(output): return "please" in output
    """

    def mark(function: Scorer) -> Scorer:
        function.scorer_name = name or function.__name__  # type: ignore[attr-defined]  # read by scorer_name
        if version:
            function.scorer_version = version  # type: ignore[attr-defined]  # read by scorer_version
        return function

    return mark(function) if function is not None else mark


def load_scorer(spec: ScorerSpec, *, modules: Mapping[str, ModuleType] | None = None) -> LoadedScorer:
    """The scorer that the spec names; `modules` are those whose functions may be named.

    Raises ScoreError for what is not known, saying what is.
    """
    if spec.is_code:
        return _load_code(spec, modules or {})
    if spec.use == JUDGE:
        from spanloop.scoring.judge import judge

        return _with_options(judge, spec, source_version=scorer_version(judge))
    if spec.use.startswith(AUTOEVALS):
        return _load_autoevals(spec)
    return _load_builtin(spec)


def check_spec(spec: ScorerSpec) -> None:
    """Raises ScoreError for a spec that could be loaded nowhere; imports no library that asks a model."""
    if spec.is_code:
        return
    if spec.use == JUDGE:
        from spanloop.scoring.judge import check_options

        check_options(spec.options)
    elif spec.use.startswith(AUTOEVALS):
        if importlib.util.find_spec("autoevals") is not None:
            _find_autoevals(spec)
    else:
        _load_builtin(spec)


def load_module(named: str) -> ModuleType:
    """A module by its dotted name, or a file by its path; raises ScoreError when it cannot be imported."""
    try:
        if not named.endswith(".py"):
            return importlib.import_module(named)
        path = Path(named).resolve()
        found = importlib.util.spec_from_file_location(path.stem, path)
        if found is None or found.loader is None:
            raise ImportError(f"{path} cannot be read")
        module = importlib.util.module_from_spec(found)
        sys.modules[path.stem] = module
        found.loader.exec_module(module)
    except Exception as error:
        raise ScoreError(f"scorers of {named!r} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _load_code(spec: ScorerSpec, modules: Mapping[str, ModuleType]) -> LoadedScorer:
    module_name, _, function_name = spec.use.partition(":")
    if module_name not in modules:
        raise ScoreError(
            f"scorer {spec.use!r} is in the module {module_name!r}, which was not named; "
            "start `spanloop score --module` with it, or name it in score.modules"
        )
    function = getattr(modules[module_name], function_name, None)
    if not callable(function):
        raise ScoreError(f"module {module_name!r} has no function {function_name!r}")
    return _with_options(function, spec, source_version=scorer_version(function), is_made=False)


def _load_autoevals(spec: ScorerSpec) -> LoadedScorer:
    library, found = _find_autoevals(spec)
    return _with_options(_with_client(library, found), spec, source_version=_package_version("autoevals"))


def _find_autoevals(spec: ScorerSpec) -> tuple[ModuleType, type]:
    try:
        library = importlib.import_module("autoevals")
    except ImportError:
        raise ScoreError(f"{spec.use} needs the autoevals library; run: {INSTALL_AUTOEVALS}") from None
    found = getattr(library, spec.use.removeprefix(AUTOEVALS), None)
    if not isinstance(found, type) or not hasattr(found, "eval_async"):
        names = sorted(name for name in dir(library) if hasattr(getattr(library, name), "eval_async"))
        raise ScoreError(f"autoevals has no scorer {spec.use.removeprefix(AUTOEVALS)!r}; it has {', '.join(names)}")
    return library, found


def _with_client(library: ModuleType, found: type) -> Callable[..., Any]:
    """The class, given a client where it asks a model: its own default is a service of another company."""
    asks_model = getattr(library, "OpenAIScorer", None)
    if asks_model is None or not issubclass(found, asks_model):
        return found

    def make(**options: Any) -> Any:
        if "client" not in options and "api_key" not in options:
            from spanloop.scoring.judge import openai_client

            options["client"] = openai_client(base_url=options.pop("base_url", None))
        return found(**options)

    return make


def _load_builtin(spec: ScorerSpec) -> LoadedScorer:
    from spanloop.scoring.builtins import BUILTINS

    if spec.use not in BUILTINS:
        raise ScoreError(
            f"there is no scorer {spec.use!r}; built in are {', '.join(sorted(BUILTINS))} and judge, "
            "others are autoevals.NAME and module:function"
        )
    function = BUILTINS[spec.use]
    return _with_options(function, spec, source_version=scorer_version(function), is_made=False)


def _with_options(
    make: Callable[..., Any], spec: ScorerSpec, *, source_version: str, is_made: bool = True
) -> LoadedScorer:
    """The scorer with its options: given to the maker of one, or bound to a function that is one."""
    try:
        made = make(**spec.options) if is_made else _bound(make, spec.options)
    except TypeError as error:
        raise ScoreError(f"options of scorer {spec.use!r}: {error}") from error
    check_scorer(made)
    content = json.dumps([spec.use, source_version, dict(spec.options)], sort_keys=True, default=str)
    return LoadedScorer(made, hashlib.sha256(content.encode()).hexdigest()[:12])


def _bound(function: Scorer, options: Mapping[str, Any]) -> Scorer:
    """The function with the options filled in; raises TypeError for one that it does not have."""
    if options:
        inspect.signature(function).bind_partial(**options)
    return functools.partial(function, **options) if options else function


def _package_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
