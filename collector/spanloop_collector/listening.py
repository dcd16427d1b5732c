"""Where a running collector can be reached: what `pipeline.run` hands to `on_ready`, and how it is announced."""

from __future__ import annotations

import re
from dataclasses import dataclass

GRPC_LABEL = "OTLP/gRPC"
HTTP_LABEL = "OTLP/HTTP"
API_LABEL = "API and SQL"

# Every address of a machine to one who listens, none to one who calls.
ANY_HOST = ("0.0.0.0", "[::]")

_ANNOUNCED = re.compile(rf"^({GRPC_LABEL}|{HTTP_LABEL}|{API_LABEL}) +(https?)://(\S+:\d+)$", re.MULTILINE)
_ANNOUNCED_STORE = re.compile(r"^spanloop \S+, ClickHouse (.*)$", re.MULTILINE)


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

    @property
    def scheme(self) -> str:
        """`https` with TLS, else `http`."""
        return "https" if self.is_tls else "http"

    @property
    def endpoint(self) -> str:
        """What a program on this machine sets as OTEL_EXPORTER_OTLP_ENDPOINT."""
        host, _, port = self.grpc_address.rpartition(":")
        return f"{self.scheme}://{'localhost' if host in ANY_HOST else host}:{port}"

    def announcement(self, version: str) -> str:
        """One line for the store and one per listener, for people and for `read_announcement`."""
        return (
            f"spanloop {version}, ClickHouse {self.store}\n"
            f"{GRPC_LABEL}    {self.scheme}://{self.grpc_address}\n"
            f"{HTTP_LABEL}    {self.scheme}://{self.http_address}\n"
            f"{API_LABEL}  {self.scheme}://{self.api_address}"
        )


def read_announcement(text: str) -> Listening | None:
    """The addresses in a collector's output; None while not all of them are there."""
    found = {label: (scheme, address) for label, scheme, address in _ANNOUNCED.findall(text)}
    store = _ANNOUNCED_STORE.search(text)
    if len(found) < 3 or store is None:
        return None
    return Listening(
        grpc_address=found[GRPC_LABEL][1],
        http_address=found[HTTP_LABEL][1],
        api_address=found[API_LABEL][1],
        is_tls=found[API_LABEL][0] == "https",
        store=store[1],
    )
