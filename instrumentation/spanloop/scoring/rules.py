"""Rules of online scoring from Python.

from spanloop.scoring import put_rule

put_rule("polite", scorers=["my_scorers:is_polite"], filter="type = 'llm'", sampling_rate=0.1)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from spanloop._api import ApiClient, default_project
from spanloop.scoring.registry import ScorerSpec

PATH = "/v1/scoring-rules"


def put_rule(
    name: str,
    *,
    scorers: Sequence[str | ScorerSpec | Mapping[str, Any]],
    filter: str = "",
    sampling_rate: float = 1.0,
    scope: Mapping[str, Any] | None = None,
    enabled: bool = True,
    project: str | None = None,
    api_url: str | None = None,
    api_key: str | None = None,
    **others: Any,
) -> dict[str, Any]:
    """Makes a rule, or changes the one of this name; the same again changes nothing. Returns it as it is stored.

    `others` are `description`, `boosts` and `budget`. Raises ApiError that names the field that is wrong.
    """
    rule = {
        "name": name,
        "project": default_project() if project is None else project,
        "scorers": [_as_request(scorer) for scorer in scorers],
        "filter": filter,
        "sampling_rate": sampling_rate,
        "scope": dict(scope or {}),
        "enabled": enabled,
        **others,
    }
    stored: dict[str, Any] = _call(api_url, api_key, lambda client: client.post(PATH, {"rule": rule}))["rule"]
    return stored


def list_rules(
    *, project: str | None = None, api_url: str | None = None, api_key: str | None = None
) -> list[dict[str, Any]]:
    """The rules of a project, each with `failure`: why it does not work, empty when it does."""
    chosen = default_project() if project is None else project
    rules: list[dict[str, Any]] = _call(api_url, api_key, lambda client: client.get(PATH, project=chosen))["rules"]
    return rules


def delete_rule(
    name: str, *, project: str | None = None, api_url: str | None = None, api_key: str | None = None
) -> None:
    """Ends a rule; what it scored stays."""
    chosen = default_project() if project is None else project
    _call(api_url, api_key, lambda client: client.delete(f"{PATH}/{quote(name, safe='')}", project=chosen))


def _as_request(scorer: str | ScorerSpec | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(scorer, str):
        return {"use": scorer}
    if isinstance(scorer, ScorerSpec):
        return {"use": scorer.use, "name": scorer.name, "options": dict(scorer.options)}
    return dict(scorer)


def _call(api_url: str | None, api_key: str | None, ask: Callable[[ApiClient], dict[str, Any]]) -> dict[str, Any]:
    client = ApiClient(api_url, api_key=api_key)
    try:
        return ask(client)
    finally:
        client.close()
