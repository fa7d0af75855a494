"""From nothing to an order placed, filled and cancelled, as a newcomer goes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import SYMBOL, choose, far_below, wait_until_live
from tests.stack import Stack


def test_a_newcomer_creates_the_owner_by_the_printed_link(browser: Browser, tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    del stack.environment["KFWEB_OWNER_EMAIL"], stack.environment["KFWEB_OWNER_PASSWORD"]
    try:
        stack.start()
        link = re.search(r"http://\S+/setup/\S+", stack.output)
        assert link, stack.output
        page = browser.new_page()
        page.goto(link[0])
        page.fill("[name=email]", "first@example.test")
        for field in page.locator("input[type=password]").all():
            field.fill("a long enough sentence")
        page.click("main button")
        expect(page.get_by_role("button", name="Try the demo")).to_be_visible()
        page.goto(link[0])
        expect(page.locator("h1")).to_contain_text("no longer works")
        page.close()
    finally:
        stack.stop()


@pytest.fixture
def demo_page(page: Page) -> Page:
    page.goto("/")
    if page.get_by_role("button", name="Try the demo").count() == 0:
        page.goto("/keys/")
    page.get_by_role("button", name="Try the demo").click()
    expect(page.locator("[data-figure=equity]")).to_be_visible()
    return page


def test_two_clicks_lead_to_a_funded_account_with_live_figures(demo_page: Page) -> None:
    page = demo_page
    wait_until_live(page)
    expect(page.locator(".environment")).to_have_text("DEMO")
    expect(page.locator("[data-figure=equity]")).to_have_text(re.compile(r"^\d{2,}"))
    expect(page.locator("[data-part=wallets]")).to_contain_text("Single-collateral")
    expect(page.locator("[data-part=positions]")).to_contain_text("No open position")


def test_a_limit_order_is_placed_and_cancelled(demo_page: Page) -> None:
    page = demo_page
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    price = far_below(page)
    page.fill("#id_size", "0.1")
    page.fill("#id_limit_price", price)
    expect(page.locator("[data-submit]")).to_contain_text(f"Buy 0.1 {SYMBOL} limit")
    page.keyboard.press("Enter")
    expect(page.locator("#ticket-result .state")).to_have_text("Open")
    expect(page.locator("#id_size")).to_have_value("")
    row = page.locator("[data-part=orders] tr[data-order]")
    expect(row).to_have_count(1)
    page.locator(".tabs label:has([value=orders])").click()
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_count(0)
    expect(page.locator("#ticket-result .state")).to_have_text("Cancelled")


def test_a_market_order_fills_and_the_position_appears(demo_page: Page) -> None:
    page = demo_page
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    choose(page, "type", "market")
    page.fill("#id_size", "0.05")
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Filled")
    expect(page.locator(f"tr[data-position={SYMBOL}]")).to_contain_text("long")
    page.locator(".tabs label:has([value=fills])").click()
    expect(page.locator("[data-part=fills] tbody tr").first).to_contain_text("buy")
    page.goto("/")
    expect(page.locator(f"tr[data-position={SYMBOL}]")).to_contain_text("0.0500")


def test_an_order_off_the_tick_offers_its_neighbours_and_keeps_what_was_typed(demo_page: Page) -> None:
    page = demo_page
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    price = far_below(page)
    page.fill("#id_size", "0.1")
    page.fill("#id_limit_price", f"{price}.37")
    page.click("[data-submit]")
    field = page.locator("[data-field-of=limit_price]")
    expect(field.locator(".error")).to_contain_text("multiple of")
    expect(page.locator("#id_size")).to_have_value("0.1")
    field.locator("[data-fill]").first.click()
    expect(page.locator("#id_limit_price")).to_have_value(price)
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Open")


def test_an_order_beyond_the_margin_is_refused_in_words(demo_page: Page) -> None:
    page = demo_page
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    page.fill("#id_size", "200")
    page.fill("#id_limit_price", far_below(page))
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Rejected")
    expect(page.locator("#ticket-result .error")).not_to_be_empty()
    expect(page.locator("#id_size")).to_have_value("200")
