"""Logs: from everything to the rows in question, and what can be done with them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
from playwright.sync_api import Locator, Page, expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.page.evals import Api
from tests.support.sending import wait_for_rows
from tests.support.waiting import wait_until


def rows(page: Page) -> Locator:
    """The rows of the list, without its head."""
    return page.locator(".logs-list .row:not(.head)")


def all_traces(visit: Visit) -> str:
    """How the page says how many traces there are; other files, which share the collector, have sent some too."""
    statement = (
        f"SELECT count() AS n FROM logs WHERE project = '{seed.PROJECT}' AND is_root AND created > now() - 86400"
    )
    return f"{visit.collector.sql(statement)[0]['n']} traces"


def filters(page: Page) -> list[str]:
    """The conditions in the address."""
    return parse_qs(urlsplit(page.url).query).get("f", [])


def add_filter(page: Page, condition: str) -> None:
    page.get_by_role("textbox", name="Filter by SQL").click()
    page.keyboard.type(condition)
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")


def test_rows_are_narrowed_down_by_sql_by_words_and_by_clicks(visit: Visit) -> None:
    traces = all_traces(visit)
    page = visit.open("/p/support/logs")
    expect(page.get_by_text(traces)).to_be_visible()
    rows(page).get_by_role("button", name="helpfulness 35%").first.click()
    expect(page.get_by_text(traces)).not_to_be_visible()
    assert filters(page) == ["mapContains(scores, 'helpfulness') AND scores['helpfulness'] <= 0.35"]
    page.go_back()
    add_filter(page, "cost > 0.003 AND model = 'claude-sonnet-4-5'")
    expect(page.get_by_text(traces)).not_to_be_visible()
    assert filters(page) == ["cost > 0.003 AND model = 'claude-sonnet-4-5'"]
    found = page.locator(".total").inner_text()

    page.get_by_role("searchbox", name="Find words").fill("password")
    page.keyboard.press("Enter")
    expect(page.locator(".total")).not_to_have_text(found)
    expect(rows(page).first).to_contain_text("password")

    page.get_by_role("radio", name="Spans").click()
    first = rows(page).first
    expect(first).to_contain_text("claude-sonnet-4-5")
    # Of messages, what the last one says.
    expect(first.get_by_role("gridcell").nth(3)).to_have_text(re.compile("^How do I handle the"))
    first.get_by_role("gridcell").nth(2).hover()
    first.get_by_role("button", name="Only Name").click()
    assert filters(page)[-1] == "name = 'chat claude-sonnet-4-5'"
    page.go_back()
    assert len(filters(page)) == 1


def test_wrong_condition_is_shown_at_its_place(visit: Visit) -> None:
    page = visit.open("/p/support/logs")
    add_filter(page, "cost > prize")
    alert = page.locator(".filter-error")
    expect(alert.locator("mark")).to_have_text("prize")
    expect(page.locator(".chip.wrong")).to_contain_text("cost > prize")
    page.get_by_role("button", name="Remove the filter").click()
    expect(rows(page).first).to_be_visible()
    visit.allow("404")


def test_dragging_over_the_histogram_chooses_the_time(visit: Visit) -> None:
    page = visit.open("/p/support/logs?t=1h")
    bars = page.locator(".histogram svg")
    expect(bars.locator("rect.bar").nth(5)).to_be_visible()
    total = page.locator(".total")
    before = total.inner_text()
    box = bars.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url(lambda url: "t=1h" not in url)
    chosen = parse_qs(urlsplit(page.url).query)["t"][0]
    start, end = map(int, chosen.split("-"))
    assert abs((end - start) - 0.2 * 61 * 60_000) < 60_000
    expect(total).not_to_have_text(before)

    # The same with the keyboard: two buckets of those that have rows.
    page.get_by_role("slider", name="rows over time").focus()
    for key in ("Home", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile(r" to .*: \d+ rows"))
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: chosen not in url)


def test_groups_columns_and_frequent_values(visit: Visit) -> None:
    page = visit.open("/p/support/logs?v=spans&f=type%20%3D%20'llm'%20AND%20model%20!%3D%20''")
    page.get_by_role("button", name="Group by").click()
    page.get_by_role("button", name="Model", exact=True).click()
    expect(page.get_by_role("row", name="gpt-4o-mini 20")).to_be_visible()
    page.get_by_role("row", name="gpt-4o-mini 20").click()
    assert filters(page)[-1] == "toString(model) = 'gpt-4o-mini'"

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("textbox", name="Column by SQL").click()
    page.keyboard.type("upper(model)")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Pin Model", exact=True).click()
    page.get_by_role("button", name="Move Time to the right").click()
    page.keyboard.press("Escape")
    expect(rows(page).first).to_contain_text("GPT-4O-MINI")
    # A pinned column comes first; all of it is in the address, and so in a saved view.
    expect(page.get_by_role("columnheader")).to_contain_text(["", "Model", "Name", "Time"])
    page.reload()
    expect(page.get_by_role("columnheader")).to_contain_text(["", "Model", "Name", "Time"])
    page.keyboard.press("f")
    expect(page.get_by_role("complementary", name="Frequent values").get_by_text("gpt-4o-mini")).to_be_visible()


def test_presets_find_rows_by_their_errors_scores_and_reviews(visit: Visit, oversight: None) -> None:
    for shape in ("traces", "spans"):
        page = visit.open(f"/p/support/logs?v={shape}")
        for name in ("Errors", "Non-errors", "Scorer errors", "Unreviewed", "Still running", "Low scores"):
            page.get_by_role("button", name="Presets").click()
            page.locator(".menu-item", has_text=re.compile(f"^{name}$")).click()
            expect(page.locator(".chip")).to_have_count(1)
            expect(rows(page).first).to_be_visible()
            page.get_by_role("button", name="Remove the filter").click()
            expect(page.locator(".chip")).to_have_count(0)
    # What waits for a person is found by that person's name, which the browser keeps.
    body = {"project": seed.PROJECT, "queue": "presets", "where": f"span_id = '{seed.MAIN_CALL}'", "assignee": "zoe"}
    Api(visit.collector, key=visit.collector.admin_key).call("/v1/review/items", body | {"reviewer": "zoe"})
    page.get_by_role("button", name="Presets").click()
    page.get_by_label("Your name as a reviewer").fill("zoe")
    page.get_by_role("button", name="Assigned to me").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("chat gpt-4o")


def test_rows_grow_and_every_format_is_exported(visit: Visit, tmp_path: Path) -> None:
    page = visit.open("/p/support/logs?f=has(tags%2C%20'vip')")
    expect(rows(page).first).to_be_visible()
    heights = []
    for height in ("Compact", "Normal", "Tall", "Compact"):
        page.get_by_role("button", name="Columns").click()
        page.get_by_role("radio", name=height).click()
        page.keyboard.press("Escape")
        box = rows(page).first.bounding_box()
        assert box is not None
        heights.append(box["height"])
    assert heights[0] == heights[3] < heights[1] < heights[2]
    listed = rows(page).count()
    found = []
    for name in ("CSV", "Parquet", "JSON lines"):
        page.get_by_role("button", name="Export what the filters leave").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        download.value.save_as(path := tmp_path / download.value.suggested_filename)
        found.append(len(pd.read_parquet(path) if name == "Parquet" else path.read_text().strip().splitlines()))
    assert found == [listed + 1, listed, listed]


def test_view_is_saved_shared_and_opened(visit: Visit) -> None:
    page = visit.open("/p/support/logs?v=spans&f=error%20!%3D%20''&t=7d")
    page.get_by_role("button", name="Saved views").click()
    page.get_by_label("Name of the new view").fill("failures")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="failures", exact=True)).to_be_visible()
    page.get_by_role("button", name="Open this page with it, for everyone").click()
    expect(page.get_by_text("Default for everyone")).to_be_visible()
    page.get_by_label("Name of the new view").fill("my failures")
    page.keyboard.press("Enter")
    page.locator(".view-line", has_text="my failures").get_by_role("button", name="for you").click()
    expect(page.get_by_role("button", name="my failures your default")).to_be_visible()

    visit.open("/p/support/logs")
    page.wait_for_url("**/logs?v=spans**")
    assert filters(page) == ["error != ''"]
    page.get_by_role("button", name="Saved views").click()
    expect(page.get_by_role("button", name="my failures your default")).to_be_visible()
    for name in ("my failures", "failures"):
        page.get_by_role("button", name=f"Delete the view {name}").click()
        expect(page.get_by_role("button", name=f"Delete the view {name}", exact=True)).not_to_be_visible()


def test_selected_rows_are_tagged_exported_and_added_to_a_dataset(visit: Visit, tmp_path: Path) -> None:
    page = visit.open("/p/support/logs?f=has(tags%2C%20'vip')")
    expect(rows(page).nth(3)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_role("toolbar", name="Selected rows")
    expect(bar).to_contain_text("2 selected")

    bar.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        bar.get_by_role("button", name="JSON lines").click()
    download.value.save_as(tmp_path / "rows.jsonl")
    exported = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["tags"] for row in exported] == [["vip"], ["vip"]]

    bar.get_by_role("button", name="Add to dataset").click()
    page.get_by_label("Dataset", exact=True).fill("golden")
    expect(page.locator(".promote-row").nth(1)).to_be_visible()
    page.get_by_role("button", name="Add 2 rows").click()
    expect(page.get_by_text("2 rows added to golden")).to_be_visible()
    stored = visit.collector.sql("SELECT origin FROM dataset_rows WHERE dataset = 'golden'")
    assert {json.loads(row["origin"])["id"] for row in stored} == {row["id"] for row in exported}

    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    bar.get_by_role("button", name="Add a tag").click()
    page.get_by_label("Tag for the selected rows").fill("checked")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tagged 2 rows")).to_be_visible()
    wait_until(
        lambda: visit.collector.sql("SELECT count() AS n FROM logs WHERE has(tags, 'checked')")[0]["n"] == 2,
        what="two tagged rows",
    )


def test_selected_rows_are_scored_by_hand_and_by_a_rule(visit: Visit) -> None:
    name = "names the order"
    rule = {
        "name": name,
        "project": seed.PROJECT,
        "scorers": [{"use": "contains", "name": "named", "options": {"text": ["order", "refund"]}}],
        "sampling_rate": 0,
        "scope": {"type": "span"},
    }
    Api(visit.collector, key=visit.collector.admin_key).call("/v1/scoring-rules", {"rule": rule})
    page = visit.open("/p/support/logs?f=has(tags%2C%20'vip')&q=refund")
    expect(rows(page).nth(1)).to_be_visible()
    bar = page.get_by_role("toolbar", name="Selected rows")
    for choose, done in (("by hand", "Scored 2 rows"), (name, f"{name} scored 2 rows")):
        for key in "kkxjx":
            page.keyboard.press(key)
        bar.get_by_role("button", name="Score").click()
        if choose == "by hand":
            page.get_by_role("combobox", name="Name").fill("kind")
            page.keyboard.press("Enter")
        else:
            bar.get_by_role("button", name=choose).click()
        expect(page.get_by_text(done)).to_be_visible()
    statement = "SELECT scores['kind'] AS kind, scores['named'] AS named FROM logs WHERE mapContains(scores, 'kind')"
    wait_until(
        lambda: visit.collector.sql(statement) == 2 * [{"kind": 1, "named": 0.5}],
        what="two rows that a person and a rule have scored",
    )


def test_live_list_shows_what_arrives(visit: Visit) -> None:
    page = visit.open("/p/support/logs?live=1&f=name%20%3D%20'just%20now'")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    seed.send_now(visit.collector, "just now", key=visit.collector.admin_key)
    expect(rows(page).first).to_contain_text("just now")


def test_few_traces_are_listed_with_three_questions(visit: Visit) -> None:
    now = time.time_ns()
    root = seed.span(f"{now:032x}", f"{now:016x}", "only one", now - seed.SECOND_NS, 1)
    seed.send(visit.collector, "traces", [root], key=visit.collector.admin_key, project="few")
    wait_for_rows(visit.collector, 1, project="few")
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.post_data or ""))
    page = visit.open("/p/few/logs")
    expect(rows(page)).to_contain_text("only one")
    page.wait_for_load_state("networkidle")
    # The newest part of the range, all of it, and once who lacks a root.
    assert len([sql for sql in asked if "ORDER BY created DESC, span_id DESC" in sql]) == 3


def test_trace_without_its_root_is_listed_by_its_earliest_span(visit: Visit) -> None:
    key, now = visit.collector.admin_key, time.time_ns()
    trace, root = f"{now:032x}", f"{now:016x}"
    spans = [
        seed.span(trace, f"{now + 1:016x}", "second step", now - 2 * seed.SECOND_NS, 1, parent=root),
        seed.span(trace, f"{now + 2:016x}", "first step", now - 3 * seed.SECOND_NS, 1, parent=root),
    ]
    seed.send(visit.collector, "traces", spans, key=key, project="afar")
    wait_for_rows(visit.collector, 2, project="afar")
    page = visit.open("/p/afar/logs?live=1")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text(re.compile("first step.*no root.*2"))
    expect(page.locator(".total")).to_have_text("1 trace")
    # What is exported and grouped is what is listed.
    with page.expect_download() as download:
        page.get_by_role("button", name="Export what the filters leave").click()
        page.get_by_role("button", name="JSON lines").click()
    (row,) = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert (row["trace_id"], row["name"]) == (trace, "first step")
    page.get_by_role("button", name="Group by").click()
    page.get_by_role("button", name="Name", exact=True).click()
    expect(rows(page)).to_contain_text("first step")
    expect(rows(page)).to_have_count(1)
    page.go_back()
    # Its root comes late, and takes its place.
    seed.send(
        visit.collector, "traces", [seed.span(trace, root, "job", now - 4 * seed.SECOND_NS, 4)], key=key, project="afar"
    )
    expect(rows(page)).to_contain_text("job")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).not_to_contain_text("no root")
