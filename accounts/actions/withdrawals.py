"""Asking for money to move: drafts, requests, changes, and taking a request back. Nothing here moves any."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actions.policy import require_factor
from accounts.actions.withdrawal_demands import (
    Asked,
    Facts,
    able_reviewers,
    asked_now,
    closed_because,
    is_first_time,
    reserved_in,
    usd_of,
    velocity_of,
)
from accounts.actions.withdrawal_moves import create, move, take
from accounts.actions.withdrawal_notices import notify_reviewers
from accounts.models import Account, ApiKey, Desk, Environment, KeyState, User, Withdrawal
from accounts.policy_people import others_in_words
from accounts.prices import usd_prices
from accounts.rights import Right, require
from accounts.rules import NotAllowed
from accounts.stepup import Factor
from accounts.vault import VaultError
from accounts.venues import session_for
from accounts.withdrawal_rules import S, amount_trouble, balance_in, digest_of, free_in, person_of, rounded_down
from krakenfutures.errors import KrakenError
from krakenfutures.funds import Destination, Landing
from krakenfutures.numbers import plain

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `amount` None means everything that is free."""

    source: str
    currency: str
    amount: Decimal | None
    landing: str = Landing.SPOT.value
    target_wallet: str = ""
    target_account: str = ""
    reason: str = ""


def read_facts(account: Account) -> Facts:
    """Wallets and index prices as the venue tells them now. Raises `NotAllowed` when nobody answers."""
    key = usable_key(account)
    try:
        with session_for(key) as session:
            wallets = session.account.wallets()
        return Facts(wallets, usd_prices(account.environment, wallets))
    except (KrakenError, VaultError) as problem:
        raise NotAllowed(f"The exchange could not be asked: {problem}", code="venue") from None


def read_destinations(account: Account) -> list[Destination]:
    """Everywhere this account's money can go. Raises `NotAllowed` when nobody answers."""
    key = usable_key(account)
    try:
        with session_for(key) as session:
            return session.funds.destinations()
    except (KrakenError, VaultError) as problem:
        raise NotAllowed(f"The exchange could not be asked: {problem}", code="venue") from None


def usable_key(account: Account) -> ApiKey:
    key = ApiKey.objects.usable().filter(account=account).select_related("account").first()
    if key is None or key.state != KeyState.ACTIVE:
        raise NotAllowed("This account has no working key.", code="key")
    return key


def save_draft(intent: UUID, *, account: Account, by: User, wish: Wish) -> Withdrawal:
    """Keep a wish without asking anybody for anything. Saving it again changes it. Raises `NotAllowed`."""
    require(by, account.desk, Right.REQUEST_WITHDRAWAL)
    with transaction.atomic():
        found = Withdrawal.objects.filter(pk=intent).first()
        if found is not None:
            draft = take(intent)
            _require_own(draft, by)
            if draft.state is not S.DRAFT:
                raise NotAllowed("This was sent for review already.", code="moved")
            move(draft, None, by=by, action="draft_changed", **_columns(wish, wish.amount or ZERO))
            return draft
        draft = _new(intent, account, by, wish, wish.amount or ZERO)
        create(draft, by=by, action="drafted")
    return draft


def request_withdrawal(intent: UUID, *, account: Account, by: User, wish: Wish, factor: Factor | None) -> Withdrawal:
    """Ask others to review it. The same `intent` again returns the first request. Raises `NotAllowed`."""
    require(by, account.desk, Right.REQUEST_WITHDRAWAL)
    known = Withdrawal.objects.filter(pk=intent).exclude(status=S.DRAFT).first()
    if known is not None:
        _require_own(known, by)
        return known
    require_factor(factor)
    facts, label = read_facts(account), _label(account, wish)
    with transaction.atomic():
        Desk.objects.select_for_update(no_key=True).get(pk=account.desk_id)  # one at a time: velocity is the desk's
        known = Withdrawal.objects.filter(pk=intent).first()
        if known is not None and known.state is not S.DRAFT:
            _require_own(known, by)
            return known
        withdrawal = take(intent) if known else _new(intent, account, by, wish, ZERO)
        _require_own(withdrawal, by)
        amount = check_amount(account, wish, facts, but=withdrawal)
        _fill(withdrawal, wish, amount, label, facts)
        asked = _check_policy(withdrawal)
        _stamp(withdrawal, asked)
        details = {"asked": _told(withdrawal)}
        if known:
            changes = {name: getattr(withdrawal, name) for name in FILLED}
            move(withdrawal, S.PENDING, by=by, action="requested", details=details, **changes)
        else:
            withdrawal.status = S.PENDING.value
            create(withdrawal, by=by, action="requested", **details)
        notify_reviewers(withdrawal, asked, "review")
    return withdrawal


def change_request(withdrawal_id: UUID, *, by: User, wish: Wish, factor: Factor | None) -> Withdrawal:
    """The requester changes what is asked for: every vote given so far is void. Raises `NotAllowed`."""
    require_factor(factor)
    before = Withdrawal.objects.select_related("account__desk").get(pk=withdrawal_id)
    require(by, before.desk, Right.REQUEST_WITHDRAWAL)
    facts, label = read_facts(before.account), _label(before.account, wish)
    with transaction.atomic():
        Desk.objects.select_for_update(no_key=True).get(pk=before.desk_id)
        withdrawal = take(withdrawal_id)
        _require_own(withdrawal, by)
        if not withdrawal.is_waiting:
            raise NotAllowed(f"It is {withdrawal.get_status_display().lower()}; make a new request.", code="moved")
        old = _told(withdrawal)
        amount = check_amount(withdrawal.account, wish, facts, but=withdrawal)
        _fill(withdrawal, wish, amount, label, facts)
        withdrawal.round += 1
        asked = _check_policy(withdrawal)
        _stamp(withdrawal, asked)
        changes = {name: getattr(withdrawal, name) for name in FILLED}
        to = None if withdrawal.state is S.PENDING else S.PENDING
        move(withdrawal, to, by=by, action="changed", details={"was": old, "asked": _told(withdrawal)}, **changes)
        notify_reviewers(withdrawal, asked, "changed")
    return withdrawal


def cancel_withdrawal(withdrawal_id: UUID, *, by: User) -> Withdrawal:
    """The requester takes it back, as long as nothing was sent. Raises `NotAllowed`."""
    with transaction.atomic():
        withdrawal = take(withdrawal_id)
        _require_own(withdrawal, by)
        move(withdrawal, S.CANCELLED, by=by, action="cancelled", finished_at=timezone.now())
    return withdrawal


# --- checks --------------------------------------------------------------------------------------------------------


def check_amount(account: Account, wish: Wish, facts: Facts, *, but: Withdrawal | None = None) -> Decimal:
    """The amount that may be asked for. Raises `NotAllowed` naming the field."""
    held = free_in(facts.wallets, wish.source, wish.currency)
    reserved = reserved_in(account, wish.source, wish.currency, but=but)
    free = max(held - reserved, ZERO)
    amount = rounded_down(wish.currency, free) if wish.amount is None else wish.amount
    if wish.amount is None and amount <= 0:
        raise NotAllowed("Nothing is free there.", field="amount", code="amount")
    if trouble := amount_trouble(wish.currency, amount):
        raise NotAllowed(trouble, field="amount", code="amount")
    if amount > free:
        why = f", {plain(reserved)} is held back for other requests" if reserved else ""
        held_back = balance_in(facts.wallets, wish.source, wish.currency) - held
        margin = f", {plain(held_back)} secures positions and orders" if held_back > 0 else ""
        most = plain(rounded_down(wish.currency, free))
        raise NotAllowed(f"Only {most} {wish.currency} is free there{why}{margin}.", field="amount", code="funds")
    return amount


def require_permission(account: Account, landing: str) -> ApiKey:
    """The key that may do this. Raises `NotAllowed`."""
    key = usable_key(account)
    if landing == Landing.SPOT and not key.may_withdraw:
        raise NotAllowed("The key of this account may not withdraw. Add one that may.", code="permission")
    if landing != Landing.SPOT and not key.may_trade:
        raise NotAllowed("The key of this account may not transfer. Add one that may.", code="permission")
    if account.environment == Environment.PRODUCTION and not account.desk.withdrawals_enabled:
        raise NotAllowed("This desk does not withdraw. Its owner can change that.", code="disabled")
    return key


def _check_policy(withdrawal: Withdrawal) -> Asked:
    """Would this request have a chance? Raises `NotAllowed` in the policy's words."""
    asked = asked_now(withdrawal.desk, withdrawal.usd, first_time=withdrawal.is_first_time)
    if withdrawal.usd is None:
        raise NotAllowed(f"Nobody prices {withdrawal.currency}, so no limit can be kept. Try again later.",
                         field="currency", code="price")  # fmt: skip
    if asked.policies[-1].paused:
        raise NotAllowed(closed_because(asked, timezone.now()), code="paused")
    able = able_reviewers(withdrawal, asked)
    if len(able) < asked.demand.approvals:
        raise NotAllowed(
            f"This needs {asked.demand.approvals} approvals, and only {others_in_words(len(able))}. "
            "Invite reviewers, or ask for less.",
            code="quorum",
        )
    exceeded = [one for one in velocity_of(withdrawal, asked, timezone.now(), with_reserved=True) if one.is_exceeded]
    if exceeded:
        raise NotAllowed(" ".join(one.sentence for one in exceeded), field="amount", code="velocity")
    withdrawal.policy_number = asked.numbers[0]
    return asked


def _label(account: Account, wish: Wish) -> str:
    """The destination's name, which must be one this account really has. Raises `NotAllowed`."""
    require_permission(account, wish.landing)
    for one in read_destinations(account):
        if (one.landing.value, one.wallet, one.account) == (wish.landing, wish.target_wallet, wish.target_account):
            if one.landing is Landing.WALLET and one.wallet == wish.source:
                raise NotAllowed("Choose another wallet than the source.", field="destination", code="same")
            if one.currencies is not None and wish.currency not in one.currencies:
                raise NotAllowed(f"That wallet does not take {wish.currency}.", field="destination", code="currency")
            return one.label
    raise NotAllowed("This account has no such destination.", field="destination", code="destination")


FILLED = (
    "source", "currency", "amount", "landing", "target_wallet", "target_account", "target_label", "reason", "round",
    "policy_number", "digest", "usd", "is_first_time", "approvals_needed", "requested_at", "expires_at",
    "approved_at", "ready_at", "escalated_at", "glass_at", "remark",
)  # fmt: skip


def _new(intent: UUID, account: Account, by: User, wish: Wish, amount: Decimal) -> Withdrawal:
    return Withdrawal(
        pk=intent, desk=account.desk, account=account, requester=by, requester_person=person_of(by.email),
        created_at=timezone.now(), **_columns(wish, amount),
    )  # fmt: skip


def _columns(wish: Wish, amount: Decimal) -> dict[str, Any]:
    return {
        "source": wish.source, "currency": wish.currency, "amount": amount, "landing": wish.landing,
        "target_wallet": wish.target_wallet, "target_account": wish.target_account,
        "reason": wish.reason.strip()[:400],
    }  # fmt: skip


def _fill(withdrawal: Withdrawal, wish: Wish, amount: Decimal, label: str, facts: Facts) -> None:
    for name, value in _columns(wish, amount).items():
        setattr(withdrawal, name, value)
    withdrawal.target_label = label[:120]
    withdrawal.usd = usd_of(wish.currency, amount, facts.prices)
    withdrawal.is_first_time = is_first_time(withdrawal.account, wish.landing, wish.target_wallet, wish.target_account)


def _stamp(withdrawal: Withdrawal, asked: Asked) -> None:
    now = timezone.now()
    withdrawal.digest = digest_of(withdrawal.payload)
    withdrawal.approvals_needed = asked.demand.approvals
    withdrawal.requested_at, withdrawal.expires_at = now, now + asked.demand.expires_after
    withdrawal.approved_at = withdrawal.ready_at = withdrawal.escalated_at = withdrawal.glass_at = None
    withdrawal.remark = ""


def _require_own(withdrawal: Withdrawal, by: User) -> None:
    if withdrawal.requester_id != by.pk:
        raise NotAllowed("Only whoever asked for it may do that.", code="role")


def _told(withdrawal: Withdrawal) -> dict[str, str]:
    return {
        "amount": plain(withdrawal.amount), "currency": withdrawal.currency, "source": withdrawal.source,
        "landing": withdrawal.landing, "wallet": withdrawal.target_wallet, "account": withdrawal.target_account,
        "reason": withdrawal.reason, "round": str(withdrawal.round), "policy": str(withdrawal.policy_number),
    }  # fmt: skip
