"""What the collector masks is not stored, whichever way it came in."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
import spanloop

from tests.conftest import StartCollector
from tests.support.collector_process import CollectorProcess
from tests.support.sending import send_span
from tests.support.waiting import wait_until

SECRET = "4111-1111-1111-1111"
MASKS = {"SPANLOOP_STORE_MASK_PATTERNS": r"\d{4}-\d{4}-\d{4}-\d{4}", "SPANLOOP_STORE_MASK_KEYS": "password"}
VIEWS = ("logs", "otel_logs", "traces", "scores", "corrections")


def send_all(collector: CollectorProcess) -> None:
    """The secret in a span that ends, one that runs, a row in two parts, a feedback and a log record."""
    send_span(collector, "json", note=f"card {SECRET}", password="hidden")
    spanloop.init("shop", endpoint=f"http://{collector.grpc_address}", api_url=collector.api_url, running_spans=True)
    handler = spanloop.logging_handler()
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    try:
        with spanloop.start_span("running", input={"card": SECRET}):
            logger.warning("card %s", SECRET, extra={"password": "hidden"})
            assert spanloop.flush()
            wait_until(lambda: rows_named(collector, "running"), what="the running span")
            assert SECRET not in everything(collector)
        rows = spanloop.init_logger("shop")
        row_id = rows.log(name="row", input=[SECRET, {"password": "hidden"}], metadata={"a": SECRET})
        assert spanloop.flush()
        rows.log(id=row_id, output=f'{{"card":"{SECRET}"}}', metadata={"b": {"password": "hidden"}})
        spanloop.log_feedback(row_id, comment=f"card {SECRET}", scores={"good": 1})
        assert spanloop.flush()
    finally:
        logger.removeHandler(handler)
        spanloop.shutdown()


def rows_named(collector: CollectorProcess, name: str) -> list[dict[str, Any]]:
    return collector.sql(f"SELECT * FROM logs WHERE name = '{name}'")


def everything(collector: CollectorProcess) -> str:
    return "\n".join(str(collector.sql(f"SELECT * FROM {view}")) for view in VIEWS)


def assert_nothing_is_left(collector: CollectorProcess) -> None:
    wait_until(lambda: rows_named(collector, "row")[0]["output"], what="the row's second part")
    stored = everything(collector)
    assert SECRET not in stored
    assert "hidden" not in stored
    [row] = rows_named(collector, "row")
    assert row["input"] == '["[masked]",{"password":"[masked]"}]'
    assert row["metadata"]["b"] == '{"password":"[masked]"}'


def test_no_way_in_leads_past_the_masks(start_collector: StartCollector, tmp_path: Path) -> None:
    collector = start_collector(tmp_path, environment=MASKS)
    send_all(collector)
    assert_nothing_is_left(collector)
    collector.stop()
    # Other masks count from the next start on; what is stored stays as it is.
    again = start_collector(tmp_path)
    send_span(again, "later", note=SECRET)
    wait_until(lambda: rows_named(again, "later"), what="the row of the second start")
    assert rows_named(again, "later")[0]["metadata"]["note"] == SECRET
    assert rows_named(again, "json")[0]["metadata"] == {"note": "card [masked]", "password": "[masked]"}


def test_no_table_of_a_server_holds_what_is_masked(start_collector: StartCollector, clickhouse_server: str) -> None:
    collector = start_collector(clickhouse_url=clickhouse_server, database="masked", environment=MASKS)
    send_all(collector)
    assert_nothing_is_left(collector)
    with clickhouse_connect.get_client(dsn=clickhouse_server, database="masked") as client:
        tables = [name for (name,) in client.query("SHOW TABLES").result_rows]
        assert {"spans", "log_records"} <= set(tables)
        assert not any(SECRET in str(client.query(f"SELECT * FROM {name}").result_rows) for name in tables)


def test_masks_that_cannot_work_stop_the_start(start_collector: StartCollector) -> None:
    with pytest.raises(AssertionError, match=r"store\.mask_patterns .*'a\(\?=b\)' is no regular expression of RE2"):
        start_collector(environment={"SPANLOOP_STORE_MASK_PATTERNS": "ok\na(?=b)"})
