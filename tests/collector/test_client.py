"""The command line's HTTP client: keys, TLS, errors."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from spanloop_collector.client import ApiClient, ApiError, split_exception

from tests.support.certificates import Certificates


class EchoHandler(BaseHTTPRequestHandler):
    """Answers 401 and other errors on the paths of that name, else what it was sent."""

    def do_GET(self) -> None:
        status, body = ANSWERS.get(self.path, (200, f'{{"authorization": "{self.headers["authorization"]}"}}'))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


ANSWERS = {
    "/401": (401, '{"error": {"message": "no key", "code": 16}}'),
    "/404": (404, '{"message": "no such key"}'),
    "/502": (502, "<html>Bad gateway</html>"),
    "/text": (200, "hello"),
}


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def server_context(certificates: Certificates, *, asks_for_client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server_certificate, certificates.server_key)
    if asks_for_client:
        context.load_verify_locations(certificates.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_key_is_sent_as_bearer() -> None:
    with serving() as url:
        assert ApiClient(url, key="sl_1_2").get("/") == {"authorization": "Bearer sl_1_2"}


def test_key_of_the_collector_on_this_machine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "admin.key").write_text("sl_admin\n")
    monkeypatch.setenv("SPANLOOP_DATA_DIR", str(tmp_path))
    with serving() as url:
        assert ApiClient(url).get("/") == {"authorization": "Bearer sl_admin"}
    assert ApiClient("http://collector.example:7411")._key is None, "a key never leaves for another machine unasked"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/401", "no key; give a key with --api-key or SPANLOOP_API_KEY"),
        ("/404", "no such key"),
        ("/502", "<html>Bad gateway</html>"),
        ("/text", "did not answer with JSON; is that a spanloop collector?"),
    ],
)
def test_refusals_are_told_in_the_collectors_words(path: str, message: str) -> None:
    with serving() as url, pytest.raises(ApiError) as raised:
        ApiClient(url).get(path)
    assert str(raised.value).endswith(message)


def test_proxy_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving() as url:
        assert ApiClient(url, key="k").get("/") == {"authorization": "Bearer k"}


def test_tls_trusts_the_named_authority(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(server_context(certificates)) as url:
        with pytest.raises(ApiError, match=r"CERTIFICATE_VERIFY_FAILED.*SPANLOOP_CERTIFICATE"):
            ApiClient(url).get("/")
        monkeypatch.setenv("SPANLOOP_CERTIFICATE", str(certificates.authority))
        assert ApiClient(url, key="k").get("/") == {"authorization": "Bearer k"}


def test_mutual_tls_shows_the_client_certificate(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_CERTIFICATE", str(certificates.authority))
    with serving(server_context(certificates, asks_for_client=True)) as url:
        with pytest.raises(ApiError, match="no collector answers"):
            ApiClient(url).get("/")
        monkeypatch.setenv("SPANLOOP_CLIENT_CERTIFICATE", str(certificates.client_certificate))
        monkeypatch.setenv("SPANLOOP_CLIENT_KEY", str(certificates.client_key))
        assert ApiClient(url, key="k").get("/") == {"authorization": "Bearer k"}


def test_the_other_scheme_is_suggested(certificates: Certificates) -> None:
    with serving(server_context(certificates)) as url, pytest.raises(ApiError, match="if it speaks TLS, say https://"):
        ApiClient(url.replace("https://", "http://")).get("/")
    with serving() as url, pytest.raises(ApiError, match="if it does not speak TLS, say http://"):
        ApiClient(url.replace("http://", "https://")).get("/")


def test_unusable_tls_files_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_CERTIFICATE", "/nowhere/authority.pem")
    with pytest.raises(ApiError, match=r"No such file.*SPANLOOP_CERTIFICATE=/nowhere/authority\.pem"):
        ApiClient("https://127.0.0.1:1")


def test_failure_behind_a_result_is_split_off() -> None:
    tag = "abcdefghijklmnop"
    failure = "Code: 241. DB::Exception: Memory limit exceeded"
    block = f"\r\n__exception__\r\n{tag}\r\n{failure}\n{len(failure)} {tag}\r\n__exception__\r\n"
    assert split_exception(b"1\n2\n" + block.encode(), tag=tag) == (b"1\n2\n", failure)


@pytest.mark.parametrize("content", [b"", b"1\n", b"__exception__\r\nother\r\nx\r\n__exception__\r\n"])
def test_result_that_only_looks_like_a_failure_is_kept(content: bytes) -> None:
    assert split_exception(content, tag="abcdefghijklmnop") == (content, "")
