"""One try to deliver a webhook. Blocks: use it in a thread.

No redirects are followed and no proxy is used: the connection goes to the address that was checked.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from spanloop_collector.settings import WebhookSettings
from spanloop_collector.webhooks.address import RefusedAddress, resolve
from spanloop_collector.webhooks.signature import sign

MAX_ANSWER_BYTES = 2000
MAX_RETRY_AFTER_SECONDS = 3600.0
GONE = 410


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try."""

    http_status: int = 0
    """0 when there was no answer."""
    error: str = ""
    """Empty when it was delivered."""
    is_final: bool = False
    """True when no later try can help."""
    retry_after_seconds: float = 0.0
    """What the receiver asks for; 0 when it says nothing."""

    @property
    def is_delivered(self) -> bool:
        return not self.error


class WebhookSender:
    """Sends signed messages."""

    def __init__(
        self, *, allow_private_addresses: bool, timeout_seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self._allow_private = allow_private_addresses
        self._timeout = timeout_seconds
        self._now = now
        # Of all tries under way, in whichever threads; sets change atomically.
        self._open: set[_Connection] = set()

    def send(self, url: str, secret: str, *, message_id: str, body: bytes, timeout_seconds: float = 0.0) -> Attempt:
        """Tries once; whatever goes wrong is in the attempt, never raised. 0 seconds leave it to the setting."""
        try:
            return self._post(url, secret, message_id, body, timeout_seconds or self._timeout)
        except RefusedAddress as refused:
            return Attempt(error=str(refused), is_final=True)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            return Attempt(error=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)

    def break_off(self) -> None:
        """Ends the tries under way, each with an error."""
        for connection in list(self._open):
            connection.give_up("the collector was stopped")

    def _post(self, url: str, secret: str, message_id: str, body: bytes, timeout_seconds: float) -> Attempt:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_tls = parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        address = resolve(host, port, allow_private=self._allow_private)
        connection = _Connection(host, port, address=address, is_tls=is_tls, timeout=timeout_seconds)
        headers = {"content-type": "application/json", "user-agent": "spanloop", "connection": "close"}
        headers |= sign(secret, message_id=message_id, timestamp=int(self._now()), body=body)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # The socket's timeout counts anew with every byte; this one does not.
        deadline = threading.Timer(
            timeout_seconds, connection.give_up, [f"no whole answer within {timeout_seconds:g} s"]
        )
        deadline.start()
        self._open.add(connection)
        try:
            connection.request("POST", path, body=body, headers=headers)
            return _read_answer(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            if connection.gave_up:
                raise TimeoutError(connection.gave_up) from error
            raise
        finally:
            self._open.discard(connection)
            deadline.cancel()
            connection.close()


def sender_of(settings: WebhookSettings) -> WebhookSender:
    """The sender that an operator's settings ask for."""
    return WebhookSender(
        allow_private_addresses=settings.allow_private_addresses, timeout_seconds=settings.timeout_seconds
    )


class _Connection(http.client.HTTPConnection):
    """A connection to one address, under the name of its host."""

    def __init__(self, host: str, port: int, *, address: str, is_tls: bool, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address
        self._is_tls = is_tls
        self.gave_up = ""
        if is_tls:
            # Left out of the Host header, as browsers do.
            self.default_port = 443

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def give_up(self, reason: str) -> None:
        """Breaks off whatever waits for the socket; called from another thread."""
        self.gave_up = reason
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


def _read_answer(response: http.client.HTTPResponse) -> Attempt:
    text = response.read(MAX_ANSWER_BYTES).decode(errors="replace").strip()
    status = response.status
    if 200 <= status < 300:
        return Attempt(http_status=status)
    hint = " (redirects are not followed)" if 300 <= status < 400 else ""
    return Attempt(
        http_status=status,
        error=f"{status} {response.reason}{hint}: {text[:200]}".removesuffix(": "),
        is_final=status == GONE,
        retry_after_seconds=_retry_after(response.headers.get("retry-after", "")),
    )


def _retry_after(text: str) -> float:
    return min(float(text), MAX_RETRY_AFTER_SECONDS) if text.isascii() and text.isdecimal() else 0.0
