"""Builds the running instance from settings. Imported by `init`: this is where the SDK comes in."""

from __future__ import annotations

import os
from collections.abc import Callable

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from spanloop import _attributes as names
from spanloop import _encode, _logs
from spanloop._deliver import Delivery
from spanloop._failsafe import guarded, log
from spanloop._ids import SpanloopIds
from spanloop._mask import make_mask
from spanloop._own_span import OwnTracer
from spanloop._processor import SpanloopProcessor
from spanloop._rows.deliver import open_rows
from spanloop._runtime import Runtime, at_once
from spanloop._sampling import sampler
from spanloop._settings import Settings
from spanloop._version import __version__


def build(settings: Settings, tracer_provider: object | None) -> Runtime:
    """A running instance, in a provider of its own or in the application's."""
    provider, is_joined = _provider(settings, tracer_provider)
    mask = make_mask(settings)
    delivery = Delivery(
        settings,
        encode_spans=lambda keeper: _encode.encoder(settings.project, mask, keeper),
        encode_logs=_logs.encoder(settings.project, provider.resource),
    )
    processor = SpanloopProcessor(
        delivery.spans.put,
        sends_running_spans=settings.sends_running_spans,
        max_value_chars=settings.max_value_chars,
        keeps_errors=settings.keep_errors and not is_joined,
        flush=delivery.flush,
        close=delivery.close_at_exit,
    )
    provider.add_span_processor(processor)
    return Runtime(
        settings,
        provider.get_tracer("spanloop", __version__),
        provider,
        is_joined,
        delivery,
        mask=mask,
        own=None if is_joined else own_tracer(settings, provider, processor),
        attachments=delivery.keeper,
        put_row=open_rows(settings, delivery, mask).put,
        # In a shared provider, the application's own processors must not wait for our thread.
        defer=at_once if is_joined else _deferring(delivery),
    )


def _deferring(delivery: Delivery) -> Callable[[Callable[[], None], int], None]:
    def defer(finish: Callable[[], None], size: int) -> None:
        delivery.spans.put(_encode.Deferred(guarded(finish)), size)

    return defer


def _provider(settings: Settings, given: object | None) -> tuple[TracerProvider, bool]:
    if isinstance(given, TracerProvider):
        return given, True
    if given is not None:
        log.error(
            "tracer_provider=%r is not a TracerProvider of opentelemetry.sdk; using one of our own. "
            "Set up OpenTelemetry before spanloop.init()",
            type(given).__name__,
        )
    return own_provider(settings), False


def own_tracer(settings: Settings, provider: TracerProvider, processor: SpanloopProcessor) -> OwnTracer | None:
    """Starts spans without the SDK; None where a sampler has a say in each of them."""
    if settings.sample_rate is not None or os.environ.get("OTEL_TRACES_SAMPLER"):
        return None
    return OwnTracer(processor, provider.resource, InstrumentationScope("spanloop", __version__))


def own_provider(settings: Settings, ids: SpanloopIds | None = None) -> TracerProvider:
    """A provider that is nobody else's and never becomes the global one."""
    attributes = {names.PROJECT: settings.project, "deployment.environment.name": settings.environment}
    return TracerProvider(
        sampler=sampler(settings),
        resource=Resource.create({key: value for key, value in attributes.items() if value}),
        # Our values are JSON: cut by OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT they would not be any more.
        span_limits=SpanLimits(max_attribute_length=SpanLimits.UNSET),
        id_generator=ids or SpanloopIds(),
        shutdown_on_exit=False,
    )
