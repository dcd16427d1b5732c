"""What waits on disk while the collector is away: nothing is lost, nothing is sent twice, other data is not touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import spanloop
from spanloop import _outbox, _sender
from spanloop._spill import ENDING, Spill

from tests.instrumentation.otlp_collector import Collector, grpc_collector
from tests.instrumentation.test_attachments import running_api
from tests.support.ports import free_port
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses short enough for a test."""
    for name in ("FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS", "DENIED_PAUSE_SECONDS"):
        monkeypatch.setattr(_sender, name, 0.05)
    monkeypatch.setattr(_outbox, "PATIENCE_WHILE_AWAY_SECONDS", 0.05)


def start(port: int, folder: Path, **more: object) -> None:
    endpoint = f"http://127.0.0.1:{port}"
    settings: dict[str, object] = {"spill_dir": str(folder), "flush_interval_seconds": 0.02, **more}
    spanloop.init("bot", endpoint=endpoint, **settings)  # type: ignore[arg-type]  # forwarded as given


def log(*names: str) -> None:
    for name in names:
        with spanloop.start_span(name):
            pass


def names(count: int, *, start: int = 0) -> list[str]:
    return [f"{n:05}" for n in range(start, start + count)]


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"*{ENDING}"))


def test_an_outage_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    start(port, tmp_path, max_queue_items=400)
    for first in range(0, 3000, 150):
        log(*names(150, start=first))
        wait_until(lambda: spanloop.stats().waiting <= 200, what="room in the queue")
    stats = spanloop.stats()
    assert (stats.dropped, stats.delivered) == (0, 0)
    assert stats.spilled >= 3000 - 400
    assert files(tmp_path)
    with grpc_collector(port) as collector:
        assert spanloop.flush(timeout_seconds=20)
        assert collector.received.names == names(3000)
        log("new")
        assert spanloop.flush()
    stats = spanloop.stats()
    assert (stats.delivered, stats.waiting, stats.dropped, stats.refused) == (3001, 0, 0, 0)
    assert files(tmp_path) == []
    assert [record.levelname for record in caplog.records if record.name == "spanloop"] == ["WARNING"]


PROCESS = """
import sys, spanloop
port, folder, count = sys.argv[1:]
spanloop.init("bot", endpoint=f"http://127.0.0.1:{port}", spill_dir=folder)
for n in range(int(count)):
    with spanloop.start_span(f"{n:05}", input="x" * 500):
        pass
"""


def run(port: int, folder: Path, count: int) -> None:
    command = [sys.executable, "-c", PROCESS, str(port), str(folder), str(count)]
    subprocess.run(command, check=True, timeout=60)


def test_the_next_process_sends_what_the_last_one_could_not(tmp_path: Path) -> None:
    port = free_port()
    run(port, tmp_path, 1000)
    assert len(files(tmp_path)) == 2  # of 512 spans and the rest
    with grpc_collector(port) as collector:
        start(port, tmp_path)
        collector.received.wait_for_spans(1000)  # without being asked to
        assert collector.received.names == names(1000)
        wait_until(lambda: files(tmp_path) == [], what="an empty folder")
        assert spanloop.stats() == spanloop.Stats(delivered=1000)


def test_two_processes_send_each_request_once(tmp_path: Path) -> None:
    spill = Spill(_folder_of(tmp_path, port := free_port()), max_bytes=1 << 30)
    with grpc_collector() as other:  # whose requests are what a collector takes
        spanloop.init("bot", endpoint=other.endpoint)
        log("one")
        assert spanloop.flush()
        spanloop.shutdown()
        body = other.received.traces[0].SerializeToString()
    for _ in range(200):
        spill.write(body, 1)
    with grpc_collector(port) as collector:
        command = [sys.executable, "-c", PROCESS + "assert spanloop.flush(30)", str(port), str(tmp_path), "0"]
        processes = [subprocess.Popen(command) for _ in range(2)]
        assert [process.wait(60) for process in processes] == [0, 0]
        assert len(collector.received.spans) == 200
    assert files(tmp_path) == []


def _folder_of(spill_dir: Path, port: int) -> Path:
    """Where data for this collector waits."""
    start(port, spill_dir)
    spanloop.shutdown(timeout_seconds=0)
    return next(iter(spill_dir.iterdir())) / "traces"


def test_torn_files_cost_only_themselves(tmp_path: Path) -> None:
    port = free_port()
    start(port, tmp_path)
    for name in ("torn", "flipped", "whole", "empty"):
        log(name)
        assert not spanloop.shutdown(timeout_seconds=0)
        start(port, tmp_path)
    spanloop.shutdown(timeout_seconds=0)
    torn, flipped, _, empty = files(tmp_path)
    torn.write_bytes(torn.read_bytes()[:-5])
    content = bytearray(flipped.read_bytes())
    content[-5] ^= 1
    flipped.write_bytes(content)
    empty.write_bytes(b"")
    unfinished = torn.with_suffix(".tmp")
    unfinished.write_bytes(b"half")
    with grpc_collector(port) as collector:
        start(port, tmp_path)
        assert spanloop.flush()
        assert collector.received.names == ["whole"]
    assert files(tmp_path) == []
    assert unfinished.exists(), "another process may be writing it"


def test_beyond_the_bound_the_oldest_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    for name in names(10):
        start(port, tmp_path, max_spill_bytes=2000)
        log(name)
        spanloop.shutdown(timeout_seconds=0)
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 2000
    assert 1 < len(files(tmp_path)) < 10
    assert "the spill of traces is full; dropping the oldest" in caplog.text
    assert "SPANLOOP_MAX_SPILL_BYTES" in caplog.text
    with grpc_collector(port) as collector:
        start(port, tmp_path)
        assert spanloop.flush()
        assert collector.received.names[-1] == "00009"
        assert spanloop.stats().delivered == len(collector.received.names)


def test_the_oldest_that_nobody_sends_goes_first(tmp_path: Path) -> None:
    spill = Spill(tmp_path, max_bytes=5 * (16 + 100))
    assert [spill.write(b"%0100d" % n, 10 + n) for n in range(5)] == [0] * 5
    other_process = Spill(tmp_path, max_bytes=1)
    sending = other_process.claim()
    assert sending is not None
    assert spill.write(b"%0100d" % 5, 15) == 11, "the second, since the first is being sent"
    sending.leave()
    assert spill.write(b"%0200d" % 6, 16) == 10 + 12
    assert spill.write(b"%01000d" % 7, 17) == 17, "what cannot fit costs no other"
    claimed = [spill.claim() for _ in range(5)]
    assert [request and int(request.body) for request in claimed] == [3, 4, 5, 6, None]
    assert Spill(tmp_path, max_bytes=1).claim() is None
    for request in claimed[:4]:
        assert request is not None
        request.remove()
    assert files(tmp_path) == []


def test_data_for_another_key_is_not_touched(tmp_path: Path, collector: Collector) -> None:
    start(collector.port, tmp_path, api_key="of another project")
    collector.received.gate.clear()
    log("theirs")
    spanloop.shutdown(timeout_seconds=0)
    assert len(files(tmp_path)) == 1
    collector.received.gate.set()
    start(collector.port, tmp_path, api_key="ours")
    log("ours")
    assert spanloop.flush()
    assert collector.received.names == ["ours"]
    assert len(files(tmp_path)) == 1


def test_a_folder_that_cannot_be_had_is_said_and_costs_nothing(
    tmp_path: Path, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    start(collector.port, tmp_path / "file")
    log("a")
    assert spanloop.flush()
    assert collector.received.names == ["a"]
    assert "SPANLOOP_SPILL_DIR" in caplog.text


def test_a_disk_that_refuses_leaves_items_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(spill: Spill, body: bytes, count: int) -> int:
        raise OSError(28, "No space left on device")

    port = free_port()
    start(port, tmp_path, max_queue_items=100)
    with monkeypatch.context() as full:
        full.setattr(Spill, "write", refuse)
        log(*names(90))
        wait_until(lambda: "No space left" in caplog.text, what="the refusal")
        wait_until(lambda: spanloop.stats().waiting == 90, what="items back in the queue")
    assert spanloop.stats() == spanloop.Stats(waiting=90)
    with grpc_collector(port) as collector:
        assert spanloop.flush(timeout_seconds=15)
        assert collector.received.names == names(90)


def test_rows_and_feedback_wait_on_disk_as_well(tmp_path: Path, collector: Collector) -> None:
    port = free_port()
    api_url = f"http://127.0.0.1:{port}"
    start(collector.port, tmp_path, api_url=api_url)
    logger = spanloop.init_logger("bot")
    logger.log(id="a", name="answer", input=1)
    spanloop.log_feedback("a", scores={"good": 1})
    logger.log(id="a", output=2)
    assert not spanloop.shutdown(timeout_seconds=2)
    assert len(files(tmp_path)) == 1
    with running_api(port) as api:
        start(collector.port, tmp_path, api_url=api_url)
        assert spanloop.flush()
        assert api.requests == ["POST /v1/rows/merge", "POST /v1/feedback"]
        [row], [feedback] = api.posted[0]["rows"], api.posted[1]["items"]
        assert (row["id"], row["input"], row["output"], feedback["scores"]) == ("a", 1, 2, {"good": 1})
    assert files(tmp_path) == []


def test_attachments_wait_on_disk_as_well(tmp_path: Path, collector: Collector) -> None:
    port = free_port()
    api_url = f"http://127.0.0.1:{port}"
    start(collector.port, tmp_path, api_url=api_url)
    with spanloop.start_span("x", input=spanloop.Attachment(b"picture" * 1000)):
        pass
    assert not spanloop.shutdown(timeout_seconds=2)
    assert len(files(tmp_path)) == 1
    with running_api(port) as api:
        start(collector.port, tmp_path, api_url=api_url)
        assert spanloop.flush()
        assert list(api.stored.values()) == [b"picture" * 1000]
    assert files(tmp_path) == []
