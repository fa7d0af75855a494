"""Alert rules against rows as the desk stores them: each passage is told once, to those it is for, whoever sweeps."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.actions.delivering import deliver_due
from accounts.actions.notices import keep_settings
from accounts.models import Account, ApiKey, Balances, Desk, Level, Membership, Notice, Role, Topic, User
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from krakenfutures.values import Side, Ticker
from tests.conftest import person
from tests.trading.desk import buy
from tests.trading.furnished import demo_account, furnish, list_instruments, order, recorded_tickers
from tests.trading.risk_venue import There
from trading.actions.alert_readings import Sources, readings
from trading.actions.alerting import sweep_alerts, weigh
from trading.actions.alerts import RuleWish, add_rule, add_usual_rules, change_rule, remove_rule, switch_rule
from trading.live.latest import latest_tickers, link_state
from trading.models import AlertRule, AlertState, DeadMan, Fill, Order, OrderStatus, Position, Sync
from trading.views.picture import Picture


@dataclass
class World:
    """What the relay last said, in the hands of the test; and the clock of the sweep."""

    tickers: dict[str, Ticker] = field(default_factory=dict)
    heard_at: int | None = 0
    now: datetime = field(default_factory=timezone.now)

    def prices(self, _environment: str, symbols: Any) -> dict[str, Ticker]:
        return {symbol: self.tickers[symbol] for symbol in symbols if symbol in self.tickers}

    def links(self, _environment: str) -> dict[str, Any]:
        return {"heard_at": self.heard_at, "state": "live"}

    def sweep(self, rule: AlertRule, *, later: float = 0) -> list[Notice]:
        self.now += timedelta(seconds=later)
        rule = AlertRule.objects.select_related("desk", "owner", "account").get(pk=rule.pk)
        return weigh(rule, Sources(self.prices, self.links, self.now))


@pytest.fixture
def account(desk: Desk, owner: User, settings: Settings) -> Account:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    list_instruments()
    made = demo_account(desk, owner)
    furnish(made, owner)
    return made


@pytest.fixture
def world(account: Account) -> World:
    return World({one.symbol: one for one in recorded_tickers()}, int(timezone.now().timestamp() * 1000))


def rule(desk: Desk, by: User, kind: str, **wish: Any) -> AlertRule:
    return add_rule(desk, RuleWish(kind=kind, for_desk=wish.pop("for_desk", False), **wish), by=by)


def set_margin(account: Account, share: str) -> None:
    """Maintenance margin over equity of the flex wallet."""
    row = Balances.objects.get(account=account)
    row.wallets["flex"]["maintenance_margin"] = str(D(row.wallets["flex"]["margin_equity"]) * D(share))
    row.save()


# --- the figures --------------------------------------------------------------------------------


def test_margin_and_distances_are_those_of_the_pages(desk: Desk, owner: User, account: Account) -> None:
    """One calculation: whatever the page shows is what the alert is judged by."""
    Position.objects.filter(account=account, symbol="PF_ETHUSD").update(liquidation_price=None)  # ours stands in
    sources, page = Sources(latest_tickers, link_state, timezone.now()), Picture(account)
    (margin,) = readings(rule(desk, owner, "margin", threshold=D(70)), sources)
    assert page.totals is not None
    assert page.totals.share is not None
    assert margin.figure == page.totals.share * 100
    shown = {row.position.symbol: row.distance.share * 100 for row in page.positions if row.distance}
    found = {one.subject: one.figure for one in readings(rule(desk, owner, "liquidation", threshold=D(10)), sources)}
    assert {f"position:{account.pk}:{symbol}": figure for symbol, figure in shown.items()} == found
    assert len(found) == 3


def test_a_margin_level_is_told_once_and_again_after_it_came_back(
    world: World, desk: Desk, owner: User, account: Account
) -> None:
    made = rule(desk, owner, "margin", threshold=D(70), rearm=D(65), level="critical", cooldown=60)
    set_margin(account, "0.5")
    assert world.sweep(made) == []
    set_margin(account, "0.71")
    (told,) = world.sweep(made, later=5)
    assert (told.user, told.topic, told.level) == (owner, Topic.ALERT, Level.CRITICAL)
    assert "71 %" in told.text
    for share in ("0.69", "0.72", "0.66", "0.9"):
        set_margin(account, share)
        assert world.sweep(made, later=30) == []
    set_margin(account, "0.6")
    assert world.sweep(made, later=30) == []
    set_margin(account, "0.8")
    assert len(world.sweep(made, later=30)) == 1
    assert Notice.objects.count() == 2


def test_the_cooldown_holds_back_and_swallows_nothing(world: World, desk: Desk, owner: User, account: Account) -> None:
    made = rule(desk, owner, "margin", threshold=D(70), rearm=D(65), cooldown=600)
    for share, later, told in (("0.7", 0, 1), ("0.6", 10, 0), ("0.7", 10, 0), ("0.7", 579, 0), ("0.7", 2, 1)):
        set_margin(account, share)
        assert len(world.sweep(made, later=later)) == told


def test_a_position_near_its_liquidation_is_named_and_a_closed_one_is_forgotten(
    world: World, desk: Desk, owner: User, account: Account
) -> None:
    made = rule(desk, owner, "liquidation", threshold=D(5), rearm=D(6), symbol="PF_XBTUSD", cooldown=0)
    mark = world.tickers["PF_XBTUSD"].mark
    assert mark is not None
    Position.objects.filter(symbol="PF_XBTUSD").update(liquidation_price=mark * D("0.96"))
    (told,) = world.sweep(made)
    assert "PF_XBTUSD" in told.text
    assert "4 %" in told.text
    assert reverse("instrument", args=["PF_XBTUSD"]) in told.link
    position = Position.objects.get(symbol="PF_XBTUSD")
    position.delete()
    assert world.sweep(made, later=5) == []
    assert AlertState.objects.get().fired_at is None
    Position.objects.create(account=account, symbol="PF_XBTUSD", size=D(1), entry=mark,
                            liquidation_price=mark * D("0.97"), at=world.now, source="rest")  # fmt: skip
    assert len(world.sweep(made, later=5)) == 1


def test_without_a_price_nothing_fires_and_nothing_comes_back(
    world: World, desk: Desk, owner: User, account: Account
) -> None:
    made = rule(desk, owner, "liquidation", threshold=D(90), rearm=D(95), symbol="PF_XBTUSD", cooldown=0)
    assert len(world.sweep(made)) == 1
    tickers, world.tickers = world.tickers, {}
    Position.objects.update(mark=None)
    assert world.sweep(made, later=5) == []
    world.tickers = tickers
    assert world.sweep(made, later=5) == []
    assert Notice.objects.count() == 1


def test_funding_of_what_is_held_in_either_direction(world: World, desk: Desk, owner: User, account: Account) -> None:
    made = rule(desk, owner, "funding", threshold=D("0.05"), cooldown=0)
    held = {row.symbol for row in Position.objects.all()}
    for symbol in held:
        world.tickers[symbol] = _with(world.tickers[symbol], relative_funding_rate=D("0.0001"))
    assert world.sweep(made) == []
    world.tickers["PF_XBTUSD"] = _with(world.tickers["PF_XBTUSD"], relative_funding_rate=D("-0.0006"))
    (told,) = world.sweep(made, later=5)
    assert "−0.0600 %" in told.text


def _with(ticker: Ticker, **changes: Any) -> Ticker:
    return msgspec.structs.replace(ticker, **changes)


def test_silence_of_the_exchange_and_old_data_are_told_apart(
    world: World, desk: Desk, owner: User, account: Account
) -> None:
    made = rule(desk, owner, "stale", threshold=D(60), rearm=D(20), cooldown=0)
    assert world.sweep(made) == []
    assert world.heard_at is not None
    world.heard_at -= 61_000
    (feed,) = world.sweep(made)
    assert "exchange" in feed.text
    Sync.objects.filter(stream="positions").update(complete_to=world.now - timedelta(seconds=90))
    (data,) = world.sweep(made)
    assert account.label in data.text
    world.heard_at = None  # no relay at all: as old as can be, and told already
    assert world.sweep(made) == []


def test_an_order_that_stays_uncertain_is_told_and_a_settled_one_is_not(
    world: World, desk: Desk, owner: User, account: Account
) -> None:
    made = rule(desk, owner, "uncertain", threshold=D(60))
    Order.objects.filter(status=OrderStatus.UNCERTAIN).update(sent_at=world.now - timedelta(seconds=59))
    assert world.sweep(made) == []
    (told,) = world.sweep(made, later=2)
    assert "not proven" in told.text
    Order.objects.filter(status=OrderStatus.UNCERTAIN).update(status=OrderStatus.CANCELLED)
    assert world.sweep(made, later=600) == []


def test_a_failing_key_and_a_dead_man_in_trouble(world: World, desk: Desk, owner: User, account: Account) -> None:
    keys, dead = rule(desk, owner, "key", cooldown=0), rule(desk, owner, "deadman", cooldown=0)
    DeadMan.objects.create(
        account=account, is_armed=True, seconds=60, by=owner, armed_at=world.now, tried_at=world.now, trouble=""
    )
    assert world.sweep(keys) == world.sweep(dead) == []
    ApiKey.objects.update(state="failing", trouble="The exchange does not accept it.")
    DeadMan.objects.update(trouble="No answer.")
    assert "does not accept" in world.sweep(keys)[0].text
    assert "could not be renewed" in world.sweep(dead)[0].text
    DeadMan.objects.update(is_armed=False, trouble="", fired_at=timezone.now())
    assert "has fired" in world.sweep(dead, later=5)[0].text
    assert world.sweep(dead, later=5) == []


# --- what happens -------------------------------------------------------------------------------


def fill(account: Account, at: datetime, symbol: str = "PF_XBTUSD") -> Fill:
    return Fill.objects.create(
        account=account, venue_fill_id=uuid.uuid4().hex, venue_order_id="x", symbol=symbol, side="buy", size=D("0.5"),
        price=D(60000), at=at, kind="taker",
    )  # fmt: skip


def test_every_fill_is_told_once_and_old_ones_are_no_news(
    world: World, desk: Desk, owner: User, account: Account
) -> None:
    made = rule(desk, owner, "fill", symbol="PF_XBTUSD", cooldown=0)
    assert world.sweep(made) == []  # what was there before is no news
    now = timezone.now()
    fill(account, now)
    fill(account, now, symbol="PF_ETHUSD")
    fill(account, now - timedelta(days=3))  # history, read late
    assert world.sweep(made, later=3) == []  # a neighbour may still be on its way
    (told,) = world.sweep(made, later=3)
    assert told.text == f"Filled on {account.label}: buy 0.5 PF_XBTUSD at 60000."
    for _ in range(5):
        fill(account, timezone.now())
    world.sweep(made, later=3)
    (together,) = world.sweep(made, later=3)
    assert "and 2 more" in together.text
    assert world.sweep(made, later=3) == world.sweep(made, later=3) == []


def test_a_refused_order_is_told_with_its_reason(world: World, desk: Desk, owner: User, account: Account) -> None:
    before = order(account, owner, status=OrderStatus.REJECTED, reason="before the rule")
    made = rule(desk, owner, "rejection", cooldown=0)
    now = order(account, owner, status=OrderStatus.REJECTED, reason="Not enough margin.")
    order(account, owner, status=OrderStatus.FILLED)
    (told,) = world.sweep(made, later=10)
    assert "Not enough margin." in told.text
    assert told.link == reverse("order", args=[now.pk])
    assert before.reason not in told.text
    assert world.sweep(made, later=10) == []


# --- people -------------------------------------------------------------------------------------


def test_a_desks_rule_tells_the_roles_it_names_and_only_members(
    world: World, desk: Desk, owner: User, trader: User, viewer: User, stranger: User, account: Account
) -> None:
    gone = person("gone@example.test", desk, Role.TRADER)
    Membership.objects.filter(user=gone).update(suspended_at=timezone.now())
    made = rule(desk, owner, "margin", threshold=D(10), for_desk=True, roles=["trader", "owner"])
    set_margin(account, "0.2")
    assert {notice.user for notice in world.sweep(made)} == {owner, trader}


def test_ones_own_rule_tells_only_oneself_and_ends_with_the_membership(
    world: World, desk: Desk, owner: User, viewer: User, account: Account
) -> None:
    made = rule(desk, viewer, "margin", threshold=D(10), cooldown=0)
    set_margin(account, "0.2")
    assert [notice.user for notice in world.sweep(made)] == [viewer]
    Membership.objects.filter(user=viewer).delete()
    AlertState.objects.update(fired_at=None)
    assert world.sweep(made, later=5) == []


def test_only_managers_set_the_desks_rules(desk: Desk, owner: User, trader: User, viewer: User) -> None:
    wish = RuleWish(kind="margin", for_desk=True, threshold=D(70))
    made = add_rule(desk, wish, by=owner)
    for someone in (trader, viewer):
        for attempt in _attempts(desk, made, wish, someone):
            with pytest.raises(NoRight):
                attempt()
    own = add_rule(desk, RuleWish(kind="margin", threshold=D(70)), by=viewer)
    with pytest.raises(NotAllowed, match="somebody else"):
        remove_rule(own, by=owner)
    assert own not in AlertRule.objects.visible_to(trader)
    assert made in AlertRule.objects.visible_to(trader)


def _attempts(desk: Desk, made: AlertRule, wish: RuleWish, by: User) -> list[Callable[[], object]]:
    return [
        lambda: add_rule(desk, wish, by=by),
        lambda: change_rule(made, wish, by=by),
        lambda: switch_rule(made, by=by, on=False),
        lambda: remove_rule(made, by=by),
        lambda: add_usual_rules(desk, by=by),
    ]


def test_a_viewers_writes_to_the_desks_rules_answer_403_and_to_anothers_own_404(
    client: Client, desk: Desk, owner: User, viewer: User, account: Account
) -> None:
    shared, own = rule(desk, owner, "fill", for_desk=True), rule(desk, owner, "fill")
    client.force_login(viewer)
    for name in ("change_alert", "switch_alert", "remove_alert"):
        assert client.post(reverse(name, args=[shared.pk])).status_code == 403, name
        assert client.post(reverse(name, args=[own.pk])).status_code == 404, name
    assert client.post(reverse("usual_alerts")).status_code == 403
    wish = {"kind": "margin", "scope": "desk", "threshold": "70", "level": "info", "cooldown": "5"}
    client.post(reverse("add_alert"), wish)
    assert AlertRule.objects.get(kind="margin").owner == viewer  # the form does not offer the desk
    assert AlertRule.objects.filter(is_on=True).count() == 3


def test_another_desks_account_is_no_subject(desk: Desk, owner: User, stranger: User) -> None:
    theirs = demo_account(Desk.objects.get(name="Another desk"), stranger)
    with pytest.raises(NotAllowed) as refusal:
        rule(desk, owner, "margin", threshold=D(70), account=theirs)
    assert refusal.value.field == "account"


def test_a_rule_that_is_switched_off_and_on_begins_anew(
    world: World, desk: Desk, owner: User, account: Account
) -> None:
    made = rule(desk, owner, "margin", threshold=D(10))
    set_margin(account, "0.2")
    sweep_alerts(world.prices, world.links)
    switch_rule(made, by=owner, on=False)
    sweep_alerts(world.prices, world.links)
    assert Notice.objects.count() == 1
    switch_rule(made, by=owner, on=True)
    sweep_alerts(world.prices, world.links)
    assert Notice.objects.count() == 2


def test_a_rule_in_trouble_holds_up_no_other(world: World, desk: Desk, owner: User, account: Account) -> None:
    rule(desk, owner, "liquidation", threshold=D(10))
    rule(desk, owner, "margin", threshold=D(10))
    set_margin(account, "0.2")

    def broken(_environment: str, _symbols: Any) -> dict[str, Ticker]:
        raise RuntimeError("the store is in pieces")

    sweep_alerts(broken, world.links)
    assert [notice.kind for notice in Notice.objects.all()] == ["margin"]


@pytest.mark.django_db(transaction=True)
def test_eight_workers_tell_a_passage_once(desk: Desk, owner: User, trader: User, settings: Settings) -> None:
    list_instruments(count=3)
    account = demo_account(desk, owner)
    furnish(account, owner)
    world = World({one.symbol: one for one in recorded_tickers()}, int(timezone.now().timestamp() * 1000))
    for kind, points in (("margin", D(10)), ("uncertain", D(1))):
        rule(desk, owner, kind, threshold=points, for_desk=True, cooldown=0)
    fills = rule(desk, owner, "fill", for_desk=True, cooldown=0)
    set_margin(account, "0.2")
    Order.objects.filter(status=OrderStatus.UNCERTAIN).update(sent_at=timezone.now() - timedelta(minutes=5))
    world.sweep(fills)
    fill(account, timezone.now())
    world.sweep(fills)
    gate = threading.Barrier(8)

    def work(_number: int) -> None:
        gate.wait()
        try:
            for _ in range(3):
                sweep_alerts(world.prices, world.links)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    told = sorted((notice.kind, notice.user.email) for notice in Notice.objects.select_related("user"))
    both = (owner.email, trader.email)
    assert told == sorted((kind, email) for kind in ("margin", "uncertain", "fill") for email in both)


# --- the pages ----------------------------------------------------------------------------------


def test_a_rule_is_made_changed_tried_and_removed_on_its_page(
    client: Client, desk: Desk, owner: User, account: Account
) -> None:
    client.force_login(owner)
    assert "No rule yet" in client.get(reverse("alerts")).content.decode()
    form = client.get(reverse("add_alert"), {"kind": "liquidation"}).content.decode()
    assert "liquidation price" in form
    wish = {"kind": "liquidation", "scope": "desk", "threshold": "8", "rearm": "7", "account": account.pk,
            "symbol": "pf_xbtusd", "level": "critical", "cooldown": "5", "roles": ["trader"]}  # fmt: skip
    refused = client.post(reverse("add_alert"), wish)
    assert refused.status_code == 422
    assert "returns above" in refused.content.decode()
    assert 'value="8"' in refused.content.decode()
    assert client.post(reverse("add_alert"), {**wish, "rearm": "9"}).status_code == 302
    made = AlertRule.objects.get()
    assert (made.symbol, made.owner, made.roles, made.cooldown) == ("PF_XBTUSD", None, ["trader"], 300)
    page = client.get(reverse("alerts")).content.decode()
    assert "≤ 8 %" in page
    assert "Watching" in page
    client.post(reverse("change_alert", args=[made.pk]), {**wish, "threshold": "6", "rearm": ""})
    made.refresh_from_db()
    assert (made.threshold, made.rearm) == (D(6), D(6))
    arrived = client.post(reverse("test_alert", args=[made.pk]), follow=True).content.decode()
    assert "trader of the desk" in arrived
    client.post(reverse("remove_alert", args=[made.pk]))
    assert not AlertRule.objects.exists()
    client.post(reverse("usual_alerts"))
    client.post(reverse("usual_alerts"))
    kinds = list(AlertRule.objects.values_list("kind", flat=True))
    assert len(kinds) == len(set(kinds)) == 7


# --- at the exchange ----------------------------------------------------------------------------


@pytest.mark.venue
def test_the_mark_moves_and_the_alert_arrives_once(there: There, desk: Desk, owner: User) -> None:
    """The venue's own figures: a long position, the mark falls until margin is short, and comes back."""
    made = rule(
        desk, owner, "margin", threshold=D(60), rearm=D(50), level="critical", cooldown=0, account=there.account
    )
    keep_settings(owner, email="critical")
    instrument, mark = "PF_XBTUSD", there.mark()
    there.sync()
    equity = _equity(there.account)
    size = (equity * 12 / mark).quantize(D("0.01"))
    buy(there.account, owner, size=size, limit_price=there.price("1.05"), side=Side.BUY)
    there.sync()
    sources = World({}, None)
    assert sources.sweep(made) == []
    for _ in range(60):
        there.venue.mark(instrument, percent="-0.2")
        there.sync()
        if sources.sweep(made, later=5):
            break
    (told,) = Notice.objects.all()
    page = Picture(Account.objects.get(pk=there.account.pk))
    assert page.totals is not None
    assert page.totals.share is not None
    assert page.totals.share >= D("0.6")
    assert f"{(page.totals.share * 100).quantize(D('0.1')).normalize():f} %" in told.text
    there.sync()
    assert sources.sweep(made, later=5) == []
    deliver_due()
    assert [letter.subject[:16] for letter in mail.outbox] == ["kfweb: Critical:"]


def _equity(account: Account) -> D:
    totals = Picture(Account.objects.get(pk=account.pk)).totals
    assert totals is not None
    return totals.available
