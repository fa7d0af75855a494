"""What became of an attempt: the venue's own book against ours, and two people who say so where it is uncertain."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions.policy import require_factor
from accounts.actions.withdrawal_moves import is_genuine, move, seal_vote, take
from accounts.actions.withdrawal_notices import notify_desk
from accounts.actions.withdrawals import usable_key
from accounts.models import Membership, Settlement, User, Withdrawal
from accounts.rights import ALLOWED, Right, require
from accounts.rules import NotAllowed
from accounts.stepup import Factor
from accounts.vault import VaultError
from accounts.venues import session_for
from accounts.withdrawal_rules import Finding, Looked, S, balance_in, matching, person_of, weigh
from krakenfutures.errors import KrakenError
from krakenfutures.funds import LedgerRow
from krakenfutures.numbers import plain
from krakenfutures.values import Wallets

SHORT_PAGE, PAGE = 25, 1000  # rows of the account log; a page costs one, or three, of the hundred for ten minutes
PAUSES = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=60), timedelta(minutes=5))
WATCHED_FOR = timedelta(days=2)  # after that somebody has to look at the venue's own site
NEEDED = 2


def look(withdrawal_id: UUID) -> Withdrawal:
    """Read the account log and the balance, and write down what they say of an attempt. Reads only."""
    withdrawal = Withdrawal.objects.select_related("account__desk").get(pk=withdrawal_id)
    if withdrawal.state not in {S.UNCERTAIN, S.CONFIRMED} or withdrawal.ledger_row is not None:
        return withdrawal
    try:
        looked, seen = _ask(withdrawal)
    except (NotAllowed, KrakenError, VaultError) as problem:
        looked, seen = None, {"trouble": str(problem)[:200]}
    with transaction.atomic():
        withdrawal = take(withdrawal_id, anyway=True)
        if withdrawal.state is S.UNCERTAIN:
            _attach(withdrawal, looked, seen)
        elif withdrawal.state is S.CONFIRMED:
            _reconcile(withdrawal, looked, seen)
    return withdrawal


def settle(withdrawal_id: UUID, *, by: User, outcome: str, note: str, factor: Factor | None) -> Withdrawal:
    """One person's word on an uncertain attempt; two that agree resolve it. A person's newer word replaces theirs.

    Raises `NotAllowed`: for the requester, without a note, and against certain evidence.
    """
    proof = require_factor(factor)
    if outcome not in {"sent", "not_sent"}:
        raise NotAllowed("Say whether the money moved.", field="outcome", code="outcome")
    if not note.strip():
        raise NotAllowed("Say what you looked at.", field="note", code="note")
    with transaction.atomic():
        withdrawal = take(withdrawal_id, anyway=True)
        require(by, withdrawal.desk, Right.REVIEW_WITHDRAWAL)
        if by.pk == withdrawal.requester_id or person_of(by.email) == withdrawal.requester_person:
            raise NotAllowed("You asked for it, so two others have to say what became of it.", code="own")
        if withdrawal.state is not S.UNCERTAIN:
            raise NotAllowed(f"It is {withdrawal.get_status_display().lower()}, not uncertain.", code="moved")
        finding = str(withdrawal.evidence.get("finding", ""))
        if finding in {"sent", "not_sent"} and finding != outcome:
            raise NotAllowed(f"The evidence says otherwise: {withdrawal.evidence.get('why', '')}", code="evidence")
        if outcome == "not_sent" and finding in {"", Finding.TOO_EARLY}:
            raise NotAllowed("It is too early to say that nothing moved: the log may lag.", code="early")
        _say(withdrawal, by, outcome, note.strip()[:400], proof)
        if len(_agreeing(withdrawal, outcome)) >= NEEDED:
            _resolve(withdrawal, outcome)
    return withdrawal


# --- looking -------------------------------------------------------------------------------------------------------


def _ask(withdrawal: Withdrawal) -> tuple[Looked, dict[str, Any]]:
    """First the rows, then the balance, then the rows again: if none came in between, they belong together."""
    before: dict[str, Any] = withdrawal.evidence.get("before", {})
    mark = int(before.get("ledger_mark", 0))
    with session_for(usable_key(withdrawal.account)) as session:
        rows = session.funds.ledger(from_id=mark + 1, count=SHORT_PAGE, oldest_first=True)
        if len(rows) == SHORT_PAGE:
            rows = session.funds.ledger(from_id=mark + 1, count=PAGE, oldest_first=True)
        wallets = session.account.wallets()
        newest = session.funds.ledger(count=1)
    settled = not newest or newest[0].id == (rows[-1].id if rows else mark)
    is_complete = settled and [row.id for row in rows] == list(range(mark + 1, mark + 1 + len(rows)))
    looked = _weighed(withdrawal, before, rows, wallets, is_complete)
    seen = {
        "looked_at": timezone.now().isoformat(),
        "rows_seen": len(rows),
        "complete": is_complete,
        "balance_now": plain(balance_in(wallets, withdrawal.source, withdrawal.currency)),
        "rows": [_in_words(row) for row in looked.rows],
    }
    return looked, seen


def _weighed(
    withdrawal: Withdrawal, before: dict[str, Any], rows: list[LedgerRow], wallets: Wallets, is_complete: bool
) -> Looked:
    source, currency = withdrawal.source, withdrawal.currency
    if withdrawal.reference:
        named = tuple(row for row in rows if row.reference == withdrawal.reference)
        if named:
            return Looked(Finding.SENT, f"Row {named[0].id} of the account log carries the reference.", named)
    others = Withdrawal.objects.filter(account=withdrawal.account, ledger_row__isnull=False).exclude(pk=withdrawal.pk)
    references = set(
        Withdrawal.objects.filter(account=withdrawal.account).exclude(pk=withdrawal.pk).exclude(reference="")
        .values_list("reference", flat=True)
    )  # fmt: skip
    candidates = matching(
        (row for row in rows if row.reference not in references), landing=withdrawal.landing, source=source,
        currency=currency, amount=withdrawal.amount,
        taken={number for number in others.values_list("ledger_row", flat=True) if number is not None},
    )  # fmt: skip
    start = Decimal(before["balance"]) if "balance" in before else None
    moved = sum((row.change for row in rows if (row.wallet, row.asset) == (source, currency)), Decimal(0))
    return weigh(
        candidates,
        is_complete=is_complete,
        balance_before=start,
        explained=None if start is None else start + moved,
        balance_now=balance_in(wallets, source, currency),
        age=timezone.now() - (withdrawal.executing_at or withdrawal.created_at),
    )


def _attach(withdrawal: Withdrawal, looked: Looked | None, seen: dict[str, Any]) -> None:
    """The newest look replaces the last; what was certain once stays certain."""
    evidence = {**withdrawal.evidence, **seen}
    if looked is not None:
        evidence |= {"finding": looked.finding.value, "why": looked.why}
        evidence["row_id"] = looked.rows[0].id if looked.finding is Finding.SENT else None
    news = evidence.get("finding") != withdrawal.evidence.get("finding")
    again = _again(withdrawal, evidence.get("finding"))
    move(withdrawal, None, by=None, action="evidence", evidence=evidence, look_at=again, quiet=not news,
         details={"finding": evidence.get("finding", ""), "why": evidence.get("why", "")})  # fmt: skip


def _reconcile(withdrawal: Withdrawal, looked: Looked | None, seen: dict[str, Any]) -> None:
    """A confirmed withdrawal finds its row in the venue's book; until then the page says that it was not found yet."""
    evidence = {**withdrawal.evidence, **seen}
    if looked is None or looked.finding is not Finding.SENT:
        if looked is not None:
            evidence["why"] = looked.why
        move(withdrawal, None, by=None, action="looked", evidence=evidence, look_at=_again(withdrawal, None),
             quiet=True)  # fmt: skip
        return
    evidence |= {"finding": "sent", "why": looked.why}
    try:
        with transaction.atomic():
            move(withdrawal, None, by=None, action="reconciled", evidence=evidence, look_at=None,
                 ledger_row=looked.rows[0].id, details={"row": looked.rows[0].id})  # fmt: skip
    except IntegrityError:  # another request took the row in the same moment; look again
        return


def _again(withdrawal: Withdrawal, finding: str | None) -> datetime | None:
    """Soon at first, then rarely; not at all once it is certain."""
    if finding in {"sent", "not_sent"}:
        return None
    age = timezone.now() - (withdrawal.executing_at or withdrawal.created_at)
    if age > WATCHED_FOR:
        return None
    pause = next((pause for pause in PAUSES if age < pause * 6), PAUSES[-1])
    return timezone.now() + pause


# --- saying --------------------------------------------------------------------------------------------------------


def _say(withdrawal: Withdrawal, by: User, outcome: str, note: str, proof: Factor) -> None:
    word = Settlement.objects.filter(withdrawal=withdrawal, reviewer=by).first() or Settlement(
        withdrawal=withdrawal, reviewer=by, requester=withdrawal.requester,
        requester_person=withdrawal.requester_person,
    )  # fmt: skip
    word.reviewer_person, word.outcome, word.note = person_of(by.email), outcome, note
    word.factor, word.factor_at, word.at = proof.kind, proof.at, timezone.now()
    word.seal = seal_vote(word)
    try:
        with transaction.atomic():
            word.save()
    except IntegrityError:
        raise NotAllowed("You said so already; one person has one word.", code="voted") from None
    move(withdrawal, None, by=by, action="settling", details={"outcome": outcome, "note": note, "factor": proof.kind})


def _agreeing(withdrawal: Withdrawal, outcome: str) -> set[str]:
    may = ALLOWED[Right.REVIEW_WITHDRAWAL]
    members = Membership.objects.in_force().filter(desk=withdrawal.desk_id, role__in=may).select_related("user")
    people = {row.user_id: person_of(row.user.email) for row in members}
    said = {
        people[word.reviewer_id]
        for word in withdrawal.settlements.filter(outcome=outcome)
        if word.reviewer_id in people and is_genuine(word)
    }
    return said - {withdrawal.requester_person}


def _resolve(withdrawal: Withdrawal, outcome: str) -> None:
    row = withdrawal.evidence.get("row_id") if outcome == "sent" else None
    changes: dict[str, Any] = {"resolution": outcome, "finished_at": timezone.now(), "look_at": None}
    try:
        with transaction.atomic():
            move(withdrawal, S.RESOLVED, by=None, action="resolved", ledger_row=row, details={"outcome": outcome},
                 **changes)  # fmt: skip
    except IntegrityError:
        raise NotAllowed("That row of the account log belongs to another request.", code="evidence") from None
    notify_desk(withdrawal, "resolved", may_review())


def may_review() -> frozenset[str]:
    return frozenset(str(role) for role in ALLOWED[Right.REVIEW_WITHDRAWAL])


def _in_words(row: LedgerRow) -> dict[str, Any]:
    return {
        "id": row.id, "at": row.at.isoformat(), "kind": row.kind, "wallet": row.wallet, "asset": row.asset,
        "change": plain(row.change), "reference": row.reference,
    }  # fmt: skip
