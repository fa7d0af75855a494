"""Facts come from requests and from the feed, in any order and more than once: the rows end the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Account, ApiKey, Balances, User
from krakenfutures import values
from krakenfutures.errors import Unreachable
from krakenfutures.events import (
    BalancesChanged,
    FillsHappened,
    FillsSnapshot,
    OrderChanged,
    OrdersSnapshot,
    PositionsChanged,
)
from krakenfutures.values import FlexAccount, Holding, OrderState, OrderType, Position, Side, Wallets
from tests.trading.desk import buy, long_ago
from tests.trading.paper import PaperWire
from trading.actions.balances import merged
from trading.actions.hearing import hear
from trading.actions.syncing import (
    Gap,
    refresh_old_listings,
    sync_account,
    sync_fills,
    sync_orders,
    sync_positions,
    sync_wallets,
)
from trading.actions.syncing import merged as merged_gaps
from trading.models import Fill, Listing, Order, OrderStatus, Sync
from trading.models import Position as PositionRow

S = OrderStatus


def fill(number: int, *, order: str = "venue-1", client: str | None = None, **changes: Any) -> values.Fill:
    known: dict[str, Any] = {
        "id": f"fill-{number}", "order_id": order, "client_id": client, "symbol": "PF_XBTUSD", "side": Side.BUY,
        "size": D("0.004"), "price": D(60000), "at": datetime(2026, 11, 22, 12, 0, number % 60, tzinfo=UTC),
        "kind": "taker",
    }  # fmt: skip
    return values.Fill(**{**known, **changes})


def feed_order(order: Order, *, state: OrderState, filled: str = "0", **changes: Any) -> values.Order:
    known: dict[str, Any] = {
        "id": "venue-1", "client_id": str(order.pk), "symbol": order.symbol, "side": Side.BUY,
        "type": OrderType.LIMIT, "size": order.size, "filled": D(filled), "state": state,
    }  # fmt: skip
    return values.Order(**{**known, **changes})


def changed(order: values.Order, *, gone: bool, reason: str) -> OrderChanged:
    return OrderChanged(
        order_id=order.id, client_id=order.client_id, gone=gone, reason=reason, order=order, state=order.state
    )


def position(symbol: str = "PF_XBTUSD", size: str = "0.5", **changes: Any) -> Position:
    return Position(symbol=symbol, size=D(size), entry=D("60504.43965517241"), **changes)


# --- orders and fills


def test_the_feed_may_be_faster_than_the_answer(account: Account, trader: User, wire: PaperWire) -> None:
    wire.lose.add("sendorder")
    order = buy(account, trader)
    hear(account.pk, changed(feed_order(order, state=OrderState.OPEN), gone=False, reason="new_placed_order_by_user"))
    order.refresh_from_db()
    assert (order.status, order.venue_order_id) == (S.OPEN, "venue-1")
    assert [(line["looked_in"], line["found"]) for line in order.evidence] == [("live feed", "open")]


def test_an_answer_that_comes_after_the_feed_needs_no_other_proof(
    account: Account, trader: User, wire: PaperWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = wire._sendorder

    def overtaken(words: dict[str, str]) -> dict[str, Any]:
        answer = place(words)
        row, venue_id = Order.objects.get(pk=words["cliOrdId"]), answer["sendStatus"]["order_id"]
        hear(account.pk, changed(feed_order(row, state=OrderState.OPEN, id=venue_id), gone=False, reason="new"))
        return answer

    monkeypatch.setattr(wire, "_sendorder", overtaken)
    order = buy(account, trader)
    assert (order.status, order.evidence) == (S.OPEN, [])
    assert order.answered_at is not None


def test_a_lost_answer_after_the_feed_leaves_the_order_as_the_feed_proved_it(
    account: Account, trader: User, wire: PaperWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = wire._sendorder

    def overtaken(words: dict[str, str]) -> dict[str, Any]:
        answer = place(words)
        row, venue_id = Order.objects.get(pk=words["cliOrdId"]), answer["sendStatus"]["order_id"]
        hear(account.pk, changed(feed_order(row, state=OrderState.OPEN, id=venue_id), gone=False, reason="new"))
        return answer

    monkeypatch.setattr(wire, "_sendorder", overtaken)
    wire.lose.add("sendorder")
    order = buy(account, trader)
    assert order.status == S.OPEN
    assert [line["looked_in"] for line in order.evidence] == ["live feed"]
    assert order.resolve_after is None


def test_a_fill_heard_twice_counts_once_and_each_source_adds_what_it_knows(account: Account) -> None:
    hear(account.pk, FillsHappened(fills=(fill(1, fee=D("0.12"), fee_currency="USD"),)))
    hear(account.pk, FillsSnapshot(fills=(fill(1, realised_pnl=D(3)), fill(1))))
    row = Fill.objects.get()
    assert (row.fee, row.fee_currency, row.realised_pnl) == (D("0.12"), "USD", D(3))


def test_fills_alone_fill_an_order_and_give_its_average_price(account: Account, trader: User, wire: PaperWire) -> None:
    order = buy(account, trader)
    client = str(order.pk)
    venue_id = order.venue_order_id or ""
    hear(account.pk, FillsHappened(fills=(fill(1, order=venue_id, client=client),)))
    order.refresh_from_db()
    assert (order.status, order.filled) == (S.PARTLY_FILLED, D("0.004"))
    hear(account.pk, FillsHappened(fills=(fill(2, order=venue_id, size=D("0.006"), price=D(61000)),)))
    order.refresh_from_db()
    assert (order.status, order.filled, order.average_price) == (S.FILLED, D("0.01"), D(60600))


def test_a_fill_after_the_cancel_was_heard_makes_the_order_filled(
    account: Account, trader: User, wire: PaperWire
) -> None:
    order = buy(account, trader)
    venue_id = order.venue_order_id or ""
    gone = OrderChanged(
        order_id=venue_id, client_id=None, gone=True, reason="cancelled_by_user", state=OrderState.CANCELLED
    )
    hear(account.pk, gone)
    order.refresh_from_db()
    assert order.status == S.CANCELLED
    hear(account.pk, FillsHappened(fills=(fill(1, order=venue_id, size=D("0.01")),)))
    order.refresh_from_db()
    assert order.status == S.FILLED


def test_an_order_gone_for_a_reason_nobody_knows_is_looked_up(account: Account, trader: User, wire: PaperWire) -> None:
    order = buy(account, trader)
    hear(account.pk, OrderChanged(order_id=order.venue_order_id or "", client_id=None, gone=True, reason="eclipse"))
    order.refresh_from_db()
    assert order.status == S.OPEN
    assert order.resolve_after is not None


def test_an_order_missing_from_the_feeds_list_is_looked_up_and_not_judged(
    account: Account, trader: User, wire: PaperWire
) -> None:
    order = buy(account, trader)
    hear(account.pk, OrdersSnapshot(orders=()))
    order.refresh_from_db()
    assert order.status == S.OPEN
    assert order.resolve_after is not None


def test_an_order_of_somebody_else_appears_and_leaves(account: Account) -> None:
    theirs = values.Order(
        id="venue-9", client_id=None, symbol="PF_XBTUSD", side=Side.SELL, type=OrderType.LIMIT, size=D(1),
        filled=D(0), state=OrderState.OPEN, limit_price=D(70000),
    )  # fmt: skip
    hear(account.pk, changed(theirs, gone=False, reason="new_placed_order_by_user"))
    assert Order.objects.get().status == S.OPEN
    hear(
        account.pk,
        OrderChanged(order_id="venue-9", client_id=None, gone=True, reason="full_fill", state=OrderState.FILLED),
    )
    order = Order.objects.get()
    assert (order.status, order.filled) == (S.FILLED, D(1))


# --- positions and balances


def test_positions_are_replaced_whole_and_a_missing_one_is_closed(account: Account) -> None:
    hear(account.pk, PositionsChanged(positions=(position(), position("PI_XBTUSD", "-1000"))))
    hear(account.pk, PositionsChanged(positions=(position(size="0.7"),)))
    row = PositionRow.objects.get()
    assert (row.symbol, row.size, row.entry, row.source) == ("PF_XBTUSD", D("0.7"), D("60504.43965517241"), "feed")


def test_an_older_reading_does_not_overwrite_what_the_feed_said_since(
    account: Account, api_key: ApiKey, wire: PaperWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = wire._openpositions

    def slow(words: dict[str, str]) -> dict[str, Any]:
        hear(account.pk, PositionsChanged(positions=(position(),)))
        return answer(words)

    monkeypatch.setattr(wire, "_openpositions", slow)
    sync_positions(api_key.pk)
    assert PositionRow.objects.get().size == D("0.5")


def test_a_request_keeps_the_liquidation_price_that_only_the_feed_tells(
    account: Account, api_key: ApiKey, wire: PaperWire
) -> None:
    hear(account.pk, PositionsChanged(positions=(position(liquidation_price=D(42000)),)))
    wire.positions = [{"symbol": "PF_XBTUSD", "side": "long", "size": D("0.5"), "price": D("60504.43965517241"),
                       "unrealizedFunding": None, "unrealizedPnl": D(5)}]  # fmt: skip
    sync_positions(api_key.pk)
    row = PositionRow.objects.get()
    assert (row.source, row.liquidation_price, row.unrealised_pnl) == ("rest", D(42000), D(5))


def test_wallets_are_stored_to_the_last_digit(account: Account, api_key: ApiKey, wire: PaperWire) -> None:
    sync_wallets(api_key.pk)
    row = Balances.objects.get(account=account)
    stored = row.known
    raw = wire.accounts["accounts"]
    assert stored.flex is not None
    assert stored.flex.margin_equity == D(str(raw["flex"]["marginEquity"]))
    assert json.dumps(row.wallets)
    assert Sync.objects.get(stream="wallets").ok_at == row.at


def flex(equity: str, haircut: str | None = None) -> FlexAccount:
    holding = Holding(
        currency="USD", quantity=D(1), value=D(1), collateral=D(1), available=D(1), haircut=haircut and D(haircut)
    )  # type: ignore[arg-type]
    sums = dict.fromkeys(
        ("balance_value", "portfolio_value", "collateral_value", "initial_margin", "initial_margin_with_orders",
         "maintenance_margin", "pnl", "unrealised_funding", "total_unrealised", "total_unrealised_as_margin",
         "available_margin"), D(0),
    )  # fmt: skip
    return FlexAccount(holdings=(holding,), margin_equity=D(equity), **sums)


def test_a_section_the_feed_leaves_out_stays_as_it_was() -> None:
    old = Wallets(cash={"BTC": D(1)}, margin_accounts=(), flex=flex("10", "0.03"))
    new = merged(old, BalancesChanged(complete=False, flex=flex("20")))
    assert new.cash == {"BTC": D(1)}
    assert new.flex is not None
    assert new.flex.margin_equity == D(20)
    assert new.flex.holdings[0].haircut == D("0.03")


def test_a_complete_message_also_says_what_is_gone() -> None:
    old = Wallets(cash={"BTC": D(1)}, margin_accounts=(), flex=flex("10"))
    assert merged(old, BalancesChanged(complete=True)) == Wallets(cash={}, margin_accounts=(), flex=None)


def test_balances_heard_before_the_first_whole_picture_are_not_taken_for_one(account: Account) -> None:
    hear(account.pk, BalancesChanged(complete=False, cash={"BTC": D(1)}))
    assert not Balances.objects.exists()


# --- fills, page by page


def history(wire: PaperWire, count: int, *, each: timedelta = timedelta(seconds=1)) -> None:
    """`count` old fills, newest first, every thirteenth of a kind nobody knows."""
    newest = datetime(2026, 11, 20, tzinfo=UTC)
    for number in range(count):
        at = newest - number * each
        wire.fills.append({
            "fill_id": str(uuid4()), "order_id": str(uuid4()), "symbol": "PF_XBTUSD", "side": "buy",
            "size": D("0.01"), "price": D(60000), "fillTime": at.strftime("%Y-%m-%dT%H:%M:%S.") + "000Z",
            "fillType": "eclipse" if number % 13 == 0 else "maker", "realized_pnl": None,
        })  # fmt: skip


def test_history_is_read_page_by_page_to_its_end_and_each_fill_once(
    account: Account, api_key: ApiKey, wire: PaperWire
) -> None:
    history(wire, 1234)
    for _ in range(4):
        sync_fills(api_key.pk)
    assert Fill.objects.count() == 1234
    assert Fill.objects.filter(flagged=True).count() == len(range(0, 1234, 13))
    assert sync_fills(api_key.pk) == 0
    assert json.loads(Sync.objects.get(stream="fills").cursor) == []


def test_a_reader_killed_half_way_goes_on_where_it_was(account: Account, api_key: ApiKey, wire: PaperWire) -> None:
    history(wire, 900)
    for _ in range(2):
        wire.lose = set()
        answered = wire.count("fills")

        def dies(words: dict[str, str], answered: int = answered) -> dict[str, Any]:
            if wire.asked.count("fills") - answered > 3:
                raise KeyboardInterrupt
            return PaperWire._fills(wire, words)

        wire._fills = dies  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            sync_fills(api_key.pk)
    del wire._fills
    for _ in range(3):
        sync_fills(api_key.pk)
    assert Fill.objects.count() == 900


def test_fills_of_one_millisecond_on_both_sides_of_a_page_are_not_lost(
    account: Account, api_key: ApiKey, wire: PaperWire
) -> None:
    history(wire, 260, each=timedelta(seconds=0))
    for number, row in enumerate(wire.fills):
        row["fillTime"] = f"2026-11-20T00:00:{59 - number // 40:02d}.000Z"
    for _ in range(2):
        sync_fills(api_key.pk)
    assert Fill.objects.count() == 260


def test_fills_that_came_while_nobody_read_are_a_gap_that_is_read_later(
    account: Account, api_key: ApiKey, wire: PaperWire
) -> None:
    history(wire, 500)
    late = wire.fills[:300]
    del wire.fills[:300]
    sync_fills(api_key.pk)
    wire.fills[:0] = late
    sync_fills(api_key.pk)
    assert Fill.objects.count() == 500


def test_gaps_stay_few_and_lose_nothing() -> None:
    gaps = [Gap(since=number * 10, before=number * 10 + 5) for number in range(9)]
    few = merged_gaps(list(gaps))
    assert len(few) <= 4
    assert all(any(one.since <= gap.since and gap.before <= one.before for one in few) for gap in gaps)


# --- the rest


def test_reading_an_account_twice_changes_nothing(
    account: Account, api_key: ApiKey, trader: User, wire: PaperWire
) -> None:
    long_ago(buy(account, trader))
    history(wire, 5)
    assert sync_account(api_key.pk) >= 5
    before = list(Order.objects.values()) + list(Fill.objects.values())
    assert sync_account(api_key.pk) == 0
    assert list(Order.objects.values()) + list(Fill.objects.values()) == before


def test_what_could_not_be_read_is_noted_and_keeps_the_old(account: Account, api_key: ApiKey, wire: PaperWire) -> None:
    sync_wallets(api_key.pk)
    stored = Balances.objects.get().at
    wire.away = True
    with pytest.raises(Unreachable):
        sync_wallets(api_key.pk)
    row = Sync.objects.get(stream="wallets")
    assert row.trouble
    assert row.ok_at == stored == Balances.objects.get().at
    wire.away = False
    sync_wallets(api_key.pk)
    assert Sync.objects.get(stream="wallets").trouble == ""


def test_open_orders_are_read_without_making_a_second_row_of_ours(
    account: Account, api_key: ApiKey, trader: User, wire: PaperWire
) -> None:
    order = buy(account, trader)
    sync_orders(api_key.pk)
    assert Order.objects.get().pk == order.pk


def test_listings_are_refreshed_when_they_are_old(
    api_key: ApiKey, wire: PaperWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = len(wire.asked)
    refresh_old_listings(["demo"])
    assert len(wire.asked) == asked
    Listing.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    wire.away = True
    refresh_old_listings(["demo"])  # says so in the log, and keeps what there is
    assert Listing.objects.count() == 2


def test_a_page_of_fills_is_stored_with_its_cursor_or_not_at_all(
    account: Account, api_key: ApiKey, wire: PaperWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(wire, 50)
    Sync.objects.create(account=account, stream="fills")

    def full(*_args: object, **_fields: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Sync, "save", full)
    with pytest.raises(RuntimeError):
        sync_fills(api_key.pk)
    assert not Fill.objects.exists()
