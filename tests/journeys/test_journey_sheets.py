"""The sheets of the trade page: readable in every theme and width, and what they set is so afterwards.

One page and one account, with a position and three kinds of orders, for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import (
    SYMBOL,
    Demo,
    add_by_hand,
    choose,
    far_below,
    opened_context,
    sign_in,
    wait_until_live,
)
from tests.stack import Stack

AXE = (Path(__file__).resolve().parents[1] / "fixtures/axe/axe.min.js").read_text()
LOOKS = (("dark", "green-up"), ("light", "blue-orange"))  # the colours themselves: test_pages_look
OVER = """() => ['#sheet', 'html'].map((one) => document.querySelector(one))
  .map((one) => one.scrollWidth - one.clientWidth)"""
SHEETS = (
    "/halt/", "/flatten/", "/dead-man/", "/orders/cancel/", f"/positions/{SYMBOL}/close/",
    f"/positions/{SYMBOL}/reverse/", f"/positions/{SYMBOL}/preferences/", "/positions/PI_XBTUSD/preferences/",
)  # fmt: skip


@pytest.fixture(scope="module")
def trader(browser: Browser, stack: Stack, person: Demo) -> Iterator[Page]:
    with opened_context(browser, stack) as context:
        page = context.new_page()
        sign_in(page)
        add_by_hand(page, person)
        page.goto(f"/trade/{SYMBOL}/")
        wait_until_live(page)
        send(page, "market")
        send(page, "limit", limit_price=far_below(page))
        choose(page, "side", "sell")
        send(page, "trailing_stop", trailing_deviation="5")
        expect(page.locator(f"tr[data-position={SYMBOL}]")).to_be_visible(timeout=30_000)
        yield page


def send(page: Page, type: str, **fields: str) -> None:
    choose(page, "type", type)
    for name, value in {"size": "0.1", **fields}.items():
        page.fill(f"#id_{name}", value)
    intent = page.locator("#ticket [name=intent]").input_value()
    page.click("[data-submit]")
    sent = page.locator(f"#ticket-result[data-result='{intent}'] .state")
    expect(sent).to_have_text(re.compile("Open|Filled"), timeout=30_000)


def open_sheet(page: Page, address: str) -> None:
    of = page.locator("body").get_attribute("data-account")
    page.evaluate(
        "(address) => window.htmx.ajax('GET', address, {source: '#sheet', target: '#sheet', swap: 'innerHTML'})",
        f"{address}?of={of}",
    )
    expect(page.locator("#sheet[open] h2")).to_be_visible()


def edits(page: Page) -> list[str]:
    rows = page.locator("tr[data-order]")
    expect(rows).to_have_count(2, timeout=30_000)
    orders = rows.evaluate_all("(rows) => rows.map((row) => row.dataset.order)")
    return [f"/orders/{one}/edit/" for one in orders]


def test_every_sheet_is_readable_in_every_theme_and_fits_every_width(trader: Page) -> None:
    page = trader
    found: dict[str, Any] = {}
    addresses = [*SHEETS, *edits(page)]
    assert "/edit/" in addresses[-1]
    for address in addresses:
        open_sheet(page, address)
        for width in (360, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            if any(over > 0 for over in page.evaluate(OVER)):
                found[f"{address} at {width}"] = "wider than the screen"
        for scheme, results in LOOKS:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.evaluate("(results) => { document.documentElement.dataset.results = results; }", results)
            found |= {f"{address} {scheme} {results} {name}": nodes for name, nodes in serious(page).items()}
        page.keyboard.press("Escape")
        expect(page.locator("#sheet[open]")).to_have_count(0)
    assert not found


def serious(page: Page) -> dict[str, list[str]]:
    if page.evaluate("() => typeof axe") == "undefined":
        page.evaluate(AXE)
    result = page.evaluate("() => axe.run('#sheet', {resultTypes: ['violations']})")
    return {
        one["id"]: [node["html"][:160] for node in one["nodes"][:3]]
        for one in result["violations"]
        if one["impact"] in {"serious", "critical"}
    }


def test_leverage_set_in_the_sheet_is_what_the_position_and_the_preview_reckon_with(trader: Page) -> None:
    page = trader
    page.locator("[data-leverage]").click()
    page.fill("#max_leverage", "500")
    page.get_by_role("button", name=f"Isolate {SYMBOL}").click()
    expect(page.locator("#sheet .error")).to_contain_text("Between 1 and 100")
    expect(page.locator("#max_leverage")).to_have_value("500")
    page.fill("#max_leverage", "5")
    page.get_by_role("button", name=f"Isolate {SYMBOL}").click()
    expect(page.locator("[data-margin-mode]")).to_contain_text("Isolated, at most 5×", timeout=30_000)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("[data-unwind]")).to_contain_text(re.compile(r"\d of 5, "), timeout=30_000)
    page.keyboard.press("Escape")
    expect(page.locator(f"tr[data-position={SYMBOL}] .chip")).to_have_text("5×", timeout=30_000)
    choose(page, "type", "limit")
    page.fill("#id_limit_price", far_below(page))
    page.fill("#id_size", "0.2")
    expect(page.locator("#preview")).to_contain_text("isolated 5×", timeout=30_000)


def test_a_trailing_stops_deviation_is_edited_in_place_and_nothing_below_moves(trader: Page) -> None:
    page = trader
    page.locator("label:has([name=tab][value=triggers])").click()
    row = page.locator("tr[data-order]:has-text('trailing stop')")
    top = page.locator(".trade-grid").bounding_box()
    row.get_by_role("button", name="Edit").click()
    expect(page.locator("#sheet [name=stop_price]")).to_have_count(0)
    page.fill("#sheet [name=trailing_deviation]", "75")
    page.get_by_role("button", name="Change the order").click()
    expect(page.locator("#sheet .error").filter(has_text="between 0.1 and 50")).to_be_visible()
    page.fill("#sheet [name=trailing_deviation]", "7.5")
    page.get_by_role("button", name="Change the order").click()
    expect(row).to_contain_text("7.5 %", timeout=30_000)
    page.evaluate("() => document.dispatchEvent(new CustomEvent('htmx:error'))")
    expect(page.locator("#messages")).to_contain_text("did not answer")
    assert page.locator(".trade-grid").bounding_box() == top
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#messages .message")).to_have_count(0)
