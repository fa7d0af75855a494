"""Random walks of several people, the clock and the exchange's faults over the table of states. After every step:
money moved at most once a request, never without a valid quorum under the right policy, never beyond velocity, and
every transition stands in the book.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal as D
from itertools import count, pairwise
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.actions.policy import approve_policy, propose_policy
from accounts.actions.withdrawal_evidence import look, settle
from accounts.actions.withdrawal_execution import execute
from accounts.actions.withdrawal_glass import break_glass
from accounts.actions.withdrawal_moves import tampered
from accounts.actions.withdrawal_reviews import approve_withdrawal, reject_withdrawal
from accounts.actions.withdrawals import Wish, cancel_withdrawal, change_request
from accounts.models import Approval, AuditRow, Desk, GlassVote, Membership, PolicyVersion, Role, Withdrawal
from accounts.policy_rules import Policy, Tier
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from accounts.store import store
from accounts.velocity_rules import DAY
from accounts.withdrawal_rules import NEXT, S
from tests.accounts.withdrawing import Team, fresh, make_team, person, sweep
from tests.venue_process import DemoVenue

LIMIT = D(310)
STRICT = Policy(tiers=(Tier(D(0), 2), Tier(D(300), 3)), desk_day=LIMIT)
MIDDLE = Policy(tiers=(Tier(D(0), 1), Tier(D(300), 2, timedelta(hours=1))), desk_day=LIMIT)
LOOSE = Policy(tiers=(Tier(D(0), 1),), desk_day=LIMIT)
TIGHT = replace(LOOSE, desk_day=D(200))
GLASS = replace(STRICT, break_glass=True)
POLICIES = [STRICT, MIDDLE, LOOSE, TIGHT, GLASS, replace(MIDDLE, first_time_cool_off=timedelta(hours=2))]
PEOPLE = ["owner", "trader", "alice", "bob", "ada"]
FAULTS = ["drop_response", "http_500", "nonce", "rate_limit"]
WALKS = int(os.environ.get("KFWEB_TEST_WALKS", "10"))  # 200 for the long run
pytestmark = [pytest.mark.venue, pytest.mark.timeout(max(600, WALKS * 30))]
STEPS = 30
NUMBERS = st.integers(0, 7)
houses = count()


class Walk(RuleBasedStateMachine):
    venue: DemoVenue
    ends: Counter[str]  # in which states the requests of all walks were left

    @initialize(policy=st.sampled_from([MIDDLE, GLASS]))
    def begin(self, policy: Policy) -> None:
        self.atom = transaction.atomic()
        self.atom.__enter__()
        house = f"walk{next(houses)}.test"
        self.team: Team = make_team(Desk.objects.create(name=house), self.venue, policy, house=house)
        self.team.ada = person(f"ada@{house}", self.team.desk, Role.ADMIN)  # type: ignore[attr-defined]
        self.now: datetime = timezone.now()
        self.clock: Any = None
        self.status: dict[Any, str] = {}
        self._travel(timedelta(0))
        self.pks: list[Any] = [self.team.ask("50").pk, self.team.ask("250", by=self.team.owner).pk]

    def _one_of(self, number: int) -> Any:
        return self.pks[number % len(self.pks)]

    def teardown(self) -> None:
        self.ends.update(self.status.values() if hasattr(self, "status") else [])
        if getattr(self, "clock", None):
            self.clock.stop()
        if hasattr(self, "atom"):
            self.venue.clear_faults()
            transaction.set_rollback(True)
            self.atom.__exit__(None, None, None)

    def _travel(self, by: timedelta) -> None:
        if self.clock:
            self.clock.stop()
        self.now += by
        self._rest()
        self.clock = time_machine.travel(self.now, tick=True)
        self.clock.start()

    # --- what people do -------------------------------------------------------------------------------

    @rule(who=st.sampled_from(PEOPLE), amount=st.sampled_from([50, 250, 301]))
    def ask(self, who: str, amount: int) -> None:
        self._rest()
        with suppress(NotAllowed, NoRight):
            self.pks.append(self.team.ask(D(amount), by=getattr(self.team, who)).pk)

    @rule(number=NUMBERS, who=st.sampled_from(PEOPLE), age=st.sampled_from([0, 0, 400]))
    def approve(self, number: int, who: str, age: float) -> None:
        self._approve(self._one_of(number), who, age=age)

    @rule(number=NUMBERS, order=st.permutations(PEOPLE), many=st.integers(1, 3))
    def break_the_glass(self, number: int, order: list[str], many: int) -> None:
        asked = Withdrawal.objects.get(pk=self._one_of(number))
        for who in order[:many]:
            with suppress(NotAllowed, NoRight):
                break_glass(asked.pk, by=getattr(self.team, who), digest=asked.digest, note="now", factor=fresh())

    @rule(number=NUMBERS, who=st.sampled_from(PEOPLE), outcome=st.sampled_from(["sent", "not_sent"]))
    def say(self, number: int, who: str, outcome: str) -> None:
        self._say(self._one_of(number), who, outcome)

    @rule(
        what=st.sampled_from(["change", "reject", "cancel", "policy", "role"]),
        number=NUMBERS,
        who=st.sampled_from(PEOPLE),
        policy=st.sampled_from(POLICIES),
        role=st.sampled_from([Role.VIEWER, Role.REVIEWER, Role.ADMIN]),
    )
    def meddle(self, what: str, number: int, who: str, policy: Policy, role: Role) -> None:
        pk, by = self._one_of(number), getattr(self.team, who)
        with suppress(NotAllowed, NoRight):
            if what == "change":
                change_request(pk, by=by, wish=Wish("flex", "USD", D(310)), factor=fresh())
            elif what == "reject":
                reject_withdrawal(pk, by=by, reason="no", factor=fresh())
            elif what == "cancel":
                cancel_withdrawal(pk, by=by)
            elif what == "policy":
                waiting = self.team.desk.policies.filter(state="proposed").first()
                one = waiting or propose_policy(self.team.desk, policy, by=self.team.owner, reason="x", factor=fresh())
                approve_policy(one.pk, by=by, digest=one.digest, factor=fresh())
            elif who in {"alice", "bob"}:
                Membership.objects.filter(user=by).update(role=role)

    @rule(number=NUMBERS, order=st.permutations(["alice", "bob", "owner"]), steps=st.integers(1, 4))
    def go_on(self, number: int, order: list[str], steps: int) -> None:
        """The next things sensible people would do, so that walks get anywhere."""
        for _ in range(steps):
            self._next(number, order)

    @rule(number=NUMBERS, order=st.permutations(["alice", "bob", "owner"]), fault=st.sampled_from(FAULTS))
    def go_on_under_a_fault(self, number: int, order: list[str], fault: str) -> None:
        self.break_something(fault)
        for _ in range(4):
            self._next(number, order)

    @rule(
        order=st.permutations(["alice", "bob", "owner", "ada"]),
        amount=st.sampled_from([50, 250, 301]),
        policy=st.sampled_from([None, TIGHT, TIGHT, GLASS, STRICT, LOOSE]),
        glass=st.booleans(),
        leaves=st.sampled_from([None, None, "alice", "bob"]),
    )
    def a_busy_day(
        self, order: list[str], amount: int, policy: Policy | None, glass: bool, leaves: str | None
    ) -> None:
        """Somebody asks, the others agree to everything, the rules or the people change, and it is sent."""
        self.ask("trader", amount)
        for number, pk in enumerate(self.pks):
            for who in () if glass else order:
                self._approve(pk, who)
            if glass:
                self.break_the_glass(number, ["owner", "ada"], 2)
        if policy:
            for who in order:
                self.meddle("policy", 0, who, policy, Role.REVIEWER)
        if leaves:
            self.meddle("role", 0, leaves, LOOSE, Role.VIEWER)
        for _ in range(2):
            self._travel(timedelta(minutes=121))
            sweep()

    def _next(self, number: int, order: list[str]) -> None:
        pk = self._one_of(number)
        state = Withdrawal.objects.get(pk=pk).status
        if state == "pending":
            for who in order:
                self._approve(pk, who)
        elif state == "cooling":
            self._travel(timedelta(minutes=121))
            sweep()
        elif state == "ready":
            self._rest()
            execute(pk)
        elif state == "uncertain":
            self._travel(timedelta(minutes=11))
            look(pk)
            finding = Withdrawal.objects.get(pk=pk).evidence.get("finding", "")
            for who in order:
                self._say(pk, who, finding if finding in {"sent", "not_sent"} else "sent")

    def _approve(self, pk: Any, who: str, *, age: float = 0) -> None:
        digest = Withdrawal.objects.get(pk=pk).digest
        with suppress(NotAllowed, NoRight):
            approve_withdrawal(pk, by=getattr(self.team, who), digest=digest, factor=fresh(age=age))

    def _say(self, pk: Any, who: str, outcome: str) -> None:
        with suppress(NotAllowed, NoRight):
            settle(pk, by=getattr(self.team, who), outcome=outcome, note="looked", factor=fresh())

    # --- what happens ---------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([2, 61, 60 * 25, 60 * 73]))
    def wait(self, minutes: int) -> None:
        self._travel(timedelta(minutes=minutes))

    @rule()
    def beat(self) -> None:
        self._rest()
        sweep()

    @rule(number=NUMBERS)
    def work(self, number: int) -> None:
        self._rest()
        execute(self._one_of(number))

    @rule(fault=st.sampled_from(FAULTS))
    def break_something(self, fault: str) -> None:
        self.venue.clear_faults()
        self.venue.fault(fault, count=1, key=self.team.demo.key.public)

    def _rest(self) -> None:
        """The wall's clock does not travel: let the broker's budget be as after a pause."""
        whole: dict[str | bytes, Any] = {
            f"{pool}{name}": number
            for pool in ("", "history_")
            for name, number in (("used", 0), ("at", int(time.time() * 1_000_000)))
        }
        store().hset(f"kfweb:broker:{self.team.key.pk}", mapping=whole)

    # --- what is always true --------------------------------------------------------------------------

    @invariant()
    def money_moved_only_as_decided(self) -> None:
        if not hasattr(self, "team"):
            return
        rows = list(Withdrawal.objects.filter(desk=self.team.desk))
        paid = self.team.sent()
        by_reference = {one["uid"]: one for one in paid}
        known = {row.reference for row in rows if row.reference}
        assert known <= set(by_reference)
        attempts = [row for row in rows if row.claims]
        assert len(paid) <= sum(row.claims for row in attempts)
        for row in rows:
            self._one(row, by_reference)
        silent = [one for one in paid if one["uid"] not in known]
        unproven = [row for row in rows if row.status in {"uncertain", "resolved"} and not row.reference]
        assert len(silent) <= len(unproven)
        assert len(silent) <= sum(row.resolution != "not_sent" for row in unproven)
        self._velocity(rows)

    def _one(self, row: Withdrawal, paid: dict[str, Any]) -> None:
        assert tampered(row) == []
        before = self.status.get(row.pk)
        self.status[row.pk] = row.status
        told = AuditRow.objects.filter(about=f"withdrawal:{row.pk}").order_by("pk")
        book = list(told.values_list("details", flat=True))
        states = [one["status"] for one in book]
        assert states[-1] == row.status, "a transition that is not in the book"
        for was, is_ in pairwise(states):
            assert was == is_ or S(is_) in NEXT[S(was)], (was, is_)
        assert before is None or before in states
        if row.status == "confirmed":
            assert D(paid[row.reference]["amount"]) == row.amount
        if row.executing_at and row.claims and not self._glass_was_broken(row):
            self._had_a_quorum(row)

    def _glass_was_broken(self, row: Withdrawal) -> bool:
        """By two others, under policies that all have a glass, from the request's own to the one in force then."""
        words = GlassVote.objects.filter(withdrawal=row, digest=row.digest, at__lte=row.executing_at)
        people = {word.reviewer_person for word in words}
        assert row.requester_person not in people
        return len(people) >= 2 and all(version.policy.break_glass for version in self._versions(row))

    def _had_a_quorum(self, row: Withdrawal) -> None:
        """By the votes as they were cast, and by every policy from the request's own to the one in force then."""
        votes = Approval.objects.filter(withdrawal=row, digest=row.digest, at__lte=row.executing_at)
        people = set(votes.values_list("reviewer_id", flat=True))
        assert row.requester_id not in people
        for version in self._versions(row):
            tier = next(tier for tier in reversed(version.policy.tiers) if row.amount > tier.above)
            assert len(people) >= tier.approvals
            last = sorted(votes, key=lambda vote: vote.at)[tier.approvals - 1]
            assert row.executing_at >= last.at + tier.cool_off

    def _versions(self, row: Withdrawal) -> list[PolicyVersion]:
        """From the request's own to the one in force when it was sent."""
        decided = self.team.desk.policies.filter(number__gte=row.policy_number, decided_at__lte=row.executing_at)
        return list(decided)

    def _velocity(self, rows: list[Withdrawal]) -> None:
        gone = [
            row for row in rows if row.status in {"executing", "confirmed", "uncertain"} or row.resolution == "sent"
        ]
        for row in gone:
            window = [one for one in gone if row.executing_at - DAY < one.executing_at <= row.executing_at]
            limits = [version.policy.desk_day for version in self._versions(row)]
            assert sum(one.amount for one in window) <= min(limit for limit in limits if limit is not None)


def test_a_walk_of_many_people_never_breaks_a_promise(venue: DemoVenue) -> None:
    class Here(Walk):
        pass

    Here.venue, Here.ends = venue, Counter()
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # a shorter walk to the same end would take longer to find than to read this one
        ),
    )
    print(dict(Here.ends))
    assert Here.ends["confirmed"] >= WALKS / 5, "hardly any money moved, so nothing was shown"


@pytest.mark.parametrize(
    ("start", "policy", "glass", "leaves", "ends"),
    [
        (MIDDLE, None, False, None, ["confirmed", "confirmed"]),
        (MIDDLE, TIGHT, False, None, ["confirmed", "ready"]),  # 50 and then 250 would be more than 200
        (MIDDLE, STRICT, False, None, ["pending", "pending"]),  # two approvals by now
        (MIDDLE, None, False, "alice", ["pending", "pending"]),  # whose vote it was
        (GLASS, None, True, None, ["confirmed", "pending"]),  # the owner asked for the other one
        (GLASS, STRICT, True, None, ["pending", "pending"]),  # the glass was taken away
    ],
)
def test_a_busy_day_ends_as_the_rules_want(
    venue: DemoVenue, db: None, start: Policy, policy: Policy | None, glass: bool, leaves: str | None, ends: list[str]
) -> None:
    """The walks' own day, always tried: a rule that is forgotten shows at once."""

    class Here(Walk):
        pass

    Here.venue, Here.ends = venue, Counter()
    walk = Here()
    walk.begin(start)
    try:
        walk.a_busy_day(["alice", "bob", "owner", "ada"], 50, policy, glass, leaves)
        walk.money_moved_only_as_decided()
        asked = Withdrawal.objects.filter(pk__in=walk.pks).order_by("created_at")
        assert [row.status for row in asked] == ends
    finally:
        walk.teardown()
