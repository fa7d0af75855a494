"""The figures that alerts are judged by: read from the same rows, and by the same sums, as the pages show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

import msgspec
from django.urls import reverse

from accounts.actions.withdrawal_looks import needs
from accounts.models import Account, ApiKey, Balances, Desk, KeyState, Membership, Withdrawal
from accounts.rights import ALLOWED, Right
from accounts.withdrawal_rules import S
from krakenfutures.contracts import round_price
from krakenfutures.numbers import plain
from krakenfutures.values import Instrument, Ticker, Wallets
from trading import figures
from trading.alert_rules import Kind
from trading.instruments import instruments
from trading.models import AlertRule, DeadMan, Order, OrderStatus, Position, Sync

Prices = Callable[[str, Collection[str]], Mapping[str, Ticker]]  # of an environment's instruments, as last heard
Links = Callable[[str], Mapping[str, Any]]  # of an environment: "heard_at" (ms) and "state"

HUNDRED, TENTH, FINE = Decimal(100), Decimal("0.1"), Decimal("0.0001")
NO_RELAY = Decimal(1_000_000)  # seconds: older than any threshold
READ = ("wallets", "positions")  # what must be young


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure about one thing; None where it cannot be told just now."""

    subject: str
    figure: Decimal | None
    text: str
    link: str
    only: frozenset[int] | None = None  # the people it concerns, where it is not everybody


@dataclass
class Sources:
    """What one sweep reads, each once, whatever the number of rules."""

    prices: Prices
    links: Links
    now: datetime
    read: dict[tuple[object, ...], list[Reading]] = field(default_factory=dict)
    _standings: dict[int, Standing] = field(default_factory=dict)
    _accounts: dict[int, list[Account]] = field(default_factory=dict)

    def accounts_of(self, rule: AlertRule) -> list[Account]:
        if rule.desk_id not in self._accounts:
            self._accounts[rule.desk_id] = list(Account.objects.filter(desk=rule.desk_id).select_related("desk"))
        return [one for one in self._accounts[rule.desk_id] if rule.account_id in {None, one.pk}]

    def standing_of(self, account: Account) -> Standing:
        if account.pk not in self._standings:
            self._standings[account.pk] = Standing(account, self.prices)
        return self._standings[account.pk]


class Standing:
    """One account as stored, with the prices of now."""

    def __init__(self, account: Account, prices: Prices) -> None:
        self.account = account
        self._prices = prices

    @cached_property
    def listed(self) -> dict[str, Instrument]:
        return {one.symbol: one for one in instruments(self.account.environment)}

    @cached_property
    def positions(self) -> list[Position]:
        return list(Position.objects.filter(account=self.account))

    @cached_property
    def wallets(self) -> Wallets | None:
        row = Balances.objects.filter(account=self.account).first()
        return msgspec.convert(row.wallets, Wallets) if row else None

    def tickers(self, symbols: Collection[str]) -> Mapping[str, Ticker]:
        return self._prices(self.account.environment, symbols)

    @cached_property
    def held(self) -> Mapping[str, Ticker]:
        return self.tickers(sorted({one.symbol for one in self.positions}))

    @cached_property
    def margin_share(self) -> Decimal | None:
        """The gauge of the overview; it needs no price."""
        return figures.totals(self.wallets, {}).share if self.wallets else None

    def in_ticks(self, symbol: str, price: Decimal | None) -> str:
        """A price as the instrument's own are written."""
        if price is None:
            return "unknown"
        instrument = self.listed.get(symbol)
        return plain(round_price(instrument, price) if instrument else price)

    def distance(self, position: Position) -> figures.Distance | None:
        """As in the table of positions."""
        mark = figures.mark_of(position, self.held.get(position.symbol))
        instrument = self.listed.get(position.symbol)
        position.liquidation_price = figures.liquidation_of(position, instrument, self.wallets, mark)
        return figures.distance(position, mark)


def readings(rule: AlertRule, sources: Sources) -> list[Reading]:
    """Rules that look at the same thing share one reading, whatever their points and people."""
    since = rule.on_since if rule.kind == Kind.DEADMAN else None
    scope = (rule.kind, rule.desk_id, rule.account_id, rule.symbol, since)
    if scope not in sources.read:
        sources.read[scope] = list(READERS[Kind(rule.kind)](rule, sources))
    return sources.read[scope]


def _margin(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    for account in sources.accounts_of(rule):
        standing = sources.standing_of(account)
        share = standing.margin_share
        figure = _percent(share) if share is not None else (Decimal(0) if standing.wallets else None)
        text = f"Margin of {account.label} is at {_said(figure, TENTH)} %: maintenance margin over equity."
        yield Reading(f"account:{account.pk}", figure, text, _overview(account))


def _liquidation(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    for account in sources.accounts_of(rule):
        standing = sources.standing_of(account)
        for position in standing.positions:
            if rule.symbol not in {"", position.symbol}:
                continue
            distance = standing.distance(position)
            figure = _percent(distance.share) if distance else None
            price = standing.in_ticks(position.symbol, position.liquidation_price)
            far = f"{_said(figure, TENTH)} % from its liquidation price, {price}"
            text = f"{position.symbol} of {account.label} is {far}."
            yield Reading(f"position:{account.pk}:{position.symbol}", figure, text, _trade(account, position.symbol))


def _funding(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    """By instrument, not by account: two accounts that hold the same are told once."""
    seen: set[tuple[str, str]] = set()
    for account in sources.accounts_of(rule):
        standing = sources.standing_of(account)
        symbols = {rule.symbol} if rule.symbol else {one.symbol for one in standing.positions}
        for symbol, ticker in sorted(standing.tickers(sorted(symbols)).items()):
            place = (account.environment, symbol)
            if place in seen:
                continue
            seen.add(place)
            rate = ticker.relative_funding_rate
            figure = None if rate is None else _percent(abs(rate))
            signed = "unknown" if rate is None else f"{rate * HUNDRED:+.4f}".replace("-", "−")
            text = f"Funding of {symbol} is {signed} % an hour."
            yield Reading(f"funding:{account.environment}:{symbol}", figure, text, _trade(account, symbol))


def _stale(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    accounts = sources.accounts_of(rule)
    for environment in sorted({one.environment for one in accounts}):
        heard = sources.links(environment).get("heard_at")
        age = NO_RELAY if heard is None else _seconds(sources.now - datetime.fromtimestamp(heard / 1000, UTC))
        since = "at all: no relay runs" if heard is None else f"for {age} s"
        text = f"The {environment} exchange has not been heard of {since}. Prices on every page are old."
        yield Reading(f"feed:{environment}", age, text, reverse("overview"))
    readable = set(
        ApiKey.objects.usable().filter(account__in=accounts).values_list("account", flat=True)
    )  # without a key nothing is expected
    oldest: dict[int, datetime] = {}
    for row in Sync.objects.filter(account__in=readable, stream__in=READ, complete_to__isnull=False):
        assert row.complete_to is not None
        oldest[row.account_id] = min(oldest.get(row.account_id, row.complete_to), row.complete_to)
    for account in accounts:
        if account.pk in oldest:
            age = _seconds(sources.now - oldest[account.pk])
            text = f"Wallets and positions of {account.label} are {age} s old."
            yield Reading(f"account:{account.pk}", age, text, _overview(account))


def _review(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    rows = Withdrawal.objects.filter(desk=rule.desk_id, status=S.PENDING).select_related("requester", "account")
    for row in rows:
        if rule.account_id in {None, row.account_id} and row.requested_at:
            minutes = _seconds(sources.now - row.requested_at) // 60
            what = f"{plain(row.amount)} {row.currency}" if row.amount else f"all {row.currency}"
            text = f"The withdrawal of {what} waits for reviewers since {minutes} min. Code {row.code}."
            yield Reading(f"withdrawal:{row.pk}", minutes, text, row.get_absolute_url(), _reviewers(row, rule.desk))


def _reviewers(row: Withdrawal, desk: Desk) -> frozenset[int]:
    roles = [role.value for role in ALLOWED[Right.REVIEW_WITHDRAWAL]]
    members = Membership.objects.in_force().filter(desk=desk, role__in=roles).select_related("user")
    return frozenset(member.user_id for member in members if needs(row, member.user))


def _uncertain(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    accounts = {one.pk: one for one in sources.accounts_of(rule)}
    for order in Order.objects.filter(account__in=accounts, status=OrderStatus.UNCERTAIN):
        if rule.symbol in {"", order.symbol}:
            age = _seconds(sources.now - (order.sent_at or order.created_at))
            what = f"{order.side} {plain(order.size)} {order.symbol}"
            text = f"It is not proven for {age} s what became of the order: {what}."
            link = reverse("order", args=[order.pk])
            yield Reading(f"order:{order.pk}", age, text, link)
    for row in Withdrawal.objects.filter(account__in=accounts, status=S.UNCERTAIN):
        age = _seconds(sources.now - (row.executing_at or row.created_at))
        text = f"It is not known for {age} s whether {plain(row.amount)} {row.currency} left. Code {row.code}."
        yield Reading(f"withdrawal:{row.pk}", age, text, row.get_absolute_url())


def _key(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    accounts = sources.accounts_of(rule)
    for key in ApiKey.objects.stored().filter(account__in=accounts).select_related("account"):
        failing = key.state == KeyState.FAILING
        text = f"The key “{key.label}” of {key.account.label} does not work: {key.trouble}"
        yield Reading(f"key:{key.pk}", Decimal(failing), text, reverse("keys"))


def _deadman(rule: AlertRule, sources: Sources) -> Iterator[Reading]:
    for row in DeadMan.objects.filter(account__in=sources.accounts_of(rule)).select_related("account"):
        fired = not row.is_armed and row.fired_at is not None and row.fired_at >= rule.on_since
        text = (
            f"The dead man's switch of {row.account.label} has fired: every order of the account is cancelled."
            if fired
            else f"The dead man's switch of {row.account.label} could not be renewed and may fire: {row.trouble}"
        )
        wrong = fired or (row.is_armed and bool(row.trouble))
        yield Reading(
            f"deadman:{row.pk}:{'fired' if fired else 'armed'}", Decimal(wrong), text, _overview(row.account)
        )


READERS: dict[Kind, Callable[[AlertRule, Sources], Iterator[Reading]]] = {
    Kind.MARGIN: _margin,
    Kind.LIQUIDATION: _liquidation,
    Kind.FUNDING: _funding,
    Kind.STALE: _stale,
    Kind.REVIEW: _review,
    Kind.UNCERTAIN: _uncertain,
    Kind.KEY: _key,
    Kind.DEADMAN: _deadman,
}


def _percent(share: Decimal) -> Decimal:
    return share * HUNDRED


def _said(figure: Decimal | None, step: Decimal) -> str:
    return "unknown" if figure is None else plain(figure.quantize(step, ROUND_HALF_EVEN))


def _seconds(age: Any) -> Decimal:
    return Decimal(max(0, int(age.total_seconds())))


def _overview(account: Account) -> str:
    return f"{reverse('overview')}?account={account.pk}"


def _trade(account: Account, symbol: str) -> str:
    return f"{reverse('instrument', args=[symbol])}?account={account.pk}"
