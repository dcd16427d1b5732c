"""What an operator may set, grouped by stage; defaults are right for a laptop.

`configuration.py` resolves these from command line, environment and file. Sizes are bytes, times seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class ReceiveSettings:
    """Where the collector listens and what it accepts."""

    grpc_address: str = "127.0.0.1:4317"
    """OTLP over gRPC, and the API over gRPC. Port 0 picks a free one."""
    http_address: str = "127.0.0.1:4318"
    """OTLP over HTTP."""
    api_address: str = "127.0.0.1:7411"
    """API as JSON, SQL and the page."""
    max_message_bytes: int = 64 * MIB
    """Largest request, before and after decompression. A single span may fill it."""
    max_concurrent_requests: int = 1024
    """Requests in flight per transport; more are answered "try later"."""
    default_project: str = "default"
    """Project of spans that name none."""


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Who may talk to the collector."""

    require_keys: bool = False
    """Refuse every request without an API key."""
    insecure: bool = False
    """Allow an address other than loopback without keys."""
    tls_certificate: Path | None = None
    """PEM certificate chain; None serves plain text."""
    tls_key: Path | None = None
    """PEM private key of the certificate."""
    tls_client_ca: Path | None = None
    """PEM authority that clients' certificates must come from; None asks for no client certificate."""


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """The write-ahead log between acknowledgement and ClickHouse."""

    max_bytes: int = 8 * GIB
    """Bound of each signal's spool on disk; at the bound senders are told to try later."""
    segment_bytes: int = 144 * MIB
    """A segment this large, or of 100,000 spans, is sealed; a segment is also one insert."""
    min_free_disk_bytes: int = 256 * MIB
    """Below this much free disk the spool counts as full."""
    fsync: bool = True
    """Acknowledge only after fsync. False survives a killed process, not a power cut."""


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """How segments become inserts."""

    flush_after_seconds: float = 0.25
    """Wait of an acknowledged span before its insert starts; up to 2 s longer while spans keep coming, and none after a
    burst of 16 MiB."""
    connections: int = 2
    """Inserts in flight at once."""
    retry_max_seconds: float = 10.0
    """Longest pause between two tries while ClickHouse is away; there is no last try."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Which ClickHouse, how much of the machine it may take, and what is kept in it."""

    clickhouse_url: str = ""
    """`http[s]://user:password@host:port`; empty embeds ClickHouse under the data directory."""
    database: str = "spanloop"
    """Database of all tables and views; created when missing."""
    cluster: str = ""
    """Cluster name for replicated, distributed tables; empty for one server."""
    max_memory_bytes: int = 2 * GIB
    """Embedded only: bound on what the engine may allocate."""
    retention_days: int = 0
    """Rows older than this are dropped; 0 keeps them for good."""
    mask_keys: str = ""
    """Names whose values no row keeps, in JSON and of attributes, between commas; `user.email` is one in a `user`."""
    mask_patterns: str = ""
    """Regular expressions of RE2, one a line, for what no text of a row keeps."""


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """Bounds of SQL that comes from outside."""

    max_execution_seconds: float = 30.0
    """A statement that runs longer is stopped."""
    max_memory_bytes: int = 1 * GIB
    """Memory of one statement."""
    max_result_rows: int = 1_000_000
    """Rows of one result; more is an error that says so."""
    max_result_bytes: int = 256 * MIB
    """Size of one result, uncompressed; more is an error that says so."""


@dataclass(frozen=True, slots=True)
class AttachmentSettings:
    """Where the bytes lie that rows refer to: images, audio, documents."""

    url: str = ""
    """Place of any kind that fsspec knows, such as `s3://bucket/folder`; empty keeps them in the data directory."""
    max_bytes: int = 64 * MIB
    """Largest attachment."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Messages that alerts and variants send to other servers."""

    allow_private_addresses: bool = False
    """Send them to loopback and private networks too; whoever may make alerts can then reach what listens there."""
    timeout_seconds: float = 10.0
    """A receiver that has not answered by then is tried again later."""


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """Scorer workers that the collector starts beside itself once there is a rule."""

    workers: int = 1
    """Worker processes; 0 leaves scoring to `spanloop score` elsewhere."""
    modules: str = ""
    """Modules and files with scorers of your own, separated by commas; rules name them as `module:function`."""


@dataclass(frozen=True, slots=True)
class PlaygroundSettings:
    """Models that the page's playground may ask; their keys never leave the collector."""

    endpoints: str = ""
    """Providers by name (kind, url, api_key, models), beside those of `OPENAI_API_KEY` and `ANTHROPIC_API_KEY`."""
    max_runs: int = 16
    """Prompts that run at once; more are asked to wait. 0 turns the playground off."""
    timeout_seconds: float = 120.0
    """A model that has not finished its answer by then is stopped."""
    max_answer_bytes: int = 16 * MIB
    """Size of one streamed answer on the wire, some 200 bytes a token; it is cut off there."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `spanloop serve` needs to start."""

    data_dir: Path
    """Holds `spool/`, `dead/`, `clickhouse/`, `attachments/`; one collector per directory."""
    receive: ReceiveSettings = field(default_factory=ReceiveSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    spool: SpoolSettings = field(default_factory=SpoolSettings)
    write: WriteSettings = field(default_factory=WriteSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    query: QuerySettings = field(default_factory=QuerySettings)
    attachments: AttachmentSettings = field(default_factory=AttachmentSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    score: ScoreSettings = field(default_factory=ScoreSettings)
    playground: PlaygroundSettings = field(default_factory=PlaygroundSettings)
