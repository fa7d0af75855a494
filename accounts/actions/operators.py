"""Operators: who runs the installation and may look at every desk in Django's admin. Made on the command line only."""

from __future__ import annotations

from django.db import transaction

from accounts.actions.audit import record
from accounts.actions.notices import notify
from accounts.factors import has_second_factor
from accounts.models import Level, Membership, Role, Topic, User
from accounts.rules import NotAllowed

TOLD = "{email} runs this installation from now on and may look at every desk of it. That gives no vote on any."


@transaction.atomic
def make_operator(user: User) -> None:
    """Raises `NotAllowed` for whoever is one, has left, or has no second factor yet."""
    if user.is_staff:
        raise NotAllowed(f"{user.email} is an operator already.", code="operator")
    if not user.is_active:
        raise NotAllowed(f"{user.email} may not sign in.", code="inactive")
    if not has_second_factor(user):
        raise NotAllowed(
            f"{user.email} has no second factor. Whoever sees every desk needs one: Profile, Second factor.",
            code="factor",
        )
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    owners = User.objects.filter(pk__in=Membership.objects.in_force().filter(role=Role.OWNER).values("user"))
    notify({user, *owners}, topic=Topic.SECURITY, kind="operator", level=Level.WARNING,
           text=TOLD.format(email=user.email))  # fmt: skip
    record(None, "operator.made", user, desk=None, email=user.email)


@transaction.atomic
def end_operator(user: User) -> None:
    """What they had open in the admin answers nothing from the next click on. Raises `NotAllowed`."""
    if not user.is_staff:
        raise NotAllowed(f"{user.email} is no operator.", code="operator")
    user.is_staff = user.is_superuser = False
    user.save(update_fields=["is_staff", "is_superuser"])
    record(None, "operator.ended", user, desk=None, email=user.email)
