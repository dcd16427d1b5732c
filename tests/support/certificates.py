"""Certificates for TLS on loopback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of one authority and what it signed."""

    authority: Path
    """What each side trusts."""
    server_certificate: Path
    """For localhost, 127.0.0.1 and ::1."""
    server_key: Path
    """Private key of the server."""
    client_certificate: Path
    """For mutual TLS."""
    client_key: Path
    """Private key of the client."""


def make_certificates(directory: Path) -> Certificates:
    """A new authority that nobody else trusts, with a server and a client."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "authority.pem")
    for name, issued in (
        ("server", authority.issue_cert("localhost", "127.0.0.1", "::1")),
        ("client", authority.issue_cert("client@localhost")),
    ):
        issued.private_key_pem.write_to_path(directory / f"{name}.key")
        for pem in issued.cert_chain_pems:
            pem.write_to_path(directory / f"{name}.pem", append=True)
    return Certificates(
        authority=directory / "authority.pem",
        server_certificate=directory / "server.pem",
        server_key=directory / "server.key",
        client_certificate=directory / "client.pem",
        client_key=directory / "client.key",
    )
