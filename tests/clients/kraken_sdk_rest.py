"""Run by the client's own Python: every futures call python-kraken-sdk has, and what it made of the answers.

Argument: JSON with `url`, `public`, `private`, `other` (the uid of a subaccount), and `second_public` and
`second_private` (another account, with a budget of its own). Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Any

from kraken.exceptions import KrakenApiLimitExceededError
from kraken.futures import Funding, Market, Trade, User

LINEAR, INVERSE = "PF_XBTUSD", "PI_XBTUSD"
WISH = json.loads(sys.argv[1])


def refusal(call: Any, **arguments: Any) -> str:
    """The name of the client's exception, which it finds by our word, or what else it said."""
    try:
        call(**arguments)
    except Exception as error:  # noqa: BLE001  the client's errors have no common ancestor
        return type(error).__name__ if type(error).__module__.startswith("kraken") else str(error)
    return "none"


def patiently(call: Any) -> Any:
    """For a call that costs nearly half of the budget."""
    while True:
        try:
            return call()
        except KrakenApiLimitExceededError:
            time.sleep(1)


def public_reads(market: Market, funding: Funding) -> dict[str, Any]:
    book = market.get_orderbook(symbol=LINEAR)["orderBook"]
    executions = market.get_public_execution_events(tradeable=LINEAR)
    return {
        "tick_types": market.get_tick_types(),
        "chart_symbols": market.get_tradeable_products("mark"),
        "resolutions": market.get_resolutions("trade", LINEAR),
        "candles": len(market.get_ohlc("trade", LINEAR, "1h", from_=int(time.time()) - 36_000)["candles"]),
        "fee_schedules": [one["uid"] for one in market.get_fee_schedules()["feeSchedules"]],
        "spread": book["asks"][0][0] - book["bids"][0][0],
        "tickers": [one["symbol"] for one in market.get_tickers()["tickers"]],
        "instruments": [one["symbol"] for one in market.get_instruments()["instruments"]],
        "statuses": [one["tradeable"] for one in market.get_instruments_status()["instrumentStatus"]],
        "status": market.get_instruments_status(instrument=LINEAR)["tradeable"],
        "trades": len(market.get_trade_history(symbol=LINEAR)["history"]),
        "rates": len(market.get_historical_funding_rates(symbol=LINEAR)["rates"]),
        "same_rates": len(funding.get_historical_funding_rates(symbol=LINEAR)["rates"]),
        "public_executions": list(executions["elements"][0]["event"]),
        "public_orders": market.get_public_order_events(tradeable=LINEAR)["len"],
        "public_prices": market.get_public_mark_price_events(tradeable=LINEAR)["len"],
    }


def settings(market: Market, user: User) -> dict[str, Any]:
    market.set_leverage_preference(symbol="PF_SOLUSD", maxLeverage=3)
    market.set_pnl_preference(symbol="PF_SOLUSD", pnlPreference="BTC")
    return {
        "leverage": market.get_leverage_preference()["leveragePreferences"],
        "pnl": market.get_pnl_preference()["preferences"],
        "volumes": list(market.get_fee_schedules_vol()["volumesByFeeSchedule"]),
        "wallets": sorted(user.get_wallets()["accounts"]),
        "subaccounts": [one["accountUid"] for one in user.get_subaccounts()["subaccounts"]],
        "notifications": user.get_notifications()["notifications"],
        "enabled": user.check_trading_enabled_on_subaccount(WISH["other"])["tradingEnabled"],
        "disabled": user.set_trading_on_subaccount(WISH["other"], trading_enabled=False)["tradingEnabled"],
    }


def orders(trade: Trade, user: User, price: int) -> dict[str, Any]:
    """Every kind of order, each ended in one of the ways there are."""
    ids: dict[str, str] = {}

    def send(kind: str, **arguments: Any) -> dict[str, Any]:
        status: dict[str, Any] = trade.create_order(orderType=kind, symbol=LINEAR, **arguments)["sendStatus"]
        ids[kind] = status["order_id"]
        return status

    limit = send("lmt", size=0.01, side="buy", limitPrice=price, cliOrdId="sdk-limit", reduceOnly=False)
    post = send("post", size=0.01, side="buy", limitPrice=price - 10)
    market = send("mkt", size=0.02, side="buy")
    send("ioc", size=0.01, side="sell", limitPrice=price, reduceOnly=True)
    send("stp", size=0.01, side="sell", stopPrice=price - 500, limitPrice=price - 600, triggerSignal="mark")
    send("take_profit", size=0.01, side="sell", stopPrice=price * 2, triggerSignal="spot")
    send("trailing_stop", size=0.01, side="sell", trailingStopMaxDeviation=10, trailingStopDeviationUnit="PERCENT")
    listed = {one["order_id"]: one["orderType"] for one in user.get_open_orders()["openOrders"]}
    statuses = trade.get_orders_status(orderIds=[ids["lmt"], ids["mkt"]])["orders"]
    edited = trade.edit_order(cliOrdId="sdk-limit", size=0.03, limitPrice=price - 5)["editStatus"]
    cancelled = trade.cancel_order(order_id=ids["post"])["cancelStatus"]
    batch = trade.create_batch_order(
        [
            {"order": "send", "order_tag": "1", "orderType": "lmt", "symbol": LINEAR, "side": "buy", "size": 0.01,
             "limitPrice": price - 20, "cliOrdId": "sdk-batch"},
            {"order": "cancel", "order_id": ids["stp"]},
            {"order": "edit", "order_id": ids["lmt"], "size": 0.02, "limitPrice": price - 6},
        ]
    )["batchStatus"]  # fmt: skip
    switch = trade.dead_mans_switch(timeout=60)["status"]
    trade.dead_mans_switch(timeout=0)
    everything = trade.cancel_all_orders(symbol=LINEAR)["cancelStatus"]
    return {
        "ids": ids,
        "statuses": [limit["status"], post["status"], market["status"]],
        "market_events": [one["type"] for one in market["orderEvents"]],
        "listed": {kind: listed.get(uid) for kind, uid in ids.items()},
        "status": {one["order"]["orderId"]: one["status"] for one in statuses},
        "edited": [edited["status"], edited["orderId"]],
        "cancelled": cancelled["status"],
        "batch": [one["status"] for one in batch],
        "switch": sorted(switch),
        "all": [everything["status"], len(everything["cancelledOrders"])],
        "open": len(user.get_open_orders()["openOrders"]),
    }


def refusals(price: int) -> dict[str, str]:
    keys = {"key": WISH["second_public"], "secret": WISH["second_private"], "url": WISH["url"]}
    trade, funding = Trade(**keys), Funding(**keys)
    limit = {"orderType": "lmt", "symbol": LINEAR, "side": "buy"}
    stranger = Trade(key=WISH["public"], secret="A" * 86 + "==", url=WISH["url"])
    return {
        "funds": refusal(trade.create_order, **limit, size=900, limitPrice=price),
        "cancel": trade.cancel_order(order_id=str(uuid.uuid4()))["cancelStatus"]["status"],
        "price": trade.create_order(**limit, size=0.01, limitPrice=price + 0.3)["sendStatus"]["status"],
        "size": trade.create_order(**limit, size=0.00001, limitPrice=price)["sendStatus"]["status"],
        "signature": refusal(stranger.get_fills),
        "amount": funding.initiate_wallet_transfer(amount=10**9, fromAccount="flex", toAccount="cash", unit="usd")[
            "error"
        ],
    }


def money(funding: Funding, user: User) -> dict[str, Any]:
    funding.initiate_wallet_transfer(amount=25, fromAccount="flex", toAccount="cash", unit="usd")
    withdrawn = funding.initiate_withdrawal_to_spot_wallet(amount=5, currency="usd")
    log = user.get_account_log(count=100)["logs"]
    return {
        "withdrawal": withdrawn["uid"],
        "log": [[row["info"], row["asset"], row["execution"]] for row in log],
        "csv": user.get_account_log_csv().text.splitlines()[0],
        "executions": [next(iter(one["event"])) for one in user.get_execution_events()["elements"]],
        "order_events": [next(iter(one["event"])) for one in user.get_order_events()["elements"]],
        "trigger_events": [next(iter(one["event"])) for one in user.get_trigger_events()["elements"]],
        "positions": [(one["symbol"], one["side"], one["size"]) for one in user.get_open_positions()["openPositions"]],
        "unwind": [one["symbol"] for one in patiently(user.get_unwind_queue)["queue"]],
    }


def main() -> None:
    keys = {"key": WISH["public"], "secret": WISH["private"], "url": WISH["url"]}
    market, trade, user, funding = Market(**keys), Trade(**keys), User(**keys), Funding(**keys)
    price = int(next(one for one in market.get_tickers()["tickers"] if one["symbol"] == LINEAR)["markPrice"] * 0.97)
    seen = {
        "public": public_reads(market, funding),
        "settings": settings(market, user),
        "orders": orders(trade, user, price),
        "money": money(funding, user),
        "refusals": refusals(price),
        "fills": [[one["fill_id"], one["order_id"]] for one in trade.get_fills()["fills"]],
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
