"""`spanloop check-config` shows what decides."""

from __future__ import annotations

from pathlib import Path

from spanloop_collector.configuration import setting_fields

from tests.support.command import spanloop


def rows(text: str) -> dict[str, list[str]]:
    """Cells of the printed table by setting."""
    lines = [line.split() for line in text.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if len(cells) == 4}


def test_each_value_is_shown_with_its_origin(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text('[store]\ndatabase = "traces"\n')
    done = spanloop(
        "check-config",
        "--config",
        str(file),
        "--spool-max-bytes",
        "2GiB",
        "--no-spool-fsync",
        environment={"SPANLOOP_WRITE_CONNECTIONS": "4"},
    )
    assert done.returncode == 0, done.stderr
    shown = rows(done.stdout)
    assert shown["spool.max_bytes"] == ["2GiB", "--spool-max-bytes", "SPANLOOP_SPOOL_MAX_BYTES"]
    assert shown["spool.fsync"] == ["false", "--spool-fsync", "SPANLOOP_SPOOL_FSYNC"]
    assert shown["write.connections"] == ["4", "SPANLOOP_WRITE_CONNECTIONS", "SPANLOOP_WRITE_CONNECTIONS"]
    assert shown["store.database"] == ["traces", str(file), "SPANLOOP_STORE_DATABASE"]
    assert shown["query.max_memory_bytes"] == ["1GiB", "default", "SPANLOOP_QUERY_MAX_MEMORY_BYTES"]
    assert set(shown) >= {field.key for field in setting_fields()}


def test_password_is_masked() -> None:
    done = spanloop("check-config", "--clickhouse-url", "https://writer:s3cret@clickhouse:8443")
    assert "https://writer:***@clickhouse:8443" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_fails_where_serve_would(tmp_path: Path) -> None:
    done = spanloop("check-config", "--config", str(tmp_path / "missing.toml"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing.toml cannot be read: No such file" in done.stderr
