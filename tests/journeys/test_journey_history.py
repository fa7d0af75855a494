"""An account with a past: it is read while one looks on, searched, kept as a view, and compared with Kraken's file."""

from __future__ import annotations

import requests
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SYMBOL, Demo


def lived(demo: Demo) -> None:
    """A few bookings by hand, and a page full of them."""
    for number in range(120):
        answer = requests.post(
            f"{demo.stack.demo_url}/demo/adjust",
            json={"kind": "admin transfer", "wallet": "cash", "currency": "usd", "amount": f"{number + 1}.5"},
            auth=(demo.email, demo.password),
            timeout=10,
        )
        assert answer.ok, answer.text


def add(page: Page, demo: Demo) -> None:
    page.goto("/keys/add/")
    page.fill("[name=label]", f"Lived {demo.public[-6:]}")
    page.select_option("[name=environment]", "demo")
    page.fill("[name=public_key]", demo.public)
    page.fill("[name=secret]", demo.private)
    page.click("main button")
    expect(page.locator("#messages")).to_contain_text("works")


def test_the_past_is_read_searched_and_compared(page: Page, demo: Demo) -> None:
    lived(demo)
    add(page, demo)
    page.goto("/history/?tab=log")
    expect(page.locator(".readings")).to_contain_text("Complete", timeout=60_000)  # by itself, without a reload
    page.reload()
    expect(page.locator(".ledger summary")).to_contain_text("Every balance is explained to the last digit")
    expect(page.locator("[data-label=Kind]")).to_have_count(100)
    newest = page.locator("[data-label='#']").first.inner_text()
    page.get_by_role("link", name="Older").click()
    assert int(page.locator("[data-label='#']").first.inner_text()) == int(newest) - 100
    page.get_by_role("link", name="Newest").click()

    page.get_by_role("link", name="Transfers", exact=True).click()
    page.fill("[name=id]", f"#{newest}")
    page.keyboard.press("Enter")
    expect(page.locator("[data-label=Amount]")).to_have_text(["120.5"])
    page.fill("[name=name]", "The last one")
    page.get_by_role("button", name="Keep").click()
    page.goto("/history/")
    page.get_by_role("link", name="The last one").click()
    expect(page.locator("[data-label=Amount]")).to_have_text(["120.5"])
    page.get_by_role("button", name="Forget the view The last one").click()
    expect(page.get_by_role("link", name="The last one")).to_have_count(0)

    page.goto("/history/files/")
    page.get_by_role("button", name="Fetch it from the exchange and compare").click()
    expect(page.get_by_text("are equal to what is stored here")).to_be_visible(timeout=60_000)


def test_a_fill_is_in_the_history_and_leads_to_its_order(trading: Page) -> None:
    page = trading
    page.locator("#ticket label:has([name=type][value=market])").click()
    page.fill("#id_size", "0.01")
    page.locator("#ticket button.submit").click()
    expect(page.locator("#ticket .result")).to_contain_text("Filled")
    page.goto(f"/history/?tab=fills&symbol={SYMBOL}")
    expect(page.locator("[data-label=Contract]").first).to_have_text(SYMBOL)
    expect(page.locator("[data-label=Size]").first).to_contain_text("0.01")
