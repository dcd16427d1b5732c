"""A load generator: a process of its own that sends requests over gRPC and says what it saw.

python -m tests.benchmarks.load --endpoint 127.0.0.1:4317 --profile llm --spans 200000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import TypeAlias

import grpc
import grpc.aio

from tests.benchmarks.profiles import PROFILES, SPANS_PER_REQUEST, Requests

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
RETRY_SECONDS = 0.1

Export: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"


@dataclass(frozen=True, slots=True)
class Report:
    """What one run sent."""

    started_unix_seconds: float
    """When the first request was sent: making the requests does not count."""
    acknowledged: int
    """Spans."""
    seconds: float
    retries: int
    p50_ms: float
    """Latency of an acknowledgement."""
    p99_ms: float
    cpu_seconds: float
    """Of the generator itself."""


class Generator:
    """Sends `spans` spans, so many requests at a time, as fast as they are taken or at a steady rate."""

    def __init__(self, endpoint: str, profile: str, *, spans: int, concurrency: int, rate: float) -> None:
        self._endpoint = endpoint
        self._requests = Requests(profile)
        self._remaining = spans // SPANS_PER_REQUEST
        self._concurrency = concurrency
        self._interval = SPANS_PER_REQUEST / rate if rate else 0.0
        self._latencies: list[float] = []
        self._retries = 0

    async def run(self) -> Report:
        started_unix, started, cpu = time.time(), time.perf_counter(), time.process_time()
        options = [("grpc.max_send_message_length", -1)]
        async with grpc.aio.insecure_channel(self._endpoint, options=options) as channel:
            export: Export = channel.unary_unary(EXPORT)
            if self._interval:
                await self._send_paced(export)
            else:
                await asyncio.gather(*(self._send_all(export) for _ in range(self._concurrency)))
        latencies = sorted(self._latencies)
        return Report(
            started_unix_seconds=started_unix,
            acknowledged=len(latencies) * SPANS_PER_REQUEST,
            seconds=time.perf_counter() - started,
            retries=self._retries,
            p50_ms=statistics.median(latencies) * 1000,
            p99_ms=latencies[int(len(latencies) * 0.99)] * 1000,
            cpu_seconds=time.process_time() - cpu,
        )

    async def _send_all(self, export: Export) -> None:
        while self._remaining > 0:
            self._remaining -= 1
            await self._send(export, self._requests.new())

    async def _send_paced(self, export: Export) -> None:
        """Requests at fixed times, whether or not earlier ones are back: a slow answer counts in full."""
        async with asyncio.TaskGroup() as group:
            due = time.perf_counter()
            for _ in range(self._remaining):
                await asyncio.sleep(max(due - time.perf_counter(), 0))
                group.create_task(self._send(export, self._requests.new(), due=due))
                due += self._interval

    async def _send(
        self,
        export: Export,
        payload: bytes,
        *,
        due: float | None = None,
    ) -> None:
        started = due or time.perf_counter()
        while True:
            try:
                await export(payload)
            except grpc.aio.AioRpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
                    raise
                self._retries += 1
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._latencies.append(time.perf_counter() - started)
                return


def main() -> None:
    """Runs one load and prints its report as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", required=True, help="host:port of OTLP/gRPC")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="llm")
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--concurrency", type=int, default=8, help="requests in flight")
    parser.add_argument("--rate", type=float, default=0.0, help="spans per second; 0 sends as fast as they are taken")
    given = parser.parse_args()
    generator = Generator(
        given.endpoint, given.profile, spans=given.spans, concurrency=given.concurrency, rate=given.rate
    )
    json.dump(asdict(asyncio.run(generator.run())), sys.stdout)
    print()


if __name__ == "__main__":
    main()
