"""The life of a withdrawal, what is bound by an approval, and what an account log proves: plain functions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Any

from accounts.policy_document import canonical
from krakenfutures.funds import CASH, MULTI_COLLATERAL, Landing, LedgerRow
from krakenfutures.numbers import is_multiple, plain
from krakenfutures.values import Wallets

ZERO = Decimal(0)
COIN_STEP, USD_STEP = Decimal("0.00000001"), Decimal("0.0001")
# The demo exchange's log keeps USD to four decimals; finer amounts could not be found again in it.


class S(StrEnum):
    DRAFT = "draft"
    PENDING = "pending"
    COOLING = "cooling"
    READY = "ready"
    EXECUTING = "executing"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


NEXT: dict[S, frozenset[S]] = {
    S.DRAFT: frozenset({S.PENDING, S.CANCELLED}),
    S.PENDING: frozenset({S.COOLING, S.READY, S.REJECTED, S.CANCELLED, S.EXPIRED, S.FAILED}),
    # Back to pending when a vote no longer counts or more is asked; failed when the row was tampered with.
    S.COOLING: frozenset({S.READY, S.PENDING, S.REJECTED, S.CANCELLED, S.EXPIRED, S.FAILED}),
    S.READY: frozenset({S.EXECUTING, S.PENDING, S.COOLING, S.REJECTED, S.CANCELLED, S.EXPIRED, S.FAILED}),
    # Ready again only when it is certain that nothing left this machine.
    S.EXECUTING: frozenset({S.CONFIRMED, S.FAILED, S.UNCERTAIN, S.READY}),
    S.UNCERTAIN: frozenset({S.RESOLVED}),  # by two people, never by itself
    S.CONFIRMED: frozenset(),
    S.FAILED: frozenset(),
    S.RESOLVED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}
WAITING = frozenset({S.PENDING, S.COOLING, S.READY})  # asked for, and holds a reservation
OPEN = WAITING | {S.EXECUTING, S.UNCERTAIN}
ENDED = frozenset(state for state, after in NEXT.items() if not after)

# --- what an approval binds ----------------------------------------------------------------------------------------

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 that cannot be taken for one another


def digest_of(payload: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(payload)).hexdigest()


def short_code(digest: str) -> str:
    """Forty bits of the digest to compare by eye: `7KQM-2XVA`. What is no digest has no code."""
    try:
        number = int(digest[:10], 16)
    except ValueError:
        return "????-????"
    letters = "".join(LETTERS[number >> shift & 31] for shift in range(35, -5, -5))
    return f"{letters[:4]}-{letters[4:]}"


def person_of(email: str) -> str:
    """The person behind an address: `a.b+desk@gmail.com` and `ab@gmail.com` are one, so that one votes once."""
    local, _, domain = email.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


# --- amounts -------------------------------------------------------------------------------------------------------


def step_of(currency: str) -> Decimal:
    return USD_STEP if currency == "USD" else COIN_STEP


def amount_trouble(currency: str, amount: Decimal) -> str:
    """What the venue would not take of this amount by itself, or "". It documents no smallest one but its step."""
    if not amount.is_finite() or amount <= 0:
        return "The amount must be above zero."
    if not is_multiple(amount, step_of(currency)):
        return f"{currency} moves in steps of {plain(step_of(currency))}."
    return ""


def rounded_down(currency: str, amount: Decimal) -> Decimal:
    return amount.quantize(step_of(currency), ROUND_DOWN)


def free_in(wallets: Wallets, source: str, currency: str) -> Decimal:
    """What may leave a wallet now without touching margin in use. 0 for a wallet that is not there."""
    if source == CASH:
        return max(wallets.cash.get(currency, ZERO), ZERO)
    if source == MULTI_COLLATERAL:
        holdings = wallets.flex.holdings if wallets.flex else ()
        return max(next((one.available for one in holdings if one.currency == currency), ZERO), ZERO)
    single = next((one for one in wallets.margin_accounts if one.name == source), None)
    if single is None or single.currency != currency:
        return ZERO
    return max(min(single.balance, single.available), ZERO)


def balance_in(wallets: Wallets, source: str, currency: str) -> Decimal:
    if source == CASH:
        return wallets.cash.get(currency, ZERO)
    if source == MULTI_COLLATERAL:
        holdings = wallets.flex.holdings if wallets.flex else ()
        return next((one.quantity for one in holdings if one.currency == currency), ZERO)
    return next((one.balance for one in wallets.margin_accounts if one.name == source), ZERO)


def wallet_in_words(name: str) -> str:
    """Kraken's name of a wallet, as people say it."""
    known = {MULTI_COLLATERAL: "multi-collateral wallet", CASH: "cash wallet"}
    return known.get(name, f"margin account {name}")


def lands_in_words(landing: str, wallet: str, label: str, account: str) -> str:
    if landing == Landing.SPOT:
        return f"the spot wallet of the Kraken user who owns “{account}”; from there only Kraken can send it on"
    if landing == Landing.SUBACCOUNT:
        return f"the {wallet_in_words(wallet)} of {label}, an account of its own"
    return f"the {wallet_in_words(wallet)} of “{account}” itself; it does not leave the account"


# --- time ----------------------------------------------------------------------------------------------------------

WARNED_BEFORE = timedelta(hours=6)


def warn_at(requested: datetime, expires: datetime) -> datetime:
    """When reviewers are reminded: six hours before it expires, or halfway there when it has less than twelve."""
    return expires - min(WARNED_BEFORE, (expires - requested) / 2)


# --- what the venue's book proves ----------------------------------------------------------------------------------

LEDGER_KIND = {
    Landing.SPOT.value: "cross-exchange transfer",
    Landing.WALLET.value: "transfer",
    Landing.SUBACCOUNT.value: "subaccount transfer",
}
SETTLES_AFTER = timedelta(minutes=10)  # a venue's book may lag; before this, absence says nothing


class Finding(StrEnum):
    SENT = "sent"
    NOT_SENT = "not_sent"
    UNCLEAR = "unclear"
    TOO_EARLY = "too_early"


@dataclass(frozen=True, slots=True)
class Looked:
    finding: Finding
    why: str
    rows: tuple[LedgerRow, ...] = ()


def matching(
    rows: Iterable[LedgerRow], *, landing: str, source: str, currency: str, amount: Decimal, taken: set[int]
) -> tuple[LedgerRow, ...]:
    """The rows that could be this request: same kind, wallet, currency and amount, and not another request's."""
    kind = LEDGER_KIND[landing]
    return tuple(
        row
        for row in rows
        if row.kind == kind
        and row.wallet == source
        and row.asset == currency
        and row.change == -amount
        and row.id not in taken
    )


def weigh(
    candidates: tuple[LedgerRow, ...],
    *,
    is_complete: bool,
    balance_before: Decimal | None,
    explained: Decimal | None,
    balance_now: Decimal | None,
    age: timedelta,
) -> Looked:
    """What account log and balances together say. `explained` is the balance before plus every row since.

    A single candidate proves that it was sent. Absence proves the contrary only in a gapless log, after its time, when
    the balance agrees with the log.
    """
    if len(candidates) == 1:
        return Looked(Finding.SENT, f"Row {candidates[0].id} of the account log is this movement.", candidates)
    if len(candidates) > 1:
        why = f"{len(candidates)} rows of the account log could each be this movement."
        return Looked(Finding.UNCLEAR, why, candidates)
    if age < SETTLES_AFTER:
        return Looked(Finding.TOO_EARLY, "The account log has no such row yet; it is too early to conclude from that.")
    if not is_complete:
        return Looked(Finding.UNCLEAR, "The account log has a gap since the attempt.")
    if balance_before is None or explained is None or balance_now is None:
        return Looked(Finding.UNCLEAR, "The balance before the attempt is not known.")
    if explained != balance_now:
        return Looked(Finding.UNCLEAR, "The balance does not agree with the account log.")
    why = "The account log is complete since the attempt, has no such row, and the balance agrees with it."
    return Looked(Finding.NOT_SENT, why)


def in_words(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
