"""Attachments over HTTP: stored once, read back with ranges, by nobody else; swept when no row refers to them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from spanloop.v1 import attachments_pb2, attachments_pb2_grpc
from spanloop_collector.api import attachments as operations
from spanloop_collector.attachments import Attachment
from spanloop_collector.attachments.keeper import SEEN_AGAIN_SECONDS
from spanloop_collector.keys.principal import Scope

from tests.collector.api.conftest import Api

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
KEY = hashlib.sha256(PICTURE).hexdigest()
PATH = f"/v1/attachments/{KEY}"
DAY = 24 * 3600


RANGES = [
    ("bytes=0-9", 206, "bytes 0-9/{size}", 0, 10),
    ("bytes=10000-", 206, "bytes 10000-{last}/{size}", 10_000, len(PICTURE)),
    ("bytes=-5", 206, "bytes {tail}-{last}/{size}", len(PICTURE) - 5, len(PICTURE)),
    ("bytes=0-99999999", 206, "bytes 0-{last}/{size}", 0, len(PICTURE)),
    ("bytes=99999999-", 416, "bytes */{size}", 0, 0),
    ("bytes=0-1,5-6", 200, None, 0, len(PICTURE)),
    ("nonsense", 200, None, 0, len(PICTURE)),
]


@pytest.fixture
def requires_keys() -> bool:
    return True


async def put(api: Api, headers: dict[str, str], *, path: str = PATH, content: bytes = PICTURE, **query: str) -> int:
    response = await api.http.put(path, content=content, params=query, headers={"content-type": "image/png", **headers})
    return response.status_code


async def test_what_was_put_is_read_back(api: Api) -> None:
    headers = await api.key(Scope.INGEST, Scope.READ)
    assert (await api.http.head(PATH, headers=headers)).status_code == 404
    stored = await api.http.put(
        PATH, content=PICTURE, params={"filename": "a/ü.png"}, headers={**headers, "content-type": "image/png"}
    )
    assert stored.status_code == 201
    description = {
        "key": KEY,
        "project": "default",
        "size": len(PICTURE),
        "content_type": "image/png",
        "filename": "ü.png",
    }
    assert stored.json() == description
    assert (await api.http.put(PATH, content=b"whatever", headers=headers)).json() == description
    asked = await api.http.head(PATH, headers=headers)
    assert (asked.status_code, asked.headers["content-length"]) == (200, str(len(PICTURE)))

    read = await api.http.get(PATH, headers=headers)
    assert read.content == PICTURE
    assert {name: read.headers[name] for name in ("content-type", "content-disposition", "x-content-type-options")} == {
        "content-type": "image/png",
        "content-disposition": "inline; filename*=UTF-8''%C3%BC.png",
        "x-content-type-options": "nosniff",
    }
    again = await api.http.get(PATH, headers={**headers, "if-none-match": read.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_ranges(api: Api) -> None:
    headers = await api.key(Scope.ADMIN)
    await put(api, headers)
    for asked, status, answered, start, stop in RANGES:
        read = await api.http.get(PATH, headers={**headers, "range": asked})
        size = len(PICTURE)
        expected = answered and answered.format(size=size, last=size - 1, tail=size - 5)
        assert (read.status_code, read.headers.get("content-range")) == (status, expected)
        assert read.content == PICTURE[start:stop]


async def test_what_could_run_in_a_browser_is_saved_not_shown(api: Api) -> None:
    headers = await api.key(Scope.ADMIN)
    page = b"<script>alert(1)</script>"
    for kind in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/html\r\nx: y", "nonsense"):
        key = hashlib.sha256(page + kind.encode()).hexdigest()
        path = f"/v1/attachments/{key}"
        sent = {**headers, "content-type": kind.replace("\r\n", " ")}
        assert (await api.http.put(path, content=page + kind.encode(), headers=sent)).status_code == 201
        read = await api.http.get(path, headers=headers)
        assert read.headers["content-disposition"].startswith("attachment;")
        assert read.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert read.headers["x-content-type-options"] == "nosniff"


async def test_refusals_say_what_to_do(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = await api.key(Scope.ADMIN)

    async def refused(path: str, content: bytes) -> tuple[int, str]:
        answer = await api.http.put(path, content=content, headers=headers)
        return answer.status_code, answer.json()["error"]["message"]

    status, message = await refused("/v1/attachments/../../etc/passwd", b"x")
    assert status == 404
    status, message = await refused("/v1/attachments/ABC", b"x")
    assert (status, message) == (
        400,
        "key 'ABC' is not the SHA-256 of an attachment: 64 lower-case hexadecimal digits",
    )
    status, message = await refused(PATH, PICTURE + b"!")
    assert status == 400
    assert message.endswith(f"not {KEY}; send the bytes whose hash is in the path")
    missing = await api.http.get(PATH, headers=headers)
    assert missing.status_code == 404
    assert "spanloop attachments sweep" in missing.json()["error"]["message"]

    monkeypatch.setattr(api.attachments, "max_bytes", 1000)
    for content in (PICTURE, _in_pieces()):  # with and without a content-length
        answer = await api.http.put(PATH, content=content, headers=headers)
        assert answer.status_code == 413
        assert "SPANLOOP_ATTACHMENTS_MAX_BYTES" in answer.json()["error"]["message"]
    assert (await api.http.get(PATH, headers=headers)).status_code == 404


async def _in_pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(PICTURE), 500):
        yield PICTURE[start : start + 500]


async def test_a_key_reaches_its_own_project_only(api: Api) -> None:
    shop = await api.key(Scope.INGEST, Scope.READ, project="shop")
    other = await api.key(Scope.INGEST, Scope.READ, project="other")
    sender, reader = await api.key(Scope.INGEST, project="shop"), await api.key(Scope.READ, project="shop")
    everywhere = await api.key(Scope.READ)
    assert await put(api, shop) == 201
    assert (await api.http.get(PATH, headers=other)).status_code == 404
    assert (await api.http.head(PATH, headers=other)).status_code == 404, "its existence is nobody's business either"
    assert (await api.http.get(PATH, headers=other, params={"project": "shop"})).status_code == 403
    assert await put(api, other, project="shop") == 403
    assert (await api.http.get(PATH, headers=sender)).status_code == 403
    assert (await api.http.head(PATH, headers=sender)).status_code == 200
    assert await put(api, reader) == 403
    for query in ({}, {"project": "shop"}):
        assert (await api.http.get(PATH, headers=everywhere, params=query)).content == PICTURE
    assert (await api.http.get(PATH, headers=everywhere, params={"project": "other"})).status_code == 404
    assert (await api.http.get(PATH)).status_code == 401
    assert await put(api, {}) == 401


async def test_projects_with_odd_names_stay_apart(api: Api) -> None:
    headers = await api.key(Scope.ADMIN)
    projects = ["..", "a/b", "a%2Fb", "ü", "x" * 200, "x" * 199, ".", " "]
    for project in projects:
        assert (await api.http.head(PATH, headers=headers, params={"project": project})).status_code == 404
        assert await put(api, headers, project=project) == 201
    listed = (await api.http.get("/v1/attachments", headers=headers)).json()["attachments"]
    stub = attachments_pb2_grpc.AttachmentServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    over_grpc = await stub.ListAttachments(attachments_pb2.ListAttachmentsRequest(), metadata=tuple(headers.items()))
    assert [each.project for each in over_grpc.attachments] == [each["project"] for each in listed]
    assert sorted(each["project"] for each in listed) == sorted(projects)
    assert {each["key"] for each in listed} == {KEY}


async def test_sweep_takes_what_is_old_and_in_no_row(api: Api) -> None:
    headers = await api.key(Scope.ADMIN)
    contents = {name: os.urandom(100) for name in ("in a row", "in a text", "unused", "young")}
    keys = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, content in contents.items():
        assert await put(api, headers, path=f"/v1/attachments/{keys[name]}", content=content) == 201
        if name != "young":
            _make_old(api, keys[name])
    reference = {"type": "spanloop_attachment", "key": keys["in a row"]}
    quoted = json.dumps(json.dumps({"type": "spanloop_attachment", "key": keys["in a text"]}))
    rows = [
        {"id": "1", "input": [{"image": reference}]},
        {"id": "2", "metadata": {"note": quoted}},
    ]
    logged = await api.http.post("/v1/rows", headers=headers, json={"rows": rows})
    assert logged.status_code == 200, logged.text
    assert len(await api.rows("id")) == 2

    async def swept(**body: object) -> dict[str, int]:
        answer = await api.http.post("/v1/attachments/sweep", headers=headers, json=body)
        assert answer.status_code == 200, answer.text
        return {name: int(value) for name, value in answer.json().items()}

    assert await swept(dry_run=True) == {"examined": 4, "removed": 1, "removed_bytes": 100}
    assert await swept() == {"examined": 4, "removed": 1, "removed_bytes": 100}
    left = {
        name
        for name, key in keys.items()
        if (await api.http.get(f"/v1/attachments/{key}", headers=headers)).status_code == 200
    }
    assert left == {"in a row", "in a text", "young"}
    refused = await api.http.post("/v1/attachments/sweep", headers=headers, json={"older_than_seconds": 60})
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == "older_than_seconds"


async def test_what_a_sender_asks_for_is_young_again(api: Api) -> None:
    headers = await api.key(Scope.ADMIN)
    await put(api, headers)
    _make_old(api, KEY)
    assert (await api.http.head(PATH, headers=headers)).status_code == 200
    found = api.attachments.find("default", KEY)
    assert found is not None
    assert time.time() - found.seen < SEEN_AGAIN_SECONDS


def _make_old(api: Api, key: str) -> None:
    found = api.attachments.find("default", key)
    assert found is not None
    old = time.time() - operations.KEPT_SECONDS - DAY
    api.attachments._describe(Attachment(found.project, key, found.size, found.content_type, found.filename, old, old))


def test_nothing_half_received_is_left(tmp_path: Path) -> None:
    from spanloop_collector.attachments import open_attachments
    from spanloop_collector.settings import AttachmentSettings

    attachments = open_attachments(AttachmentSettings(), tmp_path)
    incoming = attachments.receive()
    incoming.add(b"half")
    incoming.close()
    assert list((tmp_path / "attachments-incoming").iterdir()) == []


def test_an_object_store_works_like_a_folder(tmp_path: Path) -> None:
    from spanloop_collector.attachments import open_attachments
    from spanloop_collector.settings import AttachmentSettings

    url = f"file://{tmp_path}/bucket"
    attachments = open_attachments(AttachmentSettings(url=url), tmp_path / "data")
    assert attachments.find("shop", KEY) is None
    assert list(attachments.all_of("")) == []
    incoming = attachments.receive()
    incoming.add(PICTURE)
    kept = attachments.keep(incoming, project="shop", key=KEY, content_type="image/png", filename="a.png")
    incoming.close()
    elsewhere = open_attachments(AttachmentSettings(url=url), tmp_path / "another-collector")
    assert elsewhere.find("shop", KEY) == kept
    assert b"".join(elsewhere.read(kept, 5, 5000)) == PICTURE[5:5000]
    assert list(elsewhere.all_of("shop")) == [kept]
    elsewhere.remove(kept)
    assert attachments.find("", KEY) is None
