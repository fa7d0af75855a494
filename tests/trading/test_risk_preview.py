"""The preview's steps on worked figures, and each caveat next to the ticket that does not deserve it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from krakenfutures.margin import Exposure, opening, wallet_requirement
from krakenfutures.values import (
    BookSnapshot,
    FlexAccount,
    Level,
    MarginAccount,
    MarginRequirements,
    NewOrder,
    OrderType,
    Side,
    Ticker,
    Wallets,
)
from tests.trading.desk import PF_XBTUSD, PI_XBTUSD
from trading.caveats import caveats
from trading.preview import Held, Situation, Waiting, preview

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
change = msgspec.structs.replace


def levels(*rows: tuple[int, str]) -> tuple[Level, ...]:
    return tuple(Level(price=D(price), size=D(size)) for price, size in rows)


def wallets(equity: str = "1000") -> Wallets:
    flex = FlexAccount(
        holdings=(), balance_value=D(equity), portfolio_value=D(equity), collateral_value=D(equity),
        initial_margin=D(0), initial_margin_with_orders=D(0), maintenance_margin=D(0), pnl=D(0),
        unrealised_funding=D(0), total_unrealised=D(0), total_unrealised_as_margin=D(0), margin_equity=D(equity),
        available_margin=D(equity),
    )  # fmt: skip
    coin = MarginAccount(
        name="fi_xbtusd", currency="BTC", balance=D("0.01"), portfolio_value=D("0.01"), available=D("0.01"), pnl=D(0),
        unrealised_funding=D(0), requirements=MarginRequirements(initial=D(0), maintenance=D(0)),
    )  # fmt: skip
    return Wallets(cash={}, margin_accounts=(coin,), flex=flex)


LINEAR = Situation(
    instrument=PF_XBTUSD,
    now=NOW,
    wallets=wallets(),
    ticker=Ticker(symbol="PF_XBTUSD", at=NOW, bid=D(59999), ask=D(60001), mark=D(60000)),
    book=BookSnapshot(
        symbol="PF_XBTUSD",
        bids=levels((59990, "1"), (59980, "1"), (59000, "5")),
        asks=levels((60010, "0.1"), (60020, "0.1"), (60500, "0.5"), (70000, "9")),
    ),
)
COIN = change(
    LINEAR,
    instrument=PI_XBTUSD,
    ticker=Ticker(symbol="PI_XBTUSD", at=NOW, mark=D(8000)),
    marks={"PI_XBTUSD": D(8000)},
    book=BookSnapshot(symbol="PI_XBTUSD", bids=levels((8000, "5000")), asks=levels((8000, "5000"))),
)


def order(side: str = "buy", type: str = "limit", size: str = "0.1", **more: Any) -> NewOrder:
    wish = {"client_id": "1", "symbol": "PF_XBTUSD", "side": Side(side), "type": OrderType(type), "size": D(size)}
    return NewOrder(**wish, **{name: D(value) if isinstance(value, str) else value for name, value in more.items()})


def held(size: str, entry: str = "60000") -> Situation:
    return change(LINEAR, held=(Held(instrument=PF_XBTUSD, size=D(size), entry=D(entry)),))


def codes(wish: NewOrder, at: Situation, **more: Any) -> set[str]:
    return {one.code for one in caveats(wish, at, preview(wish, at), **more)}


def test_a_market_order_walks_the_book_to_one_percent_and_pays_the_taker_fee() -> None:
    shown = preview(order(type="market", size="0.3"), LINEAR)
    assert (shown.fills_now, shown.rests, shown.position) == (D("0.3"), D(0), D("0.3"))
    assert shown.price == shown.entry == (D(60010) + D(60020) + D(60500)) / 3
    assert shown.fee == D("18053") * D("0.0005")
    assert shown.margin_needed == D("18053") * D("0.02")
    assert preview(order(type="market", size="5"), LINEAR).fills_now == D("0.7")


def test_a_limit_trades_up_to_its_price_and_rests_with_the_maker_fee() -> None:
    shown = preview(order(size="0.3", limit_price="60020"), LINEAR)
    assert (shown.fills_now, shown.rests, shown.position) == (D("0.2"), D("0.1"), D("0.3"))
    assert shown.fee == D("12003") * D("0.0005") + D("6002") * D("0.0002")


def test_fill_or_kill_trades_all_or_nothing() -> None:
    assert preview(order(type="fok", size="0.2", limit_price="60020"), LINEAR).fills_now == D("0.2")
    assert preview(order(type="fok", size="0.3", limit_price="60020"), LINEAR).position == 0


def test_the_liquidation_price_of_the_documented_long() -> None:
    """1,000 contracts from 8,000 with 0.01 BTC: 7,481.48, here less what the fee takes."""
    shown = preview(order(type="market", size="1000"), COIN)
    assert shown.liquidation_price is not None
    assert shown.fee == D("0.0000625")
    assert abs(shown.liquidation_price - D(1010) / (D("0.135") - shown.fee)) < D("1E-9")
    assert shown.distance_share is not None and abs(shown.distance_share - D("0.0644")) < D("0.001")


def test_crossing_zero_realises_and_starts_anew() -> None:
    shown = preview(order("sell", "market", "0.3"), held("0.1", "50000"))
    assert (shown.position_before, shown.position, shown.entry) == (D("0.1"), D("-0.2"), D(59990))
    assert shown.realised_pnl == D("999")


def test_what_only_closes_needs_no_margin_and_what_goes_beyond_does() -> None:
    closing = preview(order("sell", size="0.1", limit_price="65000"), held("0.1"))
    assert closing.margin_needed == 0
    beyond = preview(order("sell", size="0.3", limit_price="65000"), held("0.1"))
    assert beyond.margin_needed == D("0.2") * 65000 * D("0.02") - D("0.1") * 60000 * D("0.02")


def test_open_orders_count_and_the_larger_side_decides() -> None:
    waiting = Waiting(instrument=PF_XBTUSD, side=Side.BUY, size=D("0.5"), price=D(50000))
    at = change(LINEAR, waiting=(waiting,))
    assert preview(order("sell", size="0.1", limit_price="65000"), at).margin_needed == 0
    assert preview(order("buy", size="0.1", limit_price="55000"), at).margin_needed == D(110)


def test_triggers_and_reduce_only_orders_need_no_margin_now() -> None:
    assert preview(order("buy", "stop", "0.5", stop_price="61000"), LINEAR).margin_needed == 0
    shown = preview(order("sell", "limit", "0.5", limit_price="65000", reduce_only=True), held("0.1"))
    assert (shown.margin_needed, shown.position) == (0, 0)


def test_without_prices_the_preview_says_so_instead_of_guessing() -> None:
    blind = change(LINEAR, ticker=None, book=None)
    shown = preview(order(type="market"), blind)
    assert (shown.price, shown.fills_now, shown.liquidation_price) == (None, 0, None)
    assert "no_mark" in codes(order(type="market"), blind)


def test_an_isolated_position_stands_alone() -> None:
    at = change(LINEAR, held=(Held(instrument=PF_XBTUSD, size=D(1), entry=D(60000), max_leverage=D(10)),))
    shown = preview(order("buy", "post", "0.0001", limit_price="50000"), at)
    assert shown.liquidation_price is not None
    assert D(54500) < shown.liquidation_price < D(54700)  # 6,000 of margin, 600 of it maintenance


def test_opening_frees_the_best_priced_orders_first() -> None:
    rows = [Exposure(instrument=PF_XBTUSD, side=Side.SELL, size=D(2), price=D(price)) for price in (70000, 61000)]
    left = opening(D(3), rows)
    assert [(one.size, one.price) for one in left] == [(D(1), D(70000))]
    assert wallet_requirement([], rows).maintenance == 0


@pytest.mark.parametrize(
    ("code", "wish", "at", "fine"),
    [
        ("far_from_mark", order(limit_price="62000"), LINEAR, order(limit_price="60500")),
        ("eats_depth", order("sell", "market", "5"), LINEAR, order("sell", "market", "0.3")),
        ("slippage", order(type="market", size="0.7"), LINEAR, order(type="market", size="0.1")),
        ("post_would_trade", order(type="post", limit_price="60010"), LINEAR, order(type="post", limit_price="60009")),
        ("would_not_trade", order(type="ioc", limit_price="59000"), LINEAR, order(type="ioc", limit_price="60010")),
        ("nothing_to_reduce", order("buy", reduce_only=True), held("1"), order("sell", reduce_only=True)),
        ("reduced", order("sell", size="2", reduce_only=True), held("1"), order("sell", reduce_only=True)),
        ("max_position", order(size="1300", limit_price="50000"), LINEAR, order(size="1200", limit_price="50000")),
        ("no_margin", order(size="1", limit_price="59000"), LINEAR, order(size="0.1", limit_price="59000")),
        ("near_liquidation", order(size="0.5", limit_price="59000"), LINEAR, order(size="0.01", limit_price="59000")),
        (
            "stop_beyond_liquidation",
            order("sell", "stop", "0.1", stop_price="50000", reduce_only=True),
            held("0.1"),
            order("sell", "stop", "0.1", stop_price="55000", reduce_only=True),
        ),
    ],
)  # fmt: skip
def test_a_caveat_is_told_where_it_is_due_and_not_elsewhere(
    code: str, wish: NewOrder, at: Situation, fine: NewOrder
) -> None:
    assert code in codes(wish, at)
    assert code not in codes(fine, at)


def test_an_attached_stop_is_held_against_the_position_to_come() -> None:
    wish = order(size="0.1", limit_price="60010")
    assert "stop_beyond_liquidation" in codes(wish, LINEAR, stop_loss=D(40000))
    assert "stop_beyond_liquidation" not in codes(wish, LINEAR, stop_loss=D(58000))


def test_a_price_of_six_seconds_ago_is_stale() -> None:
    assert "stale_mark" in codes(order(limit_price="59000"), change(LINEAR, now=NOW + timedelta(seconds=6)))
    assert "stale_mark" not in codes(order(limit_price="59000"), change(LINEAR, now=NOW + timedelta(seconds=4)))


def test_a_spent_budget_is_told() -> None:
    assert "budget" in codes(order(limit_price="59000"), LINEAR, points_left=9)
    assert "budget" not in codes(order(limit_price="59000"), LINEAR, points_left=10)


def test_an_isolated_contract_needs_its_own_margin_and_stands_alone():
    isolated = change(LINEAR, caps={"PF_XBTUSD": D(5)})
    wish = order(size="0.1", limit_price="60010")
    alone, together = preview(wish, isolated), preview(wish, LINEAR)
    assert (alone.max_leverage, together.max_leverage) == (D(5), None)
    assert alone.margin_needed == D("6001") / 5 > together.margin_needed
    assert alone.liquidation_price is not None and together.liquidation_price is not None
    # its margin of 1,200.20 alone against a maintenance of 60.01; in the wallet all of the 1,000 stand behind it
    assert alone.liquidation_price == pytest.approx(D(60010) - (D("1200.2") - D("60.01")) / D("0.1"))
    # a position says its own: here it is margined across the wallet again, though the choice was not read yet
    assert preview(wish, change(held("0.2"), caps={"PF_XBTUSD": D(5)})).max_leverage is None


def test_a_leverage_too_high_for_the_size_is_told_and_a_lower_one_is_not():
    wish = order(size="0.1", limit_price="60010")
    assert "leverage_too_high" in codes(wish, change(LINEAR, caps={"PF_XBTUSD": D(60)}))
    assert "leverage_too_high" not in codes(wish, change(LINEAR, caps={"PF_XBTUSD": D(5)}))
    assert "leverage_too_high" not in codes(wish, LINEAR)
