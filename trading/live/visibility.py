"""What the hub asks the database: who may still see what, and how an account stands. Synchronous."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib import import_module

import msgspec
from django.conf import settings
from django.utils import timezone

from accounts.models import Account, Balances, Membership, User
from trading.live.browser import Who
from trading.models import Position
from trading.plain import to_json

POSITION = (
    "symbol", "size", "entry", "unrealised_pnl", "unrealised_funding", "pnl_currency", "max_leverage",
    "liquidation_price", "initial_margin", "maintenance_margin", "mark", "at",
)  # fmt: skip


def may_see(user_id: int, account_id: int) -> bool:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user is not None and Account.objects.visible_to(user).filter(pk=account_id).exists()


def pairs_allowed(user_ids: Iterable[int], account_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of these people may see which of these accounts, in one query: `visible_to` for many at once."""
    members = Membership.objects.in_force().filter(user__in=set(user_ids), desk__accounts__in=set(account_ids))
    return {pair for pair in members.values_list("user", "desk__accounts") if pair[1] in account_ids}


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
    pairs: set[tuple[int, int]]


def look(people: set[Who], account_ids: set[int]) -> Seen:
    signed_in = still_signed_in(people)
    pairs = pairs_allowed({who.user_id for who in signed_in}, account_ids) if account_ids else set()
    return Seen(signed_in, pairs)
