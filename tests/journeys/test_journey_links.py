"""Each link may break: the page names it, the figures look stale, and all heals without a reload."""

from __future__ import annotations

import time

from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Demo


def test_a_frozen_exchange_shows_within_five_seconds_and_heals(trading: Page, demo: Demo) -> None:
    page = trading
    began = time.monotonic()
    demo.arm("ws_freeze", seconds=12)
    expect(page.locator("body.is-stale")).to_have_count(1, timeout=8000)
    assert time.monotonic() - began < 6.5  # five, and what the browser and the exchange need to say so
    expect(page.locator("#banner")).to_be_visible()
    expect(page.locator("[data-stale-warning]")).to_be_visible()
    opacity = page.locator("#book").evaluate("(book) => getComputedStyle(book).opacity")
    assert float(opacity) < 0.9
    demo.clear()
    expect(page.locator("body.is-stale")).to_have_count(0)
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("[data-stale-warning]")).to_be_hidden()


def test_a_browser_offline_says_so_and_comes_back(trading: Page, context: BrowserContext) -> None:
    page = trading
    page.fill("#id_size", "0.3")
    context.set_offline(True)
    expect(page.locator("#banner")).to_contain_text("This browser is offline")
    expect(page.locator("[data-hop=browser]")).to_have_class("bad")
    context.set_offline(False)
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("[data-link-badge]")).to_have_attribute("data-state", "live")
    expect(page.locator("#id_size")).to_have_value("0.3")


def test_an_order_sent_while_offline_is_not_lost_and_not_doubled(
    trading: Page, context: BrowserContext, demo: Demo
) -> None:
    page = trading
    page.fill("#id_size", "0.1")
    page.fill("#id_limit_price", "20000")
    context.set_offline(True)
    page.click("[data-submit]")
    expect(page.locator("#ticket-result")).to_contain_text("Pressing the button again is safe")
    context.set_offline(False)
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Open")
    assert len(demo.ledger()["orders"]) == 1
