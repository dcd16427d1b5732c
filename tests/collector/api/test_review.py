"""Review through the API: queued by SQL, claimed, corrected on the row itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from spanloop.v1 import review_pb2, review_pb2_grpc
from spanloop_collector.keys.principal import Scope

from tests.collector.api.conftest import Api
from tests.collector.schema.spans import request, span

ITEMS = "/v1/review/items"


async def post(api: Api, path: str, body: object, status: int = 200, **headers: str) -> dict[str, Any]:
    """The JSON answer, which must come with that status."""
    headers = {"content-type": "application/json", **headers}
    response = await api.http.post(path, content=json.dumps(body), headers=headers)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def write_calls(api: Api, *scores: float, project: str = "shop") -> None:
    """One production call for each score, named call-0, call-1, …"""
    rows = [
        {
            "id": f"call-{number}",
            "project": project,
            "name": "answer",
            "input": {"question": number},
            "output": "wrong",
            "scores": {"Factuality": score},
            "metrics": {"start": 1_700_000_000 + number, "end": 1_700_000_001 + number},
            "metadata": {"user": "u1", "turn": 3},
            "tags": ["a"],
        }
        for number, score in enumerate(scores)
    ]
    await post(api, "/v1/rows", {"rows": rows})
    await api.writer.barrier()


async def send_eval_row(api: Api, experiment: str) -> None:
    """One case of an experiment."""
    attributes = {"spanloop.project": "shop", "spanloop.experiment_id": experiment, "spanloop.output": '"wrong"'}
    await api.spool.append(request(span(attributes)), item_count=1)
    await api.writer.barrier()


async def queue(api: Api, where: str, **more: object) -> dict[str, Any]:
    return await post(api, ITEMS, {"project": "shop", "where": where, "reviewer": "lead", **more})


async def claim(api: Api, reviewer: str, status: int = 200, **more: object) -> dict[str, Any]:
    answer = await post(api, "/v1/review/claim", {"project": "shop", "reviewer": reviewer, **more}, status)
    item: dict[str, Any] = answer.get("item") or answer
    return item


async def sql(api: Api, statement: str, **headers: str) -> list[dict[str, Any]]:
    response = await api.http.post("/?default_format=JSONEachRow", content=statement, headers=headers)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


async def test_a_correction_lands_on_the_row_and_in_the_audit_log(api: Api) -> None:
    await write_calls(api, 0.2, 0.9)
    where = "scores['Factuality'] < 0.5 -- low"
    assert await queue(api, where) == {"queued": 1, "known": 0}
    assert await queue(api, where) == {"queued": 0, "known": 1}
    item = await claim(api, "anna")
    assert (item["status"], item["row_id"], item["row"]["input"]) == ("in_progress", "call-0", {"question": 0})
    assert item["row"]["metadata"] == {"user": "u1", "turn": 3}
    verdict = {
        "reviewer": "anna",
        "project": "shop",
        "scores": {"human": 1, "Factuality": 0},
        "expected": {"answer": [42]},
        "comment": "off by one",
        "tags": ["checked"],
    }
    done = await post(api, f"{ITEMS}/{item['id']}/submit", verdict)
    assert (done["status"], done["reviewed_by"], done["expected"]) == ("done", "anna", {"answer": [42]})
    # The answer was lost and the client sends it again.
    assert await post(api, f"{ITEMS}/{item['id']}/submit", verdict) == done
    [row] = await api.rows("expected, output, scores, tags, metadata", "id = 'call-0'")
    assert row == (
        '{"answer":[42]}',
        '"wrong"',
        {"Factuality": 0.0, "human": 1.0},
        ["a", "checked"],
        {"user": "u1", "turn": "3", "comment": "off by one", "feedback_source": "app", "reviewed_by": "anna"},
    )
    [queued] = await sql(api, "SELECT status, reviewed_by, scores, expected, comment, row_id, source FROM review_queue")
    assert queued == {
        "status": "done",
        "reviewed_by": "anna",
        "scores": {"human": 1, "Factuality": 0},
        "expected": '{"answer":[42]}',
        "comment": "off by one",
        "row_id": "call-0",
        "source": "logs",
    }
    log = await sql(api, "SELECT actor, action, changed FROM audit_log WHERE kind = 'review' ORDER BY version")
    assert [(entry["actor"], entry["action"]) for entry in log] == [
        ("lead", "queued"),
        ("anna", "claimed"),
        ("anna", "claimed"),
        ("anna", "reviewed"),
    ]
    changed = json.loads(log[-1]["changed"])
    assert changed["row.expected"] == [None, {"answer": [42]}]
    assert changed["row.scores.Factuality"] == [0.2, 0]
    assert changed["status"] == ["in_progress", "done"]


async def test_a_reviewed_row_is_promoted_with_its_correction(api: Api) -> None:
    await write_calls(api, 0.2)
    promotion = {"project": "shop", "dataset": "golden", "update": True}
    await post(api, "/v1/promote", promotion)
    assert await sql(api, "SELECT expected FROM dataset_rows") == [{"expected": '"wrong"'}]
    await queue(api, "1")
    item = await claim(api, "anna")
    body = {"project": "shop", "reviewer": "anna", "expected": "right", "tags": ["checked"]}
    await post(api, f"{ITEMS}/{item['id']}/submit", body)
    await api.writer.barrier()
    await post(api, "/v1/promote", promotion)
    [row] = await sql(api, "SELECT expected, tags, metadata['reviewed_by'] AS reviewed_by FROM dataset_rows")
    assert row == {"expected": '"right"', "tags": ["a", "checked"], "reviewed_by": "anna"}


async def test_a_correction_to_null_is_a_correction(api: Api) -> None:
    await write_calls(api, 0.2)
    await queue(api, "1")
    item = await claim(api, "anna")
    body = {"project": "shop", "reviewer": "anna", "expected": None}
    done = await post(api, f"{ITEMS}/{item['id']}/submit", body)
    assert done["expected"] is None
    assert await sql(api, "SELECT expected FROM review_queue") == [{"expected": "null"}]


async def test_a_row_of_a_dataset_is_corrected_by_a_new_version(api: Api) -> None:
    made = await post(api, "/v1/datasets", {"project": "shop", "name": "golden"})
    dataset = made["dataset"]["id"]
    row = {"id": "one", "input": "1+1", "expected": 3, "metadata": {"from": "us"}, "tags": ["a"]}
    await post(api, f"/v1/datasets/{dataset}/rows", {"rows": [row]})
    assert (await queue(api, "dataset = 'golden'", source="dataset_rows"))["queued"] == 1
    item = await claim(api, "anna")
    assert (item["object_id"], item["row"]["expected"], item["row"]["tags"]) == (dataset, 3, ["a"])
    verdict = {"project": "shop", "reviewer": "anna", "expected": 2, "scores": {"clear": 1}, "tags": ["b"]}
    await post(api, f"{ITEMS}/{item['id']}/submit", verdict)
    [changed] = await sql(api, "SELECT expected, tags, metadata FROM dataset_rows")
    assert (changed["expected"], changed["tags"], changed["metadata"]["from"]) == ("2", ["a", "b"], "us")
    assert json.loads(changed["metadata"]["review"]) == {"by": "anna", "scores": {"clear": 1}}
    assert await sql(api, "SELECT count() AS n FROM dataset_versions") == [{"n": 2}]


async def test_a_row_of_a_finished_experiment_gets_later_scores_and_stays_as_it_is(api: Api) -> None:
    made = await post(api, "/v1/experiments", {"project": "shop", "name": "first"})
    experiment = made["experiment"]["id"]
    await send_eval_row(api, experiment)
    await post(api, f"/v1/experiments/{experiment}/finish", {"project": "shop"})
    assert (await queue(api, "is_root", source="eval_rows"))["queued"] == 1
    item = await claim(api, "anna")
    assert (item["object_id"], item["row"]["output"]) == (experiment, "wrong")
    verdict = {"project": "shop", "reviewer": "anna", "scores": {"human": 0}, "expected": "right"}
    await post(api, f"{ITEMS}/{item['id']}/submit", verdict)
    [score] = await sql(api, "SELECT name, score, source, metadata FROM experiment_scores")
    assert (score["name"], score["score"], score["source"]) == ("human", 0, "anna")
    assert json.loads(score["metadata"]) == {"by": "anna", "expected": "right"}
    assert await sql(api, "SELECT expected FROM eval_rows") == [{"expected": ""}]
    assert await sql(api, "SELECT expected FROM review_queue") == [{"expected": '"right"'}]
    # Promoted, it brings the correction along, and where it was promoted before, with an update.
    await post(api, "/v1/promote", {"project": "shop", "dataset": "golden", "source": "eval_rows"})
    assert await sql(api, "SELECT expected FROM dataset_rows") == [{"expected": '"right"'}]
    again = await post(api, f"{ITEMS}/{item['id']}/requeue", {"project": "shop", "reviewer": "lead"})
    assert again["status"] == "pending"
    item = await claim(api, "berta")
    verdict = {"project": "shop", "reviewer": "berta", "expected": {"answer": "better"}}
    await post(api, f"{ITEMS}/{item['id']}/submit", verdict)
    promotion = {"source": "eval_rows", "update": True, "where": "correction != '' AND outputs['none'] = ''"}
    await post(api, "/v1/promote", {"project": "shop", "dataset": "golden", **promotion})
    assert await sql(api, "SELECT expected FROM dataset_rows") == [{"expected": '{"answer":"better"}'}]


async def test_a_wrong_condition_is_said_in_its_own_words(api: Api) -> None:
    answer = await post(api, ITEMS, {"project": "shop", "where": "nope", "reviewer": "lead"}, 400)
    assert answer["error"]["field"] == "where"
    assert answer["error"]["message"].startswith("where: Unknown expression or function identifier `nope`")
    assert "SELECT" not in answer["error"]["message"]


async def test_reviewers_at_once_get_different_items(api: Api) -> None:
    await write_calls(api, *[0.1] * 6)
    await queue(api, "1")
    items = await asyncio.gather(*(claim(api, f"reviewer {n}") for n in range(6)))
    assert len({item["id"] for item in items}) == 6
    assert await claim(api, "one more") == {}
    # What they have already comes first.
    assert (await claim(api, "reviewer 3"))["id"] == items[3]["id"]


async def test_assigned_items_are_for_their_assignee(api: Api) -> None:
    await write_calls(api, 0.1, 0.1)
    await queue(api, "id = 'call-0'", assignee="ben")
    await queue(api, "1")
    assert (await claim(api, "anna"))["row_id"] == "call-1"
    assert await claim(api, "cleo") == {}
    item = await claim(api, "ben")
    assert item["row_id"] == "call-0"
    await post(api, f"{ITEMS}/{item['id']}/requeue", {"project": "shop", "reviewer": "ben"})
    assigned = await post(
        api, f"{ITEMS}/{item['id']}/assign", {"project": "shop", "assignee": "cleo", "reviewer": "ben"}
    )
    assert (assigned["assignee"], assigned["status"]) == ("cleo", "pending")
    assert (await claim(api, "cleo"))["id"] == item["id"]


async def test_somebody_elses_item_is_refused_until_it_is_free(api: Api) -> None:
    await write_calls(api, 0.1)
    await queue(api, "1")
    item = await claim(api, "anna")
    for path, body in (
        ("/v1/review/claim", {"id": item["id"]}),
        (f"{ITEMS}/{item['id']}/submit", {"scores": {"human": 1}}),
        (f"{ITEMS}/{item['id']}/skip", {}),
    ):
        refused = await post(api, path, {"project": "shop", "reviewer": "ben", **body}, 409)
        assert refused["error"]["message"] == f"item {item['id']} is being reviewed by anna for at most 30 more minutes"
    assert [row[0] for row in await api.rows("scores")] == [{"Factuality": 0.1}]


async def test_skipping_twice_is_skipping_once_and_requeue_brings_it_back(api: Api) -> None:
    await write_calls(api, 0.1)
    await queue(api, "1")
    item = await claim(api, "anna")
    body = {"project": "shop", "reviewer": "anna", "comment": "unclear"}
    skipped = await post(api, f"{ITEMS}/{item['id']}/skip", body)
    assert skipped["status"] == "skipped"
    assert await post(api, f"{ITEMS}/{item['id']}/skip", body) == skipped
    assert await queue(api, "1") == {"queued": 0, "known": 1}
    assert await claim(api, "ben") == {}
    await post(api, f"{ITEMS}/{item['id']}/requeue", body)
    again = await claim(api, "ben")
    await post(api, f"{ITEMS}/{again['id']}/submit", {"project": "shop", "reviewer": "ben", "scores": {"human": 1}})
    refused = await post(api, f"{ITEMS}/{again['id']}/skip", body, 409)
    assert "was reviewed by ben" in refused["error"]["message"]


async def test_what_is_wrong_is_named(api: Api) -> None:
    await write_calls(api, 0.1)
    await queue(api, "1")
    item = await claim(api, "anna")
    wrong = {"project": "shop", "reviewer": "anna", "scores": {"human": 2}}
    refused = await post(api, f"{ITEMS}/{item['id']}/submit", wrong, 400)
    assert refused["error"]["field"] == "review.scores.human"
    for body, status, words in (
        ({"where": "scores['Factuality' <"}, 400, "Syntax error"),
        ({"where": "colour = 'red'"}, 400, "colour"),
        ({"where": "id IN (SELECT key_id FROM api_keys)"}, 400, "table api_keys is not allowed here"),
        ({"source": "api_keys"}, 400, "expected one of logs"),
        ({"limit": 10**9}, 400, "expected a number up to 100000"),
    ):
        refused = await post(api, ITEMS, {"project": "shop", **body}, status)
        assert words in refused["error"]["message"]
    await post(api, f"{ITEMS}/none/submit", {"project": "shop", "reviewer": "anna"}, 404)
    await post(api, "/v1/review/claim", {"project": "shop"}, 400)


async def test_grpc_serves_the_same(api: Api) -> None:
    await write_calls(api, 0.1)
    stub: Any = review_pb2_grpc.ReviewServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    answer = await stub.QueueReviews(review_pb2.QueueReviewsRequest(project="shop", where="1"))
    assert answer.queued == 1
    claimed = await stub.ClaimReview(review_pb2.ClaimReviewRequest(project="shop", reviewer="anna"))
    listed = await stub.ListReviews(review_pb2.ListReviewsRequest(project="shop", status="in_progress"))
    assert [item.id for item in listed.items] == [claimed.item.id]


class TestWithKeys:
    @pytest.fixture
    def requires_keys(self) -> bool:
        return True

    async def test_a_key_reaches_the_reviews_of_its_project_only(self, api: Api) -> None:
        admin = await api.key(Scope.ADMIN)
        rows = [{"id": "a", "project": "shop"}, {"id": "b", "project": "other"}]
        await post(api, "/v1/rows", {"rows": rows}, 200, **admin)
        await api.writer.barrier()
        for project in ("shop", "other"):
            await post(api, ITEMS, {"project": project, "where": "1"}, 200, **admin)
        key = await api.key(Scope.INGEST, Scope.READ, project="shop")
        assert await sql(api, "SELECT DISTINCT project FROM review_queue", **key) == [{"project": "shop"}]
        assert await sql(api, "SELECT DISTINCT project FROM audit_log", **key) == [{"project": "shop"}]
        await post(api, ITEMS, {"project": "other", "where": "1"}, 403, **key)
        reader = await api.key(Scope.READ, project="shop")
        await post(api, "/v1/review/claim", {"reviewer": "anna"}, 403, **reader)
        claimed = await post(api, "/v1/review/claim", {"reviewer": "anna"}, 200, **key)
        assert claimed["item"]["row_id"] == "a"
