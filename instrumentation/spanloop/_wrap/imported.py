"""Does something with a module once the application imports it, without importing it ourselves.

Some AI packages take seconds to import; an application that does not use one should not wait for it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from spanloop._failsafe import guarded

Action = Callable[[Any], object]

_waiting: dict[str, Action] = {}


def is_installed(name: str) -> bool:
    """Whether the module could be imported; of a submodule, the packages above it are."""
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def when_imported(name: str, action: Action) -> None:
    """Runs `action` with the module: now, if it has been imported, or right after it is."""
    module = sys.modules.get(name)
    if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
        guarded(action)(module)
        return
    _waiting[name] = action
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds nothing itself: has the others look, and adds a step to the loading of what is waited for."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _waiting:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(fullname, path, target) if find is not None else None
            if spec is not None:
                if spec.loader is not None:
                    guarded(_watch)(spec.loader, fullname)
                return spec
        return None


def _watch(loader: Loader, name: str) -> None:
    """The loader belongs to this one module, so a method of its own does not touch others."""
    execute = loader.exec_module

    def execute_and_act(module: ModuleType) -> None:
        execute(module)
        action = _waiting.pop(name, None)
        if action is not None:
            guarded(action)(module)

    loader.exec_module = execute_and_act  # type: ignore[method-assign]  # of this object only
