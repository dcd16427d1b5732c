"""Where a running collector can be reached: what `pipeline.run` hands to `on_ready`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listening:
    """The addresses in use, with real ports where the settings asked for free ones."""

    grpc_address: str
    """`host:port` of OTLP and the API over gRPC."""
    http_address: str
    """`host:port` of OTLP over HTTP."""
    api_address: str
    """`host:port` of the API as JSON, SQL and the page."""
    is_tls: bool
    """Whether clients must speak TLS."""
    store: str
    """ClickHouse's version and place, passwords masked; says so when it does not answer yet."""
