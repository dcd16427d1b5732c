"""Alerts through the API: checked when saved, shown without their secrets, tried out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from spanloop.v1 import alerts_pb2, alerts_pb2_grpc
from spanloop_collector.cli.alerts import read_condition
from spanloop_collector.keys.principal import Scope

from tests.collector.api.conftest import Api
from tests.support.webhook_receiver import webhook_receiver

ALERT = {
    "name": "errors",
    "project": "shop",
    "sql": "SELECT model, countIf(error != '') / count() FROM logs GROUP BY model",
    "comparison": ">",
    "threshold": 0.1,
    "url": "https://hooks.example.com/services/T0/secret",
}


async def post(api: Api, path: str, body: object, status: int = 200, **headers: str) -> dict[str, Any]:
    """The JSON answer, which must come with that status."""
    headers = {"content-type": "application/json", **headers}
    response = await api.http.post(path, content=json.dumps(body), headers=headers)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def save(api: Api, status: int = 200, /, **changes: object) -> dict[str, Any]:
    return await post(api, "/v1/alerts", {"alert": {**ALERT, **changes}, "actor": "anna"}, status)


async def listed(api: Api, **headers: str) -> list[dict[str, Any]]:
    alerts: list[dict[str, Any]] = (await api.http.get("/v1/alerts", headers=headers)).json()["alerts"]
    return alerts


async def sql(api: Api, statement: str, **headers: str) -> str:
    response = await api.http.post("/?default_format=JSONEachRow", content=statement, headers=headers)
    return response.text


async def test_saving_is_idempotent_and_the_secret_is_shown_once(api: Api) -> None:
    made = await save(api)
    assert (made["outcome"], made["secret"][:6]) == ("created", "whsec_")
    assert (await save(api), await save(api, url="")) == ((again := await save(api)), again)
    assert (again["outcome"], again["secret"]) == ("unchanged", "")
    changed = await save(api, threshold=0.2)
    assert (changed["outcome"], changed["alert"]["threshold"], changed["secret"]) == ("updated", 0.2, "")
    [alert] = await listed(api)
    assert (alert["status"], alert["alert"]["url"], alert["evaluated"]) == (
        "waiting",
        "https://hooks.example.com/…",
        "",
    )
    response = await api.http.delete("/v1/alerts/errors?project=shop&actor=anna")
    assert (response.status_code, await listed(api)) == (200, [])
    log = await sql(api, "SELECT action, changed FROM audit_log WHERE kind = 'alert' ORDER BY version")
    assert [json.loads(line) for line in log.splitlines()] == [
        {"action": "created", "changed": ""},
        {"action": "updated", "changed": '{"threshold": [0.1, 0.2]}'},
        {"action": "deleted", "changed": ""},
    ]
    everything = await sql(api, "SELECT * FROM alerts") + await sql(api, "SELECT * FROM audit_log")
    assert "T0/secret" not in everything
    assert made["secret"] not in everything
    assert "table webhook_targets is not allowed here" in await sql(api, "SELECT * FROM webhook_targets")


WRONG: list[tuple[dict[str, object], str, str]] = [
    ({"sql": "SELECT count( FROM logs"}, "alert.sql", "Syntax error: failed at position"),
    ({"sql": "SELECT colour FROM logs"}, "alert.sql", "colour"),
    ({"sql": "SELECT key_id FROM api_keys"}, "alert.sql", "table api_keys is not allowed here"),
    ({"sql": "DROP TABLE logs"}, "alert.sql", "only reads"),
    ({"sql": "SELECT 'a' AS word"}, "alert.sql", "word is a String"),
    ({"sql": "SELECT 1 FORMAT JSON"}, "alert.sql", "leave the FORMAT clause out"),
    ({"sql": ""}, "alert.sql", "expected a SELECT"),
    ({"comparison": "~"}, "alert.comparison", "expected one of"),
    ({"every_seconds": 0.1}, "alert.every_seconds", "from 1 to"),
    ({"name": "a/b"}, "alert.name", "without a slash"),
    ({"url": "ftp://x"}, "alert.url", "expected http"),
    ({"url": ""}, "alert.url", "say where"),
    ({"format": "xml"}, "alert.format", "json, slack"),
]


async def test_what_is_wrong_is_named_when_it_is_saved(api: Api) -> None:
    for changes, field, words in WRONG:
        refused = await save(api, 400, **changes)
        assert (refused["error"]["field"], words in refused["error"]["message"]) == (field, True), refused
    assert await listed(api) == []


async def test_a_statement_that_takes_too_long_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spanloop_collector.alerts.ask.MAX_STATEMENT_SECONDS", 0.2)
    refused = await save(api, 400, sql="SELECT count() FROM system.numbers")
    assert "Timeout exceeded" in refused["error"]["message"]


async def test_trying_out_shows_groups_and_refuses_private_receivers(api: Api) -> None:
    rows = [{"id": f"{n}", "project": "shop", "metadata": {"model": "m"}, "error": "x" * (n == 0)} for n in range(4)]
    await post(api, "/v1/rows", {"rows": rows})
    await api.writer.barrier()
    with webhook_receiver() as receiver:
        await save(api, url=receiver.url)
        body = {"alert": {"name": "errors", "project": "shop"}, "send": True}
        answer = await post(api, "/v1/alerts/test", body)
    assert answer["groups"] == [{"labels": {"model": "m"}, "value": 0.25, "is_firing": True}]
    assert "not a public address" in answer["error"]
    assert receiver.received == []
    draft = {**ALERT, "comparison": "", "sql": "SELECT count() > 100 FROM logs"}
    answer = await post(api, "/v1/alerts/test", {"alert": draft})
    assert answer["groups"] == [{"labels": {}, "value": 0, "is_firing": False}]


async def test_the_readmes_alerts_run(api: Api) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    [text] = re.findall(r"^```yaml\n# alerts.yaml\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    for alert in yaml.safe_load(text)["alerts"]:
        comparison, threshold = read_condition(alert.pop("when"))
        body = {"alert": {**alert, "comparison": comparison, "threshold": threshold}}
        assert (await post(api, "/v1/alerts", body))["outcome"] == "created"


async def test_grpc_serves_the_same(api: Api) -> None:
    await save(api)
    stub: Any = alerts_pb2_grpc.AlertServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    answer = await stub.ListAlerts(alerts_pb2.ListAlertsRequest(project="shop"))
    assert [status.alert.name for status in answer.alerts] == ["errors"]


class TestWithKeys:
    @pytest.fixture
    def requires_keys(self) -> bool:
        return True

    async def test_an_alert_sees_and_belongs_to_its_project(self, api: Api) -> None:
        admin = await api.key(Scope.ADMIN)
        shop = await api.key(Scope.ADMIN, project="shop")
        reader = await api.key(Scope.READ, project="garden")
        rows = [{"id": "a", "project": "shop"}, {"id": "b", "project": "garden"}]
        await post(api, "/v1/rows", {"rows": rows}, 200, **admin)
        await api.writer.barrier()
        alert = {**ALERT, "sql": "SELECT count() FROM logs", "project": ""}
        await post(api, "/v1/alerts", {"alert": alert}, 200, **shop)
        answer = await post(api, "/v1/alerts/test", {"alert": {"name": "errors"}}, 200, **shop)
        assert [group["value"] for group in answer["groups"]] == [1]
        answer = await post(api, "/v1/alerts/test", {"alert": alert}, 200, **admin)
        assert [group["value"] for group in answer["groups"]] == [2]
        await post(api, "/v1/alerts", {"alert": {**alert, "project": "garden"}}, 403, **shop)
        await post(api, "/v1/alerts", {"alert": alert}, 403, **reader)
        assert await listed(api, **reader) == []
        assert await sql(api, "SELECT name FROM alerts", **reader) == ""
        assert len(await listed(api, **shop)) == 1
