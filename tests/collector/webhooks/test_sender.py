"""One try to deliver: signed, never redirected, never longer than its limit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading

import pytest
from spanloop_collector.webhooks.sender import Attempt, WebhookSender
from spanloop_collector.webhooks.signature import make_secret, sign

from tests.support.certificates import Certificates
from tests.support.webhook_receiver import webhook_receiver

NOW = 1_700_000_000


def make_sender(*, allow_private_addresses: bool = True, timeout_seconds: float = 10) -> WebhookSender:
    return WebhookSender(
        allow_private_addresses=allow_private_addresses, timeout_seconds=timeout_seconds, now=lambda: NOW
    )


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    secret = make_secret()
    with webhook_receiver() as receiver:
        attempt = make_sender().send(receiver.url, secret, message_id="msg_1", body=b'{"text": "\xc3\xa9"}')
    assert attempt == Attempt(http_status=204)
    [message] = receiver.received
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, b'msg_1.1700000000.{"text": "\xc3\xa9"}', hashlib.sha256)
    assert (message.path, message.body) == ("/hook?from=spanloop", b'{"text": "\xc3\xa9"}')
    assert message.headers["webhook-id"] == "msg_1"
    assert message.headers["webhook-timestamp"] == str(NOW)
    assert message.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert message.headers["content-type"] == "application/json"


def test_the_specifications_own_example() -> None:
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_redirects_are_not_followed() -> None:
    with webhook_receiver() as receiver:
        receiver.answers = [(302, {"location": receiver.url})]
        attempt = make_sender().send(receiver.url, make_secret(), message_id="m", body=b"{}")
    assert len(receiver.received) == 1
    assert attempt == Attempt(http_status=302, error="302 Found (redirects are not followed)")


@pytest.mark.parametrize(("status", "is_final"), [(500, False), (404, False), (429, False), (410, True)])
def test_a_refusal_says_whether_another_try_may_help(status: int, is_final: bool) -> None:
    with webhook_receiver() as receiver:
        receiver.answers = [(status, {"retry-after": "120"})]
        attempt = make_sender().send(receiver.url, make_secret(), message_id="m", body=b"{}")
    assert (attempt.http_status, attempt.is_final, attempt.retry_after_seconds) == (status, is_final, 120)
    assert attempt.error.startswith(str(status))


def test_private_addresses_are_refused_for_good() -> None:
    with webhook_receiver() as receiver:
        sender = make_sender(allow_private_addresses=False)
        attempt = sender.send(receiver.url, make_secret(), message_id="m", body=b"{}")
    assert (receiver.received, attempt.is_final) == ([], True)
    assert "127.0.0.1 is 127.0.0.1, which is not a public address" in attempt.error


def test_a_receiver_that_does_not_answer_is_given_up() -> None:
    release = threading.Event()
    with webhook_receiver() as receiver:
        receiver.before_answer = lambda: release.wait(10)
        attempt = make_sender(timeout_seconds=0.2).send(receiver.url, make_secret(), message_id="m", body=b"{}")
        release.set()
    assert attempt.error.startswith("TimeoutError")
    assert not attempt.is_final


def test_nobody_there() -> None:
    with webhook_receiver() as receiver:
        pass
    attempt = make_sender().send(receiver.url, make_secret(), message_id="m", body=b"{}")
    assert "refused" in attempt.error


def test_over_tls_the_receivers_certificate_must_fit_its_name(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = (certificates.server_certificate, certificates.server_key)
    sender, message = make_sender(), {"message_id": "m", "body": b"{}"}
    with webhook_receiver(pair) as receiver:
        unknown = sender.send(receiver.url, make_secret(), **message)  # type: ignore[arg-type]  # as above
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
        known = sender.send(receiver.url, make_secret(), **message)  # type: ignore[arg-type]  # as above
        monkeypatch.setattr("spanloop_collector.webhooks.sender.resolve", lambda *_, **__: "127.0.0.1")
        other_name = receiver.url.replace("localhost", "example.com")
        misnamed = sender.send(other_name, make_secret(), **message)  # type: ignore[arg-type]  # as above
    assert "certificate verify failed" in unknown.error
    assert known == Attempt(http_status=204)
    assert "certificate is not valid for 'example.com'" in misnamed.error
    assert [received.headers["host"].partition(":")[0] for received in receiver.received] == ["localhost"]
