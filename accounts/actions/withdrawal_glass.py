"""Break-glass: two admins send now what cannot wait, everybody hears of it, and somebody else judges it afterwards.

It stands in for reviews, cool-off and hours of the day, where every policy that applies has it. What was asked for,
the limits over time, a pause, a halt, free funds and the key's permission are asked as ever.
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.policy import require_factor
from accounts.actions.withdrawal_demands import Asked
from accounts.actions.withdrawal_moves import is_genuine, move, seal_vote, take
from accounts.actions.withdrawal_notices import notify_desk
from accounts.actions.withdrawal_reviews import asked_for
from accounts.models import GlassReview, GlassVote, Membership, Role, User, Withdrawal
from accounts.models.withdrawal import VERDICTS
from accounts.policy_rules import GLASS_NEEDS
from accounts.rights import ALLOWED, Right, require
from accounts.rules import NotAllowed
from accounts.stepup import Factor
from accounts.withdrawal_rules import S, digest_of, person_of

EVERYBODY = [str(role) for role in Role]


def break_glass(withdrawal_id: UUID, *, by: User, digest: str, note: str, factor: Factor | None) -> Withdrawal:
    """One admin's word that this payload cannot wait; the second one makes it ready at once. Raises `NotAllowed`."""
    proof = require_factor(factor)
    if not note.strip():
        raise NotAllowed("Say why it cannot wait: everybody on the desk will read it.", field="note", code="note")
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        require(by, withdrawal.desk, Right.BREAK_GLASS)
        _require_other(withdrawal, by)
        _require_breakable(withdrawal, asked_for(withdrawal))
        if digest != withdrawal.digest or digest_of(withdrawal.payload) != digest:
            raise NotAllowed("It was changed since you looked. Look at it again.", code="changed")
        vote = GlassVote(
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
            raise NotAllowed("You broke it already; another admin has to, too.", code="voted") from None
        _tell(withdrawal, vote)
    return withdrawal


def review_glass(withdrawal_id: UUID, *, by: User, verdict: str, note: str, factor: Factor | None) -> Withdrawal:
    """Somebody who neither asked for it nor broke the glass says whether that was right. Raises `NotAllowed`."""
    proof = require_factor(factor)
    if verdict not in dict(VERDICTS):
        raise NotAllowed("Say whether it was right.", field="verdict", code="verdict")
    if not note.strip():
        raise NotAllowed("Say why you think so.", field="note", code="note")
    with transaction.atomic():
        withdrawal = take(withdrawal_id, anyway=True)
        require(by, withdrawal.desk, Right.REVIEW_WITHDRAWAL)
        _require_other(withdrawal, by)
        if withdrawal.glass_at is None:
            raise NotAllowed("Nobody broke the glass here.", code="moved")
        if person_of(by.email) in breakers(withdrawal):
            raise NotAllowed("You broke the glass, so somebody else judges it.", code="own")
        word = GlassReview(
            withdrawal=withdrawal, reviewer=by, reviewer_person=person_of(by.email), requester=withdrawal.requester,
            requester_person=withdrawal.requester_person, factor=proof.kind, factor_at=proof.at, verdict=verdict,
            note=note.strip()[:400], at=timezone.now(),
        )  # fmt: skip
        word.seal = seal_vote(word)
        try:
            with transaction.atomic():
                word.save()
        except IntegrityError:
            raise NotAllowed("Somebody judged it already.", code="voted") from None
        details = {"outcome": word.get_verdict_display(), "note": word.note, "factor": proof.kind}
        move(withdrawal, None, by=by, action="glass_reviewed", details=details)
        notify_desk(withdrawal, "glass_reviewed", EVERYBODY)
    return withdrawal


def is_broken(withdrawal: Withdrawal, asked: Asked) -> bool:
    """Two words that count now, where every policy that applies has a break-glass."""
    return asked.demand.break_glass and withdrawal.glass_at is not None and len(_counting(withdrawal)) >= GLASS_NEEDS


def breakers(withdrawal: Withdrawal) -> set[str]:
    """The people who broke the glass of what is asked for now."""
    votes = withdrawal.glass_votes.filter(round=withdrawal.round).select_related("reviewer")
    return {person for vote in votes for person in (vote.reviewer_person, person_of(vote.reviewer.email))}


def awaits_judgement(withdrawal: Withdrawal) -> bool:
    return withdrawal.glass_at is not None and not hasattr(withdrawal, "glass_review")


def _counting(withdrawal: Withdrawal) -> set[str]:
    """To this very payload, genuine, of people other than the requester who are admins still."""
    rows = Membership.objects.in_force().filter(desk=withdrawal.desk_id, role__in=ALLOWED[Right.BREAK_GLASS])
    people = {row.user_id: person_of(row.user.email) for row in rows.select_related("user")}
    votes = withdrawal.glass_votes.filter(round=withdrawal.round, digest=withdrawal.digest)
    found = {
        people[vote.reviewer_id]
        for vote in votes
        if vote.reviewer_id in people and vote.reviewer_person == people[vote.reviewer_id] and is_genuine(vote)
    }
    return found - {withdrawal.requester_person, person_of(withdrawal.requester.email)}


def _require_other(withdrawal: Withdrawal, by: User) -> None:
    if by.pk == withdrawal.requester_id or person_of(by.email) == withdrawal.requester_person:
        raise NotAllowed("You asked for it, so others have to decide.", code="own")


def _require_breakable(withdrawal: Withdrawal, asked: Asked) -> None:
    if not asked.demand.break_glass:
        raise NotAllowed("The policy of this request has no break-glass.", code="policy")
    if not withdrawal.is_waiting or withdrawal.glass_at is not None:
        raise NotAllowed(f"It is {withdrawal.get_status_display().lower()}; there is no glass to break.", code="moved")
    if withdrawal.expires_at is None or withdrawal.expires_at <= timezone.now():
        raise NotAllowed("It has expired.", code="expired")


def _tell(withdrawal: Withdrawal, vote: GlassVote) -> None:
    """The second word opens the way; either one is told to everybody at once."""
    count, now = len(_counting(withdrawal)), timezone.now()
    details = {"votes": count, "needed": GLASS_NEEDS, "factor": vote.factor, "note": vote.note, "digest": vote.digest}
    remark = f"{vote.reviewer} broke the glass: {vote.note}"[:400]
    if count < GLASS_NEEDS:
        move(withdrawal, None, by=vote.reviewer, action="glass_asked", remark=remark, details=details)
        notify_desk(withdrawal, "glass_asked", EVERYBODY)
        return
    to = None if withdrawal.state is S.READY else S.READY
    move(withdrawal, to, by=vote.reviewer, action="glass_broken", remark=remark, glass_at=now, approved_at=now,
         ready_at=now, look_at=None, details=details)  # fmt: skip
    notify_desk(withdrawal, "glass_broken", EVERYBODY)
