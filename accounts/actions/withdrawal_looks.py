"""What the queue and the page of a withdrawal show, and what changed since somebody last looked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.actions.policy import PolicyBroken
from accounts.actions.withdrawal_demands import Asked, counting, demand_in_words, velocity_of
from accounts.actions.withdrawal_glass import awaits_judgement, breakers
from accounts.actions.withdrawal_moves import tampered
from accounts.actions.withdrawal_reviews import asked_for
from accounts.models import Approval, AuditRow, Balances, Desk, Glance, Notice, User, Withdrawal
from accounts.prepared import Prepared
from accounts.rights import Right, has, membership_of
from accounts.withdrawal_rules import OPEN, S, balance_in, lands_in_words, person_of

DONE_SHOWN = 50
UNFINISHED = Q(status__in=[S.PENDING, S.UNCERTAIN]) | Q(glass_at__isnull=False, glass_review=None)
WAITING = Prepared(lambda desk: Withdrawal.objects.filter(UNFINISHED, desk=desk).select_related("glass_review"))
TOLD = {
    "drafted": "Draft kept", "draft_changed": "Draft changed", "requested": "Asked for",
    "changed": "Changed, votes void",
    "approved": "Approved", "cooling": "Cooling off", "ready": "Ready", "sent_back": "Back to review",
    "rejected": "Rejected", "cancelled": "Taken back", "expired": "Expired", "escalated": "Reviewers warned",
    "held": "Waiting", "executing": "Executing", "confirmed": "Confirmed", "reconciled": "Found in the account log",
    "failed": "Failed", "not_sent": "Not sent, ready again", "uncertain": "Uncertain", "late_answer": "A late answer",
    "evidence": "Evidence", "settling": "A word on the outcome", "resolved": "Resolved", "tampered": "Tampered with",
    "glass_asked": "Glass: one admin", "glass_broken": "Glass broken", "glass_reviewed": "Broken glass judged",
}  # fmt: skip
LABELS = {
    "source": "From", "currency": "Currency", "amount": "Amount", "landing": "Where it lands",
    "target_wallet": "Wallet there", "target_account": "Account there", "reason": "Reason", "policy": "Policy",
}  # fmt: skip


@dataclass
class Line:
    """A row of the queue."""

    w: Withdrawal
    votes: int
    needs_you: bool


@dataclass
class Group:
    title: str
    empty: str
    clock: str = "Time left"
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Purse:
    """What the source holds of the currency before and after, and when the venue said so."""

    before: Decimal
    after: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One point of the timeline."""

    at: Any
    word: str
    actor: str
    note: str


def queue(desk: Desk, user: User) -> list[Group]:
    """Every request of the desk under the heading that says what it waits for; a draft only for its author."""
    groups = {
        "needs": Group("Needs you", "Nothing waits for you.", clock="Time left, or since"),
        "others": Group("Waiting for others", "Nothing waits for anybody else."),
        "scheduled": Group("Scheduled", "Nothing is approved and waiting for its time."),
        "executing": Group("Executing", "Nothing is being sent.", clock="Since"),
        "uncertain": Group("Uncertain", "Nothing is uncertain.", clock="Since"),
        "drafts": Group("Your drafts", ""),
        "done": Group("Done", "What was sent, rejected or expired will be listed here.", clock="Ended"),
    }
    rows = Withdrawal.objects.filter(desk=desk).select_related("account", "desk", "requester", "glass_review")
    live = rows.filter(Q(status__in=OPEN) | Q(glass_at__isnull=False, glass_review=None))
    drafts = rows.filter(status=S.DRAFT, requester=user)
    ended = rows.exclude(pk__in=live.values("pk")).asked_for()[:DONE_SHOWN]
    may = has(membership_of(user, desk), Right.REVIEW_WITHDRAWAL)
    for row in [*live.order_by("expires_at"), *drafts, *ended]:
        line = Line(row, len(_votes(row)), may and needs(row, user))
        groups[_place(line)].lines.append(line)
    if any(line.w.state is S.UNCERTAIN for line in groups["needs"].lines):
        groups["uncertain"].empty = "Nothing else is uncertain."
    return [group for name, group in groups.items() if group.lines or name not in {"drafts"}]


def needs(row: Withdrawal, user: User) -> bool:
    """Would this person's word count, and is it missing? The role is asked elsewhere."""
    if user.pk == row.requester_id or person_of(user.email) == row.requester_person:
        return False
    if row.state is S.PENDING:
        return not row.approvals.filter(round=row.round, reviewer=user).exists()
    if row.state is S.UNCERTAIN and not row.settlements.filter(reviewer=user).exists():
        return True
    return may_judge(row, user)


def may_judge(row: Withdrawal, user: User) -> bool:
    """The glass was broken, nobody judged it yet, and this person neither asked nor broke it."""
    own = user.pk == row.requester_id or person_of(user.email) == row.requester_person
    return not own and not row.is_waiting and awaits_judgement(row) and person_of(user.email) not in breakers(row)


def needs_count(desk: Desk, user: User) -> int:
    """For the frame: how many requests wait for this person."""
    waiting = WAITING.all(desk.pk)
    if not waiting or not has(membership_of(user, desk), Right.REVIEW_WITHDRAWAL):
        return 0
    return sum(needs(row, user) for row in waiting)


def detail(row: Withdrawal, user: User) -> dict[str, Any]:
    """Everything the page of one request says beside its columns."""
    membership = membership_of(user, row.desk)
    trouble, asked = "", None
    try:
        asked = asked_for(row) if row.policy_number else None
    except PolicyBroken as broken:
        trouble = broken.reason
    votes = counting(row, asked.demand) if asked else []
    open_ = row.state in {S.PENDING, S.COOLING, S.READY}
    return {
        "lands": lands_in_words(row.landing, row.target_wallet, row.target_label, row.account.label),
        "asked": asked,
        "demand": demand_in_words(asked.demand) if asked else "",
        "votes": votes,
        "settlements": row.settlements.select_related("reviewer"),
        "purse": purse(row),
        "velocity": _velocity(row, asked) if open_ and asked else [],
        "timeline": timeline(row),
        "tampered": tampered(row) if not row.is_ended else [],
        "trouble": trouble,
        "may_approve": has(membership, Right.REVIEW_WITHDRAWAL) and needs(row, user) and row.state is S.PENDING,
        "may_settle": has(membership, Right.REVIEW_WITHDRAWAL) and needs(row, user) and row.state is S.UNCERTAIN,
        "may_reject": has(membership, Right.REVIEW_WITHDRAWAL) and open_ and user.pk != row.requester_id,
        "may_cancel": user.pk == row.requester_id and open_,
        "may_break": _may_break(row, user, asked) and has(membership, Right.BREAK_GLASS),
        "may_judge": may_judge(row, user) and has(membership, Right.REVIEW_WITHDRAWAL),
        "glass_votes": row.glass_votes.filter(round=row.round).select_related("reviewer"),
        "awaits_judgement": awaits_judgement(row),
        "is_own": user.pk == row.requester_id,
        "is_open": open_,
    }


def timeline(row: Withdrawal) -> list[Step]:
    """The book's rows about it, oldest first."""
    found = AuditRow.objects.filter(about=f"withdrawal:{row.pk}", desk=row.desk_id).select_related("actor")
    return [
        Step(
            at=one.at,
            word=TOLD.get(one.action.removeprefix("withdrawal."), one.action),
            actor=str(one.actor) if one.actor else "kfweb",
            note=_note(one.details),
        )
        for one in found.order_by("pk")
    ]


def changes_since(row: Withdrawal, user: User) -> list[tuple[str, str, str]]:
    """What is different from what this person last saw (name, was, is); this look becomes the last."""
    now = {name: str(value) for name, value in row.payload.items()}
    glance = Glance.objects.filter(withdrawal=row, user=user).first()
    Glance.objects.update_or_create(withdrawal=row, user=user, defaults={"payload": now, "at": timezone.now()})
    Notice.objects.filter(withdrawal=row, user=user, seen_at=None).update(seen_at=timezone.now())
    if glance is None:
        return []
    old = glance.payload
    return [(label, old.get(name, ""), now[name]) for name, label in LABELS.items() if old.get(name, "") != now[name]]


def purse(row: Withdrawal) -> Purse | None:
    """As it was right before the attempt; before any, as the desk last heard. None: nobody said, or nothing moved."""
    before = row.evidence.get("before", {})
    moved = row.state in {S.EXECUTING, S.CONFIRMED} or row.resolution == "sent"
    if moved and "balance" in before:
        balance, at = Decimal(before["balance"]), datetime.fromisoformat(before["at"])
        return Purse(balance, balance - row.amount, at)
    said = Balances.objects.filter(account=row.account_id).first() if row.is_waiting else None
    if said is None:
        return None
    balance = balance_in(said.known, row.source, row.currency)
    return Purse(balance, balance - row.amount, said.at)


def _place(line: Line) -> str:
    if line.needs_you:
        return "needs"
    return {
        S.DRAFT: "drafts", S.PENDING: "others", S.COOLING: "scheduled", S.READY: "scheduled",
        S.EXECUTING: "executing", S.UNCERTAIN: "uncertain",
    }.get(line.w.state, "done")  # fmt: skip


def _votes(row: Withdrawal) -> list[Approval]:
    if row.is_ended or row.state is S.DRAFT:
        return list(row.approvals.filter(digest=row.digest))
    try:
        return counting(row, asked_for(row).demand)
    except PolicyBroken:
        return []


def _may_break(row: Withdrawal, user: User, asked: Asked | None) -> bool:
    if asked is None or not asked.demand.break_glass or not row.is_waiting or row.glass_at is not None:
        return False
    own = user.pk == row.requester_id or person_of(user.email) == row.requester_person
    return not own and person_of(user.email) not in breakers(row)


def _velocity(row: Withdrawal, asked: Asked) -> list[Any]:
    return velocity_of(row, asked, timezone.now(), with_reserved=True)


def _note(details: dict[str, Any]) -> str:
    """The part of a row's details that tells something to people."""
    parts = [str(details[name]) for name in ("why", "reason", "note", "outcome", "reference") if details.get(name)]
    if details.get("votes"):
        parts.append(f"{details['votes']} of {details['needed']}")
    if details.get("factor"):
        parts.append(f"proven by {details['factor']}")
    if details.get("columns"):
        parts.append(", ".join(details["columns"]))
    return "; ".join(parts)
