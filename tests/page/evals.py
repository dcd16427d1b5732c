"""For the pages of evals: a dataset from production, three experiments over it, a tree of variants."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.page import seed
from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import webhook_receiver

DATASET = "golden answers"
EXPERIMENTS = ("first prompt", "kinder prompt", "shorter <b>prompt")
VARIANTS = "tone of voice"
CASES = 16
TRIALS = (1, 1, 2)
SCORES = (
    # correctness and brevity of each experiment: the second is surely better at one, the third at the other only.
    lambda case: {"correctness": 0.5 + case % 3 / 10, "brevity": 0.6},
    lambda case: {"correctness": 0.2 if case == 4 else 0.8 + case % 3 / 10, "brevity": 0.6 + case % 2 / 100},
    lambda case: {"correctness": 0.4 if case in (3, 5, 7) else 0.7 + case % 3 / 10, "brevity": 0.9},
)
ANSWERS = (
    "For your {topic}, open the settings and follow the steps.",
    "I am glad to help with your {topic}: open the settings, then follow the steps.",
    "Settings, then {topic}.",
)


@dataclass(frozen=True)
class Evals:
    """What was made."""

    experiments: tuple[str, ...] = EXPERIMENTS
    """Names, the oldest first."""


class Api:
    """The JSON API of a collector."""

    def __init__(self, collector: CollectorProcess, *, key: str = "") -> None:
        self.url = collector.api_url
        self._headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})

    def call(self, path: str, body: object = None) -> Any:
        """The answer to a POST with a body, or to a GET."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + quote(path, safe="/?=&%"), data, self._headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def count(self, sql: str) -> int:
        """The one number a statement answers."""
        request = urllib.request.Request(self.url, sql.encode(), self._headers | {"content-type": "text/plain"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.read() or 0)


def fill(collector: CollectorProcess, *, key: str = "") -> Evals:
    """Makes everything, once the rows of `seed` show in SQL."""
    api = Api(collector, key=key)
    dataset = make_dataset(api)
    rows = api.call(f"/v1/datasets/{dataset['id']}/rows")["rows"]
    for number, name in enumerate(EXPERIMENTS):
        made = api.call(
            "/v1/experiments",
            {
                "project": seed.PROJECT,
                "name": name,
                "dataset_id": dataset["id"],
                "dataset_version": dataset["version"],
                "metadata": {"model": ("gpt-4o-mini", "gpt-4o", "gpt-4o")[number]},
                "repo_info": {"commit": f"{number}" * 40, "branch": "main", "dirty": False},
            },
        )
        seed.send(collector, "traces", runs(number, made["experiment"]["id"], dataset, rows), key=key)
    make_variants(api)
    expected = sum(2 * CASES * trials for trials in TRIALS)
    statement = f"SELECT count() FROM eval_rows WHERE project = '{seed.PROJECT}'"
    wait_until(lambda: api.count(statement) == expected, what=f"{expected} rows of experiments")
    return Evals()


def make_dataset(api: Api) -> dict[str, Any]:
    """Questions of production; one answer is corrected afterwards, after the first version got a name."""
    topic = "multiIf(" + ", ".join(f"input LIKE '%{each}%', '{each}'" for each in ("refund", "invoice")) + ", 'other')"
    promotion = {
        "project": seed.PROJECT,
        "where": "name = 'answer question' AND error = '' AND span_id LIKE '00000000%'",
        "dataset": DATASET,
        "limit": CASES,
        # The questions repeat: the ticket tells them apart.
        "fields": {
            "input": "concat(trimRight(input, '}'), ', \"ticket\": \"', substring(span_id, 14, 2), '\"}')",
            "metadata.topic": topic,
        },
    }
    dataset = api.call("/v1/promote", promotion)["dataset"]
    path = f"/v1/datasets/{dataset['id']}"
    api.call(f"{path}/snapshots", {"name": "launch"})
    first = api.call(f"{path}/rows?limit=1")["rows"][0]
    change = {"id": first["id"], "expected": "Open the settings. Nothing else.", "tags": ["checked"]}
    api.call(f"{path}/rows", {"rows": [change], "is_merge": True})
    found: dict[str, Any] = api.call(path)["dataset"]
    return found


def runs(number: int, experiment: str, dataset: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each case of an experiment as often as it has trials: the case's row, and a model call below it."""
    spans = []
    now = time.time_ns() - (len(EXPERIMENTS) - number) * 60 * seed.SECOND_NS
    for case, row in enumerate(rows):
        for trial in range(TRIALS[number]):
            trace = f"{number + 1:x}{case:015x}{trial:015x}e"
            root, model_call = (f"{number + 1:x}{case:013x}{trial:x}{place}" for place in (0, 1))
            fails = number == 1 and case == 9
            topic = row["metadata"].get("topic", "other")
            origin = {"object_type": "dataset", "object_id": dataset["id"], "id": row["id"], "_xact_id": row["version"]}
            spans.append(
                seed.span(
                    trace,
                    root,
                    "case",
                    now + case * seed.SECOND_NS,
                    1 + number / 2,
                    spanloop__type="eval",
                    spanloop__experiment_id=experiment,
                    spanloop__input=row["input"],
                    spanloop__expected=row["expected"],
                    spanloop__output=None if fails else ANSWERS[number].format(topic=topic),
                    spanloop__scores={} if fails else SCORES[number](case),
                    spanloop__metadata={"topic": topic},
                    spanloop__origin=origin,
                    error="TimeoutError: the model did not answer" if fails else "",
                )
            )
            spans.append(
                seed.span(
                    trace,
                    model_call,
                    "chat gpt-4o",
                    now + case * seed.SECOND_NS,
                    0.9,
                    parent=root,
                    spanloop__experiment_id=experiment,
                    gen_ai__operation__name="chat",
                    gen_ai__request__model="gpt-4o",
                    gen_ai__provider__name="openai",
                    gen_ai__usage__input_tokens=300 + 10 * case,
                    gen_ai__usage__output_tokens=40 + number,
                )
            )
    return spans


def make_variants(api: Api) -> None:
    """A baseline, a variant that ran, and one that did not."""
    path = f"/v1/variant-experiments/{VARIANTS}"
    common = {"project": seed.PROJECT}
    with webhook_receiver() as receiver:
        base = {"name": VARIANTS, "steps": ["answer"], "url": receiver.url, "description": "Kinder words help."}
        api.call("/v1/variant-experiments", {**common, **base})
        api.call(f"{path}/tasks", {**common, "tasks": [{"id": f"t{n}", "input": {"n": n}} for n in range(4)]})
        api.call(f"{path}/baseline", {**common, "configuration": {"answer": {"temperature": 0.7}}})
        judge(api, receiver, passing=2)
        for name, parent, parameter, value, passing in (
            ("colder", "", "temperature", 0.1, 3),
            ("larger", "", "model", "gpt-4o", None),
        ):
            change = {"variant": name, "parent": parent, "step": "answer", "parameter": parameter, "value": value}
            api.call(f"{path}/variants", {**common, **change})
            if passing is not None:
                receiver.received.clear()
                api.call(f"{path}/variants/{name}/run", common)
                judge(api, receiver, passing=passing)


def judge(api: Api, receiver: Any, *, passing: int) -> None:
    """Lets so many of the tests that came pass, and waits for the run to end."""
    wait_until(lambda: len(receiver.received) >= 4, what="four tests")
    for number, message in enumerate(receiver.received[:4]):
        verdict = {"project": seed.PROJECT, "passed": number < passing}
        api.call(f"/v1/variant-tests/{message.json['testId']}", verdict)
    path = f"/v1/variant-experiments/{VARIANTS}?project={seed.PROJECT}"
    wait_until(lambda: not api.call(path)["status"].startswith("running"), what="the end of the run")
