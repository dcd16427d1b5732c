"""The address of a ClickHouse server, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from spanloop_collector.errors import ConfigError

HTTP_PORT = 8123
HTTPS_PORT = 8443


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server answers over HTTP, and as whom it is asked."""

    host: str
    port: int
    is_secure: bool
    username: str
    password: str

    def client_options(self) -> dict[str, Any]:
        """What clickhouse-connect calls these."""
        return {
            "host": self.host,
            "port": self.port,
            "secure": self.is_secure,
            "username": self.username,
            "password": self.password,
        }


def server_address(url: str) -> ServerAddress:
    """The parts of `http[s]://user:password@host:port`. Raises ConfigError where it is no such address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"clickhouse_url {parts.scheme}://{parts.hostname or ''} is not a ClickHouse HTTP address: "
            "give http[s]://user:password@host:port (SPANLOOP_CLICKHOUSE_URL)"
        )
    is_secure = parts.scheme == "https"
    return ServerAddress(
        host=parts.hostname,
        port=parts.port or (HTTPS_PORT if is_secure else HTTP_PORT),
        is_secure=is_secure,
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
    )
