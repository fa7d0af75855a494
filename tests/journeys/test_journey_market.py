"""The market beside the ticket: history of the chart, book and ladder, tape, what is measured, and how it is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.journeys.conftest import SYMBOL, Demo, choose, sign_in, wait_until_live
from tests.journeys.test_journey_pages import serious
from tests.stack import Stack


def near(page: Page, steps: int) -> str:
    """A price that rests, close enough to stand in the book and on the chart."""
    best = page.locator("#book .bids .price").first
    expect(best).not_to_have_text("")
    return str(int(float(best.get_attribute("data-price") or "0")) - steps)


def place_near(page: Page, steps: int) -> str:
    """So many ticks below the best; again where the market has come down to it meanwhile, for it may only rest."""
    choose(page, "type", "post")
    state = page.locator("#ticket-result .state")
    for _ in range(5):
        price = near(page, steps)
        page.fill("#id_size", "0.1")
        page.fill("#id_limit_price", price)
        page.click("[data-submit]")
        expect(state).to_have_text(re.compile("Open|Rejected"))
        if state.inner_text() == "Open":
            return price
    raise AssertionError(page.locator("#ticket-result").inner_text())


def as_ladder(page: Page) -> None:
    """With rungs so wide that the market's own steps do not carry the order out of sight."""
    page.locator("label:has([name=form][value=ladder])").click()
    page.select_option("[data-group]", "20")


def price_of(rung: Locator) -> str:
    expect(rung).to_have_attribute("data-price", re.compile(r"\d"))
    return rung.get_attribute("data-price") or ""


def kept(name: str, value: Any) -> Callable[[Response], bool]:
    """The desk has taken this value of the layout; what was changed a moment before may be told by itself."""

    def matches(answer: Response) -> bool:
        return "/workspace/" in answer.url and answer.ok and (answer.request.post_data_json or {}).get(name) == value

    return matches


def show(page: Page, view: str) -> None:
    page.locator(f"label:has([name=shows][value={view}])").click()


def layout(page: Page) -> Locator:
    page.locator(".layout > summary").click()
    return page.locator(".layout > .sheet")


@pytest.fixture
def usual(trading: Page) -> Iterator[Page]:
    """The trade page; whatever was kept for the person is put back afterwards."""
    yield trading
    token = trading.locator("[name=csrfmiddlewaretoken]").first.input_value()
    headers = {"X-CSRFToken": token, "Referer": trading.url}
    wish = {"preset": "standard", "locked": True, "indicators": [], "sound": False, "notices": False}
    assert trading.request.post("/workspace/", data=wish, headers=headers).ok
    trading.request.post("/workspace/", form={"reset": "1"}, headers=headers)
    known: dict[str, Any] = {"form": "book", "group": 1, "tape_from": "0"}
    assert trading.request.post(f"/workspace/{SYMBOL}/", data=known, headers=headers).ok


def test_scrolling_back_loads_history_without_a_gap_or_a_double(usual: Page) -> None:
    page, chart = usual, usual.locator("#chart")
    pages: list[list[int]] = []

    def heard(answer: Any) -> None:
        if f"/charts/{SYMBOL}/5m.json" in answer.url and "since" not in answer.url:
            pages.append([row[0] for row in answer.json()["candles"]])

    page.on("response", heard)
    page.reload()
    expect(chart).to_have_attribute("data-candles-drawn", "500")
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    for _ in range(60):
        page.mouse.wheel(-900, 0)
        page.wait_for_timeout(30)
        if len(pages) >= 3:
            break
    newest, *older = pages
    assert len(older) >= 2
    times = newest
    for earlier in older:
        assert earlier[-1] + 300 == times[0], "the next page ends one candle before"
        times = earlier + times
    assert times == list(range(times[0], times[-1] + 300, 300))
    expect(chart).to_have_attribute("data-first-candle", str(times[0]))


def test_every_price_kind_and_resolution_is_drawn(usual: Page) -> None:
    page = usual
    for source in ("mark", "index", "trade"):
        with page.expect_response(lambda answer, source=source: f"source={source}" in answer.url) as told:
            page.select_option("[data-source]", source)
        assert told.value.json()["candles"]
    for resolution in ("1m", "1w"):
        with page.expect_response(lambda answer, word=resolution: f"/{word}.json" in answer.url) as told:
            page.locator(f"[data-resolution='{resolution}']").click()
        assert told.value.json()["candles"]
        expect(page.locator(f"[data-resolution='{resolution}']")).to_have_attribute("aria-pressed", "true")


def test_indicators_are_chosen_and_kept(usual: Page) -> None:
    page = usual
    page.get_by_text("Indicators").click()
    with page.expect_response(kept("indicators", ["sma", "bollinger", "rsi"])):
        for name in ("sma", "bollinger", "rsi"):
            page.locator(f"[data-indicator][value={name}]").check()
    page.reload()
    expect(page.locator("[data-indicator]:checked")).to_have_count(3)


def test_fills_and_the_entry_stand_on_the_chart(usual: Page) -> None:
    page, chart = usual, usual.locator("#chart")
    expect(chart).to_have_attribute("data-own-fills", "0")
    buy_at_market(page)
    expect(chart).not_to_have_attribute("data-own-fills", "0")
    expect(chart).to_have_attribute("data-own-lines", "1")  # so small a position is liquidated at no price


def test_an_order_dragged_on_the_chart_moves_after_one_confirmation(usual: Page, demo: Demo) -> None:
    page, chart = usual, usual.locator("#chart")
    price = place_near(page, steps=150)
    expect(chart).to_have_attribute("data-own-lines", "1")
    box = chart.bounding_box()
    assert box
    found = None
    for y in range(4, int(box["height"]) - 30, 3):
        page.mouse.move(box["x"] + 60, box["y"] + y)
        if "movable" in (chart.get_attribute("class") or ""):
            found = box["y"] + y + 3
            break
    assert found, "no line can be taken hold of"
    page.mouse.move(box["x"] + 60, found)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, found + 25, steps=5)
    page.mouse.up()
    expect(page.locator("#sheet .moved")).to_contain_text("→")
    moved = page.locator("#edit-id_limit_price").input_value()
    assert int(moved) < int(price)
    assert demo.ledger()["orders"][-1]["status"] != "cancelled"
    page.keyboard.press("Enter")
    expect(page.locator("#sheet")).to_be_hidden()
    page.locator(".tabs label:has([value=orders])").click()
    row = page.locator("[data-part=orders] tr[data-order]")
    expect(row).to_have_attribute("data-price", moved)
    assert len(demo.ledger()["orders"]) == 1


def test_a_drag_that_is_not_confirmed_changes_nothing(usual: Page) -> None:
    page = usual
    price = place_near(page, steps=60)
    as_ladder(page)
    chip = page.locator("#ladder .chip.buy")
    expect(chip).to_be_visible()
    target = page.locator("#ladder tr", has=page.locator(".chip.buy")).locator("xpath=following-sibling::tr[3]")
    wanted = price_of(target)
    chip.drag_to(target)
    expect(page.locator("#edit-id_limit_price")).to_have_value(wanted)
    page.keyboard.press("Escape")
    expect(page.locator("#sheet")).to_be_hidden()
    page.locator(".tabs label:has([value=orders])").click()
    expect(page.locator("[data-part=orders] tr[data-order]")).to_have_attribute("data-price", price)


def test_the_ladder_moves_an_order_by_mouse_and_by_keyboard(usual: Page) -> None:
    page = usual
    place_near(page, steps=60)
    as_ladder(page)
    chip = page.locator("#ladder .chip.buy")
    expect(chip).to_have_text("0.1")
    target = page.locator("#ladder tr", has=page.locator(".chip.buy")).locator("xpath=following-sibling::tr[2]")
    wanted = price_of(target)
    chip.drag_to(target)
    expect(page.locator("#sheet")).to_contain_text("→")
    page.get_by_role("button", name="Change the order").click()
    expect(page.locator("#ladder tr", has=page.locator(".chip.buy"))).to_have_attribute("data-price", wanted)
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#edit-id_limit_price")).to_have_value(wanted)


def test_levels_are_gathered_in_multiples_and_own_size_stands_in_them(usual: Page) -> None:
    page = usual
    price = int(place_near(page, steps=30))
    for group in (5, 50):
        with page.expect_response(kept("group", group)):
            page.select_option("[data-group]", str(group))
        level = str(price // group * group)
        row = page.locator(f"#book .bids tr:has([data-price='{level}'])")
        expect(row.locator("[data-own='0.1']")).to_have_count(1)
        shown = page.locator("#book .bids .price").evaluate_all(
            "all => all.map(one => one.dataset.price).filter(Boolean)"
        )
        assert len(shown) > 1
        assert all(int(one) % group == 0 for one in shown)
    page.reload()
    expect(page.locator("[data-group]")).to_have_value("50")
    expect(row).to_have_count(1)


def test_the_tape_leaves_small_trades_out_and_remembers_it(usual: Page) -> None:
    page = usual
    sizes = page.locator("#tape tbody td:nth-child(2)")
    expect(sizes.first).not_to_have_text("")
    with page.expect_response(kept("tape_from", "0.05")):
        page.fill("#tape-from", "0.05")
    expect(page.locator("#tape")).to_have_attribute("data-from", "0.05")
    page.wait_for_timeout(300)
    assert all(float(text) >= 0.05 for text in sizes.all_inner_texts() if text)
    page.fill("#tape-from", "a lot")
    expect(page.locator("#tape-from")).to_have_attribute("aria-invalid", "true")
    page.reload()
    expect(page.locator("#tape-from")).to_have_value("0.05")


def test_the_depth_and_each_measure_are_drawn_with_a_table(usual: Page) -> None:
    page = usual
    show(page, "depth")
    expect(page.locator("#depth[data-levels]")).to_be_visible()
    for measure in ("funding", "open_interest", "premium"):
        show(page, measure)
        panel = page.locator(f"[data-readings={measure}]")
        expect(panel.locator("tbody tr").nth(100)).to_be_attached()
        before = panel.locator("tbody tr").count()
        panel.get_by_role("button", name="Earlier").click()
        expect(panel.locator("tbody tr").nth(before + 20)).to_be_attached()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_view_has_a_serious_accessibility_finding(browser: Browser, stack: Stack, scheme: str) -> None:
    context = browser.new_context(base_url=stack.url, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page, found = context.new_page(), {}
    sign_in(page)
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    page.locator("label:has([name=form][value=ladder])").click()
    layout(page).locator("[data-locked]").uncheck()
    for view in ("candles", "depth", "funding", "open_interest", "premium"):
        show(page, view)
        page.wait_for_timeout(500)
        found |= serious(page)
    context.close()
    assert not found


def test_a_preset_and_its_sizes_are_kept_and_nothing_shifts(usual: Page) -> None:
    page = usual
    layout(page).locator("[name=preset][value=ladder]").click()
    expect(page.locator(".trade-grid")).to_have_attribute("data-preset", "ladder")
    expect(page.locator("#ladder")).to_be_visible()
    layout(page).locator("[data-locked]").uncheck()
    page.keyboard.press("Escape")
    grip = page.get_by_role("separator", name="Width of the book")
    box = grip.bounding_box()
    assert box
    page.mouse.move(box["x"] + 4, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 64, box["y"] + 100, steps=4)
    page.mouse.up()
    expect(grip).to_have_attribute("aria-valuenow", "400")
    grip.focus()
    with page.expect_response(lambda answer: '"book":410' in (answer.request.post_data or "")):
        page.keyboard.press("ArrowRight")
    page.goto("/markets/")
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((all) => all.getEntries().forEach((one) => {"
        " if (!one.hadRecentInput) window.shift += one.value; })).observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(f"/trade/{SYMBOL}/")
    wait_until_live(page)
    page.wait_for_timeout(1500)
    width = page.locator(".panel.book").evaluate("one => one.getBoundingClientRect().width")
    assert round(width) == 410
    assert page.evaluate("window.shift") < 0.01
    layout(page).get_by_role("button", name="Reset the sizes").click()
    expect(page.get_by_role("separator", name="Width of the book")).to_have_attribute("aria-valuenow", "340")


def test_the_watchlist_shows_favourites_with_their_day(usual: Page) -> None:
    page = usual
    page.goto("/markets/")
    star = page.locator("tr[data-symbol=PF_ETHUSD] .star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(page.locator("canvas[data-spark=PF_ETHUSD][data-drawn]")).to_be_visible()
    page.goto(f"/trade/{SYMBOL}/")
    expect(page.locator(".watch canvas[data-spark=PF_ETHUSD][data-drawn]")).to_be_visible()
    page.keyboard.press("n")
    page.wait_for_url("**/trade/PF_ETHUSD/")
    page.locator(".symbol .star").click()


def test_keys_change_what_is_shown(usual: Page) -> None:
    page = usual
    page.keyboard.press("]")
    expect(page.locator("[data-resolution='15m']")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("[")
    page.keyboard.press("[")
    expect(page.locator("[data-resolution='1m']")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("v")
    expect(page.locator("#ladder")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator("#depth")).to_be_visible()


HEARD = """
window.heard = [];
const { OscillatorNode } = window;
window.OscillatorNode = class extends OscillatorNode { start(at) { window.heard.push("tone"); super.start(at); } };
window.Notification = class {
  static permission = "granted";
  static async requestPermission() { return "granted"; }
  constructor(title, how) { window.heard.push(`${title} ${how.body}`); }
  close() {}
};
Object.defineProperty(document, "hidden", { get: () => Boolean(window.away) });
"""


def test_a_fill_is_heard_and_told_only_when_asked_for(usual: Page) -> None:
    page = usual
    page.add_init_script(HEARD)
    page.reload()
    wait_until_live(page)
    buy_at_market(page)
    assert page.evaluate("window.heard") == []
    sheet = layout(page)
    sheet.locator("[data-sound]").check()
    with page.expect_response(kept("notices", True)):
        sheet.locator("[data-notices]").check()
    page.keyboard.press("Escape")
    page.evaluate("window.heard = []; window.away = true")
    buy_at_market(page)
    told = re.compile(rf"Bought 0\.0\d+ {SYMBOL} at [\d\s.]+")  # one for each execution
    for _ in range(50):
        heard = page.evaluate("window.heard")
        if "tone" in heard and any(map(told.fullmatch, heard)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(heard)


def buy_at_market(page: Page) -> None:
    choose(page, "type", "market")
    page.fill("#id_size", "0.05")
    page.click("[data-submit]")
    expect(page.locator("#ticket-result .state")).to_have_text("Filled")


def test_the_chart_is_read_anew_after_the_link_was_cut(usual: Page) -> None:
    page = usual
    expect(page.locator("#tape tbody td").first).not_to_have_text("")
    page.context.set_offline(True)
    expect(page.locator("[data-link-badge]")).to_have_attribute("data-state", "down")
    with page.expect_response(lambda answer: "/5m.json" in answer.url and "since=" in answer.url) as told:
        page.context.set_offline(False)
    assert told.value.ok
