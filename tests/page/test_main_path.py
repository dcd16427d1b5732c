"""The loop, clicked through: a production trace becomes a case, evals run over it, and the worse one leads back."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.support.command import spanloop

DATASET = "delivery"
EVAL = """
import os
import spanloop
from spanloop import Eval

def kind(output, expected):
    return 1.0 if "glad" in output else 0.2

Eval(
    "support",
    spanloop.init_dataset("support", "delivery"),
    lambda input: os.environ["ANSWER"],
    [kind],
    experiment_name=os.environ["RUN"],
)
"""
RUNS = {"kind words": "I am glad to look: it is on its way.", "few words": "It is on its way."}


def test_trace_becomes_a_case_of_experiments_that_lead_back_to_it(visit: Visit, tmp_path: Path) -> None:
    page = visit.open("/p/support/logs?q=4711")
    page.locator(".logs-list .row:not(.head)").first.click()
    page.get_by_role("button", name="Add to a dataset").click()
    page.get_by_label("Dataset", exact=True).fill(DATASET)
    page.get_by_role("button", name="Add 1 row").click()
    expect(page.get_by_text(f"1 row added to {DATASET}")).to_be_visible()
    page.get_by_role("tab", name="Lineage").click()
    page.get_by_role("link", name=f"Dataset {DATASET}").click()
    case = page.get_by_role("complementary", name="Row")
    expect(case.get_by_role("textbox", name="Input")).to_have_value(re.compile("order 4711"))

    for name, answer in RUNS.items():
        run_eval(visit, tmp_path, RUN=name, ANSWER=answer)

    for key in "ge":
        page.keyboard.press(key)
    for name in RUNS:
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("button", name="Compare 2").click()
    first = page.get_by_role("grid", name="Cases").get_by_role("row").nth(1)
    expect(first.locator(".delta.bad").first).to_be_visible()
    first.click()
    panel = page.get_by_role("complementary", name="Case")
    expect(panel.locator("del")).to_contain_text(["glad"])
    panel.get_by_role("link", name="a row of the dataset").click()
    expect(case.get_by_role("link", name="experiment few words")).to_be_visible()
    case.get_by_role("link", name="the log row").click()
    page.locator(".logs-list .row:not(.head)").first.click()
    expect(page.get_by_role("complementary", name="Trace").get_by_role("treeitem")).to_have_count(6)
    assert f"r={seed.MAIN_TRACE}" in page.url


def run_eval(visit: Visit, folder: Path, **more: str) -> None:
    """`spanloop eval`, as a person runs it in a terminal."""
    file = folder / "eval_delivery.py"
    file.write_text(EVAL)
    collector = visit.collector
    environment = {
        "SPANLOOP_ENDPOINT": f"http://{collector.grpc_address}",
        "SPANLOOP_API_URL": collector.api_url,
        "SPANLOOP_API_KEY": collector.admin_key,
    }
    done = spanloop("eval", str(file), environment={**environment, **more})
    assert done.returncode == 0, done.stderr
