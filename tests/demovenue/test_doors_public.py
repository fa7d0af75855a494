"""Market data over the wire has the shape of what was recorded, and unknown things are refused as recorded."""

from __future__ import annotations

import pytest

from tests.demovenue.shape import assert_shape, sample
from tests.venue_process import DemoVenue

pytestmark = pytest.mark.venue
V3 = "/derivatives/api/v3"
# The live rows have these; the sample row was shortened.
UNSAMPLED = ("makerProtectionMillis", "maxOpenInterestUsd", "maxOpenInterestShare", "description")


def test_instruments(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/instruments").json()
    symbols = {row["symbol"] for row in answer["instruments"]}
    assert {"PI_XBTUSD", "PF_XBTUSD", "PF_ETHUSD", "PF_SOLUSD", "PF_XRPUSD", "PF_LTCUSD"} <= symbols
    assert any(symbol.startswith("FI_XBTUSD_") for symbol in symbols)
    assert any(symbol.startswith("FF_XBTUSD_") for symbol in symbols)
    assert_shape(answer, "rest_instruments", extra=UNSAMPLED, optional=("isin",))


@pytest.mark.parametrize("kind", ["futures_inverse", "FLEXIBLE_FUTURES"])
def test_instruments_of_one_kind(venue: DemoVenue, kind: str) -> None:
    rows = venue.get(f"{V3}/instruments", contractType=kind).json()["instruments"]
    assert {row["type"] for row in rows} == {kind.lower()}


def test_an_unknown_kind_is_an_invalid_argument(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/instruments", contractType="shares")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"code": 11, "message": "Argument invalid: contractType"}]
    assert_shape(answer.json(), "rest_error_bad_request")


def test_instrument_statuses(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/instruments/status").json()
    assert_shape(answer, "rest_instruments_status", optional=("priceDislocationDirection",))
    one = venue.get(f"{V3}/instruments/pf_xbtusd/status").json()
    assert one["tradeable"] == "PF_XBTUSD"
    assert_shape(one, "rest_instruments_symbol_status")
    assert venue.get(f"{V3}/instruments/PF_NOSUCH/status").status_code == 404


def test_tickers(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/tickers").json()
    assert_shape(answer, "rest_tickers")
    assert not [row for row in answer["tickers"] if row["symbol"].lower().startswith(("in_", "rr_"))]


def test_one_ticker_in_both_ways(venue: DemoVenue) -> None:
    one = venue.get(f"{V3}/tickers/pf_xbtusd").json()
    assert_shape(one, "rest_tickers_symbol")
    rows = venue.get(f"{V3}/tickers", symbol=["pf_xbtusd", "PI_XBTUSD"]).json()["tickers"]
    assert {row["symbol"] for row in rows} == {"PF_XBTUSD", "PI_XBTUSD"}
    perpetual = next(row for row in rows if row["symbol"] == "PF_XBTUSD")
    assert perpetual["tag"] == "perpetual"
    assert perpetual["pair"] == "XBT:USD"
    assert perpetual.keys() == one["ticker"].keys()


def test_dated_tickers_have_no_funding(venue: DemoVenue) -> None:
    rows = venue.get(f"{V3}/tickers").json()["tickers"]
    dated = [row for row in rows if row["symbol"].startswith(("FI_", "FF_"))]
    assert dated
    assert not [row for row in dated if "fundingRate" in row or row["tag"] == "perpetual"]


def test_an_unknown_ticker_is_not_found(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/tickers/PF_NOSUCH")
    assert answer.status_code == 404
    assert_shape(answer.json(), "rest_error_not_found")


def test_the_book_is_sorted_and_not_crossed(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/orderbook", symbol="pf_xbtusd").json()
    assert_shape(answer, "rest_orderbook")
    bids, asks = answer["orderBook"]["bids"], answer["orderBook"]["asks"]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0][0] < asks[0][0]


def test_the_book_of_an_unknown_symbol(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/orderbook", symbol="PF_NOSUCH")
    assert answer.status_code == 400
    assert answer.json()["errors"] == sample("rest_error_unknown_symbol_orderbook")["errors"]


def test_a_missing_symbol_is_a_missing_argument(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/orderbook")
    assert answer.json()["error"] == "requiredArgumentMissing"
    assert_shape(answer.json(), "rest_error_required_argument")


def test_the_tape(venue: DemoVenue) -> None:
    answer = venue.get(f"{V3}/history", symbol="PF_XBTUSD").json()
    assert_shape(answer, "rest_history")
    rows = answer["history"]
    assert 0 < len(rows) <= 100
    assert [row["trade_id"] for row in rows] == list(range(len(rows), 0, -1))
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)


def test_the_tape_before_a_time(venue: DemoVenue) -> None:
    rows = venue.get(f"{V3}/history", symbol="PF_XBTUSD").json()["history"]
    older = venue.get(f"{V3}/history", symbol="PF_XBTUSD", lastTime=rows[-1]["time"]).json()["history"]
    assert all(row["time"] < rows[-1]["time"] for row in older)
    plain = venue.get(f"{V3}/history", symbol="PF_XBTUSD", includeMTFData="False").json()["history"]
    assert "execution_venue" not in plain[0]


@pytest.mark.parametrize(
    "path", [f"{V3}/historical-funding-rates", "/derivatives/api/v4/historicalfundingrates"], ids=["v3", "v4"]
)
def test_funding_history(venue: DemoVenue, path: str) -> None:
    answer = venue.get(path, symbol="PF_XBTUSD")
    assert_shape(answer.json(), "rest_historical_funding_rates")
    times = [row["timestamp"] for row in answer.json()["rates"]]
    assert times
    assert times == sorted(times)
    dated = next(row["symbol"] for row in venue.get(f"{V3}/tickers").json()["tickers"] if row["symbol"][:3] == "FI_")
    assert venue.get(path, symbol=dated).status_code == 400
    assert venue.get(path, symbol="NOSUCH").status_code == 400


def test_the_unhyphenated_v3_path_does_not_exist(venue: DemoVenue) -> None:
    assert venue.get(f"{V3}/historicalfundingrates", symbol="PF_XBTUSD").status_code == 404


def test_fee_schedules(venue: DemoVenue) -> None:
    assert_shape(venue.get(f"{V3}/feeschedules").json(), "rest_feeschedules")


def test_unknown_paths(venue: DemoVenue) -> None:
    inside = venue.get(f"{V3}/nosuch")
    assert inside.status_code == 404
    assert_shape(inside.json(), "rest_error_not_found")
    for path in ("/derivatives/api/v9/x", "/api/nosuch", "/nosuch"):
        outside = venue.get(path)
        assert outside.status_code == 404
        assert_shape({**outside.json(), "requestId": "1b2c3d4e-77"}, "rest_error_gateway_404")
