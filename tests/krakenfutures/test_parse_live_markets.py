"""Every contract and every price of the real market on one day is read."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from krakenfutures.contracts import price_violation
from krakenfutures.margin import max_leverage
from krakenfutures.numbers import is_multiple, read_json
from krakenfutures.parse.instruments import parse_instrument
from krakenfutures.parse.tickers import parse_ticker
from krakenfutures.values import ContractKind
from tests.krakenfutures.wire import FIXTURES


def table(name: str) -> tuple[dict[str, list[Any]], list[dict[str, Any]]]:
    """The ladders by name, and each row in Kraken's own spelling."""
    lines = [line.split("\t") for line in (FIXTURES / "live" / name).read_text().splitlines() if line[0] != "#"]
    ladders = {
        cells[1]: [ladder_level(cells[2], level) for level in cells[3:]] for cells in lines if cells[0] == "ladder"
    }
    heads, *rows = [cells for cells in lines if cells[0] != "ladder"]
    return ladders, [as_row(heads, cells, ladders) for cells in rows]


def ladder_level(unit: str, level: str) -> dict[str, Any]:
    start, initial, maintenance = (D(text) for text in level.split(":"))
    name = "contracts" if unit == "c" else "numNonContractUnits"
    return {name: start, "initialMargin": initial, "maintenanceMargin": maintenance}


def as_row(heads: list[str], cells: list[str], ladders: dict[str, list[Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for head, cell in zip(heads, cells, strict=True):
        if head == "symbol":
            row[head] = cell
        elif head == "ladder":
            row["marginLevels"] = ladders[cell]
        elif cell:
            row[head] = read_json(cell)
    return row


LADDERS, INSTRUMENTS = table("instruments.tsv")
_, TICKERS = table("tickers.tsv")


def test_the_recording_is_whole():
    assert (len(INSTRUMENTS), len(TICKERS), len(LADDERS)) == (298, 300, 11)


@pytest.mark.parametrize("raw", INSTRUMENTS, ids=lambda raw: raw["symbol"])
def test_every_contract_is_read_and_wholly_known(raw):
    instrument = parse_instrument(raw)

    assert instrument.unknown == {}
    assert instrument.kind in {ContractKind.INVERSE, ContractKind.LINEAR}
    assert instrument.tick == raw["tickSize"]
    assert instrument.lot == D(1).scaleb(-raw["contractValueTradePrecision"])
    assert is_multiple(instrument.max_position, instrument.lot)
    assert instrument.perpetual == ("lastTradingTime" not in raw)
    assert instrument.wallet == ("flex" if instrument.kind is ContractKind.LINEAR else instrument.wallet)
    for level in instrument.margin_levels:
        assert level.maintenance * 2 == level.initial


@pytest.mark.parametrize("raw", TICKERS, ids=lambda raw: raw["symbol"])
def test_every_price_is_read_and_wholly_known(raw):
    ticker = parse_ticker(raw)

    assert ticker.unknown == {}
    assert ticker.mark == raw["markPrice"]
    assert (ticker.bid, ticker.ask) == (raw.get("bid"), raw.get("ask"))


def test_recorded_best_prices_stand_on_the_tick_of_their_contract():
    instruments = {raw["symbol"]: parse_instrument(raw) for raw in INSTRUMENTS}
    pairs = [(instruments[raw["symbol"]], parse_ticker(raw)) for raw in TICKERS if raw["symbol"] in instruments]

    checked = [price_violation(one, ticker.bid) for one, ticker in pairs if ticker.bid is not None]

    assert len(checked) > 280
    assert not any(checked)


def test_leverage_is_what_the_tickers_call_it():
    leverage = {raw["symbol"]: max_leverage(parse_instrument(raw)) for raw in INSTRUMENTS}

    assert (leverage["PF_XBTUSD"], leverage["PI_XBTUSD"]) == (100, 50)
