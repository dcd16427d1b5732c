"""What a task may read and change about its case while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spanloop._span import Span


class EvalHooks:
    """Second argument of a task.

    def task(input, hooks):
        hooks.metadata["model"] = "small"
        hooks.span.log(metrics={"retries": 2})
        return answer(input)
    """

    def __init__(
        self,
        *,
        metadata: dict[str, Any],
        expected: Any,
        span: Span,
        trial_index: int,
        tags: list[str],
        parameters: Mapping[str, Any],
        progress: Callable[[Any], None] | None = None,
    ) -> None:
        self.metadata = metadata
        """The case's metadata; what is changed here is recorded and given to the scorers."""
        self.expected = expected
        """The answer it should be; may be replaced."""
        self.tags = tags
        """The case's tags; may be added to."""
        self.span = span
        """Span of the case, to log on."""
        self.trial_index = trial_index
        """Which of the case's trials this is, from 0."""
        self.parameters = parameters
        """`parameters` of the eval."""
        self._progress = progress

    def meta(self, **info: Any) -> None:
        """Adds to the metadata."""
        self.metadata.update(info)

    def report_progress(self, event: Any) -> None:
        """Says how far a long task is, to whoever watches the eval."""
        if self._progress is not None:
            self._progress(event)
