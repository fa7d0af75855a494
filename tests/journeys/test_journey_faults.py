"""Each fault of the demo exchange that touches orders: what the desk says in the end is what the exchange did.

One page and one account for all of them, as somebody has who trades through a bad day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import (
    SYMBOL,
    Demo,
    add_by_hand,
    far_below,
    opened_context,
    sign_in,
    wait_until_live,
)
from tests.stack import Stack

LONG = 60_000  # milliseconds: to be proven never to have arrived an order has to be too late first


class Case(NamedTuple):
    faults: tuple[tuple[str, dict[str, Any]], ...]
    word: str  # what the desk says in the end
    there: str | None  # what the ledger says of it; None: it has no such order
    also: str = ""  # said with it


SENT: dict[str, Any] = {"path": "sendorder"}
CASES = {
    "drop_response": Case((("drop_response", SENT),), "Open", "open"),
    "delay": Case((("delay", {**SENT, "seconds": 2}),), "Open", "open"),
    "http_500": Case((("http_500", SENT),), "Never arrived", None, "no trace of it"),
    "http_503": Case((("http_503", SENT),), "Never arrived", None, "no trace of it"),
    "nonce": Case((("nonce", SENT),), "Rejected", None, "What you typed is still there"),
    "hidden": Case((("hide_from_open_orders", {}), ("drop_response", SENT)), "Open", "open", "order status: open"),
    "fill_at_once": Case((("fill_at_once", {}),), "Filled", "filled", "0.1 filled at"),
    "partial_fill": Case((("partial_fill", {}),), "Partly filled", "open", "filled at"),
    "ws_drop": Case((("ws_drop", {}),), "Open", "open"),
    "ws_gap": Case((("ws_gap", {"path": "book"}),), "Open", "open"),
    "ws_freeze": Case((("ws_freeze", {"seconds": 2}),), "Open", "open"),
    "ws_duplicate": Case(
        (("ws_duplicate", {"path": "fills"}), ("fill_at_once", {})), "Filled", "filled", "0.1 filled at"
    ),
    # The last: the desk takes the budget of the key for spent afterwards, and waits.
    "rate_limit": Case((("rate_limit", SENT),), "Rejected", None, "What you typed is still there"),
}


@pytest.fixture(scope="module")
def at_the_desk(browser: Browser, stack: Stack, person: Demo) -> Iterator[Page]:
    with opened_context(browser, stack) as context:
        page = context.new_page()
        sign_in(page)
        add_by_hand(page, person)
        yield page


@pytest.mark.parametrize("name", CASES)
def test_what_the_desk_says_of_an_order_is_what_the_ledger_says(name: str, at_the_desk: Page, person: Demo) -> None:
    page, case = at_the_desk, CASES[name]
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    before = {one["order_id"] for one in person.ledger()["orders"]}
    page.fill("#id_size", "0.1")
    page.fill("#id_limit_price", far_below(page))
    intent = page.locator("#ticket [name=intent]").input_value()
    for fault, how in case.faults:
        person.arm(fault, **how)
    page.click("[data-submit]")
    result = page.locator(f"#ticket-result[data-result='{intent}']")
    expect(result.locator(".state")).to_have_text(case.word, timeout=LONG)
    expect(result).to_contain_text(case.also)
    person.clear()
    ledger = person.ledger()
    new = [(one["cli_ord_id"], one["status"]) for one in ledger["orders"] if one["order_id"] not in before]
    assert new == ([(intent, case.there)] if case.there else [])
    working = page.locator(f"tr[data-order='{intent}'] .state")
    if case.there == "open":
        expect(working).to_have_text(case.word, timeout=LONG)
    else:
        expect(working).to_have_count(0, timeout=LONG)
    expect(page.locator("[data-link-badge]")).to_have_attribute("data-state", "live", timeout=LONG)
    expect(page.locator("#book.old")).to_have_count(0, timeout=LONG)
    page.locator("label:has([name=tab][value=fills])").click()
    fills = page.locator("[data-part=fills] tr[data-key]")  # ten at the most: far more than there are
    expect(fills).to_have_count(len(ledger["fills"]), timeout=LONG)
