"""Rules made, changed, switched, tried and removed: one's own by anybody on the desk, the desk's by its managers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.actions.notices import notify_test
from accounts.models import Account, Desk, Level, Notice, Role, User
from accounts.rights import Right, require
from accounts.rules import NotAllowed
from krakenfutures.numbers import plain
from trading.alert_rules import KINDS, Kind, Sense, objections
from trading.instruments import instrument_for
from trading.models import AlertRule

MOST = 100  # of a desk and its people
COOLDOWN = range(86_401)  # seconds


@dataclass(frozen=True, slots=True)
class RuleWish:
    """Everything a rule says."""

    kind: str
    for_desk: bool = False  # else the person's own
    account: Account | None = None
    symbol: str = ""
    threshold: Decimal | None = None
    rearm: Decimal | None = None
    level: str = Level.WARNING
    roles: Sequence[str] = field(default_factory=list)
    cooldown: int = 300


@transaction.atomic
def add_rule(desk: Desk, wish: RuleWish, *, by: User) -> AlertRule:
    """Raises `NoRight`, `NotAllowed`."""
    require(by, desk, Right.MANAGE_ALERTS if wish.for_desk else Right.LOOK)
    if AlertRule.objects.filter(desk=desk).count() >= MOST:
        raise NotAllowed(f"This desk has {MOST} alert rules already. Remove some first.", code="too_many")
    written = _written(desk, wish)
    owner = None if wish.for_desk else by
    rule = AlertRule.objects.create(desk=desk, owner=owner, made_by=by, on_since=timezone.now(), **written)
    record(by, "alert.added", rule, desk=desk, **_told(rule))
    return rule


@transaction.atomic
def change_rule(rule: AlertRule, wish: RuleWish, *, by: User) -> AlertRule:
    """Whose it is stays. What it has fired about is forgotten: it begins anew. Raises `NoRight`, `NotAllowed`."""
    require_mine(rule, by)
    for name, value in _written(rule.desk, wish).items():
        setattr(rule, name, value)
    rule.on_since = timezone.now()
    rule.save()
    rule.states.all().delete()
    record(by, "alert.changed", rule, desk=rule.desk, **_told(rule))
    return rule


@transaction.atomic
def switch_rule(rule: AlertRule, *, by: User, on: bool) -> None:
    require_mine(rule, by)
    if rule.is_on == on:
        return
    rule.is_on, rule.on_since = on, timezone.now()
    rule.save(update_fields=["is_on", "on_since"])
    rule.states.all().delete()
    record(by, "alert.switched_on" if on else "alert.switched_off", rule, desk=rule.desk, kind=rule.kind)


@transaction.atomic
def remove_rule(rule: AlertRule, *, by: User) -> None:
    require_mine(rule, by)
    record(by, "alert.removed", rule, desk=rule.desk, **_told(rule))
    rule.delete()


def try_rule(rule: AlertRule, *, by: User) -> Notice:
    """A word to whoever presses the button, at the rule's level, through every channel of theirs."""
    require(by, rule.desk, Right.LOOK)
    text = f"Test of the alert “{rule.get_kind_display()}”. A real one would be told to {_whom(rule)}."
    return notify_test(by, text=text, level=rule.level, desk=rule.desk)


@transaction.atomic
def add_usual_rules(desk: Desk, *, by: User) -> int:
    """The rules most desks want, for everybody, without those of a kind it has already. Returns how many."""
    require(by, desk, Right.MANAGE_ALERTS)
    have = set(AlertRule.objects.filter(desk=desk, owner=None).values_list("kind", flat=True))
    wanted = [kind for kind, about in KINDS.items() if about.usual and kind not in have]
    for kind in wanted:
        about = KINDS[kind]
        wish = RuleWish(kind=kind, for_desk=True, threshold=about.threshold, rearm=about.rearm, level=about.level)
        add_rule(desk, wish, by=by)
    return len(wanted)


def may_change(rule: AlertRule, user: User, *, manages: bool) -> bool:
    return rule.owner_id == user.pk or (rule.owner_id is None and manages)


def require_mine(rule: AlertRule, by: User) -> None:
    """Raises `NoRight` for a desk's rule, `NotAllowed` for somebody else's own."""
    require(by, rule.desk, Right.MANAGE_ALERTS if rule.owner_id is None else Right.LOOK)
    if rule.owner_id not in {None, by.pk}:
        raise NotAllowed("This is somebody else's own rule.", code="other_person")


def _written(desk: Desk, wish: RuleWish) -> dict[str, object]:
    """The columns, checked. Raises `NotAllowed`."""
    if wish.kind not in list(Kind):
        raise NotAllowed("There is no alert of that kind.", field="kind", code="kind")
    kind = Kind(wish.kind)
    about = KINDS[kind]
    for objection in objections(kind, wish.threshold, wish.rearm):
        raise objection
    if wish.level not in Level.values:
        raise NotAllowed("There is no such level.", field="level", code="level")
    if wish.cooldown not in COOLDOWN:
        raise NotAllowed("At most a day, 1440 minutes.", field="cooldown", code="range")
    if wish.account is not None and wish.account.desk_id != desk.pk:
        raise NotAllowed("There is no such account on this desk.", field="account", code="account")
    if unknown := set(wish.roles) - set(Role.values):
        raise NotAllowed(f"There is no role “{unknown.pop()}”.", field="roles", code="role_unknown")
    has_figure = about.sense in {Sense.ABOVE, Sense.BELOW}
    return {
        "kind": kind.value,
        "account": wish.account,
        "symbol": _symbol(desk, wish) if about.of_symbol else "",
        "threshold": wish.threshold if has_figure else None,
        "rearm": (wish.rearm if wish.rearm is not None else wish.threshold) if has_figure else None,
        "level": wish.level,
        "roles": sorted(wish.roles) if wish.for_desk else [],
        "cooldown": wish.cooldown,
    }


def _symbol(desk: Desk, wish: RuleWish) -> str:
    symbol = wish.symbol.strip().upper()
    if not symbol:
        return ""
    accounts = [wish.account] if wish.account else list(Account.objects.filter(desk=desk))
    for environment in sorted({one.environment for one in accounts}):
        try:
            return instrument_for(environment, symbol).symbol
        except NotAllowed:
            continue
    raise NotAllowed(
        f"{symbol[:40]} is not listed where this desk has accounts.", field="symbol", code="unknown_symbol"
    )


def _whom(rule: AlertRule) -> str:
    return "you alone" if rule.owner_id else f"{rule.role_words} of the desk"


def _told(rule: AlertRule) -> dict[str, object]:
    return {
        "kind": rule.kind,
        "whose": "own" if rule.owner_id else "desk",
        "account": rule.account.label if rule.account else "",
        "symbol": rule.symbol,
        "threshold": plain(rule.threshold) if rule.threshold is not None else "",
        "rearm": plain(rule.rearm) if rule.rearm is not None else "",
        "level": rule.level,
        "roles": list(rule.roles),
        "cooldown": rule.cooldown,
    }
