"""One tracing library in a process of its own: decorates the same small function and calls it when told.

    python -m tests.benchmarks.sdk_contenders NAME SINK_ENDPOINT

Reads numbers of calls from standard input, one a line; answers each as JSON: seconds passed, CPU time of the calling
thread, and of the process with the sending. Every library does what it does in production up to the point where a
request leaves: spanloop and one bare OpenTelemetry send to a local sink, the others end in an exporter that does
nothing.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import Any

Work = Callable[[str, int], dict[str, Any]]
Flush = Callable[[], object]

QUESTION = "Where is order 7? It should have been here yesterday."
PACKAGES = {
    "langfuse": "langfuse",
    "logfire": "logfire",
    "braintrust": "braintrust",
    "openinference": "openinference-instrumentation",
}
_open = ExitStack()


def answer(question: str, limit: int) -> dict[str, Any]:
    """What is traced: next to nothing, so that what is measured is the tracing."""
    return {"answer": question, "tokens": limit, "sources": ["a", "b"]}


def _spanloop(sink: str) -> tuple[Work, Flush]:
    import spanloop

    spanloop.init("bench", endpoint=sink)
    return spanloop.traced(answer), lambda: spanloop.flush(30)


def _bare(sink: str) -> tuple[Work, Flush]:
    """A span with the attributes that spanloop writes, and nothing else."""
    return _opentelemetry(_null_exporter())


def _bare_sending(sink: str) -> tuple[Work, Flush]:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    return _opentelemetry(OTLPSpanExporter(endpoint=sink, insecure=True))


def _opentelemetry(exporter: Any) -> tuple[Work, Flush]:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("bench")
    given = json.dumps({"question": QUESTION, "limit": 7})
    result = json.dumps(answer(QUESTION, 7))

    def work(question: str, limit: int) -> dict[str, Any]:
        span = tracer.start_span("answer", attributes={"spanloop.type": "function", "spanloop.input": given})
        value = answer(question, limit)
        span.set_attribute("spanloop.output", result)
        span.end()
        return value

    return work, provider.force_flush


def _langfuse(sink: str) -> tuple[Work, Flush]:
    langfuse = import_module("langfuse")
    keys = {"public_key": "pk", "secret_key": "sk", "base_url": "http://127.0.0.1:9"}
    client = langfuse.Langfuse(**keys, span_exporter=_null_exporter())
    return langfuse.observe()(answer), client.flush


def _logfire(sink: str) -> tuple[Work, Flush]:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    logfire = import_module("logfire")
    processor = BatchSpanProcessor(_null_exporter())
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[processor], metrics=False)
    return logfire.instrument(extract_args=True, record_return=True)(answer), logfire.force_flush


def _braintrust(sink: str) -> tuple[Work, Flush]:
    braintrust, logger, test_helpers = map(
        import_module, ("braintrust", "braintrust.logger", "braintrust.test_helpers")
    )
    # Its own in-memory sink, which needs no account; what it logs there is serialized when it is taken out.
    test_helpers.simulate_login()
    memory = _open.enter_context(logger._internal_with_memory_background_logger())
    test_helpers.init_test_logger("bench")
    return braintrust.traced(answer), memory.pop


def _openinference(sink: str) -> tuple[Work, Flush]:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_null_exporter()))
    openinference = import_module("openinference.instrumentation")
    tracer = openinference.OITracer(provider.get_tracer("bench"), openinference.TraceConfig())
    return tracer.chain(answer), provider.force_flush


def _null_exporter() -> Any:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class NullExporter(SpanExporter):
        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    return NullExporter()


CONTENDERS: dict[str, Callable[[str], tuple[Work, Flush]]] = {
    "spanloop": _spanloop,
    "bare": _bare,
    "bare sending": _bare_sending,
    "langfuse": _langfuse,
    "logfire": _logfire,
    "braintrust": _braintrust,
    "openinference": _openinference,
}


def main() -> None:
    """Answers until the input ends."""
    work, flush = CONTENDERS[sys.argv[1]](sys.argv[2])
    for line in sys.stdin:
        calls = int(line)
        cpu, caller = time.process_time(), time.thread_time()
        started = time.perf_counter()
        for _ in range(calls):
            work(QUESTION, 7)
        seconds, caller_seconds = time.perf_counter() - started, time.thread_time() - caller
        flush()
        report = {"seconds": seconds, "caller_seconds": caller_seconds, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
