"""The key: asked for when the collector requires one, kept in the tab, never in an address."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.conftest import Visit


def test_key_opens_the_page_and_stays_in_the_tab(visitor: Visit) -> None:
    page = visitor.open("/")
    key = page.get_by_label("API key")
    key.fill("sl_abcdefgh_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("API key")

    key.fill(visitor.collector.admin_key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("row").nth(3)).to_be_visible()
    assert page.url.endswith("/p/support/logs")
    secret = visitor.collector.admin_key
    assert secret not in page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")
    page.reload()
    expect(page.get_by_role("row").nth(3)).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert secret not in page.evaluate("JSON.stringify(sessionStorage)")
    # The browser itself reports each refusal.
    visitor.allow("401")
