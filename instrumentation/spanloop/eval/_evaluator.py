"""What one `Eval(...)` says, before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spanloop.eval._case import EvalCase
from spanloop.eval._report import Reporter


@dataclass(slots=True)
class Evaluator:
    """The arguments of one eval."""

    project_name: str
    data: Any
    task: Callable[..., Any]
    scores: Sequence[Any]
    experiment_name: str | None = None
    trial_count: int = 1
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    description: str | None = None
    max_concurrency: int | None = None
    timeout: float | None = None
    update: bool = False
    reporter: Reporter | str | None = None
    base_experiment_name: str | None = None
    base_experiment_id: str | None = None
    git_metadata_settings: Mapping[str, Any] | None = None
    repo_info: Mapping[str, Any] | None = None
    error_score_handler: Callable[..., Any] | None = None
    summarize_scores: bool = True
    no_send_logs: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    max_results: int | None = None
    on_start: Callable[[Any], None] | None = None
    stream: Callable[[Any], None] | None = None
    filters: Sequence[Any] = ()

    def wants(self, case: EvalCase) -> bool:
        """Whether no filter leaves the case out."""
        return all(each.matches(case) for each in self.filters)

    @property
    def eval_name(self) -> str:
        """How it is called in progress bars and tables."""
        if self.experiment_name:
            return f"{self.project_name} [{self.experiment_name}]"
        return self.project_name
