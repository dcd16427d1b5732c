"""The experiment pages: runs in a list, side by side, down to one case and its trace; trees of variants."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.page.evals import CASES, VARIANTS, Evals
from tests.page.test_accessible import check_access
from tests.page.test_hostile import check

LIST = f"/p/{seed.PROJECT}/experiments"


def test_chosen_runs_are_compared_case_by_case_and_lead_back_to_production(visit: Visit, evals: Evals) -> None:
    first, second, third = evals.experiments
    page = visit.open(LIST)
    expect(page.locator(".trend circle")).to_have_count(6)
    for name in (first, third):
        page.get_by_label(f"Select {name}").check()
    page.keyboard.press("c")
    scores = page.get_by_role("region", name="Scores and metrics")
    expect(scores.locator(".verdict", has_text="brevity")).to_contain_text("better, and hardly by chance")
    expect(page.get_by_role("list", name="Experiments")).to_contain_text("base")
    page.get_by_role("button", name="Add an experiment to the comparison").click()
    page.get_by_role("button", name=second).click()
    expect(page.get_by_role("listitem")).to_have_count(3)

    # Regressions come first: what the second lost in one case, it shows in red beside the output's difference.
    rows = page.locator(".grid .row:not(.head)")
    expect(rows.first.locator(".moves .bad")).to_be_visible()
    rows.first.click()
    case = page.get_by_role("complementary", name="Case")
    expect(case.locator("ins").first).to_be_visible()
    page.keyboard.press("d")
    expect(case.locator("ins")).to_have_count(0)
    page.reload()
    expect(case.get_by_role("radio", name="Whole")).to_be_checked()
    page.keyboard.press("d")
    expect(case.locator("ins").first).to_be_visible()
    case.get_by_role("button", name="2 trials").click()
    expect(case.get_by_text("Trial 2")).to_be_visible()
    page.keyboard.press("j")
    expect(case.get_by_role("heading", name=f"Case 2 of {CASES}")).to_be_visible()

    case.get_by_role("button", name="Open the trace").first.click()
    trace = page.get_by_role("complementary", name="Trace")
    expect(trace.get_by_role("treeitem")).to_have_count(2)
    page.keyboard.press("Escape")
    case.get_by_role("link", name="a row of the dataset").click()
    page.get_by_role("link", name="the log row").click()
    expect(page.locator(".logs-list .row:not(.head)")).to_have_count(1)


def test_layouts_groups_aggregates_conditions_and_exports(visit: Visit, evals: Evals) -> None:
    first, second, _ = evals.experiments
    page = visit.open(f"{LIST}/{second}?with={first}")
    expect(page.locator(".grid .row:not(.head)").first).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_role("grid", name="Cases side by side").locator("ins").first).to_be_visible()
    page.keyboard.press("3")
    expect(page.get_by_role("region", name="correctness").locator("strong")).to_have_count(2)
    page.keyboard.press("4")
    expect(page.get_by_role("columnheader")).to_have_count(3)
    page.get_by_role("button", name="Aggregate scores").click()
    page.get_by_role("button", name="Worst of").click()
    expect(page.get_by_role("rowheader", name="worst")).to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("navigation")).to_be_hidden()
    # Paper is light, whatever the screen is.
    assert page.evaluate("getComputedStyle(document.querySelector('.tag')).backgroundColor") == "rgb(241, 241, 244)"
    assert len(page.pdf()) > 5_000
    page.emulate_media(media="screen", color_scheme="light")

    page.get_by_role("button", name="Group by").click()
    page.get_by_label("Group by a key of metadata, or SQL").fill("topic")
    page.keyboard.press("Enter")
    page.get_by_role("rowheader", name="refund").get_by_role("button").click()
    expect(page).to_have_url(re.compile("layout=table.*refund"))
    with page.expect_download() as found:
        page.get_by_role("button", name="Export", exact=True).click()
        page.get_by_role("button", name=f"{second} jsonl").click()
    with open(found.value.path()) as file:
        assert len([json.loads(line) for line in file]) == CASES
    visit.open(f"{LIST}/{second}?f=no_such_column")
    expect(page.get_by_role("alert")).to_contain_text("no_such_column")
    visit.open(f"{LIST}/no such run")
    expect(page.get_by_role("heading", name="There is no such experiment")).to_be_visible()
    visit.allow("status of 4")


def test_tree_of_variants_shows_pass_rates_against_the_baseline(visit: Visit, evals: Evals) -> None:
    page = visit.open(f"{LIST}?tab=variants&v={VARIANTS}")
    nodes = page.get_by_role("treeitem")
    expect(nodes).to_have_count(3)
    expect(nodes.nth(1)).to_contain_text("+50% against the baseline")
    nodes.nth(1).get_by_role("button", name="Add a variant of colder").click()
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_in_viewport(ratio=1)
    page.get_by_label("Name").fill("coldest")
    page.get_by_label("Value").fill("0")
    page.keyboard.press("Enter")
    expect(nodes).to_have_count(4)
    expect(nodes.nth(2)).to_contain_text("temperature = 0")
    assert nodes.nth(2).get_attribute("aria-level") == "3"


def test_experiments_have_names_contrast_and_room_on_a_phone(visit: Visit, evals: Evals) -> None:
    page, second = visit.page, evals.experiments[1]
    for path in (LIST, f"{LIST}/{second}", f"{LIST}/{second}?layout=table", f"{LIST}?tab=variants"):
        check_access(visit, path)
        check(page)
    visit.open("/p/nobody/experiments")
    expect(page.get_by_role("heading", name="No experiment yet")).to_be_visible()
