"""The tables under the chart, the chart's other prices and its history, and what is ours in the book."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.journeys.conftest import choose


def test_counts_stand_on_the_tabs_and_a_chosen_table_is_shown(trading: Page) -> None:
    page = trading
    choose(page, "type", "stop")
    page.fill("#id_size", "0.1")
    page.fill("#id_stop_price", "500000")
    page.click("[data-submit]")
    expect(page.locator("[data-count=triggers]")).to_have_text("1")
    page.locator(".tabs label:has([value=triggers])").click()
    expect(page.locator("[data-part=triggers] tr[data-order]")).to_be_visible()
    expect(page.locator("[data-part=positions]")).to_be_hidden()
    page.locator(".tabs label:has([value=activity])").click()
    expect(page.locator("[data-part=activity]")).to_contain_text("order.sent")


def test_the_chart_shows_the_mark_and_goes_back_when_it_is_scrolled(trading: Page) -> None:
    page = trading
    with page.expect_response(lambda answer: "source=mark" in answer.url) as asked:
        page.select_option("[data-source]", "mark")
    assert asked.value.ok
    box = page.locator("#chart").bounding_box()
    assert box
    with page.expect_response(lambda answer: "before=" in answer.url) as earlier:
        page.mouse.move(box["x"] + 200, box["y"] + 150)
        for _ in range(12):
            page.mouse.wheel(-600, 0)
            page.wait_for_timeout(50)
    assert earlier.value.ok
