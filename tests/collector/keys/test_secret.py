from __future__ import annotations

import pytest
from spanloop_collector.keys.secret import hash_secret, mint_key, parse_key, secret_matches


def test_a_minted_key_is_parsed_back_and_matches_only_its_own_hash() -> None:
    key, other = mint_key(), mint_key()
    assert parse_key(f" {key}\n") == key
    assert secret_matches(key.secret, hash_secret(key.secret))
    assert not secret_matches(other.secret, hash_secret(key.secret))


def test_a_secret_has_256_bits_and_no_two_are_equal() -> None:
    keys = {mint_key() for _ in range(100)}
    assert len({key.secret for key in keys}) == 100
    assert all(len(bytes.fromhex(key.secret)) == 32 for key in keys)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sl",
        "sl__",
        "sk_0123456789abcdef_" + "0" * 64,
        "sl_0123456789abcdef_" + "0" * 63,
        "sl_0123456789ABCDEF_" + "0" * 64,
        "sl_0123456789abcdef_" + "0" * 64 + "0",
        "sl_0123456789abcdef_" + "é" * 64,
    ],
)
def test_what_is_not_a_key_is_none(text: str) -> None:
    assert parse_key(text) is None


def test_a_key_in_a_log_line_shows_no_secret() -> None:
    key = mint_key()
    assert key.secret not in f"{[key]!r}"
