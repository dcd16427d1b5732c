"""For the pages of rules and review: rules with scores and failures, and rows that wait for people."""

from __future__ import annotations

from tests.page import seed
from tests.page.evals import Api
from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

RULE = "short answers"
FAILING = "broken pattern"
QUEUE = "complaints"
HOSTILE_QUEUE = "strangers"
SCORED_ROWS = 40
FAILED_ROWS = 3
QUESTIONS = "name = 'answer question' AND span_id LIKE '00000000%'"


def fill(collector: CollectorProcess, *, key: str = "") -> None:
    """Makes everything, once the rows of `seed` show in SQL; returns when rows are scored."""
    api = Api(collector, key=key)
    make_rules(api)
    put(api, QUEUE, f"{QUESTIONS} AND error != ''")
    put(api, HOSTILE_QUEUE, f"trace_id = '{seed.HOSTILE_TRACE}'")


def make_rules(api: Api) -> None:
    """A rule of two versions with scores of past rows, and one whose every call fails; both are off."""
    rule = {
        "name": RULE,
        "project": seed.PROJECT,
        "filter": QUESTIONS,
        "sampling_rate": 0.5,
        "enabled": False,
        "scorers": [
            {"use": "length_between", "name": "brief", "options": {"max_characters": 57}},
            {"use": "contains", "name": "settings", "options": {"text": ["settings", "sorry"]}},
        ],
    }
    api.call("/v1/scoring-rules", {"rule": rule})
    api.call("/v1/scoring-rules", {"rule": rule | {"sampling_rate": 1.0, "description": "Answers are to be brief."}})
    failing = {"use": "matches", "options": {"pattern": f"({seed.HOSTILE_TEXTS[1]}"}, "max_attempts": 1}
    hostile = {"name": FAILING, "description": seed.HOSTILE, "scorers": [failing]}
    api.call("/v1/scoring-rules", {"rule": rule | hostile | {"sampling_rate": 1.0}})
    backfill(api, RULE, SCORED_ROWS)
    backfill(api, FAILING, FAILED_ROWS)


def backfill(api: Api, rule: str, count: int) -> None:
    """Puts the newest so many questions through a rule, and waits until they are scored."""
    wish = {"project": seed.PROJECT, "filter": f"substring(span_id, 14, 2) < '{count:02x}'"}
    api.call(f"/v1/scoring-rules/{rule}/backfills", wish)

    def is_done() -> bool:
        (found,) = api.call(f"/v1/backfills?project={seed.PROJECT}&rule={rule}")["backfills"]
        return bool(found["state"] == "queued" and 0 < found["queued"] <= found["done"])

    wait_until(is_done, what=f"the backfill of {rule}", timeout=60)


def put(api: Api, queue: str, where: str) -> None:
    """Queues rows of logs."""
    body = {"project": seed.PROJECT, "queue": queue, "where": where, "reviewer": "grace"}
    api.call("/v1/review/items", body)
