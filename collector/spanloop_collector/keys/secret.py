"""The text of an API key: `sl_<key id>_<secret>`, kept only as a hash.

The secret has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess slowly.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

PREFIX = "sl"
KEY_ID_BYTES = 8
SECRET_BYTES = 32

_KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{{KEY_ID_BYTES * 2}}})_([0-9a-f]{{{SECRET_BYTES * 2}}})")


class KeyText(NamedTuple):
    """The two halves of a key as its owner sends it."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}_{self.key_id}_{self.secret}"

    def __repr__(self) -> str:
        # A key that reaches a log line or a traceback must not carry its secret there.
        return f"KeyText(key_id={self.key_id!r})"


def mint_key() -> KeyText:
    """A new key; its text exists only here, so hand it to its owner at once."""
    return KeyText(secrets.token_hex(KEY_ID_BYTES), secrets.token_hex(SECRET_BYTES))


def parse_key(text: str) -> KeyText | None:
    """The halves of a key, or None when the text is not one."""
    match = _KEY.fullmatch(text.strip())
    return KeyText(match[1], match[2]) if match else None


def hash_secret(secret: str) -> str:
    """What is stored instead of the secret: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def secret_matches(secret: str, stored_hash: str) -> bool:
    """Whether the secret belongs to the hash, in time that does not depend on the answer."""
    return hmac.compare_digest(hash_secret(secret), stored_hash)
