"""Python's logging reaches the collector with one line, joined to spans."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import spanloop
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from tests.instrumentation.otlp_collector import Collector, http_collector


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("shop.checkout")
    logger.setLevel(logging.DEBUG)
    handler = spanloop.logging_handler()
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    logger.propagate = True


def attributes(record: LogRecord) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in record.attributes
    }


def test_a_record_knows_its_span(collector: Collector, logger: logging.Logger) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)
    with spanloop.start_span("answer") as span:
        logger.warning("%d results for %r", 0, "why?", extra={"customer": "acme", "ids": [1, 2]})
    logger.info("outside")
    assert spanloop.flush()

    inside, outside = collector.received.records
    assert inside.body.string_value == "0 results for 'why?'"
    assert (inside.trace_id.hex(), inside.span_id.hex()) == (span.trace_id, span.span_id)
    assert (inside.severity_text, inside.severity_number) == ("WARN", 13)
    assert inside.time_unix_nano > 0
    found = attributes(inside)
    assert (found["customer"], found["ids"]) == ("acme", "[1,2]")
    assert found["code.function.name"] == "test_a_record_knows_its_span"
    assert (outside.trace_id, outside.severity_text, outside.severity_number) == (b"", "INFO", 9)

    [request] = collector.received.logs
    [resource] = request.resource_logs
    [scope] = resource.scope_logs
    assert scope.scope.name == "shop.checkout"
    described = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert described["spanloop.project"] == "bot"


def test_over_http(logger: logging.Logger) -> None:
    with http_collector() as collector:
        spanloop.init("bot", endpoint=collector.endpoint, protocol="http/protobuf")
        logger.error("broken")
        assert spanloop.shutdown()
        assert [record.body.string_value for record in collector.received.records] == ["broken"]


def test_an_exception_is_kept(collector: Collector, logger: logging.Logger) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)
    try:
        raise KeyError("k")
    except KeyError:
        logger.exception("lookup failed")
    spanloop.flush()
    [record] = collector.received.records
    found = attributes(record)
    assert (found["exception.type"], found["exception.message"]) == ("KeyError", "'k'")
    assert 'raise KeyError("k")' in found["exception.stacktrace"]


@pytest.mark.parametrize(
    ("level", "text", "number"),
    [(3, "Level 3", 1), (10, "DEBUG", 5), (40, "ERROR", 17), (50, "FATAL", 21), (99, "Level 99", 21)],
)
def test_levels(level: int, text: str, number: int, collector: Collector, logger: logging.Logger) -> None:
    logger.setLevel(1)
    spanloop.init("bot", endpoint=collector.endpoint)
    logger.log(level, "x")
    spanloop.flush()
    [record] = collector.received.records
    assert (record.severity_text, record.severity_number) == (text, number)


def test_a_message_that_is_no_text(collector: Collector, logger: logging.Logger) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)
    # What pytest captures travels between its processes, half a pair does not.
    logger.propagate = False
    logger.info({"event": "paid", "cents": 100})
    logger.info("half \ud800 pair")
    spanloop.flush()
    assert [record.body.string_value for record in collector.received.records] == [
        '{"event":"paid","cents":100}',
        "half \\ud800 pair",
    ]


def test_our_own_lines_are_not_sent(collector: Collector) -> None:
    handler = spanloop.logging_handler()
    spanloop.init("bot", endpoint=collector.endpoint)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        logging.getLogger("spanloop").warning("about delivery")
        logging.getLogger("spanloop_collector").warning("somebody else")
    finally:
        root.removeHandler(handler)
    spanloop.flush()
    assert [record.body.string_value for record in collector.received.records] == ["somebody else"]


def test_before_init_records_are_ignored(logger: logging.Logger) -> None:
    logger.warning("nobody listens")
    assert spanloop.stats() == spanloop.Stats()


def test_a_broken_format_is_kept_as_it_is(collector: Collector, logger: logging.Logger) -> None:
    logger.propagate = False  # pytest's own handler would raise
    spanloop.init("bot", endpoint=collector.endpoint)
    logger.warning("%d results", "no number")
    spanloop.flush()
    assert [record.body.string_value for record in collector.received.records] == ["%d results ('no number',)"]
