"""Withdrawals in every state, on a demo account, for a desk to look at. Asked for and decided as people would."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from accounts import vault
from accounts.actions.policy import approve_policy, policy_in_force, propose_policy
from accounts.actions.withdrawal_evidence import look, settle
from accounts.actions.withdrawal_execution import execute, expire
from accounts.actions.withdrawal_moves import move, take
from accounts.actions.withdrawal_reviews import approve_withdrawal, reject_withdrawal
from accounts.actions.withdrawals import Wish, cancel_withdrawal, request_withdrawal, save_draft, usable_key
from accounts.models import Account, Environment, User, Withdrawal
from accounts.rules import NotAllowed
from accounts.stepup import Factor
from accounts.venues import base_url
from accounts.withdrawal_rules import S
from krakenfutures.io import demo

NAMES = UUID("6f0f0f5e-2f7e-4a58-9d8e-5d3f4d2c1b0a")
LARGE = Decimal(12_000)  # two approvals and an hour, by the policy of the demo desk
ATTEMPTS = 20  # a second apart, while the rate budget is spent
NOTE = "Left in this state for the demo desk; nothing was sent."


def furnish_withdrawals(account: Account, *, owner: User, trader: User, reviewer: User) -> dict[str, UUID]:
    """State → request. Running it again adds what is missing. Raises `NotAllowed` for an account of real money."""
    if account.environment != Environment.DEMO:
        raise NotAllowed("Only a demo account is furnished.", code="environment")
    _policy(account, owner, reviewer)
    scene = _Scene(account, owner, trader, reviewer)
    made = {}
    for state in S:
        made[state.value] = intent = uuid5(NAMES, f"{account.pk}:{state.value}")
        if not Withdrawal.objects.filter(pk=intent).exists():
            scene.plays[state](intent)
    return made


def _policy(account: Account, owner: User, reviewer: User) -> None:
    """Version 2, without the wait for a first-time destination, so that there is something to see at once."""
    current = policy_in_force(account.desk)
    if current.number != 1:
        return
    wanted = replace(current.policy, first_time_cool_off=timedelta(0))
    version = propose_policy(account.desk, wanted, by=owner, reason="We know the spot wallet", factor=_proof())
    approve_policy(version.pk, by=reviewer, digest=version.digest, factor=_proof())


class _Scene:
    """One account and the people around it. Every play ends in the state it is named after."""

    def __init__(self, account: Account, owner: User, trader: User, reviewer: User) -> None:
        self.account, self.owner, self.trader, self.reviewer = account, owner, trader, reviewer
        self.plays: dict[S, Callable[[UUID], object]] = {
            S.DRAFT: lambda intent: save_draft(
                intent, account=account, by=trader, wish=Wish("flex", "USD", Decimal(80), reason="Perhaps")
            ),
            S.PENDING: lambda intent: self._ask(intent, LARGE, [reviewer]),
            S.COOLING: lambda intent: self._ask(intent, LARGE, [reviewer, owner]),
            S.READY: lambda intent: self._leave(intent, S.READY),
            S.EXECUTING: lambda intent: self._leave(intent, S.EXECUTING),
            S.CONFIRMED: lambda intent: self._send(intent, Decimal("250.5")),
            S.FAILED: lambda intent: self._send(intent, Decimal(40), fault="nonce"),
            S.UNCERTAIN: lambda intent: self._send(intent, Decimal(60), fault="drop_response"),
            S.RESOLVED: self._resolve,
            S.REJECTED: self._reject,
            S.CANCELLED: self._cancel,
            S.EXPIRED: self._expire,
        }

    def _ask(self, intent: UUID, amount: Decimal, voters: list[User]) -> Withdrawal:
        wish = Wish("flex", "USD", amount, reason="Rent and salaries")
        asked = self._patiently(intent, wish)
        for one in voters:
            asked = approve_withdrawal(asked.pk, by=one, digest=asked.digest, factor=_proof(), note="Checked")
        return asked

    def _patiently(self, intent: UUID, wish: Wish) -> Withdrawal:
        """Whoever has just traded a lot has spent the budget of the reads, too."""
        for _ in range(ATTEMPTS):
            try:
                return request_withdrawal(intent, account=self.account, by=self.trader, wish=wish, factor=_proof())
            except NotAllowed as refusal:
                if refusal.code != "venue":
                    raise
            time.sleep(1)
        return request_withdrawal(intent, account=self.account, by=self.trader, wish=wish, factor=_proof())

    def _leave(self, intent: UUID, state: S) -> None:
        """In one transaction, so that no worker picks it up on the way."""
        with transaction.atomic():
            self._ask(intent, Decimal(30), [self.reviewer])
            row, far = take(intent), timezone.now() + timedelta(days=365)
            if state is S.READY:
                move(row, None, by=None, action="held", remark=NOTE, look_at=far, details={"why": NOTE})
            else:
                move(row, state, by=None, action="executing", remark=NOTE, claims=1, lease_until=far, holder="demo",
                     executing_at=timezone.now(), details={"why": NOTE})  # fmt: skip

    def _send(self, intent: UUID, amount: Decimal, fault: str = "") -> Withdrawal:
        if fault:
            demo.break_next_write(base_url(Environment.DEMO), fault, vault.unseal(usable_key(self.account)).key)
        self._ask(intent, amount, [self.reviewer])
        for _ in range(ATTEMPTS):
            sent = execute(intent)
            if sent.state not in {S.READY, S.EXECUTING}:
                return sent
            time.sleep(1)
        raise NotAllowed(f"The demo exchange did not take it: {sent.remark}", code="venue")

    def _resolve(self, intent: UUID) -> None:
        self._send(intent, Decimal(70), fault="drop_response")
        look(intent)
        for one in (self.reviewer, self.owner):
            settle(intent, by=one, outcome="sent", note="Seen in the account log", factor=_proof())

    def _reject(self, intent: UUID) -> None:
        self._ask(intent, Decimal(500), [])
        reject_withdrawal(intent, by=self.reviewer, reason="Not before the audit", factor=_proof())

    def _cancel(self, intent: UUID) -> None:
        self._ask(intent, Decimal(20), [])
        cancel_withdrawal(intent, by=self.trader)

    def _expire(self, intent: UUID) -> None:
        self._ask(intent, Decimal(90), [])
        with transaction.atomic():
            expire(take(intent))


def _proof() -> Factor:
    return Factor("demo", timezone.now())
