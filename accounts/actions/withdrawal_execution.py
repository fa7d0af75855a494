"""The one attempt: claimed under a lease, everything checked again, sent once, written down.

Between the claim and the answer no transaction is open. Whoever dies there leaves the row executing; when its lease
has run out the sweep calls it uncertain. Nothing is ever sent again by itself.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.actions.policy import PolicyBroken
from accounts.actions.withdrawal_demands import Asked, Facts, asked_of, closed_because, counting, usd_of, velocity_of
from accounts.actions.withdrawal_glass import is_broken
from accounts.actions.withdrawal_moves import Tampered, move, take, tampered
from accounts.actions.withdrawal_notices import notify_desk, notify_requester
from accounts.actions.withdrawal_reviews import send_back
from accounts.actions.withdrawals import read_facts, require_permission
from accounts.durable import durable_transaction
from accounts.hooks import money_halted
from accounts.models import ApiKey, Desk, Withdrawal
from accounts.rights import ALLOWED, Right, has, membership_of
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from accounts.venues import session_for
from accounts.withdrawal_rules import S, amount_trouble, balance_in, digest_of, free_in
from krakenfutures.errors import KrakenError
from krakenfutures.funds import Landing, MoneyOutcome, Receipt, Transfer
from krakenfutures.numbers import plain
from krakenfutures.values import Lost, OrderRef, Rejected
from krakenfutures.venue import Session

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
CALL_TAKES = timedelta(seconds=20)  # the longest the call itself can last; later than that nobody starts it
TRY_AGAIN = timedelta(seconds=30)  # for a request that has to wait
NOT_SENT = {"notSent", "throttled"}  # proven: nothing left this machine, or the door did not take it


class Later(Exception):
    """Not now: the request stays ready and `why` is shown."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one attempt. `number` fences off whoever comes late, `until` is of the monotonic clock."""

    withdrawal: Withdrawal
    key: ApiKey
    number: int
    until: float


def execute(withdrawal_id: UUID) -> Withdrawal:
    """Make the attempt if everything still allows it. Safe to call from any number of workers at once."""
    withdrawal = Withdrawal.objects.select_related("account__desk", "requester").get(pk=withdrawal_id)
    try:
        facts, mark = _look_before(withdrawal)
        claim = _claim(withdrawal_id, facts, mark)
    except Later as later:
        return _hold(withdrawal_id, later.why)
    except Tampered as broken:
        return condemn(withdrawal_id, broken)
    except PolicyBroken as broken:
        return _hold(withdrawal_id, broken.reason)
    if claim is None:
        withdrawal.refresh_from_db()
        return withdrawal
    return _write_down(claim, _call_once(claim))


def condemn(withdrawal_id: UUID, broken: Tampered) -> Withdrawal:
    """A row another hand changed is never sent. It fails, naming the columns; one that may have left is uncertain."""
    with transaction.atomic():
        withdrawal = take(withdrawal_id, anyway=True)
        state = withdrawal.state
        details = {"columns": broken.columns}
        if state in {S.PENDING, S.COOLING, S.READY}:
            move(withdrawal, S.FAILED, by=None, action="tampered", remark=broken.reason[:400], details=details,
                 finished_at=timezone.now())  # fmt: skip
            notify_desk(withdrawal, "failed", ALLOWED[Right.REVIEW_WITHDRAWAL])
        elif state is S.EXECUTING:
            move(withdrawal, S.UNCERTAIN, by=None, action="tampered", remark=broken.reason[:400], details=details,
                 look_at=timezone.now())  # fmt: skip
            notify_desk(withdrawal, "uncertain", ALLOWED[Right.REVIEW_WITHDRAWAL])
    return withdrawal


# --- before --------------------------------------------------------------------------------------------------------


def _look_before(withdrawal: Withdrawal) -> tuple[Facts, int]:
    """Wallets, prices, and the last row of the account log: what comes after it is what came of the attempt."""
    try:
        key = require_permission(withdrawal.account, withdrawal.landing)
        facts = read_facts(withdrawal.account)
        with session_for(key) as session:
            rows = session.funds.ledger(count=1)
    except NotAllowed as refusal:
        raise Later(refusal.reason) from None
    except (KrakenError, VaultError) as problem:
        raise Later(f"The exchange could not be asked: {problem}") from None
    return facts, rows[0].id if rows else 0


def _claim(withdrawal_id: UUID, facts: Facts, mark: int) -> Claim | None:
    """Take, check, write Executing, commit. None when it is no longer for us to send.

    Raises `Later`, `Tampered`, `PolicyBroken`.
    """
    with durable_transaction():
        desk_id = Withdrawal.objects.values_list("desk", flat=True).get(pk=withdrawal_id)
        Desk.objects.select_for_update(no_key=True).get(pk=desk_id)  # one attempt at a time: velocity is the desk's
        withdrawal = take(withdrawal_id)
        if withdrawal.state is not S.READY:
            return None
        asked = _check_all(withdrawal, facts)
        if asked is None:
            return None
        key = _key(withdrawal)
        now = timezone.now()
        number = withdrawal.claims + 1
        before = {
            "ledger_mark": mark,
            "balance": plain(balance_in(facts.wallets, withdrawal.source, withdrawal.currency)),
            "at": now.isoformat(),
        }
        move(
            withdrawal, S.EXECUTING, by=None, action="executing", claims=number, lease_until=now + LEASE,
            holder=f"{socket.gethostname()}:{os.getpid()}"[:80], executing_at=now, usd=asked.usd, remark="",
            evidence={"before": before}, details={"claim": number, "usd": plain(asked.usd or Decimal(0))},
        )  # fmt: skip
        until = time.monotonic() + (LEASE - CALL_TAKES).total_seconds()
    return Claim(withdrawal, key, number, until)


def _check_all(withdrawal: Withdrawal, facts: Facts) -> Asked | None:
    """Digest, policy, votes, cool-off, hours, halt, velocity, balance. None: it went back or ended. Raises `Later`."""
    now = timezone.now()
    if digest_of(withdrawal.payload) != withdrawal.digest:
        raise Tampered(["digest"])
    if withdrawal.expires_at is None or withdrawal.expires_at <= now:
        expire(withdrawal)
        return None
    usd = usd_of(withdrawal.currency, withdrawal.amount, facts.prices)
    if usd is None:
        raise Later(f"Nobody prices {withdrawal.currency} at the moment.")
    asked = asked_of(withdrawal.desk, withdrawal.policy_number, usd, first_time=withdrawal.is_first_time)
    if not has(membership_of(withdrawal.requester, withdrawal.desk), Right.REQUEST_WITHDRAWAL):
        _fail(withdrawal, "Whoever asked for it may not ask any more.")
        return None
    if trouble := amount_trouble(withdrawal.currency, withdrawal.amount):
        _fail(withdrawal, f"The exchange would not take it: {trouble}")
        return None
    broken = is_broken(withdrawal, asked)
    if not broken and not _is_approved(withdrawal, asked):
        return None
    if why := closed_because(asked, now, any_hour=broken) or money_halted(withdrawal.account_id):
        raise Later(why)
    exceeded = [one for one in velocity_of(withdrawal, asked, now, with_reserved=False) if one.is_exceeded]
    if exceeded:
        raise Later(" ".join(one.sentence for one in exceeded))
    if withdrawal.amount > free_in(facts.wallets, withdrawal.source, withdrawal.currency):
        raise Later("There is not enough free in that wallet now.")
    return asked


def _is_approved(withdrawal: Withdrawal, asked: Asked) -> bool:
    """Enough votes that count now, and their cool-off is over; else it goes back to waiting for what is missing."""
    votes = counting(withdrawal, asked.demand)
    if len(votes) < asked.demand.approvals:
        send_back(withdrawal, asked, f"{len(votes)} of {asked.demand.approvals} approvals count now.")
        return False
    quorum_at = sorted(vote.at for vote in votes)[asked.demand.approvals - 1]
    due = quorum_at + asked.demand.cool_off
    if due > timezone.now():
        move(withdrawal, S.COOLING, by=None, action="cooling", ready_at=due, details={"ready_at": due.isoformat()})
        return False
    return True


def _key(withdrawal: Withdrawal) -> ApiKey:
    try:
        return require_permission(withdrawal.account, withdrawal.landing)
    except NotAllowed as refusal:
        raise Later(refusal.reason) from None


def _fail(withdrawal: Withdrawal, why: str) -> None:
    move(withdrawal, S.FAILED, by=None, action="failed", remark=why[:400], finished_at=timezone.now(),
         details={"why": why})  # fmt: skip
    notify_requester(withdrawal, "failed")


def expire(withdrawal: Withdrawal) -> None:
    """Inside the caller's transaction."""
    move(withdrawal, S.EXPIRED, by=None, action="expired", finished_at=timezone.now())
    notify_requester(withdrawal, "expired")


def _hold(withdrawal_id: UUID, why: str) -> Withdrawal:
    """It stays ready; the page says what it waits for. Said once, not with every sweep."""
    again = timezone.now() + TRY_AGAIN
    with transaction.atomic():
        try:
            withdrawal = take(withdrawal_id)
        except Tampered as broken:
            return condemn(withdrawal_id, broken)
        if withdrawal.state is S.READY:
            said = withdrawal.remark == why[:400]
            move(withdrawal, None, by=None, action="held", remark=why[:400], look_at=again, details={"why": why},
                 quiet=said)  # fmt: skip
    return withdrawal


# --- the call ------------------------------------------------------------------------------------------------------


def _call_once(claim: Claim) -> MoneyOutcome:
    """No transaction is open here. Every way to fail after this line is an outcome; only a crash leaves none."""
    withdrawal = claim.withdrawal
    claim.key.in_hands_of, claim.key.in_use_for = withdrawal.requester, "a withdrawal"
    try:
        with session_for(claim.key) as session:
            if time.monotonic() > claim.until:
                return Rejected(code="notSent", sentence="This worker was held up for too long, so it sent nothing.")
            return _send(session, withdrawal)
    except VaultError as problem:  # the key was not opened, so nothing was sent
        return Rejected(code="vault", sentence=str(problem))


def _send(session: Session, withdrawal: Withdrawal) -> MoneyOutcome:
    try:
        if withdrawal.landing == Landing.SPOT:
            return session.funds.withdraw(withdrawal.currency, withdrawal.amount, source=withdrawal.source)
        there = withdrawal.landing == Landing.SUBACCOUNT
        return session.funds.move(
            Transfer(
                source=withdrawal.source,
                target=withdrawal.target_wallet,
                currency=withdrawal.currency,
                amount=withdrawal.amount,
                from_account=withdrawal.account.venue_uid if there else "",
                to_account=withdrawal.target_account if there else "",
            )
        )
    except Exception as surprise:  # a defect of ours must not be taken for a no
        log.exception("a withdrawal met something unforeseen", withdrawal=str(withdrawal.pk))
        return Lost(ref=OrderRef(), why=f"something unforeseen happened ({type(surprise).__name__})")


# --- after ---------------------------------------------------------------------------------------------------------


def _write_down(claim: Claim, outcome: MoneyOutcome) -> Withdrawal:
    """What the answer proves. An answer that comes after the lease was taken away is kept as evidence only."""
    with transaction.atomic():
        withdrawal = take(claim.withdrawal.pk, anyway=True)
        columns = tampered(withdrawal)
        if withdrawal.claims != claim.number or withdrawal.state is not S.EXECUTING or columns:
            return _too_late(withdrawal, outcome, columns)
        if isinstance(outcome, Receipt):
            _confirm(withdrawal, outcome)
        elif isinstance(outcome, Lost):
            why = f"No clear answer came: {outcome.why}"
            move(withdrawal, S.UNCERTAIN, by=None, action="uncertain", remark=why[:400], look_at=timezone.now(),
                 details={"why": outcome.why})  # fmt: skip
            notify_desk(withdrawal, "uncertain", ALLOWED[Right.REVIEW_WITHDRAWAL])
        elif outcome.code in NOT_SENT:
            move(withdrawal, S.READY, by=None, action="not_sent", remark=outcome.sentence[:400], lease_until=None,
                 executing_at=None, look_at=timezone.now() + TRY_AGAIN, details={"answer": outcome.code})  # fmt: skip
        else:
            move(withdrawal, S.FAILED, by=None, action="failed", remark=outcome.sentence[:400],
                 finished_at=timezone.now(), details={"answer": outcome.code})  # fmt: skip
            notify_desk(withdrawal, "failed", ALLOWED[Right.REVIEW_WITHDRAWAL])
    return withdrawal


def _confirm(withdrawal: Withdrawal, receipt: Receipt) -> None:
    now = timezone.now()
    move(
        withdrawal, S.CONFIRMED, by=None, action="confirmed", reference=receipt.reference[:80], finished_at=now,
        look_at=now, details={"reference": receipt.reference},
    )  # fmt: skip
    notify_requester(withdrawal, "confirmed")


def _too_late(withdrawal: Withdrawal, outcome: MoneyOutcome, columns: list[str]) -> Withdrawal:
    said = _in_words(outcome)
    evidence = {**withdrawal.evidence, "late_answer": said}
    reference = outcome.reference if isinstance(outcome, Receipt) else ""
    details = {"answer": said, "columns": columns}
    if withdrawal.state is S.EXECUTING:
        move(withdrawal, S.UNCERTAIN, by=None, action="uncertain", look_at=timezone.now(), evidence=evidence,
             reference=reference, remark=f"The row was changed while it was sent ({', '.join(columns)})."[:400],
             details=details)  # fmt: skip
        notify_desk(withdrawal, "uncertain", ALLOWED[Right.REVIEW_WITHDRAWAL])
    else:
        move(withdrawal, None, by=None, action="late_answer", evidence=evidence, reference=reference, details=details)
    return withdrawal


def _in_words(outcome: MoneyOutcome) -> str:
    if isinstance(outcome, Receipt):
        return f"The exchange took it{f' with the reference {outcome.reference}' if outcome.reference else ''}."
    return outcome.why if isinstance(outcome, Lost) else outcome.sentence
