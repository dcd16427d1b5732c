"""Rows through the API, over JSON: written, merged, rated, and what is said about bad ones."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.collector.api.conftest import Api
from tests.collector.schema.spans import END, START, request, span

START_SECONDS = 1_700_000_000.25

COLUMNS = "id, project, name, type, input, output, expected, error, scores, metrics, metadata, tags, origin"


async def post(api: Api, path: str, body: object, status: int = 200, **headers: str) -> dict[str, Any]:
    """The JSON answer, which must come with that status."""
    response = await api.http.post(
        path, content=json.dumps(body), headers={"content-type": "application/json", **headers}
    )
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def write(api: Api, *rows: dict[str, Any], **request: object) -> dict[str, Any]:
    return await post(api, "/v1/rows", {"rows": list(rows), **request})


async def merge(api: Api, *rows: dict[str, Any], **request: object) -> dict[str, Any]:
    return await post(api, "/v1/rows/merge", {"rows": list(rows), **request})


# ---- writing


async def test_a_whole_row_comes_back_from_sql(api: Api) -> None:
    row = {
        "id": "order-17",
        "project": "shop",
        "name": "answer",
        "type": "task",
        "input": {"question": "how många 😀?", "n": 9223372036854775807, "none": None},
        "output": ["a", 1.5, True],
        "expected": "text",
        "error": "it broke",
        "scores": {"accuracy": 0.5, "unknown": None},
        "metrics": {"start": START_SECONDS, "end": START_SECONDS + 2, "prompt_tokens": 7},
        "metadata": {"user_id": "u1", "deep": {"a": [1]}, "n": 3, "flag": True, "text": "3"},
        "tags": ["x", "y, z"],
        "origin": {"object_type": "dataset", "id": "d"},
    }
    answer = await write(api, row)
    [result] = answer.pop("results")
    assert answer == {"stored": 1, "rejected": 0}
    assert result["id"] == "order-17"
    assert result["error"] == ""
    [stored] = await api.rows(
        COLUMNS + ", metadata_json, toUnixTimestamp64Nano(created), status_code, trace_id, span_id"
    )
    assert stored == (
        "order-17",
        "shop",
        "answer",
        "task",
        '{"question":"how många 😀?","n":9223372036854775807,"none":null}',
        '["a",1.5,true]',
        '"text"',
        "it broke",
        {"accuracy": 0.5},
        pytest.approx({"start": START_SECONDS, "end": START_SECONDS + 2, "prompt_tokens": 7, "tokens": 7}),
        {"user_id": "u1", "deep": '{"a":[1]}', "n": "3", "flag": "true", "text": "3"},
        ["x", "y, z"],
        '{"object_type":"dataset","id":"d"}',
        ["deep", "n", "flag"],
        1_700_000_000_250_000_000,
        "error",
        result["trace_id"],
        result["span_id"],
    )


async def test_a_row_without_an_id_gets_one(api: Api) -> None:
    answer = await write(api, {"name": "a"}, {"name": "b"})
    ids = [result["id"] for result in answer["results"]]
    assert len(set(ids)) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", id) for id in ids)
    assert [row[0] for row in await api.rows("span_id")] == sorted(ids)


async def test_a_span_id_is_the_id_and_any_other_id_gets_derived_ones(api: Api) -> None:
    first = await write(api, {"id": "00000000000000aa"}, {"id": "named"})
    again = await write(api, {"id": "named", "project": "other"}, {"id": "named"})
    [hex_id, named], [other_project, same] = first["results"], again["results"]
    assert hex_id["span_id"] == "00000000000000aa"
    assert (same["trace_id"], same["span_id"]) == (named["trace_id"], named["span_id"])
    assert other_project["span_id"] != named["span_id"]


async def test_a_row_without_an_end_is_running(api: Api) -> None:
    await write(api, {"id": "a", "metrics": {"start": START_SECONDS}}, {"id": "b", "created": "2026-05-04T12:00:00Z"})
    running = await api.rows("id, mapContains(metrics, 'end'), toString(created)")
    assert running == [
        ("a", 0, "2023-11-14 22:13:20.250000000"),
        ("b", 0, "2026-05-04 12:00:00.000000000"),
    ]


async def test_a_row_that_exists_is_replaced_even_when_its_start_is_not_said(api: Api) -> None:
    await write(api, {"id": "a", "name": "old", "input": 1, "metrics": {"start": START_SECONDS}})
    await write(api, {"id": "a", "name": "new", "output": 2, "metrics": {"end": START_SECONDS + 1}})
    assert await api.rows("name, input, output, metrics") == [
        ("new", "", "2", pytest.approx({"start": START_SECONDS, "end": START_SECONDS + 1}))
    ]


async def test_children_join_their_trace(api: Api) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    await write(
        api,
        {"id": "root", "trace_id": trace_id, "span_id": "00000000000000aa"},
        {"id": "child", "trace_id": trace_id, "parent_id": "00000000000000aa"},
    )
    assert await api.rows("id, trace_id, parent_id, is_root") == [
        ("child", trace_id, "00000000000000aa", 0),
        ("root", trace_id, "", 1),
    ]


async def test_the_model_in_metadata_is_the_model_column(api: Api) -> None:
    await write(api, {"id": "a", "type": "llm", "metadata": {"model": "gpt-4o", "provider": "openai", "x": 1}})
    assert await api.rows("model, provider, metadata") == [
        ("gpt-4o", "openai", {"model": "gpt-4o", "provider": "openai", "x": "1"})
    ]


# ---- bad rows beside good ones


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"metrics": {"end": "soon"}}, "rows[1].metrics.end: expected a number or null, got 'soon'"),
        ({"metrics": {"start": -1}}, "rows[1].metrics.start: expected Unix seconds between 0 and 9223372036, got -1"),
        ({"metrics": {"start": 2, "end": 1}}, "rows[1].metrics.end: is before metrics.start"),
        ({"metrics": [1]}, "rows[1].metrics: expected an object, got [1]"),
        ({"scores": {"good": 1.5}}, "rows[1].scores.good: expected a number from 0 to 1 or null, got 1.5"),
        ({"scores": {"good": True}}, "rows[1].scores.good: expected a number from 0 to 1 or null, got True"),
        ({"metadata": "x"}, "rows[1].metadata: expected an object, got 'x'"),
        ({"name": 5}, "rows[1].name: expected a string, got 5"),
        ({"tags": "x"}, 'rows[1].tags: expected a list, got "x"'),
        ({"tags": ["a", 1]}, "rows[1].tags[1]: expected a string, got 1"),
        ({"nmae": "x"}, "rows[1].nmae: there is no such field"),
        ({"trace_id": "xyz"}, "rows[1].trace_id: expected 32 hex digits that are not all zero, got 'xyz'"),
        ({"span_id": "0" * 16}, f"rows[1].span_id: expected 16 hex digits that are not all zero, got '{'0' * 16}'"),
        ({"parent_id": "00000000000000aa"}, "rows[1].trace_id: is needed beside parent_id"),
        ({"created": "yesterday"}, "rows[1].created: expected an RFC 3339 time or Unix seconds, got 'yesterday'"),
        ({"id": "x" * 513}, "rows[1].id: is longer than 512 characters"),
        (7, "rows[1]: expected an object, got 7"),
    ],
)
async def test_a_bad_row_names_its_field_and_its_neighbours_are_stored(api: Api, row: Any, error: str) -> None:
    answer = await write(api, {"id": "before"}, row, {"id": "after"})
    assert [result["error"] for result in answer["results"]] == ["", error, ""]
    assert (answer["stored"], answer["rejected"]) == (2, 1)
    assert [id for (id,) in await api.rows("id")] == ["after", "before"]
    alone = await post(api, "/v1/rows", {"rows": [row]}, status=400)
    assert alone["error"]["message"] == error.replace("rows[1]", "rows[0]")
    assert alone["error"]["field"] == error.partition(":")[0].replace("rows[1]", "rows[0]")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "the body is not JSON"),
        (b"[]", 400, "request: expected an object, got []"),
        (b'{"rows": {}}', 400, "rows: expected a list, got {}"),
        (b'{"rows": [{"input": NaN}]}', 400, "NaN is not JSON"),
        (b'{"rows": [{"input": 1e999}]}', 400, "rows[0].input: Out of range float values"),
        (b'{"rows": [{"name": "\\ud800"}]}', 400, "rows[0].name: 'utf-8' codec can't encode"),
        (b'{"other": 1}', 400, "other: there is no such field"),
        (b'{"rows": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 400, "the body is not JSON: nested too deeply"),
        (b'{"rows": [{"input": "' + b"x" * (5 << 20) + b'"}]}', 413, "the request is larger than 4194304 bytes"),
    ],
)
async def test_a_bad_request_is_answered(api: Api, body: bytes, status: int, message: str) -> None:
    response = await api.http.post("/v1/rows", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status, response.text
    assert message in response.json()["error"]["message"]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_what_a_foreign_web_page_can_send_is_refused(api: Api, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = await api.http.post("/v1/rows", content=b'{"rows": [{"id": "a"}]}', headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNIMPLEMENTED")
    assert await api.rows("id") == []


async def test_no_rows_are_no_fault(api: Api) -> None:
    assert await write(api) == {"results": [], "stored": 0, "rejected": 0}


# ---- merging


async def test_a_merge_changes_what_it_names_and_keeps_the_rest(api: Api) -> None:
    await write(
        api,
        {
            "id": "a",
            "name": "n",
            "type": "task",
            "input": {"x": {"a": 1, "b": 2}, "l": [1, 2]},
            "output": "o",
            "scores": {"s1": 0.5, "s2": 1},
            "metadata": {"m": {"a": 1}, "n": 1, "s": "1"},
            "metrics": {"start": START_SECONDS, "k": 1},
            "tags": ["t"],
        },
    )
    answer = await merge(
        api,
        {
            "id": "a",
            "input": {"x": {"b": 3, "c": None}, "l": [3]},
            "output": None,
            "expected": {"y": 1},
            "scores": {"s2": None, "s3": 0},
            "metadata": {"m": {"b": [2]}, "n": None},
            "metrics": {"end": START_SECONDS + 1, "start": 1, "j": 2.5},
        },
    )
    assert answer["stored"] == 1
    assert await api.rows(COLUMNS) == [
        (
            "a",
            "default",
            "n",
            "task",
            '{"x":{"a":1,"b":3},"l":[3]}',
            "",
            '{"y":1}',
            "",
            {"s1": 0.5, "s3": 0},
            pytest.approx({"start": START_SECONDS, "end": START_SECONDS + 1, "k": 1, "j": 2.5}),
            {"m": '{"a":1,"b":[2]}', "s": "1"},
            ["t"],
            "",
        )
    ]


async def test_a_merge_into_nothing_creates_the_row(api: Api) -> None:
    await merge(api, {"id": "new", "input": {"a": None, "b": 1}})
    assert await api.rows("id, input") == [("new", '{"a":null,"b":1}')]


async def test_a_merge_needs_an_id(api: Api) -> None:
    answer = await post(api, "/v1/rows/merge", {"rows": [{"input": 1}]}, status=400)
    assert answer["error"]["message"] == "rows[0].id: a merge needs the id of its row"


async def test_merges_at_the_same_time_lose_nothing(api: Api) -> None:
    await write(api, {"id": "a"})
    await asyncio.gather(*(merge(api, {"id": "a", "metadata": {f"k{n}": n}}) for n in range(8)))
    [(metadata,)] = await api.rows("metadata")
    assert metadata == {f"k{n}": str(n) for n in range(8)}


async def test_the_same_row_twice_in_a_request_is_merged_in_order(api: Api) -> None:
    await merge(api, {"id": "a", "metadata": {"x": 1, "y": 1}}, {"id": "a", "metadata": {"x": 2}})
    assert await api.rows("metadata") == [({"x": "2", "y": "1"},)]


async def test_a_merge_into_a_span_keeps_what_otlp_said(api: Api) -> None:
    sent = span(
        {
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.input.messages": '[{"role":"user"}]',
            "custom.number": 5,
            "custom.flag": True,
            "custom.text": "5",
        },
        name="chat",
        kind=Span.SPAN_KIND_CLIENT,
        trace_state="a=b",
    )
    sent.events.add(time_unix_nano=START + 7, name="tick").attributes.add(key="k").value.string_value = "v"
    sent.links.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    sent.status.code = Status.STATUS_CODE_OK
    await api.spool.append(request(sent), item_count=1)
    columns = (
        "name, kind, status_code, trace_state, model, provider, metrics, metadata, arraySort(metadata_json), "
        "input, toString(events), links, resource, toUnixTimestamp64Nano(created), toUnixTimestamp64Nano(end_time)"
    )
    before = await api.rows(columns)
    span_id = sent.span_id.hex()
    [(project,)] = await api.rows("project")
    await merge(api, {"id": span_id, "scores": {"good": 1}}, project=project)
    assert await api.rows(columns) == before
    assert before[0][-2:] == (START, END)
    assert await api.rows("id, scores") == [(span_id, {"good": 1.0})]


async def test_new_token_counts_are_summed_and_priced_again(api: Api) -> None:
    await write(api, {"id": "a", "metrics": {"prompt_tokens": 1, "completion_tokens": 1}})
    await merge(api, {"id": "a", "metrics": {"completion_tokens": 5}})
    assert await api.rows("metrics['tokens']") == [(6.0,)]


# ---- feedback


async def test_feedback_rates_a_row(api: Api) -> None:
    await write(api, {"id": "a", "output": "x", "tags": ["t"], "metadata": {"k": "v"}})
    answer = await post(
        api,
        "/v1/feedback",
        {
            "items": [
                {"id": "a", "scores": {"liked": 1}, "comment": "nice", "tags": ["u", "t"], "source": "app"},
                {"id": "nobody", "scores": {"liked": 0}},
                {"scores": {"liked": 0}},
                {"id": "a", "source": "me"},
                {"id": "a", "expected": {"y": 2}, "metadata": {"m": 1}},
            ]
        },
    )
    assert [result["error"] for result in answer["results"]] == [
        "",
        "items[1].id: there is no row 'nobody' in project 'default'",
        "items[2].id: feedback needs the id of its row",
        "items[3].source: expected app, api or external, got 'me'",
        "",
    ]
    assert await api.rows("output, expected, scores, metadata, tags") == [
        (
            '"x"',
            '{"y":2}',
            {"liked": 1.0},
            {"k": "v", "comment": "nice", "feedback_source": "app", "m": "1"},
            ["t", "u"],
        )
    ]
