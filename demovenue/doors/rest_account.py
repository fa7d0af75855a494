"""What an account reads about itself, and its preferences."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from demovenue.doors import answers
from demovenue.doors.answers import Answer, iso, plain, refusal
from demovenue.doors.call import Call
from demovenue.doors.rest_public import FEE_SCHEDULES, V3, contract_types, is_wanted
from demovenue.doors.shapes import account as shapes
from demovenue.doors.shapes import market, orders
from demovenue.doors.table import Right, Table
from demovenue.values import Notification, Refused

Fields = dict[str, Any]

STRATEGIES = ("REJECT_TAKER", "CANCEL_MAKER_SELF", "CANCEL_MAKER_CHILD", "CANCEL_MAKER_ANY")
_WORDS = {
    41: "WOULD_CAUSE_LIQUIDATION",
    87: "CONTRACT_DOES_NOT_EXIST",
    88: "CONTRACT_NOT_MULTI_COLLATERAL",
    89: "CURRENCY_DOES_NOT_EXIST",
    90: "CURRENCY_NOT_ENABLED_FOR_MULTI_COLLATERAL",
    92: "INSUFFICIENT_MARGIN",
}


def add_routes(table: Table) -> None:
    for name, handler, cost in _READS:
        table.add("GET", f"{V3}/{name}", handler, right=Right.READ, cost=cost)
    table.add("PUT", f"{V3}/leveragepreferences", set_leverage, right=Right.FULL, cost=10)
    table.add("PUT", f"{V3}/pnlpreferences", set_pnl_currency, right=Right.FULL, cost=10)
    table.add("PUT", f"{V3}/self-trade-strategy", set_self_trade, right=Right.FULL, cost=2)
    for method in ("GET", "PUT", "DELETE"):
        table.add(method, f"{V3}/options-mm-greek-limits", not_eligible, right=Right.READ, cost=2, writes=False)
    one = f"{V3}/subaccount/{{uid}}/trading-enabled"
    table.add("GET", one, trading_enabled, right=Right.FULL, cost=2)
    table.add("PUT", one, set_trading_enabled, right=Right.FULL, cost=2)


def accounts(call: Call) -> Fields:
    return {"accounts": shapes.accounts(call.exchange.wallets(call.account))}


def open_positions(call: Call) -> Fields:
    return {"openPositions": [shapes.position(one) for one in call.exchange.positions(call.account)]}


def open_orders(call: Call) -> Fields:
    found = call.exchange.open_orders(call.account)
    return {"openOrders": [orders.open_order(one) for one in found if not call.house.is_hidden(one.id)]}


def fills(call: Call) -> Fields:
    before = call.params.moment("lastFillTime")
    found = call.exchange.fills(call.account, before=before, limit=100)
    return {"fills": [orders.fill(one, older=before is not None) for one in found]}


def fills_cost(call: Call) -> int:
    return 25 if call.params.get("lastFillTime") else 2


def volumes(call: Call) -> Fields:
    """The exchange counts one volume an account; it is shown under every schedule."""
    volume = plain(call.exchange.volume_30d(call.account))
    return {"volumesByFeeSchedule": dict.fromkeys(FEE_SCHEDULES, volume)}


def notifications(call: Call) -> Fields:
    return {"notifications": [_notification(one) for one in call.exchange.notifications()]}


def _notification(one: Notification) -> Fields:
    row: Fields = {"type": one.type, "priority": one.priority, "note": one.note}
    row["effectiveTime"] = iso(one.effective)
    return row | ({} if one.downtime_minutes is None else {"expectedDowntimeMinutes": one.downtime_minutes})


def unwind_queue(call: Call) -> Fields:
    found = call.exchange.unwind_queue(call.account)
    return {"queue": [{"symbol": symbol, "percentile": percentile} for symbol, percentile in found]}


def trading_instruments(call: Call) -> Fields:
    wanted = contract_types(call)
    found = [one for one in call.exchange.instruments() if is_wanted(one, wanted)]
    return {"instruments": [market.own_instrument(one, restricted=False) for one in found]}


def leverages(call: Call) -> Fields:
    owner = _owner(call)
    rows = [{"symbol": symbol, "maxLeverage": plain(cap)} for symbol, cap in owner.max_leverage.items()]
    return {"leveragePreferences": rows}


def set_leverage(call: Call) -> Fields:
    symbol = call.params.required("symbol").upper()
    leverage = call.params.number("maxLeverage")
    if leverage is not None and leverage <= 0:
        raise answers.invalid_argument("maxLeverage")
    try:
        call.exchange.set_max_leverage(call.account, symbol, leverage)
    except Refused as refused:
        raise _preference(refused) from refused
    return {}


def pnl_currencies(call: Call) -> Fields:
    owner = _owner(call)
    rows = [{"symbol": symbol, "pnlCurrency": currency} for symbol, currency in owner.pnl_currency.items()]
    return {"preferences": rows}


def set_pnl_currency(call: Call) -> Fields:
    symbol, currency = call.params.required("symbol").upper(), call.params.required("pnlPreference").upper()
    try:
        call.exchange.set_pnl_currency(call.account, symbol, currency)
    except Refused as refused:
        raise _preference(refused) from refused
    return {}


def _preference(refused: Refused) -> Answer:
    """Preferences refuse with a number and HTTP 500; whatever has none is refused in the old way."""
    if refused.number is None:
        return refusal(refused.word)
    return answers.failure(500, refused.number, _WORDS.get(refused.number, refused.word))


def self_trade(call: Call) -> Fields:
    return {"strategy": _owner(call).self_trade}


def set_self_trade(call: Call) -> Fields:
    call.params.required("strategy")
    strategy = call.params.word("strategy", STRATEGIES)
    assert strategy is not None
    call.exchange.set_self_trade(call.account, strategy)
    return {"strategy": strategy}


def subaccounts(call: Call) -> Fields:
    rows = [
        shapes.subaccount(sub.uid, sub.email, call.exchange.wallets(sub.uid))
        for sub in call.exchange.subaccounts(call.account)
    ]
    return {"masterAccountUid": _owner(call).master_uid or call.account, "subaccounts": rows}


def trading_enabled(call: Call) -> bytes:
    for sub in call.exchange.subaccounts(call.account):
        if sub.uid == call.values["uid"]:
            return answers.encode({"tradingEnabled": sub.trading_enabled})
    raise answers.not_found()


def set_trading_enabled(call: Call) -> bytes:
    call.params.required("tradingEnabled")
    enabled = bool(call.params.flag("tradingEnabled"))
    try:
        call.exchange.set_trading_enabled(call.account, call.values["uid"], enabled)
    except Refused as refused:
        raise answers.not_found() from refused
    return answers.encode({"tradingEnabled": enabled})


def not_eligible(call: Call) -> Fields:
    """There are no options here, so nobody makes a market in them."""
    raise answers.failure(403, 0, "403 FORBIDDEN")


def initial_margin(call: Call) -> Fields:
    symbol, price = _multi_collateral(call)
    call.params.required("side")
    side = call.params.word("side", ("buy", "sell"))
    size = call.params.number("size")
    if size is None:
        raise refusal("requiredArgumentMissing")
    assert side is not None
    at = price if price is not None else _market_price(call, symbol, side)
    margin, liquidation = call.exchange.initial_margin_of(call.account, symbol=symbol, side=side, size=size, price=at)
    return {
        "initialMargin": plain(margin),
        "estimatedLiquidationThreshold": plain(liquidation),
        "price": plain(at),
    }


def max_order_size(call: Call) -> Fields:
    symbol, price = _multi_collateral(call)
    row: Fields = {}
    for side in ("buy", "sell"):
        at = price if price is not None else _market_price(call, symbol, side)
        size = call.exchange.max_order_size(call.account, symbol=symbol, side=side, price=at)
        row[f"max{side.title()}Size"], row[f"{side}Price"] = plain(size), plain(at)
    return row


def _multi_collateral(call: Call) -> tuple[str, Decimal | None]:
    """The contract asked about, and its limit price (None for a market order)."""
    instrument = call.listed(call.params.required("symbol"))
    if instrument is None or instrument.inverse:
        raise answers.invalid_argument("symbol")
    call.params.required("orderType")
    kind = call.params.word("orderType", ("lmt", "mkt"))
    price = call.params.number("limitPrice")
    if kind == "lmt" and price is None:
        raise refusal("requiredArgumentMissing")
    return instrument.symbol, price if kind == "lmt" else None


def _market_price(call: Call, symbol: str, side: str) -> Decimal:
    ticker = call.exchange.ticker(symbol)
    return (ticker.ask if side == "buy" else ticker.bid) or ticker.mark


def _owner(call: Call) -> Any:
    owner = call.exchange.account(call.account)
    assert owner is not None, "a key without an account"
    return owner


_READS = (
    ("accounts", accounts, 2),
    ("openpositions", open_positions, 2),
    ("openorders", open_orders, 2),
    ("fills", fills, fills_cost),
    ("feeschedules/volumes", volumes, 2),
    ("notifications", notifications, 2),
    ("unwindqueue", unwind_queue, 200),
    ("trading/instruments", trading_instruments, 2),
    ("leveragepreferences", leverages, 2),
    ("pnlpreferences", pnl_currencies, 2),
    ("self-trade-strategy", self_trade, 2),
    ("subaccounts", subaccounts, 2),
    ("initialmargin", initial_margin, 2),
    ("initialmargin/maxordersize", max_order_size, 2),
)
