"""Every page works with a screen reader and with weak eyes: names, and contrast in both themes and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from spanloop_collector.review.item import item_id

from tests.page import oversight, seed
from tests.page.conftest import Visit

pytestmark = pytest.mark.slow

SCRIPTS = Path(__file__).parent / "scripts"
ITEM = item_id(queue=oversight.QUEUE, source="logs", object_id="", row_id=f"{5:015x}a")
PAGES = {
    "logs": "/p/support/logs",
    "trace": f"/p/support/logs?r={seed.MAIN_TRACE}",
    "sql": "/p/support/sql?sql=SELECT name, count() AS n FROM logs GROUP BY name LIMIT 5",
    "monitor": "/p/support/monitor?t=1h",
    "playground": "/p/support/playground",
    "rules": "/p/support/rules",
    "rule": f"/p/support/rules/{oversight.RULE}",
    "rule form": f"/p/support/rules/{oversight.RULE}?edit=1",
    "review": f"/p/support/review?queue={oversight.QUEUE}&item={ITEM}",
}


@pytest.mark.usefixtures("oversight")
@pytest.mark.parametrize("name", PAGES)
def test_page_has_names_and_contrast(visit: Visit, name: str) -> None:
    check_access(visit, PAGES[name])


def check_access(visit: Visit, path: str) -> None:
    """Everything on the page has a name and contrast, in light and in dark, and it fits a phone."""
    page = visit.page
    page.set_viewport_size({"width": 1440, "height": 900})
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        visit.open(path)
        settle(page)
        assert run(page, "nameless") == []
        assert run(page, "faint") == [], theme
    page.set_viewport_size({"width": 400, "height": 800})
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def run(page: Page, script: str) -> list[str]:
    """What a script of this folder finds on the page."""
    found: list[str] = page.evaluate((SCRIPTS / f"{script}.js").read_text())
    return found


def settle(page: Page) -> None:
    """Waits until what the page asked for is shown."""
    page.wait_for_load_state("networkidle")
    expect(page.locator(".spinner")).to_have_count(0)


def test_keyboard_reaches_every_page_and_the_help_lists_the_keys(visit: Visit) -> None:
    page = visit.open("/p/support/logs")
    expect(page.get_by_role("row").nth(2)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Next row")
    page.keyboard.press("Escape")
    for keys, title in (("gm", "Monitor"), ("gs", "SQL"), ("gl", "Logs")):
        for key in keys:
            page.keyboard.press(key)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
