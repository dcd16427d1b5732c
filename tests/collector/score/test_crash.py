"""A collector that is killed or stopped while it scores: nothing is missed, nothing is stored twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from spanloop_collector.client import ApiClient, ApiError

from tests.collector.score.conftest import SCORERS
from tests.conftest import StartCollector
from tests.support.waiting import wait_until

ROWS = 1500


def test_backfill_goes_on_after_a_kill(start_collector: StartCollector) -> None:
    collector = start_collector(
        environment={"SPANLOOP_WRITE_FLUSH_AFTER_SECONDS": "0.05", "SPANLOOP_REQUIRE_KEYS": "true"}
    )
    client = ApiClient(collector.api_url, key=collector.admin_key)
    end = time.time()
    rows = [{"id": f"r{n}", "output": {"n": n}, "metrics": {"start": end - 1, "end": end}} for n in range(ROWS)]
    client.post("/v1/rows", {"project": "p", "rows": rows})
    rule = {"name": "json", "project": "p", "scorers": [{"use": "is_json"}], "enabled": False}
    client.post("/v1/scoring-rules", {"rule": rule})
    command = [sys.executable, "-m", "spanloop_collector", "rules", "backfill", "json", "--project", "p"]
    told = {**os.environ, "SPANLOOP_API_URL": collector.api_url, "SPANLOOP_API_KEY": collector.admin_key}
    backfill = subprocess.Popen(command, env=told, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: collector.sql("SELECT 1 FROM scores LIMIT 1"), what="a first score", timeout=60)
    collector.kill()
    collector.start()

    def progress() -> dict[str, object] | None:
        (found,) = client.get("/v1/backfills")["backfills"]
        return found if found["state"] == "queued" and found["done"] >= found["queued"] else None

    found = wait_until(progress, what="a backfill that is done", timeout=150, poll=0.5)

    assert found is not None
    # Who waits for the backfill waits for the collector, too.
    assert f"done: matched {ROWS}, queued {ROWS}, done {ROWS}" in backfill.communicate(timeout=30)[0]
    assert (found["matched"], found["queued"], found["done"]) == (ROWS, ROWS, ROWS)
    # A task's end is written by a view of the table that has its scores: of the two either may be seen first.
    counts = "SELECT count() AS scores, uniqExact(id) AS rows, sum(score) AS sum FROM scores"
    expected = [{"scores": ROWS, "rows": ROWS, "sum": ROWS}]
    wait_until(lambda: collector.sql(counts) == expected, what="every score, once", timeout=10, poll=0.2)
    (status,) = collector.sql("SELECT scored, waiting, backfilled, backfill_waiting FROM scoring_rule_status")
    assert status == {"scored": 0, "waiting": 0, "backfilled": ROWS, "backfill_waiting": 0}
    (logs,) = collector.sql(
        "SELECT countIf(scores['is_json'] = 1 AND type != 'score') AS rows, countIf(type = 'score') AS spans FROM logs"
    )
    assert logs == {"rows": ROWS, "spans": ROWS}

    # Whoever has a key of another project sees nothing of this.
    key = client.post("/v1/keys", {"name": "other", "project": "q", "scopes": ["SCOPE_ADMIN"]})["secret_key"]
    other = ApiClient(collector.api_url, key=key)
    for view in ("scores", "score_estimates", "scoring_rules", "scoring_rule_status"):
        assert other.sql_rows(f"SELECT count() AS n FROM {view}") == [{"n": 0}], view
    assert other.get("/v1/scoring-rules") == {"rules": []}
    with pytest.raises(ApiError, match="belongs to project 'q', not to 'p'"):
        other.post("/v1/scoring-rules", {"rule": rule})


def test_a_stop_lets_what_is_under_way_finish_and_gives_the_rest_back(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    collector = start_collector(environment={"SPANLOOP_SCORE_MODULES": str(SCORERS)})
    client, calls, end = ApiClient(collector.api_url), tmp_path / "calls", time.time()
    rule = {"name": "count", "scorers": [{"use": "scorers:count_slowly"}]}
    client.post("/v1/scoring-rules", {"rule": rule})
    finished = {"output": "x", "metrics": {"start": end - 1, "end": end}}
    rows = [{"id": f"r{n}", "metadata": {"calls": str(calls), "n": str(n)}} | finished for n in range(40)]
    client.post("/v1/rows", {"rows": rows})
    wait_until(calls.exists, what="a first call", timeout=60)

    collector.stop()
    under_way = len(calls.read_text().split())
    collector.start()
    wait_until(
        lambda: collector.sql("SELECT count() AS n FROM scores WHERE status = 'scored'") == [{"n": 40}],
        what="every score",
        timeout=60,
        poll=0.2,
    )

    assert under_way < 40
    assert sorted(map(int, calls.read_text().split())) == list(range(40))
