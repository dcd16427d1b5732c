"""The SQL page: asked, drawn, saved, shared."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.conftest import Visit


def test_question_is_written_asked_drawn_and_shared(visit: Visit) -> None:
    page = visit.open("/p/support/sql")
    editor = page.get_by_role("textbox", name="SQL statement")
    editor.click()
    page.keyboard.type("SELECT mod")
    # The completion knows the columns.
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("model")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+A")
    page.keyboard.type(
        "SELECT model, count() AS n FROM logs WHERE type = 'llm' GROUP BY model HAVING n = 20 ORDER BY model"
    )
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("row").nth(1)).to_have_text("claude-sonnet-4-520")
    page.get_by_role("radio", name="Chart").click()
    expect(page.locator(".bar-line")).to_have_count(2)

    page.get_by_role("button", name="Saved queries").click()
    page.get_by_label("Name of the query").fill("calls by model")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="calls by model", exact=True)).to_be_visible()

    address = page.url
    visit.open("/p/support/logs")
    page.goto(address)
    expect(page.locator(".bar-line")).to_have_count(2)


def test_mistake_is_underlined_and_explained(visit: Visit) -> None:
    page = visit.open("/p/support/sql?sql=SELECT nothing FROM logs")
    expect(page.get_by_role("alert")).to_contain_text("nothing")
    expect(page.locator(".cm-error-at")).to_have_text("nothing")
    visit.allow("404")
