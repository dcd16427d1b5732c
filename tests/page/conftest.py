"""A collector with keys and rows for the whole run, and a real Chromium for each file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.page import seed
from tests.page.evals import Evals
from tests.page.evals import fill as fill_evals
from tests.page.models import Models, running_models
from tests.page.oversight import fill as fill_oversight
from tests.support.collector_process import CollectorProcess
from tests.support.leaks import expect_process
from tests.support.sending import wait_for_rows

# The first needs a third of the processor time of the others, as it has no windows that could be drawn.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The application of variants is on this machine.
ENVIRONMENT = {"SPANLOOP_REQUIRE_KEYS": "true", "SPANLOOP_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES": "true"}
PATIENCE_MS = 20_000
"""How long a test waits for what should show; a quiet machine needs a tenth of it."""


@pytest.fixture(scope="session")
def models() -> Iterator[Models]:
    """What the collector's playground may ask."""
    with running_models() as running:
        yield running


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[CollectorProcess]:
    """A collector that requires keys and has the rows of `seed`."""
    environment = ENVIRONMENT | {"SPANLOOP_PLAYGROUND_ENDPOINTS": models.endpoints}
    process = CollectorProcess(tmp_path_factory.mktemp("page") / "data", environment=environment)
    process.start()
    expect_process(process.pid)
    seed.fill(process, key=process.admin_key)
    wait_for_rows(process, seed.TOTAL_SPANS, project=seed.PROJECT)
    yield process
    process.stop()


@pytest.fixture(scope="session")
def evals(collector: CollectorProcess) -> Evals:
    """A dataset, experiments over it and variants, beside the rows of `seed`."""
    return fill_evals(collector, key=collector.admin_key)


@pytest.fixture(scope="session")
def oversight(collector: CollectorProcess) -> None:
    """Rules that scored rows of `seed`, and a queue of rows for people."""
    fill_oversight(collector, key=collector.admin_key)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window. One for each file: while it is open, no test of the file can be asynchronous."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("there is no Chromium; `apt-get install chromium-headless-shell` brings one")
    before = {child.pid for child in psutil.Process().children()}
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        for child in psutil.Process().children():
            if child.pid not in before:
                expect_process(child.pid)
        yield started
        started.close()


@dataclass
class Visit:
    """A page in the browser, and what must not happen on it."""

    page: Page
    collector: CollectorProcess
    problems: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)

    def allow(self, *problems: str) -> None:
        """Says which problems are part of the test, by a part of their text: the browser reports each refusal."""
        self._allowed += problems

    def check(self) -> None:
        """Fails where there was a problem that is not allowed."""
        assert [one for one in self.problems if not any(part in one for part in self._allowed)] == []

    def open(self, path: str) -> Page:
        """Goes to an address of the page."""
        self.page.goto(self.collector.api_url + path)
        return self.page


@pytest.fixture
def visitor(browser: Browser, collector: CollectorProcess) -> Iterator[Visit]:
    """Somebody without a key."""
    yield from _visit(browser, collector, key="")


@pytest.fixture
def visit(browser: Browser, collector: CollectorProcess) -> Iterator[Visit]:
    """Somebody who is signed in."""
    yield from _visit(browser, collector, key=collector.admin_key)


def _visit(browser: Browser, collector: CollectorProcess, *, key: str) -> Iterator[Visit]:
    # Who asks for less motion gets none, and what does not move need not be drawn again.
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, accept_downloads=True, timezone_id="UTC", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    if key:
        context.add_init_script(
            # The browser's own frame around a PDF has no storage.
            f"sessionStorage?.getItem('spanloop.key') ?? sessionStorage?.setItem('spanloop.key', {json.dumps(key)})"
        )
    page = context.new_page()
    visit = Visit(page, collector)
    page.on("pageerror", lambda error: visit.problems.append(f"exception: {error}"))
    page.on("console", lambda message: _check_message(message, visit))
    page.on("request", lambda request: _check_address(request, visit))
    yield visit
    attacked = page.evaluate("window.attacked")
    context.close()
    visit.check()
    assert attacked is None


def _check_message(message: ConsoleMessage, visit: Visit) -> None:
    if message.type == "error":
        visit.problems.append(f"console: {message.text}")


def _check_address(request: Request, visit: Visit) -> None:
    # The browser shows PDF documents with parts of its own.
    here = (visit.collector.api_url + "/", "blob:", "data:", "chrome:", "chrome-extension:")
    if not request.url.startswith(here):
        visit.problems.append(f"request to elsewhere: {request.url}")


@pytest.fixture(scope="session")
def static() -> Path:
    """The built files."""
    return Path(__file__).parents[2] / "collector/spanloop_collector/page/static"
