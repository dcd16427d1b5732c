"""Saved views: listed by project and page, replaced, one default a page, out of other projects' reach."""

from __future__ import annotations

import pytest
from spanloop_collector.keys.principal import Scope

from tests.collector.api.conftest import Api


@pytest.fixture
def requires_keys() -> bool:
    return True


async def test_views_live_in_their_project(api: Api) -> None:
    own, foreign = await api.key(Scope.ADMIN, project="a"), await api.key(Scope.ADMIN, project="b")
    view = {"page": "logs", "name": "failures", "definition": {"query": "f=error"}, "is_default": True}

    saved = (await api.http.post("/v1/views", json={"view": view}, headers=own)).json()["view"]
    assert saved | {"id": "", "created": ""} == view | {
        "id": "",
        "created": "",
        "project": "a",
        "is_own_default": False,
    }
    second = (await api.http.post("/v1/views", json={"view": view | {"name": "slow"}}, headers=own)).json()["view"]
    renamed = saved | {"name": "bad", "is_default": False}
    await api.http.post("/v1/views", json={"view": renamed}, headers=own)

    listed = (await api.http.get("/v1/views?page=logs", headers=own)).json()["views"]
    assert listed == [renamed, second]
    assert (await api.http.get("/v1/views?page=sql", headers=own)).json()["views"] == []
    assert (await api.http.get("/v1/views", headers=foreign)).json()["views"] == []
    assert (await api.http.get("/v1/views?project=a", headers=foreign)).status_code == 403
    assert (await api.http.delete(f"/v1/views/{saved['id']}?project=a", headers=foreign)).status_code == 403

    assert (await api.http.delete(f"/v1/views/{saved['id']}", headers=own)).status_code == 200
    assert (await api.http.get("/v1/views", headers=own)).json()["views"] == [second]


async def test_page_has_one_default(api: Api) -> None:
    key = await api.key(Scope.ADMIN, project="a")
    for name in ("first", "second"):
        view = {"page": "logs", "name": name, "is_default": True}
        await api.http.post("/v1/views", json={"view": view}, headers=key)
    listed = (await api.http.get("/v1/views", headers=key)).json()["views"]
    assert [(view["name"], view["is_default"]) for view in listed] == [("first", False), ("second", True)]


async def test_key_chooses_a_view_of_its_own(api: Api) -> None:
    ada, grace = await api.key(Scope.ADMIN, project="a"), await api.key(Scope.READ, project="a")
    ids = []
    for name in ("first", "second"):
        saved = await api.http.post("/v1/views", json={"view": {"page": "logs", "name": name}}, headers=ada)
        ids.append(saved.json()["view"]["id"])

    async def choose(id: str, headers: dict[str, str]) -> int:
        chosen = {"page": "logs", "id": id}
        return (await api.http.post("/v1/views/choose", json=chosen, headers=headers)).status_code

    async def own(headers: dict[str, str]) -> list[bool]:
        return [view["is_own_default"] for view in (await api.http.get("/v1/views", headers=headers)).json()["views"]]

    assert [await choose(ids[0], ada), await choose(ids[1], grace), await choose("gone", ada)] == [200, 200, 404]
    assert (await own(ada), await own(grace)) == ([True, False], [False, True])
    assert [await choose(ids[1], ada), await choose("", grace)] == [200, 200]
    assert (await own(ada), await own(grace)) == ([False, True], [False, False])


@pytest.mark.parametrize(
    ("view", "field"),
    [
        ({"page": "logs", "name": " "}, "view.name"),
        ({"page": "", "name": "x"}, "view.page"),
        ({"page": "logs", "name": "x" * 201}, "view.name"),
        ({"page": "logs", "name": "x", "definition": [1]}, "view.definition"),
    ],
)
async def test_bad_view_is_refused_by_field(api: Api, view: dict[str, object], field: str) -> None:
    answer = await api.http.post("/v1/views", json={"view": view}, headers=await api.key(Scope.ADMIN))
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


async def test_readers_list_and_do_not_save(api: Api) -> None:
    reader = await api.key(Scope.READ, project="a")
    view = {"page": "logs", "name": "x"}
    assert (await api.http.get("/v1/views", headers=reader)).status_code == 200
    assert (await api.http.post("/v1/views", json={"view": view}, headers=reader)).status_code == 403
