"""How long a person waits for the page, in a real browser, over millions of rows of an embedded ClickHouse.

Filling takes longer than measuring, so a folder can be filled beforehand and measured as often as one likes:

    python -m tests.benchmarks.page /tmp/filled 5000000
    python -m tests.benchmarks page --folder /tmp/filled --rows 5000000
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store

from tests.benchmarks.options import Options
from tests.page import seed
from tests.page.conftest import BROWSERS, FLAGS
from tests.support.collector_process import CollectorProcess
from tests.support.sending import wait_for_rows

FILL = (Path(__file__).parent / "page.sql").read_text()
ROWS_AT_ONCE = 250_000
DAY_MS = 86_400_000
RANGE_NANO = 2 * 86_400_000_000_000
REPEATS = 7
PATIENCE_MS = 20_000
ROWS = ".logs-list .row:not(.head)"
IS_FILTERED = """() => /[?&][fq]=/.test(location.search)
    && document.querySelectorAll('.logs-list[aria-busy=false] .row:not(.head)').length > 20"""

TARGETS_MS = {
    "list of traces": 1000,
    "traces with an error": 500,
    "spans of a model": 500,
    "spans with a word": 500,
    "trace of 10,000 spans": 1500,
}
FIRST_LOAD_KB = 300


def measure(options: Options) -> None:
    """Median and slowest of each step, from the click to what it shows."""
    fill(options.folder, options.rows)
    collector = CollectorProcess(options.folder)
    collector.start()
    try:
        day = newest_day(collector)
        with sync_playwright() as driver:
            path = next(filter(None, map(shutil.which, BROWSERS)))
            browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
            for name, step in STEPS.items():
                print(timed(name, step, browser.new_page(base_url=collector.api_url), day), flush=True)
            size = first_load(browser.new_page(base_url=collector.api_url), day)
            print(f"first load over the wire: {size / 1000:.0f} KB (target {FIRST_LOAD_KB})", flush=True)
            browser.close()
    finally:
        collector.stop()


def fill(folder: Path, rows: int) -> None:
    """Writes what is missing where the collector will find it: millions of rows, and the traces of `seed`."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(StoreSettings(), folder)
    names = {"database": store.database, "range_nano": RANGE_NANO, "end_unix_nano": time.time_ns()}
    count = f"SELECT count() FROM {store.database}.spans WHERE project = "
    (there,), (of_seed,) = (store.column(f"{count} '{project}'") for project in ("default", seed.PROJECT))
    for first in range(there, rows, ROWS_AT_ONCE):
        sizes = {"first": first, "count": min(ROWS_AT_ONCE, rows - first), "step_nano": RANGE_NANO // (rows // 10)}
        text = FILL
        for name, value in {**names, **sizes}.items():
            text = text.replace(f"{{{name}}}", str(value))
        store.command(text)
    store.close()
    if not of_seed:
        fill_seed(CollectorProcess(folder))


def fill_seed(collector: CollectorProcess) -> None:
    """Sends the traces of the page's tests; the longest has 10,000 spans."""
    try:
        collector.start()
        seed.fill(collector)
        wait_for_rows(collector, seed.TOTAL_SPANS, project=seed.PROJECT)
    finally:
        collector.stop()


def newest_day(collector: CollectorProcess) -> str:
    """The last 24 hours that have rows, as the page's address says it: the folder may have been filled long ago."""
    statement = "SELECT toUnixTimestamp64Milli(max(created)) AS newest FROM logs WHERE project = 'default'"
    newest = int(collector.sql(statement)[0]["newest"]) + 1
    return f"t={newest - DAY_MS}-{newest}"


def open_list(page: Page, day: str) -> float:
    """The page, opened anew, until its first rows are there."""
    page.goto("about:blank")
    return seconds(
        lambda: page.goto(f"/p/default/logs?{day}"), lambda: expect(page.locator(ROWS).nth(20)).to_be_visible()
    )


def only_errors(page: Page, day: str) -> float:
    """A preset chosen over all traces of a day, until only traces with errors are there."""
    page.goto(f"/p/default/logs?{day}")
    expect(page.locator(ROWS).nth(20)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Presets").click()
    errors = page.get_by_role("button", name="Errors", exact=True)
    return seconds(errors.click, lambda: page.wait_for_function(IS_FILTERED))


def only_a_model(page: Page, day: str) -> float:
    """A click on a model in the list of spans, until all rows are of that model."""
    page.goto(f"/p/default/logs?v=spans&{day}")
    cell = page.locator(f"{ROWS} [aria-label='Only Model gpt-4o']").first
    cell.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    return seconds(lambda: cell.evaluate("it => it.click()"), lambda: page.wait_for_function(IS_FILTERED))


def with_a_word(page: Page, day: str) -> float:
    """A word looked for in the input and output of spans, until its rows are there."""
    page.goto(f"/p/default/logs?v=spans&{day}")
    expect(page.locator(ROWS).nth(20)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.get_by_role("searchbox", name="Find words").fill("word77")
    return seconds(lambda: page.keyboard.press("Enter"), lambda: page.wait_for_function(IS_FILTERED))


def open_trace(page: Page, _: str) -> float:
    """A trace of ten thousand spans, opened by its address, until a click selects another of its spans."""
    page.goto("about:blank")

    def walk() -> None:
        expect(page.get_by_role("treeitem").nth(10)).to_be_visible()
        page.get_by_role("treeitem").nth(1).click()
        expect(page.get_by_role("treeitem").nth(1)).to_have_attribute("aria-selected", "true")

    return seconds(lambda: page.goto(f"/p/support/logs?r={seed.LONG_TRACE}"), walk)


STEPS: dict[str, Callable[[Page, str], float]] = {
    "list of traces": open_list,
    "traces with an error": only_errors,
    "spans of a model": only_a_model,
    "spans with a word": with_a_word,
    "trace of 10,000 spans": open_trace,
}


def first_load(page: Page, day: str) -> float:
    """Bytes that came over the wire until the list and all that it loads are there, with nothing cached."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"/p/default/logs?{day}")
    expect(page.locator(ROWS).nth(20)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.close()
    return sum(sizes)


def seconds(act: Callable[[], object], shown: Callable[[], object]) -> float:
    """From the act to what it shows."""
    started = time.perf_counter()
    act()
    shown()
    return time.perf_counter() - started


def timed(name: str, step: Callable[[Page, str], float], page: Page, day: str) -> str:
    """One line of the report."""
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    step(page, day)
    taken = [step(page, day) * 1000 for _ in range(REPEATS)]
    page.close()
    return f"{name}: {statistics.median(taken):.0f} ms, slowest {max(taken):.0f} (target {TARGETS_MS[name]})"


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
