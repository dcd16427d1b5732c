"""From the headers of a request to its principal, before anything else of the request is looked at."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Protocol

from spanloop_collector.errors import UnauthenticatedError
from spanloop_collector.keys.principal import Principal
from spanloop_collector.keys.record import KeyRecord
from spanloop_collector.keys.secret import hash_secret, parse_key, secret_matches

HOW_TO_SEND = "send it as `authorization: Bearer <key>`; `spanloop keys create` makes one"

# Compared against when a key id is unknown, so that unknown and wrong take the same time.
NO_HASH = hash_secret("")


class KeyLookup(Protocol):
    """Where keys are found by id; answers from memory."""

    def find(self, key_id: str) -> KeyRecord | None: ...


class Authenticator:
    """Recognises callers by their API key."""

    def __init__(self, keys: KeyLookup, *, required: bool) -> None:
        self._keys = keys
        self.is_required = required

    def authenticate(self, headers: Mapping[str, str]) -> Principal:
        """The caller behind these headers or gRPC metadata (lower-case names).

        Without `require_keys` everyone is the anonymous principal, whatever they send. Raises
        UnauthenticatedError when there is no key, or when it is unknown or revoked.
        """
        if not self.is_required:
            return Principal.anonymous()
        text = key_text(headers)
        if not text:
            raise UnauthenticatedError(f"no API key in the request; {HOW_TO_SEND}")
        return self._check(text)

    def _check(self, text: str) -> Principal:
        key = parse_key(text)
        if key is None:
            raise UnauthenticatedError(f"the API key does not look like sl_<id>_<secret>; {HOW_TO_SEND}")
        record = self._keys.find(key.key_id)
        matches = secret_matches(key.secret, record.secret_sha256 if record else NO_HASH)
        if record is None or not matches:
            raise UnauthenticatedError(f"the API key {key.key_id} is unknown; {HOW_TO_SEND}")
        if record.is_revoked:
            raise UnauthenticatedError(f"the API key {key.key_id} was revoked; {HOW_TO_SEND}")
        return record.principal()


def key_text(headers: Mapping[str, str]) -> str:
    """The API key as sent: Bearer token, `x-api-key`, `x-clickhouse-key` or the password of Basic."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        return _basic_password(value)
    return headers.get("x-api-key") or headers.get("x-clickhouse-key") or ""


def _basic_password(encoded: str) -> str:
    """The password of a Basic header; empty when it is not one. ClickHouse clients put the key there."""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]
