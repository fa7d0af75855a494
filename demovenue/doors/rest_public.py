"""Market data of the trading API: no key, no cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demovenue.doors import answers
from demovenue.doors.call import Call
from demovenue.doors.shapes import market
from demovenue.doors.table import Table
from demovenue.values import Instrument, Refused, Ticker

Fields = dict[str, Any]
V3 = "/derivatives/api/v3"
CONTRACT_TYPES = ("futures_inverse", "futures_vanilla", "flexible_futures", "options", "all")

# All schedules the real venue publishes have the same tiers.
FEE_SCHEDULES = {
    "723888f7-0a8e-4183-8648-f920a22339e3": "MTF Linear Rebate Fees",
    "97ae0cc8-70a7-4e4d-8e9c-0d5b9a3d5f6e": "Linear Multi-Collateral Rebate Fees",
    "a6cbc326-9477-4a6c-911a-d4cb3ed7481e": "Inverse Single-Collateral Rebate Fees",
}


def add_routes(table: Table) -> None:
    table.add("GET", f"{V3}/instruments", instruments)
    table.add("GET", f"{V3}/instruments/status", statuses)
    table.add("GET", f"{V3}/instruments/{{symbol}}/status", status)
    table.add("GET", f"{V3}/tickers", tickers)
    table.add("GET", f"{V3}/tickers/{{symbol}}", ticker)
    table.add("GET", f"{V3}/orderbook", orderbook)
    table.add("GET", f"{V3}/history", history)
    table.add("GET", f"{V3}/historical-funding-rates", funding_rates)
    table.add("GET", "/derivatives/api/v4/historicalfundingrates", funding_rates)
    table.add("GET", f"{V3}/feeschedules", fee_schedules)


def instruments(call: Call) -> Fields:
    wanted = contract_types(call)
    found = call.exchange.instruments(expired=call.params.flag("expired") or False)
    states = {state.symbol: state for state in call.exchange.statuses()}
    return {"instruments": [market.instrument(one, states.get(one.symbol)) for one in found if is_wanted(one, wanted)]}


def contract_types(call: Call) -> set[str]:
    """The types asked for; empty means every future."""
    given = call.params.all("contractType")
    words = {word.lower() for word in given}
    if words - set(CONTRACT_TYPES):
        raise answers.invalid_argument("contractType")
    return set() if "all" in words else words


def is_wanted(instrument: Instrument, wanted: set[str]) -> bool:
    return not wanted or instrument.raw.get("type") in wanted


def statuses(call: Call) -> Fields:
    wanted = contract_types(call)
    kinds = {one.symbol: one for one in call.exchange.instruments()}
    states = [one for one in call.exchange.statuses() if one.symbol in kinds and is_wanted(kinds[one.symbol], wanted)]
    return {"instrumentStatus": [market.status(one) for one in states]}


def status(call: Call) -> Fields:
    symbol = call.values["symbol"].upper()
    for state in call.exchange.statuses():
        if state.symbol == symbol:
            return market.status(state)
    raise answers.not_found()


def tickers(call: Call) -> Fields:
    wanted = contract_types(call)
    symbols = {symbol.upper() for symbol in call.params.all("symbol")}
    kinds = {one.symbol: one for one in call.exchange.instruments()}
    if symbols - kinds.keys():
        raise answers.invalid_argument("symbol")
    rows: Sequence[Ticker] = call.exchange.tickers()
    if symbols:
        rows = [row for row in rows if row.symbol in symbols]
    return {
        "tickers": [market.ticker(row) for row in rows if row.symbol in kinds and is_wanted(kinds[row.symbol], wanted)]
    }


def ticker(call: Call) -> Fields:
    instrument = call.listed(call.values["symbol"])
    if instrument is None:
        raise answers.not_found()
    return {"ticker": market.ticker(call.exchange.ticker(instrument.symbol))}


def orderbook(call: Call) -> Fields:
    instrument = call.listed(call.params.required("symbol"))
    if instrument is None:
        raise answers.bad_request()
    return {"orderBook": market.book(call.exchange.book(instrument.symbol))}


def history(call: Call) -> Fields:
    instrument = call.listed(call.params.required("symbol"))
    if instrument is None:
        raise answers.invalid_argument("symbol")
    mtf = call.params.flag("includeMTFData")
    found = call.exchange.trades(instrument.symbol, before=call.params.moment("lastTime"), limit=100)
    count = len(found)
    rows = [market.trade(one, count - place, instrument, mtf=mtf is not False) for place, one in enumerate(found)]
    return {"history": rows}


def funding_rates(call: Call) -> Fields:
    instrument = call.listed(call.params.required("symbol"))
    if instrument is None:
        raise answers.invalid_argument("symbol")
    try:
        rates = call.exchange.funding_rates(instrument.symbol)
    except Refused as refused:
        raise answers.invalid_argument("symbol") from refused
    return {"rates": [market.funding(rate) for rate in rates]}


def fee_schedules(call: Call) -> Fields:
    tiers = [
        {"makerFee": one.maker, "takerFee": one.taker, "usdVolume": one.usd_volume}
        for one in call.exchange.fee_tiers()
    ]
    return {"feeSchedules": [{"uid": uid, "name": name, "tiers": tiers} for uid, name in FEE_SCHEDULES.items()]}
