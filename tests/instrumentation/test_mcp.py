"""Tools of an MCP server in another process: their spans lie below the one that asked, and go to nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.instrumentation.otlp_collector import Collector

# What an application says that has tracing of its own.
PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
"""
SERVER = """
import sys
import spanloop
from mcp.server import MCPServer

spanloop.init("tools", endpoint=sys.argv[1], flush_interval_seconds=0.05)
spanloop.auto_instrument()
server = MCPServer("tools")

@server.tool()
@spanloop.traced
def add(a: int, b: int) -> int:
    return a + b

server.run()
"""
CLIENT = """
import asyncio, sys
import spanloop
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

spanloop.init("bot", endpoint=sys.argv[1])
spanloop.auto_instrument()

async def main():
    server = StdioServerParameters(command=sys.executable, args=["-W", "ignore", "server.py", sys.argv[1]])
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        with spanloop.start_span("request"):
            await session.call_tool("add", {"a": 1, "b": 2})

asyncio.run(main())
"""


def run(collector: Collector, folder: Path, *, client: str = CLIENT, server: str = SERVER) -> dict[str, str | None]:
    """The parent's name of each span of ours; None of roots."""
    (folder / "server.py").write_text(server)
    command = [sys.executable, "-W", "ignore", "-c", client, collector.endpoint]
    subprocess.run(command, cwd=folder, timeout=60, check=True, stderr=subprocess.DEVNULL)
    spans = collector.received.spans
    names = {span.span_id: span.name for span in spans}
    assert len({span.trace_id for span in spans if span.name in ("request", "add")}) == 1
    return {span.name: names.get(span.parent_span_id) for span in spans}


def test_a_tool_runs_below_the_span_that_asked(collector: Collector, tmp_path: Path) -> None:
    above = run(collector, tmp_path)
    assert above["add"] == "tools/call add"
    assert above["tools/call add"] == "MCP send tools/call add"
    assert above["MCP send tools/call add"] == "request"


def test_so_it_does_beside_tracing_of_the_applications_own(collector: Collector, tmp_path: Path) -> None:
    """MCP's spans are then the application's, in a trace of their own."""
    above = run(collector, tmp_path, client=PROVIDER + CLIENT, server=PROVIDER + SERVER)
    assert above == {"request": None, "add": "request"}


APPLICATION = """
import sys
import spanloop, spanloop.testing
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

theirs = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(theirs))
with spanloop.testing.capture() as ours:
    spanloop.auto_instrument()
    from mcp.shared._otel import inject_trace_context, otel_span
    from opentelemetry.trace import SpanKind
    with spanloop.start_span("request"), otel_span("send", kind=SpanKind.CLIENT):
        inject_trace_context({})
assert [span.name for span in ours.spans] == ["request"]
assert [span.name for span in theirs.get_finished_spans()] == ["send"]
"""


def test_spans_of_an_application_with_a_provider_of_its_own_stay_its_own() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", APPLICATION], timeout=60, check=True)
