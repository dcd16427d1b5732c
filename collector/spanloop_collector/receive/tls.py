"""Certificates for both kinds of listener, from the same settings."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc

from spanloop_collector.errors import ConfigError
from spanloop_collector.settings import AuthSettings


def grpc_credentials(auth: AuthSettings) -> grpc.ServerCredentials | None:
    """What a gRPC port needs for TLS; None for plain text."""
    if auth.tls_certificate is None or auth.tls_key is None:
        return None
    pair = (_read("auth.tls_key", auth.tls_key), _read("auth.tls_certificate", auth.tls_certificate))
    authority = _read("auth.tls_client_ca", auth.tls_client_ca) if auth.tls_client_ca else None
    return grpc.ssl_server_credentials([pair], root_certificates=authority, require_client_auth=authority is not None)


def http_context(auth: AuthSettings) -> ssl.SSLContext | None:
    """What an HTTP port needs for TLS; None for plain text."""
    if auth.tls_certificate is None or auth.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
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


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{setting}={path} cannot be read: {error.strerror}") from error
