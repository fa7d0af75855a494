"""History and charts over the wire: pages, tokens, filters, candles and series."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest

from demovenue.doors.charts import SECONDS
from tests.demovenue.shape import assert_shape
from tests.venue_process import DemoAccount, DemoVenue

pytestmark = pytest.mark.venue
HISTORY = "/api/history/v3"
CHARTS = "/api/charts/v1"


@pytest.fixture(scope="module")
def traded(shared_venue: DemoVenue) -> DemoAccount:
    """An account with a few fills, a cancelled order, an edit, a rejection and a trigger."""
    venue = shared_venue
    account = venue.signup()
    for side in ("buy", "buy", "sell"):
        venue.order(account.key, orderType="mkt", symbol="PF_XBTUSD", side=side, size="0.01")
    venue.order(account.key, orderType="mkt", symbol="PI_XBTUSD", side="buy", size="100")
    ticker = venue.ticker("PF_XBTUSD")
    low, high = int(ticker["markPrice"] * 0.97), int(ticker["ask"] * 1.002)
    wish = {"symbol": "PF_XBTUSD", "side": "buy", "size": "0.01"}
    placed = venue.order(account.key, orderType="lmt", limitPrice=low, **wish)["order_id"]
    venue.v3(account.key, "POST", "editorder", orderId=placed, size="0.02", limitPrice=low)
    venue.v3(account.key, "POST", "cancelorder", order_id=placed)
    venue.order(account.key, orderType="post", limitPrice=high, **wish)
    stop = venue.order(account.key, orderType="stp", stopPrice=int(ticker["markPrice"] * 1.2), **wish)["order_id"]
    venue.v3(account.key, "POST", "cancelorder", order_id=stop)
    return account


def _get(venue: DemoVenue, account: DemoAccount, name: str, **params: Any) -> Any:
    answer = venue.call(account.key, "GET", f"{HISTORY}/{name}", params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _keys(page: Any) -> list[str]:
    return [key for element in page["elements"] for key in element["event"]]


def test_executions(venue: DemoVenue, traded: DemoAccount) -> None:
    page = _get(venue, traded, "executions")
    assert set(_keys(page)) == {"Execution"}
    assert_shape(page, "history_executions", optional=("continuationToken",))
    fills = {row["fill_id"] for row in venue.v3(traded.key, "GET", "fills")["fills"]}
    assert {one["event"]["Execution"]["execution"]["uid"] for one in page["elements"]} == fills


def test_both_versions_answer_the_same(venue: DemoVenue, traded: DemoAccount) -> None:
    def elements(version: str) -> Any:
        return venue.call(traded.key, "GET", f"/api/history/{version}/orders").json()["elements"]

    assert elements("v2") == elements("v3") != []


def test_orders(venue: DemoVenue, traded: DemoAccount) -> None:
    page = _get(venue, traded, "orders")
    assert {"OrderPlaced", "OrderUpdated", "OrderCancelled", "OrderRejected"} <= set(_keys(page))
    recorded = {"OrderPlaced", "OrderUpdated", "OrderCancelled", "OrderRejected"}
    page["elements"] = [one for one in page["elements"] if recorded & one["event"].keys()]
    wanted = ("continuationToken", *recorded)
    assert_shape(page, "history_orders", optional=wanted)


def test_triggers(venue: DemoVenue, traded: DemoAccount) -> None:
    page = _get(venue, traded, "triggers")
    assert _keys(page) == ["OrderTriggerCancelled", "OrderTriggerPlaced"]
    assert_shape(page, "history_triggers", optional=("OrderTriggerCancelled", "OrderTriggerPlaced"))


def test_positions(venue: DemoVenue, traded: DemoAccount) -> None:
    page = _get(venue, traded, "positions", tradeable="PF_XBTUSD")
    assert set(_keys(page)) == {"PositionUpdate"}
    assert_shape(page, "history_positions", optional=("oldAverageEntryPrice", "newAverageEntryPrice", "fillTime"))
    changes = [one["event"]["PositionUpdate"]["positionChange"] for one in page["elements"]]
    assert {"open", "increase", "decrease"} <= set(changes)
    opened = _get(venue, traded, "positions", opened="true")["elements"]
    assert {one["event"]["PositionUpdate"]["positionChange"] for one in opened} == {"open"}


def test_pages_follow_each_other_without_gap_or_repeat(venue: DemoVenue, traded: DemoAccount) -> None:
    whole = [one["uid"] for one in _get(venue, traded, "executions")["elements"]]
    for sort in ("desc", "asc"):
        found, token = [], None
        while True:
            more = {"continuation_token": token} if token else {}
            answer = venue.call(traded.key, "GET", f"{HISTORY}/executions", {"count": 2, "sort": sort, **more})
            page = answer.json()
            found += [one["uid"] for one in page["elements"]]
            token = page.get("continuationToken")
            assert answer.headers["is-truncated"] == ("true" if token else "false")
            assert answer.headers.get("Next-Continuation-Token") == token
            if token is None:
                break
        assert found == (whole if sort == "desc" else whole[::-1])


def test_windows_and_symbols(venue: DemoVenue, traded: DemoAccount) -> None:
    whole = _get(venue, traded, "executions")["elements"]
    middle = whole[1]["timestamp"]
    since = _get(venue, traded, "executions", since=middle)["elements"]
    before = _get(venue, traded, "executions", before=middle)["elements"]
    assert len(since) + len(before) == len(whole)
    assert all(one["timestamp"] >= middle for one in since)
    inverse = _get(venue, traded, "executions", tradeable="pi_xbtusd")["elements"]
    assert {one["event"]["Execution"]["execution"]["order"]["tradeable"] for one in inverse} == {"PI_XBTUSD"}


def test_a_broken_token_is_refused(venue: DemoVenue, traded: DemoAccount) -> None:
    answer = venue.call(traded.key, "GET", f"{HISTORY}/executions", {"continuation_token": "###"})
    assert answer.status_code == 400


def test_the_account_log(venue: DemoVenue, traded: DemoAccount) -> None:
    page = _get(venue, traded, "account-log")
    numbers = (
        "fee",
        "realized_pnl",
        "realized_funding",
        "collateral",
        "funding_rate",
        "execution",
        "contract",
        "mark_price",
    )
    averages = ("old_average_entry_price", "new_average_entry_price", "trade_price")
    assert_shape(page, "history_account_log", optional=numbers + averages)
    ids = [row["id"] for row in page["logs"]]
    assert ids == sorted(ids, reverse=True)
    trades = [row for row in page["logs"] if row["info"] == "futures trade"]
    assert len(trades) % 2 == 0
    assert {row["asset"] == row["contract"] for row in trades} == {True, False}
    half = _get(venue, traded, "account-log", to=ids[2], count=2)["logs"]
    assert [row["id"] for row in half] == ids[2:4]
    assert _get(venue, traded, "account-log", info="settlement")["logs"] == []


def test_the_account_log_as_csv(venue: DemoVenue, traded: DemoAccount) -> None:
    answer = venue.call(traded.key, "GET", f"{HISTORY}/accountlogcsv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    logs = _get(venue, traded, "account-log")["logs"]
    assert [row["uid"] for row in rows] == [row["booking_uid"] for row in logs]
    header = answer.text.splitlines()[0]
    assert header.startswith("uid,dateTime,account,type,symbol,contract,change,new balance,new average entry price")
    assert header.endswith("position uid,exchange rate,exchange rate from,conversion fee")


def test_the_markets_own_history_needs_no_key(venue: DemoVenue) -> None:
    page = venue.get(f"{HISTORY}/market/pf_xbtusd/executions", count=5).json()
    assert page["len"] == 5
    assert_shape(page, "history_market_executions", optional=("serverTime",), extra=("serverTime",))
    token = page["continuationToken"]
    rest = venue.get(f"{HISTORY}/market/PF_XBTUSD/executions", count=5, continuation_token=token).json()
    assert not {one["uid"] for one in page["elements"]} & {one["uid"] for one in rest["elements"]}
    orders = venue.get(f"{HISTORY}/market/PF_XBTUSD/orders", count=1000).json()
    assert orders["len"] > 0
    placed = {**orders, "elements": [one for one in orders["elements"] if "OrderPlaced" in one["event"]]}
    assert_shape(placed, "history_market_orders", extra=("serverTime", "continuationToken"))
    price = venue.get(f"{HISTORY}/market/PF_XBTUSD/price", count=2).json()
    assert_shape(price, "history_market_price", extra=("serverTime", "continuationToken"))
    assert venue.get(f"{HISTORY}/market/PF_NOSUCH/executions").status_code == 404


def test_what_charts_there_are(venue: DemoVenue) -> None:
    assert sorted(venue.get(f"{CHARTS}/").json()) == ["mark", "spot", "trade"]
    symbols = venue.get(f"{CHARTS}/trade").json()
    assert {"PF_XBTUSD", "PI_XBTUSD"} <= set(symbols)
    assert set(venue.get(f"{CHARTS}/trade/pf_xbtusd").json()) == set(SECONDS)


@pytest.mark.parametrize("tick_type", ["trade", "mark", "spot"])
@pytest.mark.parametrize("resolution", sorted(SECONDS))
def test_candles(venue: DemoVenue, tick_type: str, resolution: str) -> None:
    answer = venue.get(f"{CHARTS}/{tick_type}/PF_XBTUSD/{resolution}").json()
    assert_shape(answer, "charts_candles_trade" if tick_type == "trade" else "charts_candles_mark")
    times = [row["time"] for row in answer["candles"]]
    assert times == sorted(set(times))
    assert times
    assert {at % (SECONDS[resolution] * 1000) for at in times} <= (
        {0} if resolution != "1w" else set(times_of_week(times))
    )
    assert all(float(row["low"]) <= float(row["open"]) <= float(row["high"]) for row in answer["candles"])


def times_of_week(times: list[int]) -> set[int]:
    """Weeks may begin on any day, as long as all do on the same."""
    return {at % (7 * 86400 * 1000) for at in times[-1:]} or {0}


def test_a_range_of_candles(venue: DemoVenue) -> None:
    now = int(time.time())
    start = now - now % 60 - 1200
    answer = venue.get(f"{CHARTS}/trade/PF_XBTUSD/1m", **{"from": start, "to": start + 540}).json()
    times = [row["time"] // 1000 for row in answer["candles"]]
    assert times[0] >= start
    assert times[-1] <= start + 540
    few = venue.get(f"{CHARTS}/trade/PF_XBTUSD/1m", **{"from": start, "count": 3}).json()
    assert 0 < len(few["candles"]) <= 3
    assert few["more_candles"] is True


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("trade/PF_XBTUSD/2m", 400, "Invalid resolution"),
        ("trade/PF_NOSUCH/1m", 404, None),
        ("nosuch/PF_XBTUSD/1m", 400, None),
        ("trade/PF_XBTUSD/1m?from=soon", 400, None),
        ("trade/PF_XBTUSD/1m?to=99999999999999999999999", 400, None),
    ],
)
def test_charts_refuse_in_plain_text(venue: DemoVenue, path: str, status: int, words: str | None) -> None:
    answer = venue.get(f"{CHARTS}/{path}")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert words is None or answer.text == words


@pytest.mark.parametrize(
    ("kind", "sample_name"),
    [
        ("open-interest", "charts_analytics_open_interest"),
        ("trade-volume", "charts_analytics_trade_volume"),
        ("funding", "charts_analytics_funding"),
    ],
)
def test_analytics(venue: DemoVenue, kind: str, sample_name: str) -> None:
    since = int(time.time()) - 6 * 3600
    answer = venue.get(f"{CHARTS}/analytics/PF_XBTUSD/{kind}", since=since, interval=3600).json()
    assert_shape(answer, sample_name)
    data = answer["result"]["data"]
    series = data["rate"] if isinstance(data, dict) else data
    assert len(series) == len(answer["result"]["timestamp"]) > 0


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("trade-count", None),
        ("aggressor-differential", None),
        ("liquidation-volume", None),
        ("rolling-volatility", None),
        ("long-short-ratio", {"longCount", "shortCount", "longPercent", "shortPercent", "ratio"}),
        ("long-short-info", {"longCount", "shortCount", "longPercent", "shortPercent", "ratio"}),
        ("cvd", {"buyVolume", "sellVolume", "cvd"}),
        ("top-traders", {"top20Percent"}),
        ("orderbook", {"bid", "ask"}),
        ("spreads", {"bid", "ask"}),
        ("liquidity", {"bid", "ask"}),
        ("slippage", {"bid", "ask"}),
        ("future-basis", {"basis"}),
    ],
)
def test_every_series_is_aligned_with_its_times(venue: DemoVenue, kind: str, names: set[str] | None) -> None:
    since = int(time.time()) - 6 * 3600
    answer = venue.get(f"{CHARTS}/analytics/PF_XBTUSD/{kind}", since=since, interval=3600).json()
    result = answer["result"]
    assert result["timestamp"]
    if names is not None:
        assert set(result["data"]) == names
    assert {len(one) for one in _columns(result["data"])} == {len(result["timestamp"])}


def _columns(data: Any) -> list[list[Any]]:
    return [data] if isinstance(data, list) else [column for value in data.values() for column in _columns(value)]


def test_analytics_refuse_in_their_envelope(venue: DemoVenue) -> None:
    missing = venue.get(f"{CHARTS}/analytics/PF_XBTUSD/open-interest")
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (400, "since")
    unknown = venue.get(f"{CHARTS}/analytics/PF_XBTUSD/nosuch", since=1, interval=60)
    assert unknown.status_code == 404
