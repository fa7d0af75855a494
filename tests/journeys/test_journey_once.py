"""One order for one intent, whatever happens to the answer, the mouse, the tab and the page."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import SYMBOL, Demo, far_below, wait_until_live


def test_a_lost_answer_is_uncertain_then_proven_and_never_sent_twice(trading: Page, demo: Demo) -> None:
    page = trading
    page.fill("#id_size", "0.1")
    page.fill("#id_limit_price", far_below(page))
    demo.arm("ws_freeze", seconds=10)  # or the feed would tell before the look-up could
    demo.arm("drop_response", count=1)
    demo.arm("delay", seconds=2, scope="private", count=20)  # so that Uncertain stays to be seen
    page.dblclick("[data-submit]")
    state = page.locator("#ticket-result .state")
    expect(state).to_have_text("Uncertain")
    expect(page.locator("#ticket-result")).to_contain_text("nothing was sent again")
    expect(page.locator("[data-submit]")).to_be_disabled()
    page.reload()
    page.keyboard.press("Enter")
    demo.clear()
    expect(state).to_have_text("Open")
    expect(page.locator(".evidence")).to_be_visible()
    assert len(demo.ledger()["orders"]) == 1


def test_two_tabs_with_one_ticket_make_one_order(trading: Page, context: BrowserContext, demo: Demo) -> None:
    price = far_below(trading)
    intent = trading.locator("#ticket [name=intent]").input_value()
    other = context.new_page()
    other.goto(f"/trade/{SYMBOL}/")
    wait_until_live(other)
    other.locator("#ticket [name=intent]").evaluate("(field, intent) => { field.value = intent; }", intent)
    for tab in (trading, other):
        tab.fill("#id_size", "0.1")
        tab.fill("#id_limit_price", price)
        tab.click("[data-submit]")
    for tab in (trading, other):
        expect(tab.locator("#ticket-result .state")).to_have_text("Open")
    assert len(demo.ledger()["orders"]) == 1


def test_an_order_filled_at_once_and_hidden_is_filled_not_failed(trading: Page, demo: Demo) -> None:
    demo.arm("drop_response", count=1)
    demo.arm("fill_at_once", count=1)
    demo.arm("hide_from_open_orders", count=5)
    page = trading
    page.fill("#id_size", "0.1")
    page.fill("#id_limit_price", far_below(page))
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Filled")
    expect(page.locator("#ticket-result")).to_contain_text("0.1 filled")
    assert len(demo.ledger()["orders"]) == 1
