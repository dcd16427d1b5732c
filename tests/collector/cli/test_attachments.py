"""`spanloop attachments` against a running collector."""

from __future__ import annotations

import hashlib
import urllib.request
from pathlib import Path

from tests.support.collector_process import CollectorProcess
from tests.support.sending import ask

CONTENT = b"%PDF-1.7 " + bytes(1000)
KEY = hashlib.sha256(CONTENT).hexdigest()


def test_list_get_and_sweep(shared_collector: CollectorProcess, tmp_path: Path) -> None:
    url = f"{shared_collector.api_url}/v1/attachments/{KEY}?project=papers&filename=a.pdf"
    request = urllib.request.Request(url, CONTENT, {"content-type": "application/pdf"}, method="PUT")
    urllib.request.urlopen(request, timeout=30).close()

    listed = ask(shared_collector, "attachments", "list", "--project", "papers")
    assert listed.returncode == 0, listed.stderr
    assert KEY in listed.stdout
    assert "application/pdf" in listed.stdout

    target = tmp_path / "b.pdf"
    fetched = ask(shared_collector, "attachments", "get", KEY, str(target))
    assert fetched.stdout == f"{target}: {len(CONTENT)} bytes\n", fetched.stderr
    assert target.read_bytes() == CONTENT

    missing = ask(shared_collector, "attachments", "get", "0" * 64, str(tmp_path / "none"))
    assert missing.returncode == 1
    assert "there is no attachment 0000" in missing.stderr
    assert not (tmp_path / "none").exists()

    swept = ask(shared_collector, "attachments", "sweep", "--project", "papers", "--older-than", "2d", "--dry-run")
    assert swept.stdout == "would remove 0 of 1 attachment, 0 bytes\n", swept.stderr
    wrong = ask(shared_collector, "attachments", "sweep", "--older-than", "soon")
    assert wrong.returncode == 2
    assert "7d or 36h" in wrong.stderr
