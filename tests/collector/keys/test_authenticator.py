from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from spanloop_collector.errors import UnauthenticatedError
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.keys.record import KeyRecord
from spanloop_collector.keys.secret import KeyText, hash_secret, mint_key


class Keys(dict[str, KeyRecord]):
    """Keys in a dictionary."""

    def find(self, key_id: str) -> KeyRecord | None:
        return self.get(key_id)


@pytest.fixture
def key() -> KeyText:
    return mint_key()


@pytest.fixture
def keys(key: KeyText) -> Keys:
    return Keys(
        {
            key.key_id: KeyRecord(
                key_id=key.key_id,
                name="app",
                project="shop",
                scopes=frozenset({Scope.INGEST}),
                secret_sha256=hash_secret(key.secret),
                created=datetime(2026, 1, 1, tzinfo=UTC),
            )
        }
    )


def basic(user: str, password: str) -> dict[str, str]:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {encoded}"}


def test_every_way_to_send_a_key_leads_to_its_principal(key: KeyText, keys: Keys) -> None:
    authenticator = Authenticator(keys, required=True)
    for headers in (
        {"authorization": f"Bearer {key}"},
        {"authorization": f"bearer  {key} "},
        {"x-api-key": str(key)},
        {"x-clickhouse-key": str(key)},
        basic("default", str(key)),
    ):
        principal = authenticator.authenticate(headers)
        assert principal == Principal(key.key_id, "shop", frozenset({Scope.INGEST}))


def test_without_required_keys_everyone_is_anonymous(key: KeyText, keys: Keys) -> None:
    authenticator = Authenticator(keys, required=False)
    for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": f"Bearer {key}"}):
        assert authenticator.authenticate(headers) == Principal.anonymous()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "no API key in the request"),
        ({"authorization": ""}, "no API key"),
        ({"authorization": "Bearer"}, "no API key"),
        ({"authorization": "Basic !!!"}, "no API key"),
        ({"authorization": "Basic /w=="}, "no API key"),
        ({"authorization": "Bearer abc"}, "does not look like"),
        ({"authorization": f"Bearer {mint_key()}"}, "is unknown"),
    ],
)
def test_a_caller_without_a_good_key_is_refused(headers: dict[str, str], reason: str, keys: Keys) -> None:
    with pytest.raises(UnauthenticatedError, match=reason):
        Authenticator(keys, required=True).authenticate(headers)


def test_a_right_key_id_with_a_wrong_secret_is_unknown(key: KeyText, keys: Keys) -> None:
    wrong = KeyText(key.key_id, mint_key().secret)
    with pytest.raises(UnauthenticatedError, match=f"{key.key_id} is unknown"):
        Authenticator(keys, required=True).authenticate({"authorization": f"Bearer {wrong}"})


def test_a_revoked_key_is_refused(key: KeyText, keys: Keys) -> None:
    keys[key.key_id] = replace(keys[key.key_id], is_revoked=True)
    with pytest.raises(UnauthenticatedError, match="was revoked"):
        Authenticator(keys, required=True).authenticate({"authorization": f"Bearer {key}"})


def test_no_refusal_repeats_the_secret(key: KeyText, keys: Keys) -> None:
    wrong = KeyText(key.key_id, mint_key().secret)
    for text in (str(wrong), f"{key}0", key.secret):
        with pytest.raises(UnauthenticatedError) as refused:
            Authenticator(keys, required=True).authenticate({"authorization": f"Bearer {text}"})
        assert key.secret not in str(refused.value)
        assert wrong.secret not in str(refused.value)
