"""Sentences to the people who are needed: stored with the change they speak of, in everybody's inbox."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.actions.notices import notify as tell
from accounts.actions.withdrawal_demands import Asked, able_reviewers
from accounts.models import Level, Membership, Topic, User, Withdrawal
from accounts.withdrawal_rules import in_words, person_of
from krakenfutures.numbers import plain

SENTENCES = {
    "review": "{who} asks to move {what}. Your review is needed; it expires {expires}. Code {code}.",
    "changed": "{who} changed the request to move {what}: earlier votes are void. Code {code}.",
    "escalated": "Still waiting: {what}, asked for by {who}, expires {expires}. Code {code}.",
    "more_asked": "More approvals are needed for {what}, asked for by {who}. Code {code}.",
    "ready": "{what} is approved and will be sent. Code {code}.",
    "confirmed": "{what} was sent; the exchange's reference is {reference}. Code {code}.",
    "failed": "{what} was not sent: {remark} Code {code}.",
    "rejected": "{what} was rejected: {remark} Code {code}.",
    "expired": "{what} expired without enough approvals. Code {code}.",
    "uncertain": "It is not known whether {what} was sent. Two people must look at the evidence. Code {code}.",
    "glass_asked": "GLASS: {remark} One more admin, and {what} is sent without its review. Code {code}.",
    "glass_broken": "GLASS BROKEN: {what} is sent without its review. {remark} Code {code}.",
    "glass_reviewed": "The broken glass of {what} was judged; the page says how. Code {code}.",
    "resolved": "{what} is settled: {resolution}. Code {code}.",
}


LEVELS = {
    "uncertain": Level.CRITICAL,
    "glass_broken": Level.CRITICAL,
    "failed": Level.WARNING,
    "review": Level.WARNING,
    "escalated": Level.WARNING,
    "glass_asked": Level.WARNING,
}


def notify_reviewers(withdrawal: Withdrawal, asked: Asked, kind: str) -> None:
    """Everybody whose vote would count."""
    able = able_reviewers(withdrawal, asked)
    rows = Membership.objects.in_force().filter(desk=withdrawal.desk_id).select_related("user")
    notify(withdrawal, kind, [row.user for row in rows if person_of(row.user.email) in able])


def notify_requester(withdrawal: Withdrawal, kind: str) -> None:
    notify(withdrawal, kind, [withdrawal.requester])


def notify_desk(withdrawal: Withdrawal, kind: str, roles: Iterable[str]) -> None:
    rows = Membership.objects.in_force().filter(desk=withdrawal.desk_id, role__in=list(roles)).select_related("user")
    notify(withdrawal, kind, {row.user for row in rows} | {withdrawal.requester})


def notify(withdrawal: Withdrawal, kind: str, people: Iterable[User]) -> None:
    text = SENTENCES[kind].format(
        who=withdrawal.requester,
        what=f"{plain(withdrawal.amount)} {withdrawal.currency} to {withdrawal.target_label or withdrawal.landing}",
        code=withdrawal.code,
        expires=in_words(withdrawal.expires_at) if withdrawal.expires_at else "never",
        reference=withdrawal.reference or "none",
        remark=withdrawal.remark,
        resolution=withdrawal.get_resolution_display(),
    )
    tell(
        people, topic=Topic.WITHDRAWAL, kind=kind, level=LEVELS.get(kind, Level.INFO), text=text, desk=withdrawal.desk,
        withdrawal=withdrawal, link=withdrawal.get_absolute_url(),
    )  # fmt: skip
