"""Where a webhook may go."""

from __future__ import annotations

import pytest
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.webhooks.address import RefusedAddress, is_public, read_url, resolve, without_path

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_addresses_outside_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "0x7f000001", "2130706433", "127.1"])
def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    with pytest.raises(RefusedAddress, match="SPANLOOP_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES"):
        resolve(host, 80, allow_private=False)
    assert resolve("127.0.0.1", 80, allow_private=True) == "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "example.com/hook",
        "http://user:secret@example.com/",
        "http://example.com:99999/",
        "http://example.com/a b",
        "http://example.com/\r\nx: y",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_what_is_no_webhook_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^alert\.url: ") as refused:
        read_url(url, field="alert.url")
    assert refused.value.field == "alert.url"


def test_the_path_is_not_shown() -> None:
    assert without_path("https://hooks.slack.com/services/T0/B0/secret") == "https://hooks.slack.com/…"
