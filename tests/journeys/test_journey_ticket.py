"""The ticket before it is sent: what the order would do, in every type, recomputed while somebody types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SYMBOL, Demo, choose, far_below


def test_the_preview_follows_what_is_typed_and_the_newest_wins(trading: Page) -> None:
    page = trading
    page.fill("#id_limit_price", far_below(page))
    page.locator("#id_size").press_sequentially("0.25", delay=30)
    expect(page.locator("#preview")).to_contain_text("+0.2500")
    page.fill("#id_size", "")
    expect(page.locator("#preview[data-known]")).to_have_count(0)


def test_half_of_what_is_available_becomes_a_size_and_a_value_becomes_one(trading: Page) -> None:
    page = trading
    page.fill("#id_limit_price", far_below(page))
    page.click("[data-share='50']")
    expect(page.locator("#id_size")).to_have_value(re.compile(r"^\d+\.?\d*$"))
    expect(page.locator("[data-notional]")).not_to_have_value("")
    page.fill("[data-notional]", "5000")
    expect(page.locator("#preview")).to_contain_text(re.compile(r"\+0\.0\d{3}"))


def test_a_slip_of_the_finger_is_warned_of(trading: Page) -> None:
    page = trading
    page.fill("#id_size", "0.1")
    page.fill("#id_limit_price", "200000")
    expect(page.locator(".caveat[data-code=far_from_mark]")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("stop", {"stop_price": "500000", "limit_price": ""}, "stop 500 000"),
        ("take_profit", {"stop_price": "1000", "limit_price": ""}, "take profit 1 000"),
        ("trailing_stop", {"trailing_deviation": "5"}, "trailing stop 5 %"),
    ],
)
def test_a_trigger_is_placed_and_waits(
    trading: Page, demo: Demo, kind: str, fields: dict[str, str], sentence: str
) -> None:
    page = trading
    choose(page, "type", kind)
    page.fill("#id_size", "0.1")
    for name, value in fields.items():
        page.fill(f"#id_{name}", value)
    expect(page.locator("[data-submit]")).to_contain_text(
        f"Buy 0.1 {SYMBOL} {sentence}".replace("\u0020000", "\u202f000")
    )
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Open")
    assert len(demo.ledger()["orders"]) == 1


def test_a_stop_loss_goes_with_the_order_and_is_sent_once_it_has_filled(trading: Page, demo: Demo) -> None:
    page = trading
    choose(page, "type", "market")
    page.fill("#id_size", "0.05")
    page.locator(".attach summary").click()
    page.fill("#id_stop_loss", "20000")
    expect(page.locator("[data-submit]")).to_contain_text("stop-loss 20")
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Filled")
    expect(page.locator("tr[data-order]")).to_contain_text("reduce-only")
