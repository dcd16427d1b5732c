"""What an application may set, from arguments or the environment, with defaults right for a laptop.

`resolve` never raises: a wrong value is reported in words and the default takes its place, because a
typo in a tracing variable must not stop the application.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

MIB = 1024 * 1024
GRPC = "grpc"
HTTP = "http/protobuf"
DEFAULT_PORTS = {GRPC: 4317, HTTP: 4318}
SIGNAL_PATHS = ("/v1/traces", "/v1/logs")


def _from(*variables: str) -> dict[str, tuple[str, ...]]:
    return {"variables": variables}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `spanloop.init` needs to know."""

    project: str = field(default="", metadata=_from("SPANLOOP_PROJECT"))
    """Project the rows belong to; empty leaves it to the API key, or to the collector's default."""
    api_key: str = field(default="", repr=False, metadata=_from("SPANLOOP_API_KEY"))
    """Key sent as `authorization: Bearer …`; empty sends none."""
    endpoint: str = field(default="", metadata=_from("SPANLOOP_ENDPOINT"))
    """Collector's address, `http[s]://host:port`; empty means this machine."""
    protocol: str = field(default="", metadata=_from("SPANLOOP_PROTOCOL"))
    """`grpc` or `http/protobuf`; empty goes by the port: 4318 is HTTP, everything else gRPC."""
    enabled: bool = field(default=True, metadata=_from("SPANLOOP_ENABLED"))
    """False turns every part of spanloop into a no-op."""
    environment: str = field(default="", metadata=_from("SPANLOOP_ENV"))
    """Where the application runs, for example `production`; recorded as `deployment.environment.name`."""
    running_spans: bool | None = field(default=None, metadata=_from("SPANLOOP_RUNNING_SPANS"))
    """Send spans when they start as well as when they end; None means only in `development`."""
    compression: str = field(default="none", metadata=_from("SPANLOOP_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"))
    """`gzip` or `none`."""
    certificate: str = field(default="", metadata=_from("SPANLOOP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"))
    """PEM file of the authority that signed the collector's certificate; empty trusts the system's."""
    client_certificate: str = field(
        default="", metadata=_from("SPANLOOP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE")
    )
    """PEM certificate chain shown to the collector (mutual TLS)."""
    client_key: str = field(default="", metadata=_from("SPANLOOP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"))
    """PEM private key of the client certificate."""
    flush_interval_seconds: float = field(default=1.0, metadata=_from("SPANLOOP_FLUSH_INTERVAL_SECONDS"))
    """Longest wait of a finished span before it is sent, when the collector keeps up."""
    request_timeout_seconds: float = field(default=10.0, metadata=_from("SPANLOOP_REQUEST_TIMEOUT_SECONDS"))
    """Limit of one request to the collector; the batch is then tried again."""
    exit_flush_seconds: float = field(default=5.0, metadata=_from("SPANLOOP_EXIT_FLUSH_SECONDS"))
    """Longest time the interpreter's exit waits for delivery; one second while the collector is away."""
    max_queue_bytes: int = field(default=64 * MIB, metadata=_from("SPANLOOP_MAX_QUEUE_BYTES"))
    """Bound of what waits in memory; beyond it the oldest waiting spans are dropped and counted."""
    max_queue_items: int = field(default=100_000, metadata=_from("SPANLOOP_MAX_QUEUE_ITEMS"))
    """The same bound as a number of spans."""
    max_value_chars: int = field(default=4 * MIB, metadata=_from("SPANLOOP_MAX_VALUE_CHARS"))
    """Longest JSON text of one input, output or other field; longer ones are cut and say so."""

    spill_dir: str = field(default="", metadata=_from("SPANLOOP_SPILL_DIR"))
    """Folder where data waits on disk while the collector is away and the queue half full; empty keeps none."""
    max_spill_bytes: int = field(default=1024 * MIB, metadata=_from("SPANLOOP_MAX_SPILL_BYTES"))
    """Bound of that folder, for spans, log records, rows and attachments each; beyond it the oldest are dropped."""

    attachments: bool = field(default=True, metadata=_from("SPANLOOP_ATTACHMENTS"))
    """Upload images, audio and other bytes apart from the rows, which then only refer to them."""
    api_url: str = field(default="", metadata=_from("SPANLOOP_API_URL"))
    """Where the collector's API takes attachments; empty means port 7411 on the endpoint's host."""
    page_url: str = field(default="", metadata=_from("SPANLOOP_PAGE_URL"))
    """Where people open the collector's page, for `permalink`; empty means where its API is."""
    max_attachment_bytes: int = field(default=64 * MIB, metadata=_from("SPANLOOP_MAX_ATTACHMENT_BYTES"))
    """Largest attachment; larger ones are left out of the row, which says so."""
    max_attachment_queue_bytes: int = field(default=128 * MIB, metadata=_from("SPANLOOP_MAX_ATTACHMENT_QUEUE_BYTES"))
    """Bound of the attachments that wait in memory; beyond it the oldest are dropped and counted."""

    sample_rate: float | None = field(default=None, metadata=_from("SPANLOOP_SAMPLE_RATE"))
    """Part of the traces to send, 0 to 1, recorded on each span; None leaves it to `OTEL_TRACES_SAMPLER`."""
    keep_errors: bool = field(default=False, metadata=_from("SPANLOOP_KEEP_ERRORS"))
    """Send traces with an error even if they were not sampled; all spans are then recorded."""
    mask_keys: tuple[str, ...] = field(default=(), metadata=_from("SPANLOOP_MASK_KEYS"))
    """Keys whose values are masked, dotted where one key is not enough; comma-separated as a variable."""
    mask_patterns: tuple[str, ...] = field(default=(), metadata=_from("SPANLOOP_MASK_PATTERNS"))
    """Regular expressions whose matches are masked in all text; one a line as a variable."""
    mask: Callable[[str, Any], Any] | None = field(default=None, metadata=_from())
    """Called with the name and value of each field and attribute; returns what may be sent."""

    @property
    def sends_running_spans(self) -> bool:
        if self.running_spans is None:
            return self.environment == "development"
        return self.running_spans


def resolve(arguments: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> tuple[Settings, list[str]]:
    """The settings, and a sentence for each value that had to be replaced by its default."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for each in fields(Settings):
        if arguments.get(each.name) is not None:
            values[each.name] = arguments[each.name]
            continue
        variable = next((name for name in each.metadata["variables"] if environ.get(name)), None)
        if variable is not None:
            kind = "lines" if each.name == "mask_patterns" else str(each.type).removesuffix(" | None")
            _parse(variable, environ[variable], each.name, kind, values, problems)
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        values["enabled"] = False
    _settle_choices(values, problems)
    _settle_masks(values, problems)
    values["protocol"], values["endpoint"] = _settle_endpoint(
        values.get("protocol", ""), str(values.get("endpoint", "")), problems
    )
    return Settings(**values), problems


def _parse(variable: str, text: str, name: str, kind: str, values: dict[str, Any], problems: list[str]) -> None:
    try:
        values[name] = _PARSERS[kind](text.strip())
    except ValueError:
        problems.append(f"{variable}={text!r} is not {_EXPECTED[kind]}; ignored")


def _boolean(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(text)


def _positive(text: str) -> float:
    if not 0 <= float(text) < float("inf"):
        raise ValueError(text)
    return float(text)


_PARSERS: dict[str, Any] = {
    "str": str,
    "bool": _boolean,
    "int": lambda text: int(_positive(text)),
    "float": _positive,
    "tuple[str, ...]": lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
    "lines": lambda text: tuple(filter(None, text.splitlines())),
}
_EXPECTED = {
    "bool": "true or false",
    "int": "a whole number of at least 0",
    "float": "a number of at least 0",
}


def _settle_choices(values: dict[str, Any], problems: list[str]) -> None:
    for name, choices in (("protocol", (GRPC, HTTP)), ("compression", ("gzip", "none"))):
        if values.get(name) and values[name] not in choices:
            problems.append(
                f"{name}={values[name]!r} is not one of {', '.join(choices)}; set {name}= or SPANLOOP_{name.upper()}"
            )
            del values[name]


def _settle_masks(values: dict[str, Any], problems: list[str]) -> None:
    """Whoever asks for masking must not find their data sent without: a mistake here turns tracing off."""
    for pattern in values.get("mask_patterns", ()):
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            problems.append(f"mask_patterns: {pattern!r} is no regular expression ({error}); nothing is traced")
            values["enabled"] = False
    if values.get("mask") is not None and not callable(values["mask"]):
        problems.append(f"mask={values['mask']!r} is no function of a name and a value; nothing is traced")
        values["enabled"] = False


def _settle_endpoint(protocol: str, endpoint: str, problems: list[str]) -> tuple[str, str]:
    """Protocol and `scheme://host:port[/path]`, each completed from the other."""
    text = endpoint if "://" in endpoint or not endpoint else f"http://{endpoint}"
    parts = urlsplit(text or "http://127.0.0.1")
    try:
        port = parts.port
    except ValueError:
        port = None
        problems.append(f"endpoint={endpoint!r} has no valid port; set endpoint= or SPANLOOP_ENDPOINT")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        problems.append(f"endpoint={endpoint!r} is not http[s]://host:port; set endpoint= or SPANLOOP_ENDPOINT")
        parts, port = urlsplit("http://127.0.0.1"), None
    protocol = protocol or (HTTP if port == DEFAULT_PORTS[HTTP] else GRPC)
    port = port or (443 if parts.scheme == "https" else DEFAULT_PORTS[protocol])
    path = parts.path.rstrip("/")
    for signal in SIGNAL_PATHS:
        path = path.removesuffix(signal)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return protocol, f"{parts.scheme}://{host}:{port}{path}"
