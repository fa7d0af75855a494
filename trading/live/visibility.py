"""What the hub asks the database: who may still see what, and how an account stands. Synchronous."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from importlib import import_module

import msgspec
from django.conf import settings
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone

from accounts.chain import chain_of
from accounts.models import Account, AuditHead, Balances, Desk, Membership, Notice, Topic, User
from trading.live.browser import Who
from trading.models import Position
from trading.plain import to_json

POSITION = (
    "symbol", "size", "entry", "unrealised_pnl", "unrealised_funding", "pnl_currency", "max_leverage",
    "liquidation_price", "initial_margin", "maintenance_margin", "mark", "at",
)  # fmt: skip
JUST = timedelta(minutes=1)


def may_see(user_id: int, account_id: int) -> bool:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user is not None and Account.objects.visible_to(user).filter(pk=account_id).exists()


def pairs_allowed(user_ids: Iterable[int], account_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of these people may see which of these accounts, in one query: `visible_to` for many at once."""
    members = Membership.objects.in_force().filter(user__in=set(user_ids), desk__accounts__in=set(account_ids))
    return {pair for pair in members.values_list("user", "desk__accounts") if pair[1] in account_ids}


def may_see_desk(user_id: int, desk_id: int) -> bool:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user is not None and Desk.objects.visible_to(user).filter(pk=desk_id).exists()


def desks_allowed(user_ids: Iterable[int], desk_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of these people are on which of these desks now."""
    members = Membership.objects.in_force().filter(user__in=set(user_ids), desk__in=set(desk_ids))
    return set(members.values_list("user", "desk"))


def facts_of_people(user_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many notices each has not read, and the newest one's id; a test that was just asked for counts as new."""
    found = {user_id: {"unread": 0, "last": 0} for user_id in user_ids}
    unseen = Q(seen_at=None)
    just_tried = Q(topic=Topic.TEST, at__gt=timezone.now() - JUST)
    rows = Notice.objects.filter(unseen | just_tried, user__in=user_ids)
    mine = Q(desk=None) | Exists(Membership.objects.in_force().filter(user=OuterRef("user"), desk=OuterRef("desk")))
    for user_id, unread, last in (
        rows.filter(mine)
        .order_by()
        .values("user")
        .annotate(unread=Count("pk", filter=unseen), last=Max("pk"))
        .values_list("user", "unread", "last")
    ):
        found[user_id] = {"unread": unread, "last": last}
    return found


def facts_of_desks(desk_ids: Collection[int]) -> dict[int, int]:
    """The number of the newest row of each desk's book: it rises with everything anybody does there."""
    heads = AuditHead.objects.filter(chain__in=[chain_of(desk_id) for desk_id in desk_ids])
    numbers = dict(heads.values_list("chain", "number"))
    return {desk_id: numbers.get(chain_of(desk_id), 0) for desk_id in desk_ids}


def names_of(user_ids: Collection[int]) -> dict[int, str]:
    return {user.pk: str(user) for user in User.objects.filter(pk__in=user_ids)} if user_ids else {}


def still_signed_in(people: Iterable[Who]) -> set[Who]:
    """Those whose session lives, who are active, and whose password is the one they came with."""
    people = set(people)
    sessions = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class().objects
    alive = set(
        sessions.filter(
            session_key__in={who.session_key for who in people}, expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    users = User.objects.filter(pk__in={who.user_id for who in people}, is_active=True)
    hashes = {user.pk: user.get_session_auth_hash() for user in users}
    return {who for who in people if who.session_key in alive and hashes.get(who.user_id) == who.session_hash}


def account_snapshot(account_id: int, link: bytes) -> bytes:
    """`{"positions", "wallets", "link"}` as stored, each with the time the venue said so."""
    positions = [
        {name: getattr(position, name) for name in POSITION}
        for position in Position.objects.filter(account_id=account_id)
    ]
    balances = Balances.objects.filter(account_id=account_id).first()
    wallets = {**balances.wallets, "at": balances.at} if balances else None
    return to_json({"positions": positions, "wallets": wallets})[:-1] + b',"link":' + link + b"}"


class Seen(msgspec.Struct, frozen=True):
    """The outcome of one look at everybody who is connected."""

    signed_in: set[Who]
    pairs: set[tuple[int, int]]  # person and account
    on_desks: set[tuple[int, int]]  # person and desk


def look(people: set[Who], account_ids: set[int], desk_ids: set[int]) -> Seen:
    signed_in = still_signed_in(people)
    ids = {who.user_id for who in signed_in}
    return Seen(
        signed_in,
        pairs_allowed(ids, account_ids) if account_ids else set(),
        desks_allowed(ids, desk_ids) if desk_ids else set(),
    )
