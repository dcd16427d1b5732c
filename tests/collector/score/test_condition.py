"""SQL of rules: one expression, checked before it is kept; errors say where."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.queries import Queries
from spanloop_collector.score.condition import parse_condition, try_condition
from spanloop_collector.settings import QuerySettings
from spanloop_collector.store import Store


@pytest.fixture
async def queries(store: Store) -> AsyncIterator[Queries]:
    found = Queries(store, QuerySettings())
    yield found
    await found.close()


@pytest.mark.parametrize(
    "text",
    [
        "1) AS expression, (2",
        "1) AS expression FROM logs UNION ALL SELECT (1",
        "id IN (SELECT id FROM logs)",
        "(id, name) IN datasets",
        "exists(SELECT 1)",
        "1 SETTINGS max_threads = 1",
        "1) AS expression FROM logs WHERE (1",
        "id NOT IN datasets",
        "in(id, datasets)",
        "globalNotIn(id, datasets)",
        "1; DROP TABLE spans",
    ],
)
def test_anything_but_an_expression_is_refused(store: Store, text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_condition(store, text, field="rule.filter")


def test_a_comment_cannot_swallow_what_follows(store: Store) -> None:
    assert parse_condition(store, "type = 'llm' -- and so on", field="f") == "type = 'llm'"


def test_what_comes_back_is_the_same(store: Store) -> None:
    once = parse_condition(store, "((type = 'llm') and (error = '' or metadata['a'] in ('b')))", field="f")
    assert parse_condition(store, once, field="f") == once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type = \nAND 1", "failed at position 13 (1) (line 2, col 5): 1. Expected one of"),
        ("type = ", "failed at its end"),
        ("type = (1", "position 8 "),
        ("type = 1)", "position 9 ()) (line 1, col 9): )"),
        ("type = '[' AND metadata['x' = 1", "position 24 "),
        (
            "type = 'x",
            "Single quoted string is not closed: Syntax error: failed at position 8 ('x) (line 1, col 8): 'x",
        ),
        ("name = 'ä'\nANDD type", "failed at position 12 (ANDD) (line 2, col 1): ANDD type"),
        ("type = 1;", "failed at position 9"),
        ("type = 1 FROM spans", "failed at position 10 (FROM) (line 1, col 10): FROM spans"),
        ("type = 1 SETTINGS a = 1", "failed at position 10 (SETTINGS) (line 1, col 10): SETTINGS a = 1"),
        ("CASE WHEN type", "failed at its end"),
    ],
)
def test_syntax_errors_are_about_the_authors_text_and_say_where(store: Store, text: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_condition(store, text, field="rule.filter")
    said = str(caught.value)
    assert said.startswith("rule.filter: ")
    assert message in said
    assert not any(ours in said for ours in ("expression FROM", "FROM logs", "SELECT", "scope"))
    assert caught.value.field == "rule.filter"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("nothing = 1", "nothing"),
        ("name", "Invalid type for filter"),
        ("file('/etc/passwd') != ''", "function file is not allowed here"),
        ("duration > '1s'", r"Cannot convert string '1s' to type Float64\. \(TYPE_MISMATCH\)"),
        ("length(type) > 'a'", "'a'|Illegal|NO_COMMON_TYPE|Cannot"),
    ],
)
async def test_dry_run_names_what_is_wrong(queries: Queries, condition: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        await try_condition(queries, condition, principal=Principal.anonymous(), project="p", field="rule.filter")
    assert "SELECT" not in str(caught.value)


async def test_good_conditions_pass(queries: Queries) -> None:
    for condition in ("type = 'llm'", "has(tags, 'a') OR scores['x'] < 0.3", "metrics['cost'] > 1 AND duration > 2"):
        await try_condition(queries, condition, principal=Principal.anonymous(), project="p", field="f")
