"""People and their way in: the first start, the set-up link, a person's own preferences."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Desk, Membership, Role, SetupLink, User
from accounts.rules import NotAllowed

FIRST_DESK = "Main desk"
LINK_LIVES = timedelta(days=1)


def first_start() -> str | None:
    """Let the owner in on an empty installation: from the environment, or by a one-time link whose path is returned.

    Nothing happens once there is a user. Raises `ImproperlyConfigured` when the environment asks for the impossible.
    """
    if User.objects.exists():
        return None
    email, password = settings.OWNER_EMAIL, settings.OWNER_PASSWORD
    if not email and not password:
        return f"/setup/{make_setup_link()}/"
    if not email or not password:
        raise ImproperlyConfigured("Set KFWEB_OWNER_EMAIL and KFWEB_OWNER_PASSWORD both, or neither.")
    try:
        create_owner(email, password)
    except NotAllowed as refusal:
        variable = "KFWEB_OWNER_EMAIL" if refusal.field == "email" else "KFWEB_OWNER_PASSWORD"
        raise ImproperlyConfigured(f"{variable}: {refusal.reason}") from None
    return None


@transaction.atomic
def create_owner(email: str, password: str) -> User:
    """The first person, with the first desk. Raises `NotAllowed`, also once there is a person."""
    if User.objects.exists():
        raise NotAllowed("This installation has its owner already. Sign in instead.", code="set_up")
    user = create_person(email, password)
    desk = Desk.objects.create(name=FIRST_DESK)
    Membership.objects.create(desk=desk, user=user, role=Role.OWNER)
    record(user, "desk.created", desk, desk=desk, owner=user.email)
    return user


def create_person(email: str, password: str) -> User:
    """A user who may sign in; which desks they see is said by memberships. Raises `NotAllowed`."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise NotAllowed("This is not an e-mail address.", field="email") from None
    if User.objects.filter(email=email).exists():
        raise NotAllowed("Somebody signs in with this address already.", field="email")
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        raise NotAllowed(" ".join(error.messages), field="password") from None
    return User.objects.create_user(email, password)


@transaction.atomic
def make_setup_link() -> str:
    """A fresh token; older ones stop working. Only its hash is stored."""
    token = secrets.token_urlsafe(32)
    SetupLink.objects.open().update(used_at=timezone.now())
    SetupLink.objects.create(token_hash=_hash(token), expires_at=timezone.now() + LINK_LIVES)
    return token


def is_open_link(token: str) -> bool:
    return SetupLink.objects.open().filter(token_hash=_hash(token)).exists() and not User.objects.exists()


@transaction.atomic
def set_up(token: str, email: str, password: str) -> User:
    """Use the link: once, by one person, even when two follow it together. Raises `NotAllowed`."""
    if not SetupLink.objects.open().filter(token_hash=_hash(token)).update(used_at=timezone.now()):
        raise NotAllowed("This set-up link was used or has expired. Restart kfweb to get a new one.", code="link")
    return create_owner(email, password)


def set_preferences(user: User, *, theme: str | None = None, time_zone: str | None = None) -> None:
    """What only this person sees; no audit row, because it changes nothing for anybody else. Raises `NotAllowed`."""
    if theme is not None and theme not in User.Theme.values:
        raise NotAllowed("There is no such theme.", field="theme")
    if time_zone is not None and time_zone not in available_timezones():
        raise NotAllowed("There is no time zone of that name.", field="time_zone")
    user.theme = theme if theme is not None else user.theme
    user.time_zone = time_zone if time_zone is not None else user.time_zone
    user.save(update_fields=["theme", "time_zone"])


def _hash(token: str) -> str:
    """The token is 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
