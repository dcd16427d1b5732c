"""KeyService: API keys made, listed and revoked."""

from __future__ import annotations

from spanloop.v1 import keys_pb2

from spanloop_collector.api.operations import SCOPES, Call
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.keys.keyring import KeyRing
from spanloop_collector.keys.principal import Scope
from spanloop_collector.keys.record import KeyRecord

MAX_NAME_CHARACTERS = 200


class KeyOperations:
    """The operations of KeyService. A key of one project manages the keys of that project only."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def create_key(self, request: keys_pb2.CreateKeyRequest, call: Call) -> keys_pb2.CreateKeyResponse:
        """A new key with its text."""
        project = call.project(request.project)
        for field, given in (("name", request.name), ("project", project)):
            if len(given) > MAX_NAME_CHARACTERS:
                raise InvalidRequestError(f"{field}: is longer than {MAX_NAME_CHARACTERS} characters", field=field)
        scopes = [_scope(number) for number in request.scopes]
        record, text = await self._ring.create(name=request.name, project=project, scopes=scopes)
        return keys_pb2.CreateKeyResponse(key=_key(record), secret_key=str(text))

    async def list_keys(self, request: keys_pb2.ListKeysRequest, call: Call) -> keys_pb2.ListKeysResponse:
        """The keys of a project, or every key."""
        project = call.project(request.project)
        records = await self._ring.read_all()
        return keys_pb2.ListKeysResponse(keys=[_key(r) for r in records if project in ("", r.project)])

    async def revoke_key(self, request: keys_pb2.RevokeKeyRequest, call: Call) -> keys_pb2.RevokeKeyResponse:
        """The key, ended for good."""
        found = self._ring.find(request.key_id)
        if found is not None:
            call.principal.require_project(found.project)
        return keys_pb2.RevokeKeyResponse(key=_key(await self._ring.revoke(request.key_id)))


def _scope(number: int) -> Scope:
    for known, scope in SCOPES.items():
        if known == number:
            return scope
    raise InvalidRequestError(
        "scopes: expected SCOPE_INGEST, SCOPE_READ or SCOPE_ADMIN, each by its name", field="scopes"
    )


def _key(record: KeyRecord) -> keys_pb2.Key:
    return keys_pb2.Key(
        key_id=record.key_id,
        name=record.name,
        project=record.project,
        scopes=[number for number, scope in SCOPES.items() if scope in record.scopes],
        created=record.created.isoformat(),
        is_revoked=record.is_revoked,
    )
