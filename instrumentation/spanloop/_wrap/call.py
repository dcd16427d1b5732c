"""One call of a provider's API as a span: opened from the request, closed by the reply, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._failsafe import guarded
from spanloop._fields import encodable, error_text, fields_as_attributes
from spanloop._otel_span import record_error, span_name, start_otel_span
from spanloop._runtime import at_once
from spanloop._wrap import genai
from spanloop._wrap.endpoint import Endpoint
from spanloop._wrap.host import GUEST, find_host
from spanloop._wrap.providers import server_of


class Call:
    """A request under way. Whatever happens first ends it: the reply, its stream's end, an error."""

    def __init__(
        self,
        runtime: _runtime.Runtime,
        endpoint: Endpoint,
        body: Mapping[str, Any],
        *,
        provider: str,
        base_url: str,
    ) -> None:
        self._runtime = runtime
        self._endpoint = endpoint
        self._max_chars = runtime.settings.max_value_chars
        self._started = runtime.clock()
        self._failed_tries: list[tuple[int, str]] = []  # when, and how
        self._last_failure: tuple[int, str] | None = None  # a failed try's, until it is known whether it was the last
        self._has_token = False
        self._has_failed = False
        self._outcome = ""
        attributes = self._opening(body, provider, base_url)
        host = find_host(endpoint.operation)
        self._is_guest = host is not None
        self._span: Any = self._started_span(attributes) if host is None else self._moved_in(host, attributes)

    def _started_span(self, attributes: dict[str, Any]) -> Any:
        asked = attributes.get(genai.REQUEST_MODEL) or attributes.get(genai.AGENT_NAME)
        operation = self._endpoint.operation
        name = span_name(f"{operation} {asked}" if asked else operation)
        return start_otel_span(self._runtime, name, attributes, kind=SpanKind.CLIENT)

    def _moved_in(self, host: Any, attributes: dict[str, Any]) -> Any:
        """The span of a framework that records this very call, and will end it."""
        before: Call | None = getattr(host, GUEST, None)
        if before is not None:
            self._failed_tries = [*before._failed_tries, (time.time_ns(), before._outcome)]
        setattr(host, GUEST, self)
        host.set_attributes(attributes)
        return host

    def _opening(self, body: Mapping[str, Any], provider: str, base_url: str) -> dict[str, Any]:
        opening = self._endpoint.read_request(body)
        address, port = server_of(base_url)
        attributes = {
            **fields_as_attributes({}, self._max_chars, input=opening.input, metadata=opening.metadata),
            names.TYPE: "llm",
            genai.OPERATION: self._endpoint.operation,
            genai.PROVIDER: provider,
            **_attribute_values(opening.attributes),
        }
        if address:
            attributes[genai.SERVER_ADDRESS] = address
        if port:
            attributes[genai.SERVER_PORT] = port
        return attributes

    def enter(self) -> _context.Entry:
        return _context.enter(self._span, is_shared=self._runtime.is_joined)

    # What happens to the request.

    @guarded
    def retrying(self, outcome: str) -> None:
        """A try failed with `outcome`, and the client tries again."""
        self._failed_tries.append((time.time_ns(), outcome))

    @guarded
    def trying(self) -> None:
        """A try begins; for clients that do not say when they try again."""
        if self._last_failure is not None:
            self._failed_tries.append(self._last_failure)
            self._last_failure = None

    @guarded
    def try_failed(self, outcome: str) -> None:
        """The try failed; unless another begins, the call did."""
        self._last_failure = (time.time_ns(), outcome)

    @guarded
    def saw(self, event: Mapping[str, Any]) -> None:
        """A streamed event arrived; the first that carries generated content is the first token."""
        if not self._has_token and self._endpoint.is_token(event):
            self._has_token = True
            self._span.set_attribute(genai.TIME_TO_FIRST_CHUNK, self._runtime.clock() - self._started)

    @property
    def has_failed(self) -> bool:
        """Whether the call raised."""
        return self._has_failed

    @property
    def has_token(self) -> bool:
        return self._has_token

    @guarded
    def close(self, reply: Any) -> None:
        """The reply is there."""
        if self._span.is_recording():
            self._write(reply)
            self._end()

    def _end(self, at: int | None = None) -> None:
        if not self._is_guest:
            self._span.end(at)

    def close_later(self, read: Callable[[], Any], size: int, error: BaseException | None) -> None:
        """The reply has been read, as far as it was; `read` makes sense of it when there is time.

        `read` returns a list of events, or the whole reply.
        """
        ended_at = time.time_ns()
        defer = at_once if self._is_guest else self._runtime.defer  # the host's span ends when its framework says
        defer(lambda: self._close(read, error, ended_at), size)

    @guarded
    def _close(self, read: Callable[[], Any], error: BaseException | None, ended_at: int) -> None:
        if not self._span.is_recording():
            return
        try:
            reply = read()
            if isinstance(reply, list) and reply:
                self._write(self._endpoint.join(reply))
                self._mark_failed(_error_in(reply))
            elif not isinstance(reply, list):
                self._write(reply)
            if error is not None:
                record_error(self._span, error)
        finally:
            self._end(ended_at)

    @guarded
    def fail(self, error: BaseException) -> None:
        """The call raised."""
        self._has_failed = True
        self._outcome = error_text(error)
        if self._span.is_recording() and not self._is_guest:  # a framework may try again, and says itself if not
            self._set(fields_as_attributes(self._existing(), self._max_chars, metrics=self._tries()))
            record_error(self._span, error)
            self._end()

    def _write(self, reply: Any) -> None:
        closing = self._endpoint.read_reply(reply)
        self._set(
            fields_as_attributes(
                self._existing(),
                self._max_chars,
                input=closing.input,
                output=closing.output,
                metadata=closing.metadata,
                metrics={**closing.metrics, **self._tries()},
            ),
            closing.attributes,
        )
        self._mark_failed(closing.error)

    def _tries(self) -> dict[str, float]:
        """How often the client tried, if more than once; each failed try is an event of the span."""
        for at, outcome in self._failed_tries:
            self._span.add_event("retry", {"retry.reason": outcome}, at)
        return {"attempts": len(self._failed_tries) + 1} if self._failed_tries else {}

    def _existing(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = getattr(self._span, "attributes", None)
        return found or {}

    def _set(self, *attributes: Mapping[str, Any]) -> None:
        for each in attributes:
            self._span.set_attributes(_attribute_values(each))

    def _mark_failed(self, problem: str) -> None:
        if not problem:
            return
        text = error_text(problem)
        self._span.set_attribute(names.ERROR, text)
        self._span.set_status(Status(StatusCode.ERROR, text))


def _attribute_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: encodable(value) if isinstance(value, str) else value
        for name, value in values.items()
        if isinstance(value, str | bool | int | float)
    }


def _error_in(events: list[Mapping[str, Any]]) -> str:
    """What a provider says in mid-stream instead of the rest of the answer."""
    for event in events[-2:]:
        error = event.get("error")
        if isinstance(error, Mapping):
            return str(error.get("message") or error)
    return ""
