"""Rules in the browser: tested before they are switched on, watched, their failures scored again."""

from __future__ import annotations

import json
import time

from playwright.sync_api import Locator, Page, expect
from spanloop.scoring.builtins import BUILTINS

from tests.page import seed
from tests.page.conftest import Visit
from tests.page.evals import Api
from tests.page.oversight import FAILED_ROWS, FAILING, RULE, SCORED_ROWS


def write(page: Page, label: str, text: str) -> None:
    """Replaces what an SQL field holds."""
    page.get_by_role("textbox", name=label).click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Escape")


def tile(page: Page, name: str) -> Locator:
    return page.locator(".tile", has=page.get_by_text(name, exact=True)).locator("strong")


def test_a_rule_is_switched_on_after_a_look_at_its_back_test(visit: Visit, oversight: None) -> None:
    page = visit.open("/p/support/rules")
    # Other files, which share the collector, have rules of their own.
    expect(page.get_by_role("row", name=RULE)).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="Test it first")).to_be_disabled()
    page.get_by_label("Name", exact=True).fill("live: jobs")
    # Where no completion is open that it could close, Escape leaves the field and not the form.
    page.get_by_role("textbox", name="Filter, in SQL").click()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Name", exact=True)).to_have_value("live: jobs")
    write(page, "Filter, in SQL", "nme = 'x'")
    page.get_by_role("button", name="Test on past rows").click()
    expect(page.get_by_role("alert")).to_contain_text("expected 1 to 100 letters")
    page.get_by_label("Name", exact=True).fill("live jobs")
    page.get_by_role("button", name="Test on past rows").click()
    expect(page.get_by_role("alert")).to_contain_text("nme")
    write(page, "Filter, in SQL", "name IN ('answer question', 'live job')")
    page.get_by_role("button", name="Test on past rows").click()
    expect(tile(page, "Matched")).to_have_text(str(seed.TRACES + 1))
    expect(page.locator(".trial-table .score")).to_have_count(10)
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("switch", name="Rule live jobs")).to_be_checked()

    seed.send_now(visit.collector, "live job", key=visit.collector.admin_key)
    expect(tile(page, "Skipped").or_(tile(page, "Scored")).filter(has_text="1")).to_be_visible()
    page.get_by_role("tab", name="Scores").click()
    expect(page.get_by_role("gridcell", name="live job")).to_be_visible()
    page.get_by_role("switch", name="Rule live jobs").click()
    expect(page.get_by_role("switch", name="Rule live jobs")).not_to_be_checked()
    page.get_by_role("switch", name="Rule live jobs").click()
    expect(tile(page, "Matched")).to_have_text(str(seed.TRACES + 2))
    page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("switch", name="Rule live jobs")).to_be_checked()
    page.get_by_role("button", name="Delete the rule").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Rules", exact=True)).to_be_visible()
    expect(page.get_by_text("live jobs is deleted")).to_be_visible()
    visit.allow("status of 400")


def test_what_a_rule_found_is_estimated_listed_and_leads_to_its_traces(visit: Visit, oversight: None) -> None:
    page = visit.open(f"/p/support/rules/{RULE}")
    estimates = page.get_by_role("region", name="Estimates")
    expect(estimates.get_by_role("row", name="brief")).to_contain_text(f"{SCORED_ROWS} rows")
    expect(estimates.get_by_role("row", name="settings")).to_contain_text("50% – 50%")
    expect(tile(page, "Backfilled")).to_have_text(str(2 * SCORED_ROWS))
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_role("list", name="Versions").get_by_role("listitem").first).to_contain_text("sampling rate")
    page.get_by_role("tab", name="Scores").click()
    page.get_by_role("grid", name="Newest scores").get_by_role("link").first.click()
    expect(page.get_by_role("treeitem").first).to_contain_text("answer question")


def test_failures_tell_their_reason_and_are_scored_again(visit: Visit, oversight: None) -> None:
    page = visit.open(f"/p/support/rules/{FAILING}")
    page.get_by_role("tab", name=f"Failures {FAILED_ROWS}").click()
    expect(page.get_by_role("list", name="Reasons")).to_contain_text("is no regular expression")
    page.get_by_role("button", name="Score the failures again").click()
    newest = (
        page.get_by_role("list", name="Backfills")
        .get_by_role("listitem")
        .filter(has_text=f"{FAILED_ROWS} calls queued")
    )
    expect(newest.filter(has_text=f"{FAILED_ROWS} done")).to_have_count(2)
    page.get_by_label("From").fill("2030-01-01T00:00")
    page.get_by_role("button", name="Start the backfill").click()
    expect(page.get_by_role("alert")).to_contain_text("until: now is not after since")
    visit.allow("status of 400")


def test_a_judge_is_written_in_a_form_and_kept_switched_off(visit: Visit, oversight: None) -> None:
    page = visit.open("/p/support/logs?f=type%20%3D%20'llm'")
    page.get_by_role("link", name="Make a rule").click()
    offered = page.get_by_label("Scorer", exact=True).locator("optgroup[label='Built in'] option")
    expect(offered).to_have_count(len(BUILTINS))
    assert {option.get_attribute("value") for option in offered.all()} == set(BUILTINS)
    name = f"judged {time.time_ns()}"
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Scorer", exact=True).select_option("autoevals")
    page.get_by_label("Class of autoevals").select_option("autoevals.ClosedQA")
    page.get_by_label("Scorer", exact=True).select_option("judge")
    page.get_by_label("Called").fill("helpful")
    page.get_by_label("Prompt").fill("Is {{output}} of any use?")
    page.get_by_role("button", name="Remove choice 2").click()
    page.get_by_label("Further options").fill('{"temperature": 0')
    page.get_by_role("button", name="Test on past rows").click()
    expect(page.get_by_role("alert")).to_contain_text("The options are no JSON")
    page.get_by_label("Further options").fill('{"temperature": 0}')
    page.get_by_text("Whole traces").click()
    page.get_by_role("button", name="Sample more where…").click()
    write(page, "More where, in SQL (1)", "error != ''")
    page.get_by_label("Part of traces, in %").fill("12.5")
    page.get_by_role("button", name="Save, off").click()
    expect(page.get_by_role("switch", name=f"Rule {name}")).not_to_be_checked()
    expect(page.get_by_text("each trace, once nothing new came for 30 s")).to_be_visible()

    rules = Api(visit.collector, key=visit.collector.admin_key).call("/v1/scoring-rules?project=support")["rules"]
    (made,) = [rule for rule in rules if rule["name"] == name]
    assert (made["sampling_rate"], made["filter"], made["enabled"]) == (0.125, "type = 'llm'", False)
    assert made["boosts"] == [{"filter": "error != ''", "sampling_rate": 1.0}]
    assert (made["scorers"][0]["use"], made["scorers"][0]["name"]) == ("judge", "helpful")
    choices = {"yes": 1, "no": 0}
    options = {"prompt": "Is {{output}} of any use?", "model": "gpt-4o-mini", "choices": choices, "temperature": 0}
    assert json.dumps(made["scorers"][0]["options"], sort_keys=True) == json.dumps(options, sort_keys=True)
