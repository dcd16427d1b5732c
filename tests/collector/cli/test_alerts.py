"""`spanloop alerts` against a running collector: from a file to a signed message, across a restart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from spanloop import webhooks
from spanloop_collector.cli.alerts import read_condition
from spanloop_collector.errors import ConfigError

from tests.conftest import StartCollector
from tests.support.command_here import ask_here
from tests.support.sending import send_span
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import webhook_receiver

FILE = """
alerts:
  - name: failing calls
    sql: SELECT name, count() FROM logs WHERE error != '' GROUP BY name
    when: "> 0"
    url: {url}
    every_seconds: 1
    description: Look at <the> dashboard
"""


def test_from_a_file_to_a_signed_message_that_a_restart_does_not_repeat(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    environment = {"SPANLOOP_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES": "true"}
    collector = start_collector(environment=environment)
    with webhook_receiver() as receiver:
        file = tmp_path / "alerts.yaml"
        file.write_text(FILE.format(url=receiver.url))
        applied = ask_here(collector, "alerts", "apply", "-f", str(file), SPANLOOP_PROJECT="shop")
        assert applied.error == ""
        created, secret = applied.stdout.splitlines()
        assert created == "created failing calls"
        again = ask_here(collector, "alerts", "apply", "-f", str(file), SPANLOOP_PROJECT="shop")
        assert again.stdout == "unchanged failing calls\n", again.error
        tested = ask_here(collector, "alerts", "test", "failing calls", "--send", SPANLOOP_PROJECT="shop")
        assert "the test message was delivered (204)" in tested.stdout, tested.error
        send_span(collector, "pay", project="shop", **{"spanloop.error": "declined"})
        wait_until(lambda: len(receiver.received) == 2, what="the message of the alert")
        test, message = receiver.received
        for each in (test, message):
            webhooks.verify(each.body, each.headers, secret)
        assert re.fullmatch(
            r"🔴 \*failing calls\* fires: 1 \(&gt; 0\) for name=pay in project shop\nLook at &lt;the&gt; dashboard",
            message.json["text"],
        )
        assert message.json["data"]["labels"] == {"name": "pay"}
        listed = ask_here(collector, "alerts", "list").stdout
        assert "firing" in listed
        assert "name=pay 1" in listed
        assert receiver.url not in listed
        collector.stop()
        restarted = start_collector(collector.data_dir, environment=environment)
        count = "SELECT count() AS n FROM alerts WHERE evaluated > now() - 1 AND status = 'firing'"
        wait_until(lambda: restarted.sql(count)[0]["n"], what="an evaluation after the restart")
        send_span(restarted, "ship", project="shop", **{"spanloop.error": "lost"})
        wait_until(lambda: len(receiver.received) == 3, what="the message about the other call")
        assert receiver.received[2].json["data"]["labels"] == {"name": "ship"}
        rows = wait_until(
            lambda: restarted.sql("SELECT event, status, attempts FROM webhook_deliveries WHERE status = 'delivered'"),
            what="deliveries in SQL",
        )
        assert rows[0] == {"event": "firing", "status": "delivered", "attempts": 1}
        file.write_text("alerts: []")
        pruned = ask_here(restarted, "alerts", "apply", "-f", str(file), "--prune", SPANLOOP_PROJECT="shop")
        assert pruned.stdout == "deleted failing calls\n", pruned.error
    assert "Traceback" not in restarted.log


@pytest.mark.parametrize(
    ("text", "expected"),
    [("> 0.1", (">", 0.1)), ("<=-5", ("<=", -5.0)), ("!= 1e3", ("!=", 1000.0)), ("", ("", 0.0))],
)
def test_conditions(text: str, expected: tuple[str, float]) -> None:
    assert read_condition(text) == expected


def test_a_condition_without_a_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="not of the form"):
        read_condition("> high")
