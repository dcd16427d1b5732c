"""OpenTelemetry's JavaScript exporters as clients: JSON over HTTP, protobuf over HTTP, gRPC."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.collector.receive.conftest import Receiver
from tests.support.clickhouse_library import cache_directory

SCRIPT = Path(__file__).parent / "javascript" / "send.cjs"


@pytest.fixture(scope="module")
def packages() -> Path:
    """Folder with the exporters, fetched once and kept outside the repository."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing: install it (for example `apt-get install npm`) to test JavaScript's exporters")
    folder = cache_directory() / "javascript"
    wanted = (SCRIPT.parent / "package.json").read_bytes()
    if not (folder / "package-lock.json").exists() or (folder / "package.json").read_bytes() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
    return folder


def send(packages: Path, kind: str, url: str) -> None:
    environment = {**os.environ, "PACKAGES": str(packages)}
    subprocess.run(["node", str(SCRIPT), kind, url], env=environment, check=True, timeout=60)


@pytest.mark.parametrize("kind", ["http", "proto", "grpc"])
async def test_a_javascript_trace_arrives(receiver: Receiver, packages: Path, kind: str) -> None:
    url = f"http://{receiver.grpc_target}" if kind == "grpc" else receiver.url("/v1/traces")
    await asyncio.to_thread(send, packages, kind, url)

    child, root = await receiver.spans()

    assert (child.name, child.parent_span_id, root.name) == ("child", root.span_id, "root")
    assert child.trace_id == root.trace_id
    assert child.events[0].attributes[0].value.string_value == "because"
    values = {pair.key: pair.value for pair in root.attributes}
    assert values["user.id"].string_value == "ada 🍀"
    assert (values["count"].int_value, values["ratio"].double_value) == (3, 0.5)
    assert [item.string_value for item in values["tags"].array_value.values] == ["a", "b"]
