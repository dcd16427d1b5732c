"""Where a webhook may go: a public address, unless the operator allows others."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from spanloop_collector.errors import InvalidRequestError

MAX_URL_CHARACTERS = 2000
PREFIX_OF_IPV4_IN_IPV6 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that a gateway turns into the IPv4 address in their last 32 bits."""


class RefusedAddress(Exception):
    """The host of a webhook leads where no webhook may go."""


def read_url(text: str, *, field: str = "url") -> SplitResult:
    """The parts of a webhook's URL; raises InvalidRequestError naming what is wrong with it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidRequestError(f"{field}: {error}", field=field) from None
    if len(text) > MAX_URL_CHARACTERS or any(character <= " " or character == "\x7f" for character in text):
        raise InvalidRequestError(f"{field}: is too long, or holds spaces or control characters", field=field)
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise InvalidRequestError(f"{field}: expected http[s]://host[:port]/path, got {text!r:.100}", field=field)
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError(f"{field}: leave user and password out; receivers check the signature", field=field)
    return parts


def without_path(url: str) -> str:
    """The URL as it may be shown: Slack and others keep a secret in the path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """An IP address of the host to connect to. Blocks.

    Raises RefusedAddress when any of its addresses is not public: which one a later look-up would give is the
    host's owner's choice. Raises OSError for a host that cannot be found.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not allow_private and not is_public(address):
            raise RefusedAddress(
                f"{host} is {address}, which is not a public address; the operator may allow it with "
                "webhooks.allow_private_addresses (SPANLOOP_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES=true)"
            )
    return addresses[0]


def is_public(text: str) -> bool:
    """True for a unicast address of the public internet, also behind the forms of IPv6 that carry IPv4."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in PREFIX_OF_IPV4_IN_IPV6:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified
