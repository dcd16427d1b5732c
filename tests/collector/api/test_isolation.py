"""Keys of two projects on the product's own views: neither learns anything about the other's rows."""

from __future__ import annotations

from itertools import product

import pytest
from spanloop_collector.keys.principal import Scope

from tests.collector.api.conftest import Api

SECRET = "IBAN-4711"

PROBES = [
    "throwIf(project = 'bank') = 0",
    "throwIf(trace_id LIKE 'bbbb%') = 0",
    "throwIf(id LIKE 'bank%') = 0",
    "throwIf(toString(tuple(*)) LIKE '%IBAN%') = 0",
    "intDiv(1, project = 'shop') = 1",
]

SHAPES = [
    "SELECT count() FROM {view} WHERE {probe}",
    "SELECT countIf({probe}) FROM {view}",
    "SELECT count() FROM (SELECT * FROM {view} WHERE {probe} ORDER BY created DESC LIMIT 10000)",
    "SELECT count() FROM {view} WHERE id IN (SELECT id FROM {view} WHERE {probe})",
]


@pytest.fixture
def requires_keys() -> bool:
    return True


def rows_of(project: str, secret: str, digit: str) -> list[dict[str, object]]:
    return [
        {
            "id": f"{project}-{n}",
            "trace_id": f"{digit * 8}{n:024x}",
            "name": secret,
            "type": "llm",
            "input": {"text": secret},
            "output": secret,
            "scores": {secret: 0.5},
            "metadata": {"user_id": secret, "model": secret},
            "tags": [secret],
            "error": secret,
            "created": str(1_700_000_000 + n),
        }
        for n in range(300)
    ]


async def test_a_projects_key_sees_its_own_rows_in_every_view(api: Api) -> None:
    keys = {}
    for project, secret, digit in (("shop", "tea", "a"), ("bank", SECRET, "b")):
        keys[project] = await api.key(Scope.INGEST, Scope.READ, project=project)
        body = {"rows": rows_of(project, secret, digit)}
        stored = await api.http.post("/v1/rows", json=body, headers=keys[project])
        assert stored.json()["stored"] == 300
    await api.writer.barrier()
    wrong = {}
    for view, probe, shape in product(("logs", "traces", "scores"), PROBES, SHAPES):
        sql = shape.format(view=view, probe=probe)
        answer = await api.http.post("/", content=sql, headers=keys["shop"])
        if answer.text != "300\n":
            wrong[sql] = answer.text[:200]
    assert wrong == {}
    for view in ("logs", "traces", "scores", "otel_logs", "dead_letters"):
        seen = await api.http.post("/", content=f"SELECT * FROM {view}", headers=keys["shop"])
        assert seen.status_code == 200
        assert SECRET not in seen.text
