"""Tokens of the own API: made by a person for themselves, shown once, revoked for good."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import ApiToken, Desk, Scope, User
from accounts.prepared import Prepared
from accounts.rights import NoRight, Right, has, membership_of
from accounts.rules import NotAllowed

PREFIX = "kfw_"  # so that scanners of leaked secrets, and people, know what it is
LONGEST = 366  # days
MOST = 20  # standing ones of a person on a desk
STAMP_EVERY = timedelta(minutes=1)

FOUND = Prepared(
    lambda token_hash, now: (
        ApiToken.objects.in_force(now).filter(token_hash=token_hash).select_related("user", "desk")
    ),
    str,
    datetime,
)


def make_token(
    desk: Desk, *, of: User, by: User | None, label: str, scopes: Iterable[str], days: int = 90
) -> tuple[ApiToken, str]:
    """A token of this person for this desk, and its text, which is not kept. `by` is empty on the command line.

    Raises `NotAllowed`, and `NoRight` where the person's role does not hold what a scope stands for.
    """
    wanted = sorted(set(scopes))
    _require_scopes(of, desk, wanted)
    if not 1 <= days <= LONGEST:
        raise NotAllowed(f"A token lives 1 to {LONGEST} days.", field="days", code="days")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        Desk.objects.select_for_update(no_key=True).get(pk=desk.pk)
        if ApiToken.objects.standing().filter(desk=desk, user=of).count() >= MOST:
            raise NotAllowed(f"There are {MOST} tokens already. Revoke one that is not used.", code="too_many")
        token = ApiToken.objects.create(
            desk=desk, user=of, made_by=by, label=label.strip()[:60] or "Unnamed token", hint=text[-4:],
            token_hash=_hash(text), scopes=wanted, expires_at=timezone.now() + timedelta(days=days),
        )  # fmt: skip
        record(by, "token.made", token, desk=desk, owner=of.email, label=token.label, scopes=wanted, days=days)
    return token, text


def revoke_token(token: ApiToken, *, by: User) -> None:
    """It opens nothing from the next call on. Its owner may, and who manages the people. Raises `NotAllowed`."""
    if token.user_id != by.pk and not has(membership_of(by, token.desk), Right.MANAGE_PEOPLE):
        raise NoRight("Only its owner and admins of the desk may revoke a token.")
    with transaction.atomic():
        if not _revoke(Q(pk=token.pk), by):
            raise NotAllowed("This token was revoked already.", code="revoked")
        record(by, "token.revoked", token, desk=token.desk, owner=token.user.email, label=token.label)


def revoke_tokens_of(user: User, desk: Desk, *, by: User) -> None:
    """With the person's place on the desk their tokens go for good: coming back brings none of them back."""
    _revoke(Q(user=user, desk=desk), by)


def token_in_force(text: str) -> ApiToken | None:
    """The token with this text, if it opens its desk now."""
    return FOUND.first(_hash(text), timezone.now()) if text.startswith(PREFIX) else None


def note_use(token: ApiToken, address: str | None) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > STAMP_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now, last_used_from=address)


def _require_scopes(of: User, desk: Desk, wanted: list[str]) -> None:
    membership = membership_of(of, desk)
    if not has(membership, Right.LOOK):
        raise NoRight(f"{of.email} does not see this desk.")
    if not wanted or not set(wanted) <= set(Scope.values):
        words = " and ".join(Scope.values)
        raise NotAllowed(f"Choose what it is for: the scopes are {words}.", field="scopes", code="scopes")
    if Scope.TRADE in wanted and not has(membership, Right.TRADE):
        raise NotAllowed("A token does no more than its owner: this role does not trade.", field="scopes", code="role")


def _revoke(which: Q, by: User) -> int:
    return ApiToken.objects.filter(which, revoked_at=None).update(revoked_at=timezone.now(), revoked_by=by)


def _hash(text: str) -> str:
    """The token is 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(text.encode()).hexdigest()
