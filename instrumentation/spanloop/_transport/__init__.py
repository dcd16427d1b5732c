"""Ways to hand a serialized OTLP request to a collector, and what came of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from spanloop._settings import HTTP, Settings


class Kind(enum.Enum):
    """What the sender does next."""

    DELIVERED = enum.auto()
    LATER = enum.auto()
    """The collector cannot be reached or asks to try later: keep and repeat."""
    DENIED = enum.auto()
    """Key, address or protocol is wrong: keep, repeat rarely, since a person must act."""
    TOO_LARGE = enum.auto()
    """Repeat in smaller requests."""
    REFUSED = enum.auto()
    """This data will never be accepted: drop and count."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one try."""

    kind: Kind
    reason: str = ""
    retry_after_seconds: float | None = None
    """Pause the collector asks for."""
    rejected: int = 0
    """Items of a delivered request that the collector refused."""


class Transport(Protocol):
    """Sends request bodies, one at a time, from any thread; never raises."""

    def send(self, signal: str, body: bytes, timeout_seconds: float) -> Outcome: ...

    def forget(self) -> None:
        """Drops connections without closing them; for a forked child, whose parent still uses them."""

    def close(self) -> None: ...


def open_transport(settings: Settings) -> Transport:
    """The transport the settings ask for; connects at the first send."""
    if settings.protocol == HTTP:
        from spanloop._transport.over_http import HttpTransport

        return HttpTransport(settings)
    from spanloop._transport.over_grpc import GrpcTransport

    return GrpcTransport(settings)


def request_headers(settings: Settings) -> dict[str, str]:
    """What every request says, over gRPC and HTTP."""
    return {"authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
