"""The one running instance of spanloop in a process: set up, flushed, shut down.

The OpenTelemetry SDK is imported when `init` is called, not before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from spanloop import _settings
from spanloop._failsafe import guarded, log
from spanloop._settings import Settings

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    from spanloop._attachments.keeper import Keeper
    from spanloop._deliver import Delivery
    from spanloop._mask import Mask
    from spanloop._outbox import Stats
    from spanloop._own_span import OwnTracer
    from spanloop._rows.queue import Queued

FLUSH_SECONDS = 10.0


def at_once(finish: Callable[[], None], size: int) -> None:
    finish()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a span needs to start and to be delivered."""

    settings: Settings
    tracer: trace.Tracer
    provider: TracerProvider
    is_joined: bool
    """Whether the provider is the application's own, whose spans share one tree with ours."""
    delivery: Delivery | None
    """None in tests, where spans are captured instead."""
    mask: Mask | None = None
    """What must not leave the process; None if everything may."""
    own: OwnTracer | None = None
    """Starts our spans without the SDK; None where they must be the SDK's."""
    attachments: Keeper | None = None
    """Takes bytes out of rows; None where they stay in."""
    put_row: Callable[[Queued, int], None] | None = None
    """Queues a row or feedback that is written without a span; given with its size in bytes."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds, for durations inside a span."""
    defer: Callable[[Callable[[], None], int], None] = at_once
    """Runs what ends a span later, off the application's path; given with its size in bytes."""


_lock = threading.Lock()  # protects changes of _active
_active: Runtime | None = None


def active() -> Runtime | None:
    return _active


def init(
    project: str | None = None,
    *,
    api_key: str | None = None,
    endpoint: str | None = None,
    protocol: str | None = None,
    tracer_provider: object | None = None,
    running_spans: bool | None = None,
    environment: str | None = None,
    enabled: bool | None = None,
    compression: str | None = None,
    certificate: str | None = None,
    client_certificate: str | None = None,
    client_key: str | None = None,
    flush_interval_seconds: float | None = None,
    request_timeout_seconds: float | None = None,
    exit_flush_seconds: float | None = None,
    max_queue_bytes: int | None = None,
    max_queue_items: int | None = None,
    max_value_chars: int | None = None,
    spill_dir: str | None = None,
    max_spill_bytes: int | None = None,
    attachments: bool | None = None,
    api_url: str | None = None,
    page_url: str | None = None,
    max_attachment_bytes: int | None = None,
    max_attachment_queue_bytes: int | None = None,
    sample_rate: float | None = None,
    keep_errors: bool | None = None,
    mask_keys: Iterable[str] | None = None,
    mask_patterns: Iterable[str] | None = None,
    mask: Callable[[str, Any], Any] | None = None,
) -> None:
    """Starts tracing; call it once, early, for example where the application configures its logging.

    Every argument may come from the environment instead (`SPANLOOP_PROJECT`, `SPANLOOP_API_KEY`,
    `SPANLOOP_ENDPOINT`, … see `spanloop._settings.Settings`). Nothing here raises or waits for the
    network; what is wrong is said in the log. A second call changes nothing.

    By default spanloop has a tracer provider of its own and never touches the global one. Pass the
    application's as `tracer_provider` to put both into one tree; spanloop then adds a span processor.

        spanloop.init("support-bot", endpoint="http://collector:4317")
    """
    arguments = {name: value for name, value in locals().items() if name != "tracer_provider"}
    for name in ("mask_keys", "mask_patterns"):
        if arguments[name] is not None:
            arguments[name] = tuple(arguments[name])
    _start(arguments, tracer_provider)


@guarded
def _start(arguments: dict[str, Any], tracer_provider: object | None) -> None:
    settings, problems = _settings.resolve(arguments)
    for problem in problems:
        log.error("%s", problem)
    with _lock:
        if _active is not None:
            _say_what_differs(_active, settings)
        elif settings.enabled:
            from spanloop import _setup

            _activate(_setup.build(settings, tracer_provider))


def _say_what_differs(running: Runtime, wanted: Settings) -> None:
    """Capturing tests aside, a second init with other values is probably a mistake."""
    names = [
        each.name for each in fields(Settings) if getattr(running.settings, each.name) != getattr(wanted, each.name)
    ]
    if names and running.delivery is not None:
        log.warning(
            "spanloop is already running; init() with a different %s changes nothing. Call spanloop.shutdown() first",
            ", ".join(names),
        )


def _activate(runtime: Runtime | None) -> None:
    global _active
    _active = runtime


def swap(runtime: Runtime | None) -> Runtime | None:
    """Puts another instance in place and returns the former; for `spanloop.testing`."""
    with _lock:
        former = _active
        _activate(runtime)
    return former


def flush(timeout_seconds: float = FLUSH_SECONDS) -> bool:
    """Waits until everything logged so far has left; True when it has.

    For functions that are frozen after they answer (serverless), and for scripts that report.

        spanloop.flush(timeout_seconds=2)
    """
    runtime = _active
    if runtime is None or runtime.delivery is None:
        return True
    return bool(guarded(runtime.delivery.flush)(timeout_seconds))


def shutdown(timeout_seconds: float = FLUSH_SECONDS) -> bool:
    """Sends what is waiting and stops; True when everything has left. `init` may be called again.

    The interpreter's exit does this by itself, within `exit_flush_seconds`.

        spanloop.shutdown()
    """
    runtime = swap(None)
    if runtime is None or runtime.delivery is None:
        return True
    return bool(guarded(runtime.delivery.close)(timeout_seconds))


def stats() -> Stats:
    """What became of the spans and log records so far: delivered, waiting, dropped, refused.

    print(spanloop.stats().dropped)
    """
    from spanloop._outbox import Stats

    runtime = _active
    return runtime.delivery.stats() if runtime is not None and runtime.delivery is not None else Stats()
