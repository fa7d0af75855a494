"""What the socket says. Its spelling is its own: mostly snake case, times in epoch milliseconds, with exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from demovenue.doors.answers import iso_millis, millis, plain
from demovenue.doors.shapes.history import log_numbers
from demovenue.doors.shapes.orders import LISTED_SIGNAL
from demovenue.events import BookDelta
from demovenue.values import (
    BookView,
    Fill,
    FlexView,
    LogEntry,
    MarginView,
    Notification,
    Order,
    PositionView,
    Ticker,
    TradePrint,
)

Fields = dict[str, Any]

FILL_ORDER_TYPE = {"lmt": "limit", "mkt": "market", "fok": "fillOrKill", "stp": "stp"}
_ZERO = Decimal(0)


def _days(value: Ticker) -> int:
    return 0 if value.maturity is None else max(0, (value.maturity - value.at).days)


def ticker(value: Ticker) -> Fields:
    """The four rates are left out when zero; what was never traded or quoted is left out too."""
    row: Fields = {
        "time": millis(value.at),
        "product_id": value.symbol,
        "funding_rate": value.funding_rate or None,
        "funding_rate_prediction": value.funding_rate_prediction or None,
        "relative_funding_rate": value.relative_funding_rate or None,
        "relative_funding_rate_prediction": value.relative_funding_rate_prediction or None,
        "next_funding_rate_time": millis(value.next_funding) if value.next_funding else None,
        "leverage": value.leverage,
        "premium": value.premium,
        "feed": "ticker",
        "bid": value.bid,
        "ask": value.ask,
        "bid_size": value.bid_size,
        "ask_size": value.ask_size,
        "volume": value.volume,
        "dtm": _days(value),
        "index": value.index,
        "last": value.last,
        "change": value.change,
        "suspended": value.suspended,
        "tag": value.tag,
        "pair": value.pair,
        "openInterest": value.open_interest,
        "markPrice": value.mark,
        "maturityTime": millis(value.maturity) if value.maturity else 0,
        "post_only": value.post_only,
        "volumeQuote": value.volume_quote,
        "open": value.open,
        "high": value.high,
        "low": value.low,
    }
    return _present(row)


def ticker_lite(value: Ticker) -> Fields:
    row: Fields = {
        "feed": "ticker_lite",
        "product_id": value.symbol,
        "bid": value.bid,
        "ask": value.ask,
        "change": value.change,
        "premium": value.premium,
        "volume": value.volume,
        "tag": value.tag,
        "pair": value.pair,
        "dtm": _days(value),
        "maturityTime": millis(value.maturity) if value.maturity else 0,
        "volumeQuote": value.volume_quote,
    }
    return _present(row)


def _present(row: Fields) -> Fields:
    return {
        name: plain(value) if isinstance(value, Decimal) else value for name, value in row.items() if value is not None
    }


def trade(value: TradePrint) -> Fields:
    return {
        "feed": "trade",
        "product_id": value.symbol,
        "uid": value.uid,
        "side": value.side,
        "type": value.kind,
        "seq": value.seq,
        "time": millis(value.at),
        "qty": plain(value.size),
        "price": plain(value.price),
    }


def trade_snapshot(symbol: str, trades: Sequence[TradePrint]) -> Fields:
    return {"feed": "trade_snapshot", "product_id": symbol, "trades": [trade(one) for one in trades]}


def book_snapshot(view: BookView) -> Fields:
    return {
        "feed": "book_snapshot",
        "product_id": view.symbol,
        "timestamp": millis(view.at),
        "seq": view.seq,
        "tickSize": None,
        "bids": [{"price": plain(price), "qty": plain(size)} for price, size in view.bids],
        "asks": [{"price": plain(price), "qty": plain(size)} for price, size in view.asks],
    }


def book_delta(delta: BookDelta) -> Fields:
    return {
        "feed": "book",
        "product_id": delta.symbol,
        "side": delta.side,
        "seq": delta.seq,
        "price": plain(delta.price),
        "qty": plain(delta.size),
        "timestamp": millis(delta.at),
    }


def order(value: Order) -> Fields:
    """An order of `open_orders`: `qty` is what remains, `stop_price` 0 on plain orders."""
    row: Fields = {
        "instrument": value.symbol,
        "time": millis(value.created),
        "last_update_time": millis(value.updated),
        "qty": plain(value.remaining),
        "filled": plain(value.filled),
    }
    row |= {"limit_price": plain(value.limit_price)} if value.limit_price is not None else {}
    is_trigger = value.is_trigger and value.trigger_price is not None
    row |= {
        "stop_price": plain(value.trigger_price or _ZERO) if is_trigger else _ZERO,
        "type": value.trigger_kind or "limit",
        "order_id": value.id,
    }
    row |= {"cli_ord_id": value.cli_ord_id} if value.cli_ord_id else {}
    row |= {"direction": 0 if value.side == "buy" else 1, "reduce_only": value.reduce_only}
    if value.is_trigger:
        row["triggerSignal"] = LISTED_SIGNAL[value.trigger_signal or "mark"]
    if value.trigger_kind == "trailing_stop":
        unit = (value.trailing_unit or "PERCENT").lower()
        row["trailing_stop_options"] = {"max_deviation": plain(value.trailing_max_deviation or _ZERO), "unit": unit}
    return row


# The order itself leaves with these; every other goodbye names only its id.
_WHOLE_GOODBYES = frozenset({"full_fill", "partial_fill"})


def order_delta(value: Order, *, gone: bool, reason: str) -> Fields:
    if gone and reason not in _WHOLE_GOODBYES:
        row: Fields = {"feed": "open_orders", "order_id": value.id}
        row |= {"cli_ord_id": value.cli_ord_id} if value.cli_ord_id else {}
        return row | {"is_cancel": True, "reason": reason}
    return {"feed": "open_orders", "order": order(value), "is_cancel": gone, "reason": reason}


def verbose_delta(value: Order, *, gone: bool, reason: str) -> Fields:
    """The verbose feed shows the whole order and spells one reason differently."""
    spelled = reason.replace("it_would_filled", "it_would_be_filled")
    if gone and reason not in _WHOLE_GOODBYES and spelled == reason:
        return order_delta(value, gone=gone, reason=reason) | {"feed": "open_orders_verbose"}
    return {"feed": "open_orders_verbose", "order": order(value), "is_cancel": gone, "reason": spelled}


def fill(value: Fill) -> Fields:
    row: Fields = {
        "instrument": value.symbol,
        "time": millis(value.at),
        "price": plain(value.price),
        "seq": value.sequence,
        "buy": value.side == "buy",
        "qty": plain(value.size),
        "remaining_order_qty": plain(value.remaining),
        "order_id": value.order_id,
    }
    row |= {"cli_ord_id": value.cli_ord_id} if value.cli_ord_id else {}
    return row | {
        "fill_id": value.fill_id,
        "fill_type": value.fill_type,
        "fee_paid": plain(value.fee),
        "fee_currency": value.fee_currency,
        "taker_order_type": FILL_ORDER_TYPE.get(value.taker_order_type, value.taker_order_type),
        "order_type": FILL_ORDER_TYPE.get(value.order_type, value.order_type),
    }


def position(view: PositionView) -> Fields:
    row: Fields = {
        "instrument": view.symbol,
        "balance": view.size,
        "pnl": view.pnl,
        "entry_price": view.entry,
        "mark_price": view.mark,
        "index_price": view.index,
        "liquidation_threshold": view.liquidation_price,
        "effective_leverage": view.effective_leverage,
        "return_on_equity": view.return_on_equity,
        "unrealized_funding": view.unrealized_funding,
        "initial_margin": view.initial_margin,
        "initial_margin_with_orders": view.initial_margin_with_orders,
        "maintenance_margin": view.maintenance_margin,
        "pnl_currency": view.pnl_currency,
        "max_fixed_leverage": view.max_fixed_leverage,
    }
    return _present(row)


def holding(cash: dict[str, Decimal]) -> Fields:
    return {currency.upper(): plain(amount) for currency, amount in cash.items()}


def margin_account(view: MarginView) -> tuple[str, Fields]:
    coin = view.currency.upper()
    name = f"F-{coin}:USD"
    return name, {
        "name": name,
        "pair": f"{coin}/USD",
        "unit": coin,
        "portfolio_value": plain(view.pv),
        "balance": plain(view.balance),
        "maintenance_margin": plain(view.mm),
        "initial_margin": plain(view.im),
        "available": plain(view.af),
        "unrealized_funding": plain(view.funding),
        "pnl": plain(view.pnl),
    }


def flex(view: FlexView) -> Fields:
    """Here `initial_margin` includes orders; in REST it does not."""
    totals: Fields = {
        "balance_value": plain(view.balance_value),
        "portfolio_value": plain(view.portfolio_value),
        "collateral_value": plain(view.collateral_value),
        "initial_margin": plain(view.initial_margin_with_orders),
        "initial_margin_without_orders": plain(view.initial_margin),
        "maintenance_margin": plain(view.maintenance_margin),
        "pnl": plain(view.pnl),
        "unrealized_funding": plain(view.unrealized_funding),
        "total_unrealized": plain(view.total_unrealized),
        "total_unrealized_as_margin": plain(view.total_unrealized_as_margin),
        "margin_equity": plain(view.margin_equity),
        "available_margin": plain(view.available_margin),
    }
    currencies = {
        code: {
            "quantity": plain(held.quantity),
            "value": plain(held.value),
            "collateral_value": plain(held.collateral),
            "available": plain(held.available),
            "haircut": plain(held.haircut),
            "conversion_spread": plain(held.conversion_spread),
        }
        for code, held in view.currencies.items()
    }
    cross = totals | {"effective_leverage": plain(view.effective_leverage)}
    return {"currencies": currencies, **totals, "isolated": {}, "cross": cross}


def log_entry(entry: LogEntry) -> Fields:
    """A row of the account log with zeros and empty texts where REST has null."""
    numbers = {name: plain(value or _ZERO) for name, value in log_numbers(entry).items()}
    return {
        "id": entry.id,
        "date": iso_millis(entry.at),
        "asset": entry.asset,
        "contract": entry.contract or "",
        "info": entry.info,
        "booking_uid": entry.booking_uid,
        "margin_account": entry.margin_account,
        **numbers,
        "execution": entry.execution or "",
        "collateral": (entry.collateral or "").lower(),
    }


def notification(one: Notification) -> Fields:
    row: Fields = {"id": one.id, "type": one.type, "priority": one.priority, "note": one.note}
    row["effective_time"] = millis(one.effective)
    return row | ({} if one.downtime_minutes is None else {"expected_downtime_minutes": one.downtime_minutes})
