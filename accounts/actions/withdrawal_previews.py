"""What the page says before anybody asks: what would be left, what the policy wants, what is used up. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from accounts.actions.policy import members_of, policy_in_force
from accounts.actions.withdrawal_demands import (
    Asked,
    able_reviewers,
    asked_now,
    closed_because,
    demand_in_words,
    is_first_time,
    moved_and_reserved,
    reserved_in,
    usd_of,
    velocity_of,
)
from accounts.actions.withdrawals import Wish, check_amount, read_facts, require_permission, usable_key
from accounts.models import Account, Desk, User, Withdrawal
from accounts.policy_people import others_in_words, reviewers
from accounts.policy_rules import tier_for
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from accounts.velocity_rules import Moved, Velocity, velocities
from accounts.venues import session_for, venue_for
from accounts.withdrawal_preview import After, after
from accounts.withdrawal_rules import free_in, lands_in_words, person_of, rounded_down
from krakenfutures.errors import KrakenError
from krakenfutures.numbers import plain
from krakenfutures.values import Wallets


@dataclass(frozen=True, slots=True)
class Preview:
    """`refusal` is why it could not be asked for now; the rest is shown all the same as far as it is known."""

    wish: Wish
    amount: Decimal | None
    free: Decimal
    usd: Decimal | None
    lands: str
    result: After | None  # None: not possible, or the positions could not be read
    is_possible: bool
    asked: Asked | None
    demand: str
    others: str
    first_time: bool
    velocity: tuple[Velocity, ...]
    refusal: str
    closed: str


def preview(account: Account, wish: Wish, *, by: User, but: Withdrawal | None = None) -> Preview:
    """Raises `NotAllowed` only when the venue cannot be asked."""
    facts = read_facts(account)
    free = max(free_in(facts.wallets, wish.source, wish.currency)
               - reserved_in(account, wish.source, wish.currency, but=but), Decimal(0))  # fmt: skip
    refusal, amount, is_possible = "", wish.amount, False
    try:
        amount = check_amount(account, wish, facts, but=but)
        is_possible = True
        require_permission(account, wish.landing)
    except NotAllowed as no:
        refusal = no.reason
    shown = amount if amount is not None and amount.is_finite() and amount > 0 else Decimal(0)
    usd = usd_of(wish.currency, shown, facts.prices)
    first = is_first_time(account, wish.landing, wish.target_wallet, wish.target_account)
    asked = asked_now(account.desk, usd, first_time=first)
    trial = Withdrawal(
        desk=account.desk, account=account, requester=by, requester_person=person_of(by.email), source=wish.source,
        currency=wish.currency, amount=shown, landing=wish.landing, pk=but.pk if but else None,
    )  # fmt: skip
    used = velocity_of(trial, asked, timezone.now(), with_reserved=True)
    able = len(able_reviewers(trial, asked))
    exceeded = " ".join(one.sentence for one in used if one.is_exceeded)
    short = f"Only {others_in_words(able)}." if able < asked.demand.approvals else ""
    return Preview(
        wish=wish,
        amount=amount,
        free=rounded_down(wish.currency, free),
        usd=usd,
        lands=lands_in_words(wish.landing, wish.target_wallet, wish.target_account, account.label),
        result=_after(account, wish, facts.wallets, shown) if is_possible else None,
        is_possible=is_possible,
        asked=asked,
        demand=demand_in_words(asked.demand),
        others=others_in_words(able),
        first_time=first,
        velocity=tuple(used),
        refusal=refusal or exceeded or short,
        closed=closed_because(asked, timezone.now()),
    )


def simulated(desk: Desk, usd: Decimal, *, first_time: bool, by: User) -> list[str]:
    """What would happen to so much, if this person asked for it now: sentences. Raises `PolicyBroken`."""
    now, policy = timezone.now(), policy_in_force(desk).policy
    asked = asked_now(desk, usd, first_time=first_time)
    said = [
        f"It falls under the tier above {plain(tier_for(policy, usd).above)} USD: {demand_in_words(asked.demand)}."
    ]
    others = len(reviewers(policy, members_of(desk), requester=person_of(by.email)))
    if others < asked.demand.approvals:
        said.append(f"Asked for by you it would be refused: only {others_in_words(others)}.")
    wish = Moved(None, person_of(by.email), "", usd, usd)  # of no currency, so only the limits in USD are asked
    said += [one.sentence for one in velocities(policy, moved_and_reserved(desk, now), wish, now) if one.is_exceeded]
    closed = closed_because(asked, now)
    return [*said, closed] if closed else said


def _after(account: Account, wish: Wish, wallets: Wallets, amount: Decimal) -> After | None:
    """None when the positions cannot be read: then nothing is claimed about them."""
    try:
        market = venue_for(account.environment).market
        with session_for(usable_key(account)) as session:
            positions = session.account.positions()
        if not positions:
            return after(wallets, wish.source, wish.currency, amount)
        listed = {one.symbol: one for one in market.instruments()}
        marks = {one.symbol: one.mark for one in market.tickers() if one.mark}
    except (KrakenError, VaultError):
        return None
    return after(wallets, wish.source, wish.currency, amount, positions, listed, marks)
