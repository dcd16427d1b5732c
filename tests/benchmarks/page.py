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

from tests.benchmarks.options import Options, print_table
from tests.page import seed
from tests.page.conftest import BROWSERS, FLAGS
from tests.support.collector_process import CollectorProcess
from tests.support.sending import wait_for_rows

FILL = (Path(__file__).parent / "page.sql").read_text()
ROWS_AT_ONCE = 250_000
RANGE_NANO = 2 * 86_400_000_000_000
REPEATS = 7
PATIENCE_MS = 60_000
ROWS = ".logs-list .row:not(.head)"

TARGETS_MS = {"list of traces": 1000, "change of filter": 500, "trace of 10,000 spans": 1500}


def measure(options: Options) -> None:
    """Median and slowest of each step, from the click to what it shows."""
    fill(options.folder, options.rows)
    collector = CollectorProcess(options.folder)
    collector.start()
    try:
        with sync_playwright() as driver:
            path = next(filter(None, map(shutil.which, BROWSERS)))
            browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
            rows = [timed(name, step, browser.new_page(base_url=collector.api_url)) for name, step in STEPS.items()]
            browser.close()
        print_table(["milliseconds", "median", "slowest", "target"], rows)
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
    collector.start()
    seed.fill(collector)
    wait_for_rows(collector, seed.TOTAL_SPANS, project=seed.PROJECT)
    collector.stop()


def open_list(page: Page) -> float:
    """The page, opened anew, until its first rows are there."""
    page.goto("about:blank")
    return seconds(lambda: page.goto("/p/default/logs"), lambda: expect(page.locator(ROWS).nth(20)).to_be_visible())


def change_filter(page: Page) -> float:
    """A condition taken away, until its rows are there."""
    page.goto("/p/default/logs?v=spans&f=model%20%3D%20'gpt-4o'&f=error%20!%3D%20''")
    row = page.locator(ROWS).first
    expect(row).to_contain_text("gpt-4o")
    remove = page.get_by_role("button", name="Remove the filter model")
    return seconds(remove.click, lambda: expect(page.locator(ROWS).nth(20)).not_to_contain_text("gpt-4o"))


def open_trace(page: Page) -> float:
    """A trace of ten thousand spans, opened by its address."""
    page.goto("about:blank")
    shown = page.get_by_role("treeitem").nth(10)
    return seconds(lambda: page.goto(f"/p/support/logs?r={seed.LONG_TRACE}"), lambda: expect(shown).to_be_visible())


STEPS: dict[str, Callable[[Page], float]] = {
    "list of traces": open_list,
    "change of filter": change_filter,
    "trace of 10,000 spans": open_trace,
}


def seconds(act: Callable[[], object], shown: Callable[[], object]) -> float:
    """From the act to what it shows."""
    started = time.perf_counter()
    act()
    shown()
    return time.perf_counter() - started


def timed(name: str, step: Callable[[Page], float], page: Page) -> list[object]:
    """One line of the table."""
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    step(page)
    taken = [step(page) * 1000 for _ in range(REPEATS)]
    page.close()
    return [name, f"{statistics.median(taken):.0f}", f"{max(taken):.0f}", TARGETS_MS[name]]


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
