"""Large bytes leave the row: found wherever they stand, uploaded once, and only with a row that refers to them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import pydantic
import pytest
import spanloop
from spanloop import _sender
from spanloop._api import ApiClient
from spanloop.testing import Capture, capture

from tests.instrumentation.otlp_collector import Collector, attributes
from tests.instrumentation.provider import Reply, scripted_provider
from tests.support.collector_process import CollectorProcess
from tests.support.ports import free_port
from tests.support.waiting import wait_until

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 20
WAV = b"RIFF\x00\x10\x00\x00WAVEfmt " + bytes(range(256)) * 20
BLOB = bytes(range(1, 255)) * 20
DATA_URI = "data:image/png;base64,"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def reference(data: bytes, content_type: str, filename: str = "") -> dict[str, Any]:
    key = hashlib.sha256(data).hexdigest()
    return {
        "type": "spanloop_attachment",
        "filename": filename,
        "content_type": content_type,
        "key": key,
        "size": len(data),
    }


def logged(value: object, captured: Capture) -> Any:
    """What a row says of a logged value."""
    captured.clear()
    with spanloop.start_span("x", input=value):
        pass
    return captured.spans[0].fields["input"]


# What providers' messages look like, and what the row says instead.
MESSAGES: list[tuple[Any, Any]] = [
    (
        {"type": "image_url", "image_url": {"url": DATA_URI + b64(PNG), "detail": "low"}},
        {"type": "image_url", "image_url": {"url": reference(PNG, "image/png"), "detail": "low"}},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": b64(WAV), "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": reference(WAV, "audio/wav"), "format": "wav"}},
    ),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{b64(PDF)}"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": reference(PDF, "application/pdf", "a.pdf")}},
    ),
    (
        {"type": "input_image", "image_url": DATA_URI + b64(PNG)},
        {"type": "input_image", "image_url": reference(PNG, "image/png")},
    ),
    (
        {"type": "image_generation_call", "result": b64(PNG), "output_format": "png"},
        {"type": "image_generation_call", "result": reference(PNG, "image/png"), "output_format": "png"},
    ),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": b64(BLOB)}},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/jpeg", "data": reference(BLOB, "image/jpeg")},
        },
    ),
    (
        {"inline_data": {"mime_type": "image/png", "data": PNG}},
        {"inline_data": {"mime_type": "image/png", "data": reference(PNG, "image/png")}},
    ),
    (
        {"inlineData": {"mimeType": "image/x-odd", "data": base64.urlsafe_b64encode(BLOB).decode()}},
        {"inlineData": {"mimeType": "image/x-odd", "data": reference(BLOB, "image/x-odd")}},
    ),
    (
        {"type": "blob", "mime_type": "image/png", "content": b64(PNG)},
        {"type": "blob", "mime_type": "image/png", "content": reference(PNG, "image/png")},
    ),
    (
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        {"image": {"format": "png", "source": {"bytes": reference(PNG, "image/png")}}},
    ),
    (
        {"id": "audio_1", "data": b64(BLOB), "transcript": "Hello."},
        {"id": "audio_1", "data": reference(BLOB, "application/octet-stream"), "transcript": "Hello."},
    ),
    ({"b64_json": b64(BLOB)}, {"b64_json": reference(BLOB, "application/octet-stream")}),
    (PDF, reference(PDF, "application/pdf")),
    (bytearray(BLOB), reference(BLOB, "application/octet-stream")),
    (("a", [{"deep": ({"uri": DATA_URI + b64(PNG)},)}]), ["a", [{"deep": [{"uri": reference(PNG, "image/png")}]}]]),
    (
        {"svg": "data:image/svg+xml,%3Csvg%3E" + "x" * 2000},
        {"svg": reference(b"<svg>" + b"x" * 2000, "image/svg+xml")},
    ),
]

LEFT_ALONE: list[Any] = [
    {"image_url": DATA_URI + b64(PNG[:200])},  # a reference would be as long
    {"data": "word " * 1000, "mime_type": "text/plain"},
    {"data": "abcd" * 1000},  # base64 or not: nobody says
    {"text": f"see {DATA_URI}{b64(PNG)}"},
    {"content": b64(PNG)[:-3] + "!!!", "mime_type": "image/png"},
    {"uri": "data:" + "no comma " * 500},
]


def test_bytes_in_messages_leave_the_row(captured_spans: Capture) -> None:
    for message, row in MESSAGES:
        before = repr(message)
        assert logged(message, captured_spans) == row
        assert repr(message) == before, "what the application logged is the application's"
        assert len(captured_spans.attachments) == 1
        captured_spans.attachments.clear()
        captured_spans._keeper._known.clear()


def test_what_only_looks_like_bytes_stays(captured_spans: Capture) -> None:
    for value in LEFT_ALONE:
        assert logged(value, captured_spans) == value
    assert captured_spans.attachments == {}


def test_bytes_inside_models_leave_the_row(captured_spans: Capture) -> None:
    class Photo(pydantic.BaseModel):
        name: str
        url: str

    value = [Photo(name="a.png", url=DATA_URI + b64(PNG))]
    assert logged(value, captured_spans) == [{"name": "a.png", "url": reference(PNG, "image/png", "a.png")}]


def test_a_value_beyond_the_bound_is_cut_after_its_bytes_have_left() -> None:
    with capture({"max_value_chars": 10_000}) as captured:
        big = BLOB * 20
        message = {"text": "hello", "url": f"data:image/png;base64,{b64(big)}"}
        assert logged(message, captured) == {"text": "hello", "url": reference(big, "image/png")}


def test_attachments_of_bytes_paths_and_files(captured_spans: Capture, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        row = logged(
            {
                "path": spanloop.Attachment(path),
                "file": [spanloop.Attachment(file, filename="dog.png")],
                "bytes": spanloop.Attachment(b"tiny", filename="a.bin", content_type="x/y"),
                "json": spanloop.JSONAttachment({"a": [1, 2]}),
                "external": spanloop.ExternalAttachment("https://example.org/b/scan.pdf?x=1"),
            },
            captured_spans,
        )
    assert row == {
        "path": reference(PNG, "image/png", "cat.png"),
        "file": [reference(PNG, "image/png", "dog.png")],
        "bytes": reference(b"tiny", "x/y", "a.bin"),
        "json": reference(b'{"a":[1,2]}', "application/json", "data.json"),
        "external": {
            "type": "external_attachment",
            "filename": "scan.pdf",
            "content_type": "application/pdf",
            "url": "https://example.org/b/scan.pdf?x=1",
        },
    }
    assert sorted(captured_spans.attachments.values()) == sorted([PNG, b"tiny", b'{"a":[1,2]}'])


def test_what_cannot_be_attached_is_said_in_the_row(captured_spans: Capture, tmp_path: Path) -> None:
    row = logged([spanloop.Attachment(tmp_path / "none.png")], captured_spans)[0]
    assert (row["filename"], "key" in row) == ("none.png", False)
    assert "No such file" in row["error"]
    captured_spans._keeper._max_attachment_bytes = 1000
    row = logged(spanloop.Attachment(PNG), captured_spans)
    assert row["error"] == f"{len(PNG)} bytes are more than the 1000 that are sent"
    assert captured_spans.attachments == {}


def test_what_a_mask_removes_is_not_uploaded() -> None:
    with capture({"mask_keys": ["photo"]}) as captured:
        row = logged({"photo": spanloop.Attachment(PNG), "paper": spanloop.Attachment(PDF)}, captured)
        assert row == {"photo": "[masked]", "paper": reference(PDF, "application/pdf")}
        assert list(captured.attachments.values()) == [PDF]


def test_bytes_in_attributes_of_other_instrumentors_leave_the_row(captured_spans: Capture) -> None:
    part = {"type": "blob", "mime_type": "image/png", "content": b64(PNG)}
    with spanloop.start_span("x") as span:
        span._otel.set_attribute("gen_ai.input.messages", json.dumps([{"role": "user", "parts": [part]}]))
        span._otel.set_attribute("image.url", DATA_URI + b64(PNG))
        span._otel.set_attribute("text", "x" * 5000)
    found = captured_spans.spans[0].attributes
    part["content"] = reference(PNG, "image/png")  # type: ignore[assignment]  # what it becomes
    assert json.loads(found["gen_ai.input.messages"]) == [{"role": "user", "parts": [part]}]
    assert json.loads(found["image.url"]) == reference(PNG, "image/png")
    assert found["text"] == "x" * 5000
    assert list(captured_spans.attachments.values()) == [PNG]


# Uploads.


@dataclass
class Api:
    """The part of a collector's API that takes attachments, and what else is posted there."""

    url: str = ""
    stored: dict[str, bytes] = field(default_factory=dict)
    posted: list[Any] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    status: int = 0
    """Answered instead, unless 0."""


@contextmanager
def running_api(port: int = 0) -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(200 if self._key in api.stored else 404)

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if not api.status:
                api.stored[self._key] = body
            self._answer(201)

        def do_POST(self) -> None:
            api.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._answer(200)

        @property
        def _key(self) -> str:
            return self.path.partition("?")[0].rpartition("/")[2]

        def _answer(self, status: int) -> None:
            api.requests.append(f"{self.command} {self.path}")
            self.send_response(api.status or status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keeps test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def api() -> Iterator[Api]:
    with running_api() as running:
        yield running


def log(*values: object) -> None:
    for value in values:
        with spanloop.start_span("x", input=value):
            pass


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses short enough for a test."""
    for name in ("FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS", "DENIED_PAUSE_SECONDS"):
        monkeypatch.setattr(_sender, name, 0.02)


def test_rows_with_megabytes_are_small_on_the_wire(collector: Collector, api: Api) -> None:
    image = os.urandom(3_000_000)
    message = {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64(image)}"}},
        ],
    }
    completion = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    spanloop.init("bot", endpoint=collector.endpoint, api_url=api.url)
    with scripted_provider() as provider, openai.OpenAI(base_url=provider.url, api_key="k") as plain:
        client = spanloop.wrap_openai(plain)
        for _ in range(3):  # as a conversation does, which repeats what was said
            provider.will(Reply(json=completion))
            client.chat.completions.create(model="m", messages=[message])  # type: ignore[list-item]  # a plain dict
        assert provider.requests[0][1]["messages"] == [message], "the provider still gets the image"
    assert spanloop.flush()
    assert sum(request.ByteSize() for request in collector.received.traces) < 20_000
    for span in collector.received.spans:
        part = json.loads(attributes(span)["spanloop.input"])[0]["content"][1]
        assert part == {"type": "image_url", "image_url": {"url": reference(image, "image/png")}}
    key = hashlib.sha256(image).hexdigest()
    assert api.requests == [f"HEAD /v1/attachments/{key}", f"PUT /v1/attachments/{key}"]
    assert api.stored == {key: image}
    assert spanloop.stats() == spanloop.Stats(delivered=3, attachments=spanloop.Stats(delivered=1))


OTHER_PROCESS = """
import sys, spanloop
spanloop.init("bot", endpoint=sys.argv[1], api_url=sys.argv[2])
with spanloop.start_span("x", input=spanloop.Attachment(sys.argv[3])):
    pass
assert spanloop.flush()
"""


def test_what_a_model_draws_or_says_is_attached(captured_spans: Capture) -> None:
    with scripted_provider() as provider, openai.OpenAI(base_url=provider.url, api_key="k") as plain:
        client = spanloop.wrap_openai(plain)
        provider.will(
            Reply(json={"created": 1, "data": [{"b64_json": b64(PNG)}]}), Reply(body=WAV, content_type="audio/wav")
        )
        client.images.generate(model="m", prompt="a cat")
        client.audio.speech.create(model="m", voice="v", input="Hello.").read()
    image, speech = (span.fields["output"] for span in captured_spans.spans)
    assert image == [{"b64_json": reference(PNG, "image/png")}]
    assert speech == {"content_type": "audio/wav", "bytes": len(WAV), "data": reference(WAV, "audio/wav")}
    assert sorted(captured_spans.attachments.values()) == sorted([PNG, WAV])


def test_what_a_model_hears_or_changes_is_attached(captured_spans: Capture) -> None:
    with scripted_provider() as provider, openai.OpenAI(base_url=provider.url, api_key="k") as plain:
        client = spanloop.wrap_openai(plain)
        images = {"created": 1, "data": [{"url": "https://example.com/1.png"}]}
        provider.will(*[Reply(json={"text": "Hello."})] * 2, *[Reply(json=images)] * 2)
        recording = io.BytesIO(WAV)
        recording.name = "/home/ada/hello.mp3"
        recording.seek(7)
        client.audio.transcriptions.create(model="m", file=recording, prompt="A greeting.")
        client.audio.transcriptions.create(model="m", file=("other.wav", WAV, "audio/x-wav"))
        client.images.edit(model="m", image=[PNG, io.BytesIO(PNG)], mask=PNG, prompt="a cat")
        client.images.edit(model="m", image=PNG, prompt="a cat")
        assert WAV in provider.requests[0][1], "the provider still gets all of it"
    inputs = [span.fields["input"] for span in captured_spans.spans]
    image = reference(PNG, "image/png")
    assert inputs == [
        {"prompt": "A greeting.", "file": reference(WAV, "audio/mpeg", "hello.mp3")},
        {"file": reference(WAV, "audio/x-wav", "other.wav")},
        {"prompt": "a cat", "image": [image, image], "mask": image},
        {"prompt": "a cat", "image": image},
    ]
    assert sorted(captured_spans.attachments.values()) == sorted([PNG, WAV])


def test_the_same_bytes_from_another_process_do_not_travel_again(
    collector: Collector, api: Api, tmp_path: Path
) -> None:
    path = tmp_path / "ü cat.png"
    path.write_bytes(PNG)
    spanloop.init("bot", endpoint=collector.endpoint, api_url=api.url)
    log(spanloop.Attachment(path), {"again": spanloop.Attachment(PNG)})
    assert spanloop.flush()
    command = [sys.executable, "-c", OTHER_PROCESS, collector.endpoint, api.url, str(path)]
    subprocess.run(command, check=True, timeout=60)
    assert [request.partition(" ")[0] for request in api.requests] == ["HEAD", "PUT", "HEAD"]
    assert api.requests[1].endswith("?filename=%C3%BC%20cat.png")
    assert len(collector.received.spans) == 3


def test_rows_written_through_the_api_are_light_as_well(shared_collector: CollectorProcess) -> None:
    project = "rows-with-photos"
    spanloop.init(project, endpoint=f"http://{shared_collector.grpc_address}", api_url=shared_collector.api_url)
    client = ApiClient(shared_collector.api_url)
    row = {"id": "1", "input": {"photo": spanloop.Attachment(PNG), "url": f"data:application/pdf;base64,{b64(PDF)}"}}
    client.post("/v1/rows", {"project": project, "rows": [row]})
    client.close()
    assert spanloop.flush()
    question = f"SELECT input FROM logs WHERE project = '{project}'"
    [found] = wait_until(lambda: shared_collector.sql(question), what="the row")
    said = json.loads(found["input"])
    assert said == {"photo": reference(PNG, "image/png"), "url": reference(PDF, "application/pdf")}
    assert spanloop.ReadonlyAttachment(said["photo"]).data == PNG


def test_nothing_is_uploaded_for_spans_that_are_not_sent(collector: Collector, api: Api) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, api_url=api.url, sample_rate=0.0)
    log({"photo": PNG})
    assert spanloop.flush()
    assert api.requests == []


def test_rows_arrive_while_the_api_is_away_and_attachments_follow(
    collector: Collector, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    spanloop.init(
        "bot", endpoint=collector.endpoint, api_url=f"http://127.0.0.1:{port}", max_attachment_queue_bytes=20_000
    )
    images = [os.urandom(5000) for _ in range(5)]
    log(*images)
    collector.received.wait_for_spans(5)
    assert not spanloop.flush(timeout_seconds=0.1)
    stats = spanloop.stats().attachments
    assert stats is not None
    assert stats.waiting <= 3, "bounded in bytes"
    assert stats.dropped == 5 - stats.waiting
    with running_api(port) as api:
        assert spanloop.flush(timeout_seconds=15)
        assert len(api.stored) == stats.waiting
        log(*images)  # what was dropped has another chance
        assert spanloop.flush(timeout_seconds=15)
        assert sorted(api.stored.values()) == sorted(images)
    messages = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert any("SPANLOOP_API_URL says where it is" in message for message in messages)
    assert any("SPANLOOP_MAX_ATTACHMENT_QUEUE_BYTES set its size" in message for message in messages)


def test_a_refused_attachment_is_counted_and_the_row_arrives(collector: Collector, api: Api, quick: None) -> None:
    api.status = 413
    spanloop.init("bot", endpoint=collector.endpoint, api_url=api.url)
    log({"photo": PNG})
    assert spanloop.flush()
    assert spanloop.stats() == spanloop.Stats(delivered=1, attachments=spanloop.Stats(refused=1))
    assert len(collector.received.spans) == 1


def test_attachments_can_be_turned_off(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, attachments=False)
    log({"url": DATA_URI + b64(PNG)})
    assert spanloop.flush()
    assert json.loads(attributes(collector.received.spans[0])["spanloop.input"])["url"] == DATA_URI + b64(PNG)


def test_logged_here_and_read_back_there(shared_collector: CollectorProcess, tmp_path: Path) -> None:
    project = "photos"
    spanloop.init(project, endpoint=f"http://{shared_collector.grpc_address}", api_url=shared_collector.api_url)
    log({"photo": spanloop.Attachment(PNG, filename="cat.png"), "uri": f"data:application/pdf;base64,{b64(PDF)}"})
    assert spanloop.flush()
    question = f"SELECT input FROM logs WHERE project = '{project}'"
    [row] = wait_until(lambda: shared_collector.sql(question), what="the row")
    said = json.loads(row["input"])
    assert said == {"photo": reference(PNG, "image/png", "cat.png"), "uri": reference(PDF, "application/pdf")}
    photo = spanloop.ReadonlyAttachment(said["photo"])
    assert (photo.filename, photo.content_type, photo.data) == ("cat.png", "image/png", PNG)
    elsewhere = spanloop.ReadonlyAttachment(said["uri"], api_url=shared_collector.api_url)
    assert elsewhere.data == PDF
    log({"seen again": photo})
    assert spanloop.flush()
    with pytest.raises(OSError, match="there is no attachment 0000"):
        spanloop.ReadonlyAttachment({**said["photo"], "key": "0" * 64}).data  # noqa: B018  # it is what raises
