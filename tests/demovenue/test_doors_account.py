"""What an account reads about itself, its preferences, and its money, over the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.demovenue.shape import assert_shape
from tests.venue_process import DemoAccount, DemoVenue

pytestmark = pytest.mark.venue
V3 = "/derivatives/api/v3"


def _cash(venue: DemoVenue, account: DemoAccount, currency: str = "usd") -> Decimal:
    balances = venue.v3(account.key, "GET", "accounts")["accounts"]["cash"]["balances"]
    return Decimal(balances.get(currency, "0"))


def test_accounts_of_a_fresh_account_and_of_one_with_positions(venue: DemoVenue, account: DemoAccount) -> None:
    fresh = venue.v3(account.key, "GET", "accounts")
    assert_shape(fresh, "rest_accounts", extra=("fi_ethusd", "fi_xrpusd", "fi_ltcusd"))
    assert all(isinstance(amount, str) for amount in fresh["accounts"]["cash"]["balances"].values())
    venue.order(account.key, orderType="mkt", symbol="PI_XBTUSD", side="buy", size=1000)
    venue.order(account.key, orderType="mkt", symbol="PF_XBTUSD", side="sell", size="0.01")
    later = venue.v3(account.key, "GET", "accounts")
    assert_shape(later, "rest_accounts", extra=("fi_ethusd", "fi_xrpusd", "fi_ltcusd"))
    single = later["accounts"]["fi_xbtusd"]
    assert single["balances"]["PI_XBTUSD"] == "1000"
    assert single["marginRequirements"]["im"] > single["marginRequirements"]["mm"] > 0
    assert later["accounts"]["flex"]["initialMargin"] > 0
    positions = venue.v3(account.key, "GET", "openpositions")
    assert_shape(positions, "rest_openpositions")
    assert {row["symbol"]: row["side"] for row in positions["openPositions"]} == {
        "PI_XBTUSD": "long",
        "PF_XBTUSD": "short",
    }
    assert "pnlCurrency" not in next(row for row in positions["openPositions"] if row["symbol"] == "PI_XBTUSD")
    queue = venue.v3(account.key, "GET", "unwindqueue")
    assert_shape(queue, "rest_unwindqueue")
    assert {row["symbol"] for row in queue["queue"]} == {"PI_XBTUSD", "PF_XBTUSD"}


@pytest.mark.parametrize(
    ("name", "sample_name"),
    [
        ("feeschedules/volumes", "rest_feeschedules_volumes"),
        ("notifications", "rest_notifications"),
        ("leveragepreferences", "rest_leveragepreferences_get"),
        ("pnlpreferences", "rest_pnlpreferences_get"),
        ("self-trade-strategy", "rest_self_trade_strategy_get"),
        ("subaccounts", "rest_subaccounts"),
        ("openorders", "rest_openorders"),
        ("openpositions", "rest_openpositions"),
        ("fills", "rest_fills"),
    ],
)
def test_reads_have_the_recorded_shape(venue: DemoVenue, account: DemoAccount, name: str, sample_name: str) -> None:
    assert_shape(venue.v3(account.key, "GET", name), sample_name)


def test_the_accounts_own_instruments(venue: DemoVenue, account: DemoAccount) -> None:
    answer = venue.v3(account.key, "GET", "trading/instruments")
    dated = ("lastTradingTime", "maxOpenInterestUsd", "maxOpenInterestShare", "description")
    missing = ("fundingRateCoefficient", "maxRelativeFundingRate", "isin")
    assert_shape(answer, "rest_trading_instruments", extra=dated, optional=missing)


def test_a_leverage_preference_isolates_and_goes_back(venue: DemoVenue, account: DemoAccount) -> None:
    assert_shape(
        venue.v3(account.key, "PUT", "leveragepreferences", symbol="pf_ethusd", maxLeverage=5),
        "rest_leveragepreferences_put",
    )
    answer = venue.v3(account.key, "GET", "leveragepreferences")
    assert_shape(answer, "rest_leveragepreferences_get")
    assert answer["leveragePreferences"] == [{"symbol": "PF_ETHUSD", "maxLeverage": 5}]
    venue.v3(account.key, "PUT", "leveragepreferences", symbol="PF_ETHUSD")
    assert venue.v3(account.key, "GET", "leveragepreferences")["leveragePreferences"] == []


@pytest.mark.parametrize(("symbol", "code"), [("PF_NOSUCH", 87), ("PI_XBTUSD", 88)])
def test_a_leverage_preference_of_a_wrong_contract(
    venue: DemoVenue, account: DemoAccount, symbol: str, code: int
) -> None:
    path, params = f"{V3}/leveragepreferences", {"symbol": symbol, "maxLeverage": "5"}
    answer = venue.call(account.key, "PUT", path, params)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (500, code)
    assert_shape(answer.json(), "rest_error_leverage_contract")


def test_a_pnl_preference(venue: DemoVenue, account: DemoAccount) -> None:
    path = f"{V3}/pnlpreferences"
    answer = venue.call(account.key, "PUT", path, {"symbol": "PF_XBTUSD", "pnlPreference": "BTC"}).json()
    assert_shape(answer, "rest_pnlpreferences_put")
    listed = venue.v3(account.key, "GET", "pnlpreferences")
    assert_shape(listed, "rest_pnlpreferences_get")
    assert listed["preferences"] == [{"symbol": "PF_XBTUSD", "pnlCurrency": "BTC"}]
    wrong = venue.call(account.key, "PUT", path, {"symbol": "PF_XBTUSD", "pnlPreference": "NOSUCH"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (500, 89)


def test_a_self_trade_strategy(venue: DemoVenue, account: DemoAccount) -> None:
    assert venue.v3(account.key, "GET", "self-trade-strategy")["strategy"] == "REJECT_TAKER"
    answer = venue.v3(account.key, "PUT", "self-trade-strategy", strategy="CANCEL_MAKER_SELF")
    assert_shape(answer, "rest_self_trade_strategy_put")
    assert venue.v3(account.key, "GET", "self-trade-strategy")["strategy"] == "CANCEL_MAKER_SELF"
    wrong = venue.call(account.key, "PUT", f"{V3}/self-trade-strategy", {"strategy": "ANY"})
    assert wrong.status_code == 400


def test_margin_estimates(venue: DemoVenue, account: DemoAccount) -> None:
    wish = {"orderType": "lmt", "symbol": "PF_XBTUSD", "side": "buy", "size": "0.01", "limitPrice": "60000"}
    assert_shape(venue.v3(account.key, "GET", "initialmargin", **wish), "rest_initialmargin")
    most = venue.v3(account.key, "GET", "initialmargin/maxordersize", orderType="mkt", symbol="PF_XBTUSD")
    assert_shape(most, "rest_initialmargin_maxordersize")
    assert most["maxBuySize"] > 0
    wrong = venue.call(account.key, "GET", f"{V3}/initialmargin", wish | {"symbol": "PI_XBTUSD"})
    assert wrong.status_code == 400


def _transfer(venue: DemoVenue, account: DemoAccount, **change: Any) -> Any:
    wish = {"fromAccount": "cash", "toAccount": "flex", "unit": "usd", "amount": "10"}
    return venue.v3(account.key, "POST", "transfer", **(wish | change))


def test_a_transfer_moves_money_and_is_in_the_ledger(venue: DemoVenue, account: DemoAccount) -> None:
    venue.control("POST", "/demo/fund", {"wallet": "cash", "currency": "usd", "amount": "100"}, account)
    before = _cash(venue, account)
    assert_shape(_transfer(venue, account), "rest_transfer")
    assert _cash(venue, account) == before - 10
    (moved,) = venue.ledger(account)["transfers"]
    assert (moved["from"], moved["to"], moved["currency"], moved["amount"], moved["answered"]) == (
        "cash",
        "flex",
        "usd",
        "10",
        True,
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"amount": "1000000000"}, "insufficientFunds"),
        ({"amount": "0"}, "invalidAmount"),
        ({"amount": "-1"}, "invalidAmount"),
        ({"toAccount": "nosuch"}, "invalidAccount"),
        ({"unit": "nosuch"}, "invalidUnit"),
        ({"amount": ""}, "requiredArgumentMissing"),
    ],
    ids=lambda value: str(value),
)
def test_a_transfer_that_cannot_be(venue: DemoVenue, account: DemoAccount, change: dict[str, str], error: str) -> None:
    assert _transfer(venue, account, **change)["error"] == error
    assert venue.ledger(account)["transfers"] == []


def test_a_withdrawal_leaves_and_is_in_the_ledger(venue: DemoVenue, account: DemoAccount) -> None:
    venue.control("POST", "/demo/fund", {"wallet": "cash", "currency": "usd", "amount": "100"}, account)
    before = _cash(venue, account)
    answer = venue.v3(account.key, "POST", "withdrawal", currency="USD", amount="25")
    assert_shape(answer, "rest_withdrawal")
    assert _cash(venue, account) == before - 25
    (left,) = venue.ledger(account)["withdrawals"]
    assert (left["uid"], left["amount"], left["source_wallet"], left["answered"]) == (
        answer["uid"],
        "25",
        "cash",
        True,
    )
    refused = venue.v3(account.key, "POST", "withdrawal", currency="USD", amount="1000000000")
    assert refused["error"] == "insufficientFunds"


def test_a_subaccount_gets_money_and_may_be_stopped(venue: DemoVenue, account: DemoAccount) -> None:
    made = venue.control("POST", "/demo/subaccounts", None, account)
    answer = venue.v3(account.key, "GET", "subaccounts")
    assert_shape(answer, "rest_subaccounts")
    assert [row["accountUid"] for row in answer["subaccounts"]] == [made["account_uid"]]
    venue.control("POST", "/demo/fund", {"wallet": "cash", "currency": "usd", "amount": "100"}, account)
    moved = venue.v3(
        account.key,
        "POST",
        "transfer/subaccount",
        fromUser=account.uid,
        toUser=made["account_uid"],
        fromAccount="cash",
        toAccount="cash",
        unit="usd",
        amount="40",
    )
    assert moved["result"] == "success"
    path = f"{V3}/subaccount/{made['account_uid']}/trading-enabled"
    assert_shape(venue.call(account.key, "GET", path).json(), "rest_subaccount_trading_enabled_get")
    assert venue.call(account.key, "PUT", path, {"tradingEnabled": "False"}).json() == {"tradingEnabled": False}
    assert venue.call(account.key, "GET", path).json() == {"tradingEnabled": False}
    assert venue.call(account.key, "GET", path.replace(made["account_uid"], account.uid)).status_code == 404


def test_the_assignment_programme(venue: DemoVenue, account: DemoAccount) -> None:
    wish = {
        "contractType": "flex",
        "acceptLong": "true",
        "acceptShort": "false",
        "timeFrame": "ALL",
        "enabled": "true",
    }
    open_wish = venue.v3(account.key, "POST", "assignmentprogram/add", **wish)
    assert_shape(open_wish, "rest_assignmentprogram_add")
    limits = {"contract": "PF_XBTUSD", "maxSize": 1, "maxPosition": 5}
    limited = venue.v3(account.key, "POST", "assignmentprogram/add", **wish, **limits)
    current = venue.v3(account.key, "GET", "assignmentprogram/current")
    nulls = ("contract", "maxSize", "maxPosition")
    assert_shape(current, "rest_assignmentprogram_current", optional=nulls)
    assert [one["id"] for one in current["participants"]] == [open_wish["id"], limited["id"]]
    gone = venue.v3(account.key, "POST", "assignmentprogram/delete", id=limited["id"])
    assert_shape(gone, "rest_assignmentprogram_delete")
    history = venue.v3(account.key, "GET", "assignmentprogram/history")
    assert_shape(history, "rest_assignmentprogram_history", optional=nulls)
    assert [one["deleted"] for one in history["participants"]] == [False, False, True]
    again = venue.call(account.key, "POST", f"{V3}/assignmentprogram/delete", {"id": limited["id"]})
    assert again.status_code == 404
    assert venue.v3(account.key, "POST", "assignmentprogram/add")["error"] == "requiredArgumentMissing"


def test_what_only_option_accounts_have(venue: DemoVenue, account: DemoAccount) -> None:
    assert venue.call(account.key, "GET", f"{V3}/options-mm-greek-limits").status_code == 403
    for name in ("rfqs", "rfqs/open-rfqs", "portfolio-margining/parameters", "rfq-assignment/max-leverage"):
        assert venue.call(account.key, "GET", f"{V3}/{name}").status_code == 404
