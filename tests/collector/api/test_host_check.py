"""A page that points its own name at this machine gets nothing from a collector without keys."""

from __future__ import annotations

import pytest
from spanloop_collector.keys.principal import Scope

from tests.collector.api.conftest import Api


@pytest.mark.parametrize("host", ["127.0.0.1:7411", "localhost", "localhost:7411", "app.localhost", "[::1]:7411"])
async def test_names_of_this_machine_are_answered(api: Api, host: str) -> None:
    assert (await api.http.get("/?query=SELECT+1", headers={"host": host})).text == "1\n"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7411", "127.0.0.1.evil.example", "10.0.0.1", "x y"])
async def test_other_names_are_refused(api: Api, host: str) -> None:
    for path in ("/?query=SELECT+1", "/v1/status", "/metrics"):
        answer = await api.http.get(path, headers={"host": host})
        assert answer.status_code in (400, 421), answer.text


@pytest.mark.parametrize("requires_keys", [True])
async def test_with_keys_any_name_will_do(api: Api) -> None:
    headers = {**await api.key(Scope.READ), "host": "collector.example"}
    assert (await api.http.get("/?query=SELECT+1", headers=headers)).text == "1\n"
