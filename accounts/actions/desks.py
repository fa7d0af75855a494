"""Who is on a desk, as what, and how far they may go."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.actions.keys import hold_keys
from accounts.actions.people import create_person
from accounts.actions.sessions import end_all_sessions
from accounts.actions.tokens import revoke_tokens_of
from accounts.factors import has_second_factor
from accounts.models import Desk, Invitation, Membership, Role, User
from accounts.rights import Right, require
from accounts.rules import NotAllowed

INVITATION_LIVES = timedelta(days=7)
INVITED = """{by} invites you to the desk “{desk}” of kfweb as {role}.

Follow this link within 7 days; it works once:

{link}
"""


@transaction.atomic
def invite(desk: Desk, *, by: User, email: str, role: str) -> tuple[Invitation, str]:
    """A link for one person, once, and its token, which is told now and never again. Raises `NotAllowed`.

    An older open link for the same person to the same desk stops working.
    """
    inviter = require(by, desk, Right.MANAGE_PEOPLE)
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise NotAllowed("This is not an e-mail address.", field="email", code="email") from None
    _require_may_give(inviter, role)
    if desk.memberships.filter(user__email=email).exists():
        raise NotAllowed("This person is on the desk already.", field="email", code="member")
    desk.invitations.open().filter(email=email).update(withdrawn_at=timezone.now())
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        desk=desk, email=email, role=role, token_hash=_hash(token), made_by=by,
        expires_at=timezone.now() + INVITATION_LIVES,
    )  # fmt: skip
    record(by, "invitation.made", invitation, desk=desk, email=email, role=role)
    return invitation, token


def send_invitation(invitation: Invitation, link: str) -> None:
    """By e-mail; the inviter has the link too, so a mail server that is away is no harm."""
    text = INVITED.format(
        by=invitation.made_by, desk=invitation.desk, role=invitation.get_role_display().lower(), link=link
    )
    send_mail("You are invited to kfweb", text, settings.DEFAULT_FROM_EMAIL, [invitation.email], fail_silently=True)


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, by: User) -> None:
    """Raises `NotAllowed` when it was used, has expired or was withdrawn before."""
    require(by, invitation.desk, Right.MANAGE_PEOPLE)
    if not Invitation.objects.open().filter(pk=invitation.pk).update(withdrawn_at=timezone.now()):
        raise NotAllowed("This invitation is not open any more.", code="closed")
    record(by, "invitation.withdrawn", invitation, desk=invitation.desk, email=invitation.email)


def open_invitation(token: str) -> Invitation | None:
    return Invitation.objects.open().filter(token_hash=_hash(token)).select_related("desk", "made_by").first()


@transaction.atomic
def accept_invitation(token: str, *, user: User | None = None, password: str = "") -> Membership:
    """Use the link: once, by the person it names, who is created with `password` if new here. Raises `NotAllowed`."""
    invitation = open_invitation(token)
    if invitation is None or not Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now()):
        raise NotAllowed("This invitation was used, withdrawn or has expired. Ask for a new one.", code="closed")
    if user is None:
        user = create_person(invitation.email, password)
    if user.email != invitation.email:
        raise NotAllowed(f"This invitation is for {invitation.email}. Sign in as that person.", code="other_person")
    if Membership.objects.filter(desk=invitation.desk, user=user).exists():
        raise NotAllowed("You are on this desk already.", code="member")
    Invitation.objects.filter(pk=invitation.pk).update(used_by=user)
    membership = Membership.objects.create(desk=invitation.desk, user=user, role=invitation.role)
    record(user, "member.joined", membership, desk=invitation.desk, role=invitation.role, email=user.email)
    return membership


@transaction.atomic
def change_member(
    membership: Membership,
    *,
    by: User,
    role: str,
    largest_order: Decimal | None,
    daily_notional: Decimal | None,
    instruments: list[str],
    reduce_only: bool,
) -> Membership:
    """Give a member this role and these limits. Raises `NotAllowed`."""
    membership, manager = _locked(membership, by)
    if membership.user_id == by.pk and manager.role != Role.OWNER:
        raise NotAllowed("Somebody else has to change what you may do yourself.", code="own")
    if role != membership.role:
        _require_may_give(manager, role)
        _require_another_owner(membership)
    wanted = {
        "role": role,
        "largest_order": largest_order,
        "daily_notional": daily_notional,
        "instruments": sorted({symbol.strip().upper() for symbol in instruments if symbol.strip()}),
        "reduce_only": reduce_only,
    }
    changed = {name: [getattr(membership, name), value] for name, value in wanted.items()}
    changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if not changed:
        return membership
    for name, value in wanted.items():
        setattr(membership, name, value)
    membership.save(update_fields=list(wanted))
    told = {name: [_plain(before), _plain(after)] for name, (before, after) in changed.items()}
    record(by, "member.changed", membership, desk=membership.desk, email=membership.user.email, **told)
    return membership


@transaction.atomic
def suspend_member(membership: Membership, *, by: User) -> None:
    """From now on the desk is shut for them: sessions end at once, sockets within seconds. Raises `NotAllowed`."""
    membership, _ = _locked(membership, by)
    _require_another(membership, by, "suspend")
    if membership.suspended_at is not None:
        raise NotAllowed("This member is suspended already.", code="suspended")
    membership.suspended_at = timezone.now()
    membership.save(update_fields=["suspended_at"])
    record(by, "member.suspended", membership, desk=membership.desk, email=membership.user.email)
    end_all_sessions(membership.user, by=by, why="suspended")


@transaction.atomic
def resume_member(membership: Membership, *, by: User) -> None:
    membership, _ = _locked(membership, by)
    if membership.suspended_at is None:
        raise NotAllowed("This member is not suspended.", code="not_suspended")
    membership.suspended_at = None
    membership.save(update_fields=["suspended_at"])
    record(by, "member.resumed", membership, desk=membership.desk, email=membership.user.email)


@transaction.atomic
def remove_member(membership: Membership, *, by: User) -> None:
    """Off the desk; what they did stays in the book under their name. Sessions end like with a suspension.

    Their own open invitations to the desk are withdrawn with them, and their tokens revoked. Raises `NotAllowed`.
    """
    membership, _ = _locked(membership, by)
    _require_another(membership, by, "remove")
    user, desk = membership.user, membership.desk
    role, _ = membership.role, membership.delete()
    desk.invitations.open().filter(made_by=user).update(withdrawn_at=timezone.now())
    revoke_tokens_of(user, desk, by=by)
    record(by, "member.removed", user, desk=desk, email=user.email, role=role)
    end_all_sessions(user, by=by, why="removed")


@transaction.atomic
def change_desk(desk: Desk, *, by: User, name: str, second_factor_required: bool, withdrawals_enabled: bool) -> None:
    """Raises `NotAllowed`. Whoever asks for a second factor must have one, or they would shut themselves out."""
    require(by, desk, Right.MANAGE_DESK)
    desk = Desk.objects.select_for_update(no_key=True).get(pk=desk.pk)
    if second_factor_required and not has_second_factor(by):
        raise NotAllowed(
            "Set up a second factor yourself first: without one you could not come back.",
            field="second_factor_required",
            code="no_factor",
        )
    wanted = {
        "name": name.strip()[:80] or desk.name,
        "second_factor_required": second_factor_required,
        "withdrawals_enabled": withdrawals_enabled,
    }
    changed = {key: [getattr(desk, key), value] for key, value in wanted.items() if getattr(desk, key) != value}
    if not changed:
        return
    for key, value in wanted.items():
        setattr(desk, key, value)
    desk.save(update_fields=list(wanted))
    record(by, "desk.changed", desk, desk=desk, **changed)
    if "withdrawals_enabled" in changed:
        hold_keys(desk, by=by)


def _locked(membership: Membership, by: User) -> tuple[Membership, Membership]:
    """The member's row and the manager's, read again with the desk locked: changes of people queue up.

    Without the key: rows that only name the desk, as every audit row does, need not wait (PostgreSQL)."""
    Desk.objects.select_for_update(no_key=True).get(pk=membership.desk_id)
    manager = require(by, membership.desk, Right.MANAGE_PEOPLE)
    found = Membership.objects.select_related("desk", "user").filter(pk=membership.pk).first()
    if found is None:
        raise NotAllowed("This person is not on the desk any more.", code="gone")
    if found.role == Role.OWNER and manager.role != Role.OWNER:
        raise NotAllowed("Only an owner may change an owner.", code="owner")
    return found, manager


def _require_may_give(manager: Membership, role: str) -> None:
    if role not in Role.values:
        raise NotAllowed("There is no such role.", field="role", code="role_unknown")
    if role == Role.OWNER and manager.role != Role.OWNER:
        raise NotAllowed("Only an owner may make somebody an owner.", field="role", code="owner")


def _require_another(membership: Membership, by: User, verb: str) -> None:
    if membership.user_id == by.pk:
        raise NotAllowed(f"You cannot {verb} yourself. Ask another manager of the desk.", code="own")
    _require_another_owner(membership)


def _require_another_owner(membership: Membership) -> None:
    others = Membership.objects.in_force().filter(desk=membership.desk, role=Role.OWNER).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise NotAllowed("The desk needs an owner: make somebody else one first.", field="role", code="last_owner")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
