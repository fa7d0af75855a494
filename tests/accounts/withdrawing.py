"""A desk that withdraws: who is on it, what they do in a test, and what the venue knows of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connections, transaction
from django.utils import timezone

from accounts import store, venues
from accounts.actions.keys import add_key
from accounts.actions.policy import _write, policy_in_force
from accounts.actions.withdrawal_execution import execute
from accounts.actions.withdrawal_reviews import approve_withdrawal
from accounts.actions.withdrawal_sweep import sweep_withdrawals
from accounts.actions.withdrawals import Wish, request_withdrawal
from accounts.models import Account, ApiKey, Desk, Membership, Role, User, Withdrawal
from accounts.policy_document import digest_of, to_document
from accounts.policy_rules import Policy, Tier
from accounts.rules import NotAllowed
from accounts.stepup import Factor
from tests.venue_process import DemoAccount, DemoVenue

LIGHT = Policy(tiers=(Tier(Decimal(0), 1), Tier(Decimal(1000), 2)))


@dataclass
class Team:
    desk: Desk
    owner: User
    trader: User
    alice: User
    bob: User
    account: Account
    key: ApiKey
    venue: DemoVenue
    demo: DemoAccount

    def sent(self) -> list[dict[str, Any]]:
        """The truth: what the venue paid out."""
        return list(self.venue.ledger(self.demo)["withdrawals"])

    def ask(
        self, amount: Any = "100", *, by: User | None = None, intent: UUID | None = None, **wish: Any
    ) -> Withdrawal:
        wanted = {"source": "flex", "currency": "USD", "reason": "rent", **wish}
        asked = Wish(amount=None if amount is None else Decimal(amount), **wanted)
        return request_withdrawal(
            intent or uuid4(), account=self.account, by=by or self.trader, wish=asked, factor=fresh()
        )

    def approve(self, withdrawal: Withdrawal, *people: User) -> Withdrawal:
        for one in people:
            withdrawal = approve_withdrawal(withdrawal.pk, by=one, digest=withdrawal.digest, factor=fresh())
        return withdrawal

    def ready(self, amount: Any = "100", **wish: Any) -> Withdrawal:
        return self.approve(self.ask(amount, **wish), self.alice)

    def done(self, amount: Any = "100", **wish: Any) -> Withdrawal:
        return execute(self.ready(amount, **wish).pk)


def person(email: str, desk: Desk, role: Role) -> User:
    """Nobody signs in with a password here, so none is hashed."""
    user = User.objects.create_user(email)
    Membership.objects.create(desk=desk, user=user, role=role)
    return user


def fresh(kind: str = "totp", age: float = 0) -> Factor:
    return Factor(kind, timezone.now() - timedelta(seconds=age))


def make_team(desk: Desk, venue: DemoVenue, policy: Policy = LIGHT, *, house: str = "example.test") -> Team:
    owner = person(f"owner@{house}", desk, Role.OWNER)
    demo = venue.signup(withdrawal="full")
    key = add_key(
        desk, by=owner, label="Main", environment="demo", public_key=demo.key.public, secret=demo.key.private
    )
    set_policy(desk, policy)
    return Team(
        desk=desk,
        owner=owner,
        trader=person(f"trader@{house}", desk, Role.TRADER),
        alice=person(f"alice@{house}", desk, Role.REVIEWER),
        bob=person(f"bob@{house}", desk, Role.REVIEWER),
        account=key.account,
        key=key,
        venue=venue,
        demo=demo,
    )


def set_policy(desk: Desk, policy: Policy) -> None:
    """As if this had been the desk's first policy."""
    version = policy_in_force(desk)
    version.document = to_document(policy)
    version.digest = digest_of(version.document)
    with transaction.atomic():
        _write(version)


def sweep() -> None:
    sweep_withdrawals()


def reread(withdrawal: Withdrawal) -> Withdrawal:
    return Withdrawal.objects.select_related("account", "desk", "requester").get(pk=withdrawal.pk)


def forked(action: Callable[[], object]) -> int:
    """Run it in a child of its own, with its own connections; returns the child's id."""
    child = os.fork()
    if child:
        return child
    try:
        for each in connections.all():
            each.connection = None  # the parent's: neither used nor closed here
        venues._venue.cache_clear()
        store.store.cache_clear()
        action()
    finally:
        os._exit(0)


def together(actions: Sequence[Callable[[], object]]) -> list[object]:
    """All at once, each in a thread with its own connection; what each returned, or the refusal it met."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> object:
        start.wait()
        try:
            return action()
        except NotAllowed as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))
