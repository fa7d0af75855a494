"""What the page promises will be left, held against what the exchange itself says once the money is gone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN
from decimal import Decimal as D
from typing import Any

import pytest

from accounts.actions.withdrawal_previews import Preview, preview
from accounts.actions.withdrawals import Wish
from accounts.models import Desk
from accounts.policy_rules import Policy, Tier
from tests.accounts.withdrawing import Team, make_team
from tests.demovenue.listener import Listener
from tests.venue_process import DemoVenue

pytestmark = [pytest.mark.venue, pytest.mark.timeout(120)]
LINEAR, INVERSE = "PF_XBTUSD", "PI_XBTUSD"


@pytest.fixture
def team(desk: Desk, venue: DemoVenue) -> Iterator[Team]:
    """With a linear long and an inverse short, on prices that stand still."""
    made = make_team(desk, venue, Policy(tiers=(Tier(D(0), 1),)))
    held = venue.v3(made.demo.key, "GET", "accounts")["accounts"]
    coins = held["flex"]["currencies"]["XBT"]["available"] if "XBT" in held["flex"]["currencies"] else 0
    if not held[INVERSE.lower().replace("pi_", "fi_")]["balances"].get("xbt"):
        source = "flex" if coins else "cash"
        moved = venue.v3(made.demo.key, "POST", "transfer", fromAccount=source, toAccount="fi_xbtusd", unit="xbt",
                         amount="0.5")  # fmt: skip
        assert moved["result"] == "success", moved
    mark = D(str(venue.ticker(LINEAR)["markPrice"]))
    for symbol in (LINEAR, INVERSE):
        venue.mark(symbol, price=str(mark))
    venue.order(made.demo.key, orderType="mkt", symbol=LINEAR, side="buy", size="3")
    venue.order(made.demo.key, orderType="mkt", symbol=INVERSE, side="sell", size="130000")
    yield made
    for symbol in (LINEAR, INVERSE):
        venue.control("DELETE", "/demo/mark", {"symbol": symbol})


def told(team: Team) -> dict[str, Any]:
    """The exchange's own words: wallets by REST, and from the feed the price that would liquidate each position."""
    accounts = team.venue.v3(team.demo.key, "GET", "accounts")["accounts"]
    with Listener(team.venue) as feed:
        feed.subscribe_private(team.demo.key, "open_positions")
        rows = feed.feed("open_positions")["positions"]
    return {**accounts, "positions": {row["instrument"]: row for row in rows}}


def looked_at(team: Team, source: str, currency: str, amount: str) -> Preview:
    return preview(team.account, Wish(source, currency, D(amount), reason="x"), by=team.trader)


def distance_of(row: dict[str, Any]) -> D:
    return D(str(row["liquidation_threshold"])) / D(str(row["mark_price"])) - 1


def close(one: D | None, other: D, within: str = "0.0005") -> bool:
    return one is not None and abs(one - other) <= D(within)


def test_margin_and_liquidation_of_the_multi_collateral_wallet_become_what_was_promised(team: Team) -> None:
    promised = looked_at(team, "flex", "USD", "3000").result
    assert promised is not None
    (distance,) = promised.distances
    before = told(team)
    flex, row = before["flex"], before["positions"][LINEAR]
    assert close(promised.margin_before, D(str(flex["maintenanceMargin"])) / D(str(flex["marginEquity"])))
    assert distance.symbol == LINEAR
    assert close(distance.before, distance_of(row))
    assert close(promised.balance, D(str(flex["currencies"]["USD"]["quantity"])), within="1")

    assert team.done("3000").status == "confirmed"
    after = told(team)
    flex, row = after["flex"], after["positions"][LINEAR]
    assert close(promised.margin_after, D(str(flex["maintenanceMargin"])) / D(str(flex["marginEquity"])))
    assert close(distance.after, distance_of(row))
    assert close(promised.left, D(str(flex["currencies"]["USD"]["quantity"])), within="1")
    assert promised.margin_after > promised.margin_before  # type: ignore[operator]  # the numbers did move


def test_margin_and_liquidation_of_an_inverse_wallet_become_what_was_promised(team: Team) -> None:
    promised = looked_at(team, "fi_xbtusd", "BTC", "0.2").result
    assert promised is not None
    (distance,) = promised.distances
    before = told(team)
    assert distance.symbol == INVERSE
    assert close(distance.before, distance_of(before["positions"][INVERSE]))
    single = before["fi_xbtusd"]
    requirement, value = single["marginRequirements"]["mm"], single["auxiliary"]["pv"]
    assert close(promised.margin_before, D(str(requirement)) / D(str(value)))

    assert team.done("0.2", source="fi_xbtusd", currency="BTC").status == "confirmed"
    after = told(team)
    single = after["fi_xbtusd"]
    requirement, value = single["marginRequirements"]["mm"], single["auxiliary"]["pv"]
    assert close(promised.margin_after, D(str(requirement)) / D(str(value)))
    assert close(distance.after, distance_of(after["positions"][INVERSE]))
    assert close(promised.left, D(str(single["balances"]["xbt"])), within="0.0001")


def test_money_that_secures_a_position_is_not_free(team: Team) -> None:
    held = told(team)["fi_xbtusd"]
    whole = D(str(held["balances"]["xbt"])).quantize(D("0.00000001"), ROUND_DOWN)
    shown = looked_at(team, "fi_xbtusd", "BTC", str(whole))
    assert "secures positions and orders" in shown.refusal
    assert D(0) < shown.free < whole


def test_a_wallet_without_positions_has_no_margin_to_speak_of(team: Team) -> None:
    moved = team.venue.v3(
        team.demo.key, "POST", "transfer", fromAccount="flex", toAccount="cash", unit="usd", amount="50"
    )
    assert moved["result"] == "success"
    result = looked_at(team, "cash", "USD", "20").result
    assert result is not None
    assert (result.margin_before, result.margin_after, result.distances) == (None, None, ())
    assert (result.balance - result.left) == D(20)
