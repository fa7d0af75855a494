"""The pages themselves: by keyboard, on a phone, for a screen reader, in every theme."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import SYMBOL, sign_in, wait_until_live
from tests.stack import Stack

AXE = (Path(__file__).resolve().parents[1] / "fixtures/axe/axe.min.js").read_text()
PAGES = (
    "/", "/markets/", f"/trade/{SYMBOL}/", "/keys/", "/keys/add/", "/profile/", "/activity/", "/batch/", "/history/",
    "/history/?tab=log", "/history/files/", "/reports/", "/reports/journal/", "/status/", "/people/", "/tokens/",
    "/inbox/", "/withdrawals/", "/withdrawals/request/", "/withdrawals/policy/", "/api/",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_serious_accessibility_finding(browser: Browser, stack: Stack, scheme: str) -> None:
    context = browser.new_context(base_url=stack.url, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/account/login/")
    found = serious(page)
    sign_in(page)
    for address in PAGES:
        page.goto(address)
        page.wait_for_timeout(400)
        found |= serious(page)
    context.close()
    assert not found


def serious(page: Page) -> dict[str, Any]:
    page.evaluate(AXE)
    result = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return {
        f"{page.url} {one['id']}": [node["html"][:160] for node in one["nodes"][:3]]
        for one in result["violations"]
        if one["impact"] in {"serious", "critical"}
    }


def test_nothing_scrolls_sideways_on_a_phone(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.url, viewport={"width": 360, "height": 740}, is_mobile=True)
    page = context.new_page()
    sign_in(page)
    for address in PAGES:
        page.goto(address)
        page.wait_for_timeout(300)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 360, address
    context.close()


def test_the_pages_are_reached_by_keys(page: Page) -> None:
    page.goto("/")
    wait_until_live(page)
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile(r"/markets/$"))
    wait_until_live(page)
    page.keyboard.press("/")
    page.keyboard.type("eth perp")
    rows = page.locator("#markets tbody tr:visible")
    expect(rows.first).to_contain_text("ETH")
    expect(page.locator("#markets tbody tr[data-symbol=PF_XBTUSD]")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys-sheet")).to_be_visible()


def test_a_favourite_stays_at_the_top(page: Page) -> None:
    page.goto("/markets/")
    star = page.locator("tr[data-symbol=PI_LTCUSD] .star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("#markets tbody tr").first).to_have_attribute("data-symbol", "PI_LTCUSD")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")


def test_prices_move_without_a_reload_and_agree_everywhere(page: Page) -> None:
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    mark = page.locator("[data-field=mark]").first
    before = mark.inner_text()
    expect(mark).not_to_have_text(before)
    expect(page.locator("#tape tbody tr").first).to_have_attribute("data-side", re.compile("buy|sell"))
    expect(page.locator("#chart canvas").first).to_be_visible()
    page.locator("#book .bids .price").nth(2).click()
    expect(page.locator("#id_limit_price")).not_to_have_value("")


def test_a_chosen_theme_is_kept(page: Page) -> None:
    page.goto("/")
    page.locator("details.menu").last.locator("summary").click()
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.goto("/markets/")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.locator("details.menu").last.locator("summary").click()
    page.get_by_role("button", name="As the system").click()
