"""`init_experiment`: an experiment to log rows to, or to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Literal, overload

from spanloop._api import ApiClient, default_project
from spanloop.eval._experiment import Experiment, create_experiment, dataset_fields
from spanloop.eval._git import repo_info as read_repo_info
from spanloop.eval._readonly import ReadonlyExperiment

_current: ContextVar[Experiment | None] = ContextVar("spanloop_experiment", default=None)


@overload
def init_experiment(
    project: str | None = None,
    experiment: str | None = None,
    *,
    open: Literal[True],
    api_url: str | None = None,
    api_key: str | None = None,
) -> ReadonlyExperiment: ...


@overload
def init_experiment(
    project: str | None = None,
    experiment: str | None = None,
    *,
    description: str | None = None,
    dataset: Any = None,
    update: bool = False,
    open: Literal[False] = False,
    base_experiment: str | None = None,
    base_experiment_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    git_metadata_settings: Mapping[str, Any] | None = None,
    repo_info: Mapping[str, Any] | None = None,
    set_current: bool = True,
    api_url: str | None = None,
    api_key: str | None = None,
) -> Experiment: ...


def init_experiment(
    project: str | None = None,
    experiment: str | None = None,
    *,
    description: str | None = None,
    dataset: Any = None,
    update: bool = False,
    open: bool = False,
    base_experiment: str | None = None,
    base_experiment_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    git_metadata_settings: Mapping[str, Any] | None = None,
    repo_info: Mapping[str, Any] | None = None,
    set_current: bool = True,
    api_url: str | None = None,
    api_key: str | None = None,
) -> Experiment | ReadonlyExperiment:
    """A new experiment to log rows to; a taken name gets a suffix.

    `update=True` goes on with the experiment of that name, if it is not finished. `open=True` gives a
    ReadonlyExperiment. Raises ApiError when no collector answers or it refuses.
    """
    client = ApiClient(api_url, api_key=api_key)
    if open:
        if not experiment:
            raise ValueError("experiment: say the name of the experiment to open")
        return ReadonlyExperiment(client, project or default_project(), experiment)
    made = create_experiment(
        client,
        project or default_project(),
        {
            "name": experiment,
            "description": description,
            "metadata": dict(metadata or {}),
            "tags": list(tags),
            "base": base_experiment_id or base_experiment,
            "update": update,
            "repo_info": dict(repo_info) if repo_info is not None else read_repo_info(git_metadata_settings),
            **dataset_fields(dataset),
        },
    )
    if set_current:
        _current.set(made)
    return made


def current_experiment() -> Experiment | None:
    """The experiment that `init_experiment` made last in this context."""
    return _current.get()
