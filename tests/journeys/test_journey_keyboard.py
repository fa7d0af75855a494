"""The whole life of an order without a mouse, and taking risk away with the same keys."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.journeys.conftest import SYMBOL, Demo, far_below


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, selector: str, most: int = 120) -> None:
    """As somebody goes who cannot point: from one focus to the next."""
    for _ in range(most):
        if page.evaluate("(wanted) => Boolean(document.activeElement?.matches(wanted))", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def test_an_order_lives_its_whole_life_by_keyboard(trading: Page, demo: Demo) -> None:
    page = trading
    price = far_below(page)
    press(page, "b")
    expect(page.locator("#id_size")).to_be_focused()
    page.keyboard.type("0.1")
    tab_to(page, "#id_limit_price")
    page.keyboard.type(price)
    expect(page.locator("#preview")).to_contain_text("+0.1000")
    press(page, "Enter")
    expect(page.locator("#ticket-result .state")).to_have_text("Open")
    press(page, "Escape", "o")
    expect(page.locator("[name=tab][value=orders]")).to_be_checked()
    expect(page.locator("[data-part=orders] [aria-label^=Edit]")).to_be_visible()
    tab_to(page, "[data-part=orders] [aria-label^=Edit]")
    press(page, "Enter")
    expect(page.locator("#sheet")).to_be_visible()
    tab_to(page, "#edit-id_size")
    press(page, "Control+a")
    page.keyboard.type("0.2")
    press(page, "Enter")
    expect(page.locator("[data-part=orders] tr[data-order]")).to_contain_text("0.2000")
    expect(page.locator("#sheet")).to_be_hidden()
    press(page, "o")
    tab_to(page, "[data-part=orders] [aria-label^=Cancel]")
    press(page, "Enter")
    expect(page.locator("[data-part=orders] tr[data-order]")).to_have_count(0)
    assert len(demo.ledger()["orders"]) == 1


def test_a_position_is_opened_and_closed_by_keyboard(trading: Page) -> None:
    page = trading
    press(page, "b", "Escape", "m")
    page.keyboard.type("0.05")
    press(page, "Enter")
    expect(page.locator("#ticket-result .state")).to_have_text("Filled")
    press(page, "Escape", "p")
    expect(page.locator(f"tr[data-position={SYMBOL}]")).to_contain_text("long")
    tab_to(page, f"[aria-label='Close {SYMBOL}']")
    press(page, "Enter")
    expect(page.locator("#sheet")).to_contain_text("Sell 0.05")
    tab_to(page, "#sheet .button.primary")
    press(page, "Enter")
    expect(page.locator("#sheet [data-leg=close]")).to_have_attribute("data-done", "yes")
    press(page, "Escape")
    expect(page.locator(f"tr[data-position={SYMBOL}]")).to_have_count(0)


def test_a_halt_is_put_and_lifted_by_its_word(trading: Page) -> None:
    page = trading
    press(page, "h")
    expect(page.locator("#sheet")).to_contain_text("From now on")
    tab_to(page, "#sheet .button.danger")
    press(page, "Enter")
    expect(page.locator(".switches .halted")).to_be_visible()
    tab_to(page, "#word")
    page.keyboard.type("RESUME")
    press(page, "Enter")
    expect(page.locator(".switches .halted")).to_have_count(0)


def test_flatten_leaves_nothing_and_tells_each_leg(trading: Page) -> None:
    page = trading
    press(page, "b")
    page.keyboard.type("0.1")
    page.fill("#id_limit_price", far_below(page))
    press(page, "Enter")
    expect(page.locator("#ticket-result .state")).to_have_text("Open")
    press(page, "Escape", "m")
    page.keyboard.type("0.05")
    press(page, "Enter")
    expect(page.locator("#ticket-result .state")).to_have_text("Filled")
    page.get_by_role("button", name="Flatten").click()
    page.fill("#word", "FLATTEN")
    page.keyboard.press("Enter")
    expect(page.locator("#sheet [data-leg=cancel]")).to_have_attribute("data-done", "yes")
    expect(page.locator("#sheet [data-leg=close]")).to_have_attribute("data-done", "yes")
