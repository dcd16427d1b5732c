"""A collector that is killed while it scores: nothing is missed, nothing is stored twice."""

from __future__ import annotations

import time

import pytest
from spanloop_collector.client import ApiClient, ApiError

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
    client.post("/v1/scoring-rules/json/backfills", {"project": "p"})
    wait_until(lambda: collector.sql("SELECT 1 FROM scores LIMIT 1"), what="a first score", timeout=60)
    collector.kill()
    collector.start()

    def progress() -> dict[str, object] | None:
        (found,) = client.get("/v1/backfills")["backfills"]
        return found if found["state"] == "queued" and found["done"] >= found["queued"] else None

    found = wait_until(progress, what="a backfill that is done", timeout=90, poll=0.2)

    assert found is not None
    assert (found["matched"], found["queued"], found["done"]) == (ROWS, ROWS, ROWS)
    (counts,) = collector.sql("SELECT count() AS scores, uniqExact(id) AS rows, sum(score) AS sum FROM scores")
    assert counts == {"scores": ROWS, "rows": ROWS, "sum": ROWS}
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
