"""Spans are written by strangers: whatever they hold is text. That no script of theirs ran, `visit` says at the end."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.page.evals import Api
from tests.page.oversight import FAILING, HOSTILE_QUEUE

COLUMNS = ("name", "type", "input", "output", "expected", "error", "scores", "tags", "model", "comment")
STATEMENT = (
    "SELECT name, input, tags, metadata, count() AS n FROM logs WHERE trace_id = '{trace}' "
    "GROUP BY name, input, tags, metadata"
)
FOREIGN = (Path(__file__).parent / "scripts" / "foreign.js").read_text()


def check(page: Page) -> None:
    """No element came out of a span."""
    assert page.evaluate(FOREIGN) == []


def test_no_field_of_a_span_reaches_the_document_as_markup(visit: Visit) -> None:
    columns = "&".join(f"c={name}" for name in COLUMNS)
    page = visit.open(f"/p/support/logs?{columns}&q={seed.HOSTILE_TRACE}")
    expect(page.locator(".logs-list .row:not(.head)").first).to_contain_text("<script>")
    check(page)
    page.keyboard.press("f")
    expect(page.get_by_role("complementary", name="Frequent values")).to_contain_text("<script>")
    check(page)

    visit.open(f"/p/support/logs?r={seed.HOSTILE_TRACE}")
    expect(page.locator(".span-error")).to_contain_text("onerror")
    for tab in ("Input & output", "Metadata", "Events", "Lineage", "Row"):
        page.get_by_role("tab", name=tab).click()
        check(page)
    page.get_by_role("tab", name="Metadata").click()
    expect(page.locator(".pair", has_text="service.name")).to_contain_text("onerror")
    page.get_by_role("tab", name="Lineage").click()
    expect(page.get_by_role("heading", name="Linked spans")).to_be_visible()
    page.get_by_role("radio", name="Logs 1").click()
    expect(page.get_by_role("list", name="Log records of the trace")).to_contain_text("<script>")
    check(page)
    page.get_by_role("radio", name="Timeline").click()
    page.get_by_role("tab", name="Input & output").click()
    for look in ("Tree", "Raw", "Rendered"):
        page.get_by_role("radiogroup", name="How to show Input").get_by_role("radio", name=look).click()
        check(page)
    page.get_by_role("treeitem").nth(1).click()
    expect(page.locator(".media img")).to_be_visible()
    page.get_by_role("radio", name="Thread").click()
    expect(page.locator(".thread")).to_be_visible()
    check(page)


def test_rules_and_reviews_show_text(visit: Visit, oversight: None) -> None:
    for tab in ("overview", "failures", "scores"):
        page = visit.open(f"/p/support/rules/{FAILING}?tab={tab}")
        expect(page.locator(".rule-body")).to_contain_text("onerror")
        check(page)
    visit.open(f"/p/support/rules/{FAILING}?edit=1")
    page.get_by_role("button", name="Test on past rows").click()
    expect(page.locator(".trial-table .score.low").first).to_be_visible()
    check(page)
    visit.open(f"/p/support/review?queue={HOSTILE_QUEUE}")
    expect(page.get_by_role("gridcell").filter(has_text="<script>").first).to_be_visible()
    page.get_by_role("gridcell").filter(has_text="<script>").first.click()
    expect(page.locator(".span-error")).to_contain_text("onerror")
    page.get_by_label("Your name as a reviewer").fill("<b>eve</b>")
    page.get_by_role("button", name="Claim this row").click()
    expect(page.get_by_role("complementary", name="Row to review")).to_contain_text("yours until")
    check(page)


def test_results_and_charts_show_text(visit: Visit) -> None:
    page = visit.open(f"/p/support/sql?sql={STATEMENT.format(trace=seed.HOSTILE_TRACE)}")
    expect(page.get_by_role("gridcell").first).to_contain_text("<")
    check(page)
    page.get_by_role("row").nth(1).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Chart").click()
    expect(page.locator(".bars")).to_contain_text("<script>")
    check(page)
    visit.open("/p/support/monitor?g=name&t=1h")
    expect(page.locator(".legend").first).to_contain_text("answer question")
    check(page)
    # So are names that others gave to views and questions.
    api = Api(visit.collector, key=visit.collector.admin_key)
    for owner, definition in (("logs", {"query": "v=spans"}), ("sql", {"sql": seed.HOSTILE})):
        view = {"project": "strangers", "page": owner, "name": seed.HOSTILE_TEXTS[1], "definition": definition}
        api.call("/v1/views", {"view": view})
        visit.open(f"/p/strangers/{owner}")
        page.get_by_role("button", name="Saved").click()
        expect(page.locator(".view-line")).to_contain_text("onerror")
        check(page)
    # An address is a stranger's as well.
    visit.open("/p/%3Cimg%20src%3Dx%20onerror%3D%22window.attacked%3D1%22%3E/logs?f=%3Cscript%3E&g=&q=%3Csvg%3E")
    expect(page.get_by_role("button", name="Project <img")).to_be_visible()
    check(page)
    visit.allow("status of 4")
