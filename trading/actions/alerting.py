"""The sweep over alert rules: what has passed its threshold is told once, whoever sweeps."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.actions.notices import notify
from accounts.models import Account, Membership, Notice, Topic, User
from krakenfutures.numbers import plain
from trading.actions.alert_readings import Links, Prices, Reading, Sources, readings
from trading.alert_rules import KINDS, Kind, Sense, Verdict, judge
from trading.models import AlertRule, AlertState, Fill, Order, OrderStatus

log = logging.getLogger(__name__)

NEWS = timedelta(hours=1)  # what the exchange dates earlier than this is history, read late
SETTLING = timedelta(seconds=2)  # a change so young may have a neighbour that is not committed yet
NAMED = 3  # fills in one sentence


def sweep_alerts(prices: Prices, links: Links) -> None:
    """Weigh every rule that is on. Two workers at once tell nothing twice."""
    sources = Sources(prices, links, timezone.now())
    rules = AlertRule.objects.filter(is_on=True).select_related("desk", "owner", "account")
    for rule in rules.prefetch_related("states"):
        try:
            weigh(rule, sources)
        except Exception:
            log.exception("alert rule %s could not be weighed", rule.pk)


def weigh(rule: AlertRule, sources: Sources) -> list[Notice]:
    """Returns what was told."""
    if KINDS[Kind(rule.kind)].sense is Sense.EVENT:
        tell = _fills if rule.kind == Kind.FILL else _rejections
        return [notice for account in sources.accounts_of(rule) for notice in tell(rule, account, sources.now)]
    known = {state.subject: state for state in rule.states.all()}
    told, seen = [], set()
    for reading in readings(rule, sources):
        seen.add(reading.subject)
        told += _weigh_one(rule, known.get(reading.subject), reading, sources.now)
    gone = [state.pk for subject, state in known.items() if subject not in seen and state.fired_at]
    if gone:  # a position that was closed, a request that was decided
        AlertState.objects.filter(pk__in=gone).update(fired_at=None)
    return told


def audience(rule: AlertRule, only: frozenset[int] | None = None) -> list[User]:
    """Those of the desk whom the rule tells, as things stand now."""
    members = Membership.objects.in_force().filter(desk=rule.desk_id).select_related("user")
    if rule.owner_id:
        members = members.filter(user=rule.owner_id)
    elif rule.roles:
        members = members.filter(role__in=rule.roles)
    return [member.user for member in members if only is None or member.user_id in only]


def _weigh_one(rule: AlertRule, state: AlertState | None, reading: Reading, now: datetime) -> list[Notice]:
    verdict = judge(
        rule.band, reading.figure, fired=state is not None and state.fired_at is not None,
        told_at=state.told_at if state else None, now=now, cooldown=timedelta(seconds=rule.cooldown),
    )  # fmt: skip
    if verdict is Verdict.FIRE:
        return _fire(rule, reading, now)
    if verdict is Verdict.REARM and state is not None:
        AlertState.objects.filter(pk=state.pk, fired_at=state.fired_at).update(fired_at=None)
    return []


@transaction.atomic
def _fire(rule: AlertRule, reading: Reading, now: datetime) -> list[Notice]:
    """Whoever turns the state from not fired to fired tells the people, in the same transaction."""
    state, _ = AlertState.objects.get_or_create(rule=rule, subject=reading.subject, defaults={"read_at": now})
    rested = Q(told_at=None) | Q(told_at__lte=now - timedelta(seconds=rule.cooldown))
    won = AlertState.objects.filter(rested, pk=state.pk, fired_at=None).update(
        fired_at=now, told_at=now, figure=reading.figure, read_at=now
    )
    if not won:
        return []
    key = f"alert:{rule.pk}:{reading.subject}:{int(now.timestamp() * 1000)}"
    return _tell(rule, reading.text, reading.link, key=key, only=reading.only)


def _fills(rule: AlertRule, account: Account, now: datetime) -> list[Notice]:
    """Those that were there at the look before: a neighbour that is still being written is not overtaken."""
    rows = Fill.objects.filter(account=account)
    newest = rows.aggregate(newest=Max("pk"))["newest"] or 0
    state, _ = AlertState.objects.get_or_create(
        rule=rule, subject=f"fills:{account.pk}", defaults={"read_at": now, "horizon": newest}
    )
    if state.cursor == state.horizon == newest:
        return []
    since = max(rule.on_since, now - NEWS)
    new = rows.filter(pk__gt=state.cursor, pk__lte=state.horizon, at__gte=since).order_by("pk")
    found = list(new.filter(symbol=rule.symbol) if rule.symbol else new)
    with transaction.atomic():
        if not _move_on(state, now, cursor=state.horizon, horizon=newest) or not found:
            return []
        named = [f"{one.side} {plain(one.size)} {one.symbol} at {plain(one.price)}" for one in found[:NAMED]]
        more = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
        link = f"{reverse('instrument', args=[found[-1].symbol])}?account={account.pk}"
        key = f"fills:{rule.pk}:{account.pk}:{found[0].pk}"
        return _tell(rule, f"Filled on {account.label}: {'; '.join(named)}{more}.", link, key=key)


def _rejections(rule: AlertRule, account: Account, now: datetime) -> list[Notice]:
    until = now - SETTLING
    state, _ = AlertState.objects.get_or_create(
        rule=rule, subject=f"rejections:{account.pk}", defaults={"read_at": now, "cursor": _ms(rule.on_since)}
    )
    since = datetime.fromtimestamp(state.cursor / 1000, UTC)
    rows = Order.objects.filter(
        account=account, by__isnull=False, status=OrderStatus.REJECTED, updated_at__gt=since, updated_at__lte=until
    ).order_by("updated_at")
    found = list(rows.filter(symbol=rule.symbol) if rule.symbol else rows)
    if not found:
        return []
    with transaction.atomic():
        if not _move_on(state, now, cursor=_ms(until), horizon=0):
            return []
        return [
            notice
            for order in found
            for notice in _tell(
                rule,
                f"Refused by the exchange: {order.side} {plain(order.size)} {order.symbol} on {account.label}. "
                f"{order.reason or order.venue_status}",
                reverse("order", args=[order.pk]),
                key=f"rejected:{rule.pk}:{order.pk}",
            )
        ]


def _move_on(state: AlertState, now: datetime, *, cursor: int, horizon: int) -> bool:
    """False when another worker has."""
    rows: QuerySet[AlertState] = AlertState.objects.filter(pk=state.pk, cursor=state.cursor, horizon=state.horizon)
    return bool(rows.update(cursor=cursor, horizon=horizon, read_at=now, told_at=now))


def _tell(rule: AlertRule, text: str, link: str, *, key: str, only: Iterable[int] | None = None) -> list[Notice]:
    return notify(
        audience(rule, None if only is None else frozenset(only)), topic=Topic.ALERT, kind=rule.kind, level=rule.level,
        text=text, desk=rule.desk, link=link, key=key,
    )  # fmt: skip


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
