"""Review in the browser: claimed, scored and corrected from the keyboard, and back on the row."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.page.conftest import Visit
from tests.page.oversight import QUESTIONS, QUEUE
from tests.support.waiting import wait_until

ADDRESS = f"/p/support/review?queue={QUEUE}"


def sign(page: Page, name: str) -> None:
    page.get_by_label("Your name as a reviewer").fill(name)
    page.keyboard.press("Enter")


def test_rows_are_reviewed_from_the_keyboard(visit: Visit, oversight: None) -> None:
    page = visit.open(ADDRESS)
    expect(page.get_by_role("grid", name="Rows to review").get_by_role("row").nth(1)).to_contain_text("answer question")
    page.keyboard.press("n")
    expect(page.get_by_text("Say who you are first")).to_be_visible()
    sign(page, "ada")
    page.keyboard.press("n")
    panel = page.get_by_role("complementary", name="Row to review")
    expect(panel).to_contain_text("yours until")
    expect(panel.get_by_role("region", name="Output", exact=True)).to_contain_text("open the settings")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Done, and the next row")
    page.keyboard.press("Escape")
    first = page.url

    page.keyboard.press("2")
    page.keyboard.press("e")
    page.get_by_label("What it should have been").fill('{"answer": "ask for the order"}')
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    page.keyboard.type("too vague")
    page.keyboard.press("Control+Enter")
    expect(page).not_to_have_url(first)
    expect(panel).to_contain_text("yours until")
    page.keyboard.press("s")
    expect(page.get_by_role("radio", name="Skipped 1")).to_be_visible()

    rows = wait_until(
        lambda: visit.collector.sql(
            "SELECT expected, scores['human'] AS human, metadata['comment'] AS comment FROM logs "
            "WHERE mapContains(scores, 'human')"
        ),
        what="the reviewed row",
    )
    assert rows == [{"expected": '{"answer":"ask for the order"}', "human": 0.25, "comment": "too vague"}]
    visit.open(first.removeprefix(visit.collector.api_url))
    expect(page.get_by_role("region", name="The review")).to_contain_text("human 25%")
    page.get_by_text("History").click()
    expect(page.get_by_role("list", name="History")).to_contain_text("by ada")
    page.keyboard.press("r")
    expect(panel).to_contain_text("waiting")


def test_rows_are_queued_by_sql_and_left_to_a_person(visit: Visit, oversight: None) -> None:
    page = visit.open("/p/support/review")
    sign(page, "grace")
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Add rows to review")
    where = dialog.get_by_role("textbox", name="Which rows, in SQL")
    for condition in ("no_such_column = 1", f"{QUESTIONS} AND substring(span_id, 14, 2) < '04'"):
        where.click()
        page.keyboard.press("Control+a")
        page.keyboard.type(condition)
        if condition.startswith("no_such"):
            expect(dialog.get_by_role("alert")).to_contain_text("no_such_column")
    expect(dialog).to_contain_text("4 matching rows")
    dialog.get_by_label("Queue").fill("second look")
    dialog.get_by_role("button", name="Add 4 rows").click()
    page.get_by_role("combobox", name="Queue").select_option("second look")
    expect(page.get_by_role("radio", name="Waiting 4")).to_be_visible()
    expect(page.get_by_role("grid", name="Rows to review").get_by_role("row")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Assign", exact=True).click()
    page.get_by_label("Who is to review it").fill("linus")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Row to review")).to_contain_text("for linus")
    page.get_by_label("Assigned to", exact=True).select_option("linus")
    expect(page.get_by_role("radio", name="Waiting 1")).to_be_visible()
    visit.allow("status of 4")
