"""The playground: prompts run side by side on models of the operator, scored, stopped and saved."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.page import seed
from tests.page.conftest import Visit
from tests.page.evals import Api
from tests.page.models import KEY, Models
from tests.page.test_accessible import run, settle
from tests.page.test_hostile import check

PLAYGROUND = f"/p/{seed.PROJECT}/playground"
# Where something is saved: other tests count the experiments of the seed's project.
TRIALS = "/p/trials/playground"
ROWS = [
    {"question": "Why?", "tone": "kind", "expected": "You asked: **Why? kind** Here is what I know."},
    {"question": "How?", "tone": "short", "expected": "No."},
]


def paste(page: Page, *rows: object) -> None:
    page.get_by_label("Pasted inputs").fill("\n".join(map(json.dumps, rows)))


def run_all(page: Page) -> None:
    page.get_by_role("button", name="Run everything").click()


def test_variants_run_side_by_side_and_are_saved_as_experiments(visit: Visit, models: Models) -> None:
    page = visit.open(TRIALS)
    paste(page, *ROWS)
    expect(page.get_by_role("radio", name="JSON")).to_be_checked()
    prompt = page.get_by_label("Text of A, message 2")
    prompt.fill("{{question}} {{wrong}}")
    expect(page.get_by_role("region", name="Variant A")).to_contain_text("{{wrong}} is empty in 2 of 2")
    prompt.fill("{{question}} {{tone}}")
    page.get_by_text("Parameters").click()
    page.get_by_label("Temperature").fill("0.2")
    page.get_by_label("Add a scorer").select_option("similarity")
    page.get_by_label("Add a scorer").select_option("contains")
    page.get_by_label("Options, as JSON").last.fill('{"text": "know"}')
    page.get_by_role("button", name="Add a variant").click()
    page.get_by_label("Provider of B").select_option("anthropic")
    expect(page.get_by_label("Model of B")).to_have_value("claude-sonnet-4-5")

    models.provider.requests.clear()
    prompt.focus()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status", name="Progress")).to_contain_text("4 of 4 done")
    assert sorted(path for path, _ in models.provider.requests) == [
        *["/v1/chat/completions"] * 2,
        *["/v1/messages"] * 2,
    ]
    assert all(body["temperature"] == 0.2 for _, body in models.provider.requests)
    first = page.get_by_role("article", name="Output of A for input 1")
    expect(first.locator("strong")).to_have_text("Why? kind")
    for words in ("similarity", "contains 100%", "1,200 tokens", "$0.00", "first"):
        expect(first).to_contain_text(words)
    page.get_by_role("radio", name="Against expected").click()
    expect(page.get_by_role("article", name="Output of B for input 2").locator("del").first).to_contain_text("No")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        settle(page)
        assert run(page, "nameless") == []
        assert run(page, "faint") == [], theme

    # Keys stay in the collector.
    listed = page.evaluate(
        "fetch('/v1/playground/models', {headers: {authorization: 'Bearer ' + sessionStorage['spanloop.key']}})"
        ".then((answer) => answer.text())"
    )
    assert "gpt-4o-mini" in listed
    assert KEY not in listed + page.content()

    # What ran before a change is not what the prompt says.
    prompt.fill("{{question}}")
    expect(first).to_contain_text("before the change")
    page.get_by_role("button", name="Save as experiment").click()
    expect(page.get_by_role("dialog")).to_contain_text("B: 2 cases.")
    page.get_by_role("button", name="Cancel").click()
    prompt.fill("{{question}} {{tone}}")
    page.get_by_role("button", name="Save as experiment").click()
    page.get_by_label("Name", exact=True).fill("tried out")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    scores = page.get_by_role("region", name="Scores and metrics")
    expect(scores).to_contain_text("similarity")
    scores.get_by_role("button", name="metrics").click()
    for measure in ("contains", "cost", "total_tokens", "time_to_first_token"):
        expect(scores).to_contain_text(measure)
    expect(page.get_by_role("listitem")).to_have_count(2)
    page.locator(".grid .row:not(.head)").first.click()
    page.get_by_role("button", name="Open the trace").first.click()
    trace = page.get_by_role("complementary", name="Trace")
    expect(trace.get_by_role("treeitem")).to_have_count(4)  # the case, the model's call, two scores
    trace.get_by_role("treeitem").filter(has_text="chat").click()
    expect(trace).to_contain_text("Answer in one short sentence.")
    trace.get_by_role("link", name="Open in the playground").click()
    expect(page.get_by_label("Text of A, message 2")).to_have_value(re.compile("Why. kind|How. short"))


def test_rows_of_a_dataset_keep_their_origin(visit: Visit) -> None:
    api = Api(visit.collector, key=visit.collector.admin_key)
    dataset = api.call("/v1/datasets", {"project": "trials", "name": "cases"})["dataset"]["id"]
    rows = [{"input": question, "expected": "Because."} for question in ("Why?", "How?", "When?")]
    api.call(f"/v1/datasets/{dataset}/rows", {"rows": rows})
    api.call(f"/v1/datasets/{dataset}/snapshots", {"name": "launch"})
    page = visit.open(TRIALS)
    page.get_by_role("radio", name="Dataset").click()
    page.get_by_label("Dataset", exact=True).select_option("cases")
    page.get_by_label("Version").select_option("launch")
    page.get_by_label("At most").fill("2")
    page.get_by_label("At most").press("Tab")
    expect(page.locator(".input-line")).to_have_count(2)
    page.get_by_label("Trials of each").fill("2")
    page.get_by_label("Trials of each").press("Tab")
    run_all(page)
    expect(page.get_by_role("status", name="Progress")).to_contain_text("4 of 4 done")
    expect(page.locator(".input-line")).to_have_count(2)
    expect(page.get_by_role("article", name="Output of A for input 2, trial 2")).to_be_visible()
    page.get_by_role("button", name="Save as experiment").click()
    page.get_by_label("Name", exact=True).fill("over rows")
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    # Trials of a row are one case. Cases of the experiment before, with which this one is compared, are there too.
    cases = page.locator(".grid .row:not(.head)").filter(has_text="Because.")
    expect(cases).to_have_count(2)
    cases.first.click()
    page.get_by_role("complementary", name="Case").get_by_role("link", name="a row of the dataset").click()
    page.wait_for_url("**/datasets/**")
    expect(page.get_by_text("Because.").first).to_be_visible()


def test_answer_shows_as_it_comes_and_stops_when_told(visit: Visit, models: Models) -> None:
    page = visit.open(PLAYGROUND)
    page.get_by_label("Model of A").fill("slow")
    page.get_by_label("Pasted inputs").fill("\n".join(f"question {number}" for number in range(8)))
    models.gate.clear()
    models.provider.requests.clear()
    run_all(page)
    cell = page.get_by_role("article", name="Output of A for input 1")
    expect(cell).to_contain_text("You asked:")
    expect(cell).to_have_attribute("aria-busy", "true")
    expect(cell.get_by_text("You asked:")).to_be_in_viewport(ratio=1)
    box = cell.bounding_box()
    assert box is not None
    assert box["width"] > 400
    expect(page.get_by_role("article", name="Output of A for input 8")).to_contain_text("waiting")
    page.keyboard.press("Escape")
    expect(page.get_by_role("status", name="Progress")).to_contain_text("0 of 8 done, 8 stopped")
    expect(cell).to_contain_text("You asked:")
    assert len(models.provider.requests) == 5  # those that waited were never asked
    models.gate.set()
    # One alone, and a refusal in the provider's words.
    page.get_by_role("button", name="Again: Output of A for input 1").click()
    expect(cell).to_contain_text("Here is what I know.")
    page.get_by_label("Model of A").fill("broken")
    run_all(page)
    expect(page.get_by_role("status", name="Progress")).to_contain_text("8 failed")
    expect(cell.get_by_role("alert")).to_contain_text("openai answered 529: <b>overloaded</b>")


def test_what_models_say_is_text(visit: Visit) -> None:
    hostile = {
        "variants": [
            {
                "endpoint": "openai",
                "model": "hostile",
                "messages": [{"role": seed.HOSTILE_TEXTS[0], "content": seed.HOSTILE}],
                "id": "<img>",
            },
            {"model": "broken", "more": seed.HOSTILE_TEXTS[1]},
            {"model": "broken"},
        ],
        "inputs": {"text": json.dumps({"input": seed.HOSTILE, "expected": seed.HOSTILE}), "format": "json"},
        "scorers": [{"use": "contains", "name": "x", "options": json.dumps({"text": "<b>not there</b>"})}],
    }
    page = visit.open(f"{PLAYGROUND}?c={quote(json.dumps(hostile))}")
    expect(page.get_by_label("Role of A, message 1")).to_have_value(seed.HOSTILE_TEXTS[0])
    # An address runs nothing by itself, and what is no JSON is said before anything is spent.
    expect(page.get_by_role("article")).to_have_count(0)
    run_all(page)
    expect(page.locator(".toast")).to_contain_text("Other parameters:")
    page.get_by_role("button", name="Remove variant B").click()
    run_all(page)
    expect(page.get_by_role("status", name="Progress")).to_contain_text("1 of 2 done, 1 failed")
    check(page)
    for look in ("Against expected", "Against A", "Output"):
        page.get_by_role("radio", name=look).click()
        check(page)
    page.get_by_text("What was sent").first.click()
    page.get_by_text("why", exact=True).first.click()
    check(page)
    visit.open(f"{PLAYGROUND}?c=%7B%22variants%22%3A3%7D&from=%3Cscript%3E.1")
    expect(page.locator(".toast")).to_contain_text("could not be opened")
    check(page)


def test_address_says_what_is_tried(visit: Visit) -> None:
    page = visit.open(PLAYGROUND)
    page.get_by_label("Text of A, message 1").fill("Rhyme, please.")
    page.get_by_label("Pasted inputs").fill("question,expected\nWhy?,Because.")
    expect(page.get_by_role("radio", name="CSV")).to_be_checked()
    page.wait_for_url(lambda url: "Rhyme" in url and "Because" in url)
    address = page.url
    # Another page and back: the tab remembers; another tab: the address says.
    page.keyboard.press("Escape")
    visit.open(f"/p/{seed.PROJECT}/sql")
    visit.open(PLAYGROUND)
    expect(page.get_by_label("Text of A, message 1")).to_have_value("Rhyme, please.")
    page.evaluate("sessionStorage.removeItem('spanloop.playground.support')")
    page.goto(address)
    expect(page.get_by_label("Text of A, message 1")).to_have_value("Rhyme, please.")
    page.get_by_label("Pasted inputs").fill("long " * 4000)
    expect(page.get_by_text("not in the address")).to_be_visible()
    assert "?c=" not in page.url


def test_logged_call_goes_on_in_the_playground(visit: Visit) -> None:
    page = visit.open(f"/p/{seed.PROJECT}/logs?r={seed.MAIN_TRACE}&s={seed.MAIN_CALL}")
    page.get_by_role("link", name="Open in the playground").click()
    expect(page.get_by_label("Text of A, message 1")).to_have_value("You are a support agent. Be kind and brief.")
    assert seed.QUESTION in page.get_by_label("Text of A, message 2").input_value()
    expect(page.get_by_label("Model of A")).to_have_value("gpt-4o")
    run_all(page)
    expect(page.get_by_role("status", name="Progress")).to_contain_text("1 of 1 done")


def test_collector_without_models_says_what_to_do(visit: Visit) -> None:
    nothing = {"endpoints": [], "scorers": [], "hint": "Start it with OPENAI_API_KEY."}
    visit.page.route("**/v1/playground/models", lambda route: route.fulfill(json=nothing))
    page = visit.open(PLAYGROUND)
    expect(page.get_by_role("heading", name="No model to ask yet")).to_be_visible()
    expect(page.get_by_text("[playground.endpoints.local]")).to_be_visible()
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    visit.page.unroute("**/v1/playground/models")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_label("Model of A")).to_have_value("gpt-4o-mini")
