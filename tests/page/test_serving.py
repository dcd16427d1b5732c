"""How the page is served: to browsers only, to strangers too, under a policy that lets nothing else run."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.collector_process import CollectorProcess

AS_BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MAX_FIRST_LOAD_BYTES = 300_000


@pytest.fixture(scope="module")
def http(collector: CollectorProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.api_url, timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/p/support/logs", "/p/support/logs?r=1", "/p/a%2Fb/datasets/x%20y"])
def test_every_address_of_the_page_is_its_document(http: httpx.Client, path: str) -> None:
    answer = http.get(path, headers=AS_BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<script type="module" src="/page/page.js">' in answer.text


def test_sql_clients_are_not_shown_the_page(http: httpx.Client, collector: CollectorProcess) -> None:
    key = {"authorization": f"Bearer {collector.admin_key}"}
    assert "SQL: send a SELECT" in http.get("/", headers=key).text
    assert http.get("/", params={"query": "SELECT 1"}, headers={**AS_BROWSER, **key}).text == "1\n"
    assert http.post("/", content="SELECT 2", headers={**AS_BROWSER, **key}).text == "2\n"
    assert http.get("/", params={"query": "SELECT 1"}, headers=AS_BROWSER).status_code == 401


def test_policy_allows_this_page_only(http: httpx.Client) -> None:
    headers = http.get("/", headers=AS_BROWSER).headers
    policy = {part.split(" ")[0]: part.split(" ")[1:] for part in headers["content-security-policy"].split("; ")}
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & {
        x for part in policy.values() for x in part
    }
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")


def test_files_are_revalidated_or_never_change(http: httpx.Client, static: Path) -> None:
    first = http.get("/page/page.js")
    assert first.headers["cache-control"] == "no-cache"
    assert http.get("/page/page.js", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    chunk = next((static / "chunks").iterdir()).name
    assert "immutable" in http.get(f"/page/chunks/{chunk}").headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/page/nothing.js", "/page/manifest.json", "/page/..%2Ffiles.py", "/page/%2e%2e/files.py"]
)
def test_nothing_but_files_of_the_page_is_served(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_first_load_is_small(static: Path) -> None:
    """All there is but the SQL editor, which comes when the list is there already."""
    files = [path for path in static.rglob("*") if path.is_file() and not path.name.startswith(("editor-", "manifest"))]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < MAX_FIRST_LOAD_BYTES / 2
    editor = next(static.glob("chunks/editor-*"))
    assert sum(len(gzip.compress(path.read_bytes())) for path in [*files, editor]) < MAX_FIRST_LOAD_BYTES
