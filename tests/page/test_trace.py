"""A trace: its tree and timeline, its conversation, and what people add to its rows."""

from __future__ import annotations

import base64
import struct
import time

from playwright.sync_api import expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.support.waiting import wait_until

PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
# A hundredth of a second of silence.
WAV = base64.b64encode(
    b"RIFF\xc4\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
    + struct.pack("<IIHH", 8000, 8000, 1, 8)
    + b"data"
    + struct.pack("<I", 80)
    + b"\x80" * 80
).decode()
# On a quiet machine it takes a sixth of this.
LONG_TRACE_SECONDS = 10.0


def test_trace_is_walked_from_the_list_to_the_failing_span(visit: Visit) -> None:
    page = visit.open("/p/support/logs?q=4711")
    page.locator(".logs-list .row:not(.head)").first.click()
    spans = page.get_by_role("treeitem")
    expect(spans).to_have_count(6)
    expect(spans.nth(0)).to_contain_text("3.4 s")
    expect(spans.nth(3)).to_have_attribute("aria-level", "3")
    expect(page.locator(".detail .markdown table")).to_contain_text("shipped")
    expect(page.locator(".score-line")).to_contain_text("92%")

    page.keyboard.press("e")
    expect(page.locator(".span-error")).to_contain_text("the carrier did not answer")
    page.get_by_text("Stack trace").click()
    expect(page.get_by_text("carrier.py")).to_be_visible()
    assert "s=aaaaaaaaaaaaaaa4" in page.url

    page.get_by_role("radio", name="Thread").click()
    expect(page.locator(".thread .message")).to_have_count(6)
    expect(page.locator(".thread img")).to_be_visible()
    page.locator(".thread-span").first.click()
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_text("the answer took longer than usual")).to_be_visible()
    # All of that is in the address.
    page.reload()
    expect(page.locator(".thread .message").first).to_be_visible()
    expect(page.get_by_text("the answer took longer than usual")).to_be_visible()
    page.get_by_role("radio", name="Logs 1").click()
    page.get_by_role("list", name="Log records of the trace").get_by_role("button", name="chat gpt-4o").click()
    assert f"s={seed.MAIN_CALL}" in page.url
    page.get_by_role("radio", name="Timeline").click()
    page.keyboard.press("Escape")
    expect(spans).to_have_count(0)
    assert page.url.endswith("/logs?q=4711")


def test_pictures_sounds_and_documents_are_shown_as_what_they_are(visit: Visit) -> None:
    parts = [{"type": "image_url", "image_url": {"url": seed.PNG}}, {"type": "text", "text": "# A *title*"}]
    parts += [{"type": "file", "file": {"filename": "bill.pdf", "file_data": PDF}}]
    parts += [{"type": "input_audio", "input_audio": {"format": "wav", "data": WAV}}]
    made = seed.span(
        "e" * 32,
        "e" * 16,
        "all kinds",
        time.time_ns() - seed.SECOND_NS,
        1,
        spanloop__input=[{"role": "user", "content": parts}],
    )
    seed.send(visit.collector, "traces", [made], key=visit.collector.admin_key, project="pictures")
    wait_until(lambda: visit.collector.sql(f"SELECT 1 FROM logs WHERE span_id = '{'e' * 16}'") != [], what="the span")
    page = visit.open(f"/p/pictures/logs?r={'e' * 32}")
    message = page.get_by_role("region", name="Input")
    expect(message.locator(".media img")).to_be_visible()
    expect(message.locator(".markdown em")).to_have_text("title")
    expect(message.locator("audio")).to_be_visible()
    expect(message.locator("iframe[title='bill.pdf']")).to_be_visible()


def test_what_people_add_is_stored_on_the_row(visit: Visit) -> None:
    page = visit.open(f"/p/support/logs?r={seed.MAIN_TRACE}&s={seed.MAIN_CALL}")
    page.get_by_role("button", name="Good", exact=True).click()
    expect(page.get_by_role("button", name="Good", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Comment").fill("calls the right tool")
    page.keyboard.press("Enter")
    expect(page.locator(".comment")).to_have_text("calls the right tool")
    page.get_by_label("Add a tag").fill("good call")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag good call")).to_be_visible()
    page.get_by_role("button", name="Write the expected answer").click()
    page.get_by_label("Expected answer").fill('{"tool": "lookup_order"}')
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Expected")).to_contain_text("lookup_order")

    row = visit.collector.sql(
        "SELECT scores['thumbs'] AS verdict, metadata['comment'] AS comment, tags, expected FROM logs "
        f"WHERE span_id = '{seed.MAIN_CALL}'"
    )
    assert row == [
        {
            "verdict": 1,
            "comment": "calls the right tool",
            "tags": ["good call"],
            "expected": '{"tool":"lookup_order"}',
        }
    ]


def test_values_of_metadata_become_filters_and_columns(visit: Visit) -> None:
    page = visit.open(f"/p/support/logs?r={seed.MAIN_TRACE}")
    page.get_by_role("tab", name="Metadata").click()
    user = page.locator(".pair", has_text="user_id")
    user.hover()
    user.get_by_role("button", name="Column of user_id").click()
    user.get_by_role("button", name="Only metadata['user_id'] = 'ada'").click()
    page.keyboard.press("Escape")
    expect(page.locator(".total")).to_have_text("1 trace")
    expect(page.get_by_role("columnheader", name="user_id")).to_be_visible()


def test_ten_thousand_spans_stay_fluid(visit: Visit) -> None:
    page = visit.open("/p/support/logs?q=nothing")
    started = time.monotonic()
    visit.open(f"/p/support/logs?r={seed.LONG_TRACE}")
    expect(page.get_by_role("treeitem").first).to_contain_text("step 0")
    assert time.monotonic() - started < LONG_TRACE_SECONDS
    expect(page.get_by_text("10,000 spans")).to_be_visible()
    assert page.get_by_role("treeitem").count() < 100

    page.get_by_role("searchbox", name="Find spans").fill("step 9999")
    page.get_by_role("treeitem").first.click()
    page.get_by_role("searchbox", name="Find spans").fill("")
    expect(page.locator(".span-row.at")).to_contain_text("step 9999")
    expect(page.locator(".span-row.at")).to_be_in_viewport()


def test_running_span_is_seen_to_end(visit: Visit) -> None:
    page = visit.open(f"/p/support/logs?r={seed.RUNNING_TRACE}")
    expect(page.locator(".facts")).to_contain_text("running for")
    statement = f"SELECT toUnixTimestamp64Nano(created) AS start FROM logs WHERE trace_id = '{seed.RUNNING_TRACE}'"
    (row,) = visit.collector.sql(statement)
    ended = seed.running_span(0) | {"startTimeUnixNano": str(row["start"]), "endTimeUnixNano": str(time.time_ns())}
    seed.send(visit.collector, "traces", [ended], key=visit.collector.admin_key)
    expect(page.locator(".facts")).not_to_contain_text("running for")
    wait_until(lambda: page.locator(".running-text").count() == 0, what="a trace that ended")
