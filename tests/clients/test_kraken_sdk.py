"""python-kraken-sdk, unchanged, on demovenue: REST by its `url` option, the socket by its `url` option and TLS."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.clients.conftest import Run
from tests.venue_process import DemoAccount, DemoVenue

pytestmark = [pytest.mark.venue, pytest.mark.clients, pytest.mark.timeout(300)]
CLIENT = "kraken_sdk"


def _keys(account: DemoAccount, prefix: str = "") -> dict[str, str]:
    return {f"{prefix}public": account.key.public, f"{prefix}private": account.key.private}


@pytest.fixture
def seen(venue: DemoVenue, account: DemoAccount, run_client: Run) -> dict[str, Any]:
    """What the client made of every call of the trading API that it has."""
    subaccount = venue.control("POST", "/demo/subaccounts", {}, account)["account_uid"]
    wish = {"url": venue.url, **_keys(account), "other": subaccount, **_keys(venue.signup(), "second_")}
    result: dict[str, Any] = run_client(CLIENT, "kraken_sdk_rest", wish)
    result["subaccount"] = subaccount
    return result


def test_every_rest_call_of_the_sdk_is_understood(
    seen: dict[str, Any], venue: DemoVenue, account: DemoAccount
) -> None:
    public, settings, orders, money = (seen[part] for part in ("public", "settings", "orders", "money"))
    assert public["spread"] > 0
    assert public["tickers"] == public["instruments"] == public["statuses"]
    assert (public["trades"], public["rates"]) == (100, public["same_rates"])
    assert settings["leverage"] == [{"symbol": "PF_SOLUSD", "maxLeverage": 3}]
    assert settings["pnl"] == [{"symbol": "PF_SOLUSD", "pnlCurrency": "BTC"}]
    assert settings["subaccounts"] == [seen["subaccount"]]
    assert (settings["enabled"], settings["disabled"]) == (True, False)
    assert orders["statuses"] == ["placed"] * 3
    assert orders["listed"] == {
        "lmt": "lmt",
        "post": "lmt",
        "mkt": None,
        "ioc": None,
        "stp": "stop",
        "take_profit": "take_profit",
        "trailing_stop": "trailing_stop",
    }
    assert orders["edited"] == ["edited", orders["ids"]["lmt"]]
    assert (orders["cancelled"], orders["batch"]) == ("cancelled", ["placed", "cancelled", "edited"])
    assert (orders["all"], orders["open"]) == (["cancelled", 4], 0)
    assert money["positions"] == [["PF_XBTUSD", "long", 0.01]]
    _agree(seen, venue.ledger(account))


def _agree(seen: dict[str, Any], truth: dict[str, Any]) -> None:
    """What the client believes is what happened."""
    orders, money = seen["orders"], seen["money"]
    booked = {one["order_id"]: one for one in truth["orders"]}
    assert set(orders["ids"].values()) < set(booked)
    assert all(one["answered"] for one in truth["orders"])
    ends = {kind: booked[uid]["status"] for kind, uid in orders["ids"].items()}
    assert {kind for kind, end in ends.items() if end == "filled"} == {"mkt", "ioc"}
    assert set(ends.values()) == {"filled", "cancelled"}
    assert sorted(map(tuple, seen["fills"])) == sorted((one["fill_id"], one["order_id"]) for one in truth["fills"])
    logged = [execution for info, asset, execution in money["log"] if info == "futures trade" and asset == "usd"]
    assert sorted(logged) == sorted(one["fill_id"] for one in truth["fills"])
    assert [one["uid"] for one in truth["withdrawals"]] == [money["withdrawal"]]
    assert [(one["from"], one["to"], one["amount"]) for one in truth["transfers"]] == [("flex", "cash", "25")]


def test_the_sdk_finds_its_own_names_for_refusals(seen: dict[str, Any]) -> None:
    assert seen["refusals"] == {
        "funds": "KrakenInsufficientAvailableFundsError",
        "cancel": "notFound",
        "price": "invalidPrice",
        "size": "invalidSize",
        "signature": "KrakenAuthenticationError",
        "amount": "insufficientFunds",
    }


def test_every_feed_of_the_sdk_is_heard(venue: DemoVenue, account: DemoAccount, run_client: Run) -> None:
    host = venue.ws_url.removeprefix("wss://")  # the client writes the scheme itself
    heard = run_client(CLIENT, "kraken_sdk_socket", {"url": venue.url, "host": host, **_keys(account)})
    assert heard["alerts"] == []
    assert {one["feed"] for one in heard["subscriptions"]} >= {"ticker", "trade", "balances", "open_positions"}
    assert not {one["feed"] for one in heard["subscriptions"]} & {"book", "fills"}, "they were unsubscribed"
    assert all(later - earlier == 1 for earlier, later in itertools.pairwise(heard["sequence"]))
    assert heard["orders"][0] == ["new_placed_order_by_user", False]
    assert ["cancelled_by_user", True] in heard["orders"]
    assert heard["fills"] == [one["fill_id"] for one in venue.ledger(account)["fills"]]
