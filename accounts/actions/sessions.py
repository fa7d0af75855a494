"""Sessions of a person: which there are, and their end. A socket ends with its session, at the hub's next look."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.actions.audit import record
from accounts.actions.notices import notify
from accounts.agents import browser_in_words
from accounts.models import Device, Level, Topic, User, UserSession

NEW_DEVICE = (
    "A browser that was not used before signed in as {email}: {agent}, at {address}. "
    "If it was not you: end the other sessions and change your password."
)


def note_session(user: User, session_key: str, *, address: str | None, agent: str) -> bool:
    """Write down that this session was used just now. True when it is new."""
    _, new = UserSession.objects.update_or_create(
        session_key=session_key,
        defaults={"user": user, "address": address, "agent": agent[:300], "seen_at": timezone.now()},
    )
    return new


def live_sessions(user: User) -> list[UserSession]:
    """Those that still open something, the newest use first; what is left of others is thrown away."""
    known = {one.session_key: one for one in UserSession.objects.filter(user=user)}
    alive = set(
        Session.objects.filter(session_key__in=known, expire_date__gt=timezone.now()).values_list(
            "session_key", flat=True
        )
    )
    UserSession.objects.filter(session_key__in=known.keys() - alive).delete()
    return [one for key, one in known.items() if key in alive]


@transaction.atomic
def end_session(session: UserSession, *, by: User) -> None:
    Session.objects.filter(session_key=session.session_key).delete()
    session.delete()
    record(by, "session.ended", session.user, desk=None, address=session.address or "", agent=session.agent)


@transaction.atomic
def end_all_sessions(user: User, *, by: User | None, why: str) -> None:
    """Also those nobody wrote down: none with the old number is believed any more. `why` goes into the book."""
    User.objects.filter(pk=user.pk).update(sessions_epoch=F("sessions_epoch") + 1)
    user.refresh_from_db(fields=["sessions_epoch"])
    Session.objects.filter(session_key__in=UserSession.objects.filter(user=user).values("session_key")).delete()
    UserSession.objects.filter(user=user).delete()
    record(by, "session.all_ended", user, desk=None, why=why)


def greet_device(user: User, token: str, *, address: str | None, agent: str) -> str:
    """Know the browser again by its token, or remember it and tell the person. Returns the token to keep.

    The very first browser of a person is no news; of any other they hear by e-mail, whatever they chose.
    """
    now = timezone.now()
    if token and Device.objects.filter(user=user, token_hash=_hash(token)).update(last_at=now):
        return token
    fresh = secrets.token_urlsafe(32)
    first = not Device.objects.filter(user=user).exists()
    with transaction.atomic():
        Device.objects.create(user=user, token_hash=_hash(fresh), agent=agent[:300], last_at=now)
        record(user, "session.new_device", user, desk=None, address=address or "", agent=agent[:300])
        if not first:
            text = NEW_DEVICE.format(
                email=user.email, address=address or "an unknown address", agent=browser_in_words(agent)
            )
            notify(
                [user], topic=Topic.SECURITY, kind="device", level=Level.WARNING, text=text,
                link=reverse("sessions"), by_letter=True,
            )  # fmt: skip
    return fresh


def is_known_device(email: str, token: str) -> bool:
    return bool(token) and Device.objects.filter(user__email=email.lower(), token_hash=_hash(token)).exists()


def forget_old_sessions(*, older_than: timedelta = timedelta(days=30)) -> int:
    """Rows of sessions that ended by themselves, here and in Django's own table. Returns how many of ours."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    gone, _ = UserSession.objects.filter(seen_at__lt=timezone.now() - older_than).delete()
    return gone


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
