"""The monitor: its numbers are those of SQL, and a click leads to the rows behind them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.support.sending import send_span, wait_for_rows

# When `send_span` says that its span began.
SPAN_MS = 1_767_225_600_000


def test_numbers_and_the_rows_behind_them(visit: Visit) -> None:
    page = visit.open("/p/support/monitor?of=llm&f=model%20!%3D%20''")
    (row,) = visit.collector.sql(
        "SELECT count() AS n, sum(tokens) AS tokens FROM logs WHERE type = 'llm' AND model != ''"
    )
    expect(page.locator(".tile").first).to_have_text(f"Requests{row['n']}")
    for title in ("Requests", "Errors", "Error rate", "Cost", "Latency", "Tokens", "Scores"):
        if title != "Scores":
            expect(page.get_by_role("region", name=title, exact=True)).to_be_visible()
    page.get_by_role("button", name="Split by").click()
    page.get_by_role("button", name="Model", exact=True).click()
    expect(page.locator(".legend").first).to_contain_text("gpt-4o-mini")

    visit.open("/p/support/monitor?t=1h")
    scores = page.get_by_role("region", name="Scores")
    expect(scores).to_contain_text("helpfulness")
    expect(scores.locator("path.line").first).to_be_attached()
    requests = page.get_by_role("region", name="Requests").locator("svg")
    box = requests.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6)
    page.wait_for_url("**/logs?**")
    expect(page.locator(".logs-list .row:not(.head)").first).to_be_visible()
    query = parse_qs(urlsplit(page.url).query)
    assert (query["v"], query["f"]) == (["spans"], ["is_root"])
    assert seed.PROJECT in page.url


def test_charts_are_walked_with_the_keyboard(visit: Visit) -> None:
    page = visit.open("/p/support/monitor?t=1h")
    latency = page.get_by_role("slider", name="Latency. p50")
    latency.focus()
    for key in ("End", "ArrowDown"):
        page.keyboard.press(key)
    expect(latency).to_have_attribute("aria-valuetext", re.compile("p95"))
    # Back to a time that has rows: how long ago that is, depends on the machine.
    while "no data" in (latency.get_attribute("aria-valuetext") or ""):
        page.keyboard.press("ArrowLeft")
        page.evaluate("new Promise(requestAnimationFrame)")
    expect(latency).to_have_attribute("aria-valuetext", re.compile(r", p95: [\d.]+ m?s$"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/logs?**")
    expect(page.locator(".logs-list .row:not(.head)").first).to_be_visible()


def test_split_by_tag_counts_each_tag(visit: Visit) -> None:
    page = visit.open("/p/support/monitor?t=1h&f=tags%20%3D%20['vip']")
    page.get_by_role("button", name="Split by").click()
    page.get_by_role("button", name="Tag", exact=True).click()
    expect(page.locator(".legend").first).to_contain_text("vip")
    # Split, each score has a chart, with a line for each group.
    helpful = page.get_by_role("region", name="Score helpfulness")
    expect(helpful.locator(".legend")).to_have_text("vip")
    expect(helpful.get_by_role("slider", name="Score helpfulness. vip: last")).to_be_visible()
    requests = page.get_by_role("slider", name="Requests. vip")
    requests.focus()
    for key in ("End", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/logs?**")
    assert parse_qs(urlsplit(page.url).query)["f"] == ["is_root", "has(tags, 'vip')", "tags = ['vip']"]


def test_split_by_project_leads_to_the_rows_of_that_project(visit: Visit) -> None:
    send_span(visit.collector, "elsewhere", project="second", key=visit.collector.admin_key)
    wait_for_rows(visit.collector, 1, project="second")
    page = visit.open(f"/p/support/monitor?of=spans&t={SPAN_MS - 60_000}-{SPAN_MS + 60_000}&g=project")
    expect(page.locator(".legend").first).to_have_text("second")
    bar = page.get_by_role("region", name="Requests").locator("rect.bar").bounding_box()
    assert bar is not None
    page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.wait_for_url("**/p/second/logs?**")
    expect(page.locator(".logs-list .row:not(.head)")).to_contain_text("elsewhere")
