"""Certificates for every port, from the same settings.

Files that are replaced are used from the next connection on, without a restart. While the new ones cannot be used (a
key that does not fit yet), the old ones stay.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from spanloop_collector.errors import ConfigError
from spanloop_collector.settings import AuthSettings

logger = logging.getLogger(__name__)


def tls_context(auth: AuthSettings, *, protocol: str) -> ssl.SSLContext | None:
    """What a port needs for TLS; None for plain text. `protocol` is what it speaks, by its name in ALPN."""
    if auth.tls_certificate is None or auth.tls_key is None:
        return None
    files = _CertificateFiles(auth, protocol)
    newest = context = _load_context(auth, protocol)

    def look(connection: ssl.SSLObject, name: str | None, first: ssl.SSLContext) -> None:
        """Asked at every handshake, which goes on with the newest certificates."""
        nonlocal newest
        if files.are_new():
            newest = _load_context(auth, protocol)
        connection.context = newest

    context.sni_callback = look
    return context


class _CertificateFiles:
    """The files of one listener, which may be replaced at any time."""

    def __init__(self, auth: AuthSettings, protocol: str) -> None:
        self._auth = auth
        self._protocol = protocol
        self._seen = self._state()

    def are_new(self) -> bool:
        """Whether files have been replaced since the last call, by ones that can be used."""
        state = self._state()
        if state == self._seen:
            return False
        self._seen = state
        try:
            _load_context(self._auth, self._protocol)
        except ConfigError as error:
            logger.warning("tls: new certificates are not used reason=%s", error)
            return False
        logger.info("tls: using new certificates certificate=%s", self._auth.tls_certificate)
        return True

    def _state(self) -> list[tuple[int, int, int]]:
        paths = (self._auth.tls_certificate, self._auth.tls_key, self._auth.tls_client_ca)
        found = [path.stat() for path in paths if path is not None and path.exists()]
        return [(stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in found]


def _load_context(auth: AuthSettings, protocol: str) -> ssl.SSLContext:
    assert auth.tls_certificate is not None
    for name in ("tls_certificate", "tls_key", "tls_client_ca"):
        _refuse_unreadable(f"auth.{name}", getattr(auth, name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols([protocol])
    try:
        context.load_cert_chain(auth.tls_certificate, auth.tls_key)
        if auth.tls_client_ca:
            context.load_verify_locations(auth.tls_client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"auth.tls_certificate={auth.tls_certificate}, auth.tls_key={auth.tls_key} or "
            f"auth.tls_client_ca={auth.tls_client_ca} cannot be used: {error}"
        ) from error
    return context


def _refuse_unreadable(setting: str, path: Path | None) -> None:
    """OpenSSL's errors do not say which of the files they are about."""
    try:
        if path is not None:
            path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"{setting}={path} cannot be read: {error.strerror}") from error
