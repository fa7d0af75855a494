"""Yes or no from other people, each proven minutes ago and bound to exactly what they saw."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.policy import require_factor
from accounts.actions.withdrawal_demands import Asked, asked_of, counting
from accounts.actions.withdrawal_moves import move, seal_vote, take
from accounts.actions.withdrawal_notices import notify_requester, notify_reviewers
from accounts.models import Approval, User, Withdrawal
from accounts.rights import Right, require
from accounts.rules import NotAllowed
from accounts.stepup import Factor
from accounts.withdrawal_rules import S, digest_of, person_of


def approve_withdrawal(
    withdrawal_id: UUID, *, by: User, digest: str, factor: Factor | None, note: str = ""
) -> Withdrawal:
    """One yes to the payload with this digest. The last one needed starts the cool-off. Raises `NotAllowed`."""
    proof = require_factor(factor)
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        asked = asked_for(withdrawal)
        _require_reviewer(withdrawal, asked, by)
        if withdrawal.state is not S.PENDING:
            raise NotAllowed(f"It is {withdrawal.get_status_display().lower()}, not waiting for votes.", code="moved")
        if withdrawal.expires_at is None or withdrawal.expires_at <= timezone.now():
            raise NotAllowed("It has expired.", code="expired")
        if digest != withdrawal.digest or digest_of(withdrawal.payload) != digest:
            raise NotAllowed("It was changed since you looked. Look at it again.", code="changed")
        vote = Approval(
            withdrawal=withdrawal, round=withdrawal.round, digest=digest, reviewer=by,
            reviewer_person=person_of(by.email), requester=withdrawal.requester,
            requester_person=withdrawal.requester_person, factor=proof.kind, factor_at=proof.at,
            note=note.strip()[:400], at=timezone.now(),
        )  # fmt: skip
        vote.seal = seal_vote(vote)
        try:
            with transaction.atomic():
                vote.save()
        except IntegrityError:
            raise NotAllowed("You approved this already; one person has one vote.", code="voted") from None
        votes = counting(withdrawal, asked.demand)
        details = {"votes": len(votes), "needed": asked.demand.approvals, "factor": proof.kind, "digest": digest,
                   "note": vote.note}  # fmt: skip
        move(withdrawal, None, by=by, action="approved", details=details, approvals_needed=asked.demand.approvals)
        if len(votes) >= asked.demand.approvals:
            settle_quorum(withdrawal, asked)
    return withdrawal


def settle_quorum(withdrawal: Withdrawal, asked: Asked) -> None:
    """Enough votes: cool off, or be ready at once. Inside the caller's transaction."""
    now = timezone.now()
    due = now + asked.demand.cool_off
    to = S.COOLING if asked.demand.cool_off else S.READY
    move(
        withdrawal, to, by=None, action=to.value, approved_at=now, ready_at=due, details={"ready_at": due.isoformat()}
    )
    notify_requester(withdrawal, "ready")


def reject_withdrawal(withdrawal_id: UUID, *, by: User, reason: str, factor: Factor | None) -> Withdrawal:
    """Any reviewer's no ends it, until the very moment it is sent. Raises `NotAllowed`."""
    proof = require_factor(factor)
    if not reason.strip():
        raise NotAllowed("Say why: the requester should know.", field="reason", code="reason")
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        _require_reviewer(withdrawal, asked_for(withdrawal), by)
        move(
            withdrawal, S.REJECTED, by=by, action="rejected", remark=reason.strip()[:400], finished_at=timezone.now(),
            details={"reason": reason.strip()[:400], "factor": proof.kind},
        )  # fmt: skip
        notify_requester(withdrawal, "rejected")
    return withdrawal


def asked_for(withdrawal: Withdrawal) -> Asked:
    """By its own policy and every stricter part that came later, at the value it had when it was asked for."""
    return asked_of(withdrawal.desk, withdrawal.policy_number, withdrawal.usd, first_time=withdrawal.is_first_time)


def send_back(withdrawal: Withdrawal, asked: Asked, why: str) -> None:
    """Votes are missing after all: back to review, keeping those that count. Inside the caller's transaction."""
    move(
        withdrawal, S.PENDING, by=None, action="sent_back", remark=why[:400], approved_at=None, ready_at=None,
        glass_at=None, approvals_needed=asked.demand.approvals, details={"why": why},
    )  # fmt: skip
    notify_reviewers(withdrawal, asked, "more_asked")


def _require_reviewer(withdrawal: Withdrawal, asked: Asked, by: User) -> None:
    """Of this desk, of a role the policy names, and another person than the requester, however they signed in."""
    membership = require(by, withdrawal.desk, Right.REVIEW_WITHDRAWAL)
    if by.pk == withdrawal.requester_id or person_of(by.email) == withdrawal.requester_person:
        raise NotAllowed("You asked for it, so somebody else has to decide.", code="own")
    if membership.role not in asked.demand.review_roles:
        raise NotAllowed("The policy does not let your role review.", code="role")
