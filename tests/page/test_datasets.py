"""The dataset pages: rows of production edited into cases, their versions, files dropped on them."""

from __future__ import annotations

import csv
import json

from playwright.sync_api import Locator, Page, expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.page.evals import DATASET, Evals
from tests.page.test_accessible import check_access
from tests.page.test_hostile import check

LIST = f"/p/{seed.PROJECT}/datasets"
DROP = """([target, name, text]) => {
  const files = new DataTransfer();
  files.items.add(new File([text], name));
  for (const type of ["dragover", "drop"])
    document.querySelector(target).dispatchEvent(new DragEvent(type, { bubbles: true, dataTransfer: files }));
}"""


def drop(page: Page, name: str, text: str) -> None:
    """A file falls on the page."""
    page.get_by_role("grid").wait_for()
    page.evaluate(DROP, [".datasets", name, text])


def write(page: Page, editor: Locator, sql: str) -> None:
    """Somebody types a condition instead of the one that stands there."""
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(sql)
    page.keyboard.press("Escape")


def test_row_is_edited_in_place_and_every_change_is_a_version(visit: Visit, evals: Evals) -> None:
    page = visit.open(f"{LIST}/{DATASET}")
    page.get_by_role("searchbox", name="Find rows").fill("Nothing else")
    rows = page.locator(".grid .row:not(.head)")
    expect(rows).to_have_count(1)
    rows.first.click()
    panel = page.get_by_role("complementary", name="Row")
    expect(panel.get_by_role("textbox", name="Expected")).to_have_value("Open the settings. Nothing else.")
    expect(panel.get_by_role("link", name=f"experiment {evals.experiments[0]}")).to_be_visible()
    panel.get_by_role("textbox", name="Metadata").fill("no object")
    panel.get_by_role("button", name="Save").click()
    expect(page.get_by_text("metadata is no JSON")).to_be_visible()
    panel.get_by_role("textbox", name="Metadata").fill('{"topic": "edited"}')
    panel.get_by_role("textbox", name="Expected").fill("Open the settings. Nothing more.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved as a new version")).to_be_visible()

    visit.open(f"{LIST}/{DATASET}?tab=versions")
    versions = page.get_by_role("list", name="Versions")
    expect(versions.get_by_role("button")).to_have_count(3)
    change = page.get_by_role("article")
    expect(change).to_have_count(1)
    # What nobody touched is as it was: here a text that looks like JSON.
    expect(change).not_to_contain_text("input")
    expect(change.locator("del").first).to_have_text("else")
    expect(change.locator("ins").first).to_have_text("more")
    expect(change.locator("del").last).to_have_text("refund")
    versions.get_by_role("button", name="launch").click()
    page.get_by_role("button", name="Restore").click()
    dialog = page.get_by_role("dialog", name="Restore this version?")
    expect(dialog).to_contain_text("1 row become what they were")
    dialog.get_by_role("button", name="Restore").click()
    expect(versions.get_by_role("button")).to_have_count(4)
    visit.open(f"{LIST}/{DATASET}?q=Nothing")
    expect(page.get_by_role("heading", name="No row has this text")).to_be_visible()


def test_dropped_file_becomes_rows_after_a_look_at_them(visit: Visit, evals: Evals) -> None:
    page = visit.open(LIST)
    expect(page.get_by_role("gridcell", name=DATASET)).to_be_visible()
    drop(page, "faq.csv", 'question,answer,topic\n"Where, ""now""?",Here,<b>maps</b>\nWho?,"[1, 2]",\n')
    dialog = page.get_by_role("dialog", name="Import faq.csv")
    expect(dialog.get_by_label("answer becomes")).to_have_value("expected")
    dialog.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("2 rows added")).to_be_visible()
    # The same file again changes nothing, and a file that is wrong says where.
    drop(page, "faq.jsonl", '{"input": "Who?"}\n{"input": \n')
    expect(page.get_by_role("alert")).to_contain_text("Line 2 is no JSON")
    page.get_by_role("button", name="Close", exact=True).click()
    with page.expect_download() as found:
        page.get_by_role("button", name="Export the rows").click()
        page.get_by_role("button", name="CSV", exact=True).click()
    with open(found.value.path(), newline="") as file:
        made = {row["input"]: (json.loads(row["metadata"]), row["expected"]) for row in csv.DictReader(file)}
    assert made == {'Where, "now"?': ({"topic": "<b>maps</b>"}, "Here"), "Who?": ({"topic": ""}, "[1,2]")}


def test_rows_of_production_are_looked_at_before_they_are_promoted(visit: Visit, evals: Evals) -> None:
    page = visit.open(LIST)
    expect(page.get_by_role("gridcell", name=DATASET)).to_be_visible()
    page.keyboard.press("n")
    page.get_by_role("textbox", name="Name").fill("attacks")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="This dataset is empty")).to_be_visible()
    page.get_by_role("button", name="From logs").click()
    dialog = page.get_by_role("dialog")
    where = dialog.get_by_role("textbox", name="Which rows, in SQL")
    write(page, where, "no_such_column = 1")
    expect(dialog.get_by_role("alert")).to_contain_text("no_such_column")
    write(page, where, f"trace_id = '{seed.HOSTILE_TRACE}' AND is_root")
    expect(dialog.get_by_text("1 matching row, 1 of them new here")).to_be_visible()
    expect(dialog.locator(".promote-row")).to_contain_text("<script>")
    check(page)
    dialog.get_by_role("button", name="Add 1 row").click()
    page.locator(".grid .row:not(.head)").first.click()
    expect(page.get_by_role("link", name="the log row")).to_be_visible()
    check(page)
    visit.open(f"{LIST}/attacks?tab=versions")
    expect(page.get_by_role("article")).to_contain_text("<script>")
    check(page)
    visit.allow("status of 4")


def test_datasets_have_names_contrast_and_room_on_a_phone(visit: Visit, evals: Evals) -> None:
    for path in (LIST, f"{LIST}/{DATASET}?tab=versions"):
        check_access(visit, path)
