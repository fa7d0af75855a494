"""The plain rules of withdrawals and policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.policy_differences import looser_parts, stricter_parts
from accounts.policy_document import from_document, to_document
from accounts.policy_people import Member, nobody_can_satisfy, reviewers, unsatisfiable
from accounts.policy_rules import DEFAULT, BadPolicy, Policy, Tier, demand, is_open, strictest, tier_for, words
from accounts.velocity_rules import Moved, velocities
from accounts.withdrawal_rules import (
    ENDED,
    NEXT,
    Finding,
    S,
    amount_trouble,
    digest_of,
    matching,
    person_of,
    rounded_down,
    short_code,
    weigh,
)
from krakenfutures.funds import LedgerRow

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
THREE = Policy(tiers=(Tier(D(0), 1), Tier(D(1000), 2, HOUR), Tier(D(50000), 3)))


@pytest.mark.parametrize(
    ("usd", "approvals"),
    [("0.01", 1), ("1000", 1), ("1000.01", 2), ("50000", 2), ("50000.01", 3), ("1E+9", 3)],
)
def test_a_tier_applies_to_what_is_strictly_more(usd, approvals):
    assert tier_for(THREE, D(usd)).approvals == approvals


def test_the_highest_tier_replaces_the_others_also_where_it_asks_less():
    assert demand(THREE, D(60000), first_time=False).cool_off == timedelta(0)


def test_an_amount_nobody_can_value_is_asked_for_the_most():
    assert demand(THREE, None, first_time=False).approvals == 3


def test_a_first_time_destination_waits_for_the_longer_of_both():
    policy = replace(THREE, first_time_cool_off=2 * HOUR)
    assert demand(policy, D(5), first_time=True).cool_off == 2 * HOUR
    assert demand(policy, D(5), first_time=False).cool_off == timedelta(0)


def test_the_strictest_of_two_is_taken_part_by_part():
    one = demand(Policy(tiers=(Tier(D(0), 3),)), D(1), first_time=False)
    other = demand(Policy(tiers=(Tier(D(0), 1, HOUR),), review_roles=frozenset({"owner"})), D(1), first_time=False)
    both = strictest([one, other])
    assert (both.approvals, both.cool_off, both.review_roles) == (3, HOUR, {"owner"})


policies = st.builds(
    Policy,
    tiers=st.lists(st.integers(1, 5), min_size=1, max_size=3).map(
        lambda votes: tuple(Tier(D(1000) * place, vote) for place, vote in enumerate(votes))
    ),
    desk_day=st.none() | st.integers(0, 10**6).map(D),
    paused=st.booleans(),
    hours=st.none() | st.tuples(st.integers(0, 11), st.integers(12, 24)),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # of the machine, not of the strategy
@given(policies)
def test_a_policy_survives_its_storage(policy):
    assert from_document(to_document(policy)) == policy


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(policies, policies)
def test_stricter_and_looser_are_two_sides_of_one_thing(one, other):
    assert stricter_parts(one, other) == looser_parts(other, one)
    assert stricter_parts(one, one) == []


def test_other_reviewers_are_a_difference_both_ways():
    admins, reviewing = (replace(THREE, review_roles=frozenset({role})) for role in ("admin", "reviewer"))
    assert stricter_parts(admins, reviewing) == ["no review by reviewer"]
    assert looser_parts(admins, reviewing) == ["no review by admin"]


@pytest.mark.parametrize(
    "bad",
    [
        Policy(tiers=()),
        Policy(tiers=(Tier(D(5), 1),)),
        Policy(tiers=(Tier(D(0), 0),)),
        Policy(tiers=(Tier(D(0), 1), Tier(D(0), 2))),
        replace(THREE, review_roles=frozenset()),
        replace(THREE, review_roles=frozenset({"trader"})),
        replace(THREE, policy_approvals=0),
        replace(THREE, expires_after=timedelta(0)),
        replace(THREE, hours=(5, 5)),
        replace(THREE, desk_day=D(-1)),
    ],
)
def test_a_policy_nobody_can_mean_is_refused(bad):
    with pytest.raises(BadPolicy):
        from_document(to_document(bad))


@pytest.mark.parametrize("damage", [{"tiers": None}, {"tiers": [{}]}, {"hours": [1]}, {"desk_day": "much"}])
def test_a_damaged_document_is_no_policy(damage):
    with pytest.raises(BadPolicy):
        from_document({**to_document(DEFAULT), **damage})


MEMBERS = [Member("o@x", "owner", True), Member("t@x", "trader", True), Member("r@x", "reviewer", False)]


def test_the_requester_is_never_among_the_reviewers():
    assert reviewers(THREE, MEMBERS, requester="o@x") == {"r@x"}
    assert reviewers(THREE, MEMBERS, requester="t@x") == {"o@x", "r@x"}


def test_a_policy_is_unsatisfiable_for_somebody_or_for_everybody():
    assert unsatisfiable(Policy(tiers=(Tier(D(0), 1),)), MEMBERS) == []
    two = Policy(tiers=(Tier(D(0), 1), Tier(D(9), 2)))
    assert [line.split()[0] for line in unsatisfiable(two, MEMBERS)] == ["o@x"]
    assert not nobody_can_satisfy(two, MEMBERS)
    assert nobody_can_satisfy(Policy(tiers=(Tier(D(0), 3),)), MEMBERS)


def test_two_sign_ins_of_one_person_are_one_reviewer():
    twice = [*MEMBERS, Member("r@x", "admin", True)]
    assert reviewers(THREE, twice, requester="t@x") == {"o@x", "r@x"}


def test_velocity_forgets_after_its_window_and_counts_what_is_reserved():
    policy = replace(THREE, desk_day=D(100), member_week=D(500), currency_day={"BTC": D(2)})
    moved = [
        Moved(NOW - timedelta(hours=25), "a", "USD", D(90), D(90)),
        Moved(NOW - timedelta(hours=23), "b", "USD", D(40), D(40)),
        Moved(None, "a", "BTC", D("1.5"), D(30)),
    ]
    day, week, coin = velocities(policy, moved, Moved(None, "a", "BTC", D("0.5"), D(30)), NOW)
    assert (day.used, day.reserved, day.is_exceeded) == (D(40), D(30), False)
    assert (week.used, week.reserved) == (D(90), D(30))
    assert (coin.used, coin.reserved, coin.is_exceeded, coin.unit) == (D(0), D("1.5"), False, "BTC")
    tight = velocities(policy, moved, Moved(None, "a", "BTC", D("0.6"), D(31)), NOW)
    assert [one.is_exceeded for one in tight] == [True, False, True]


@pytest.mark.parametrize("days", [1, 7])
@pytest.mark.parametrize(
    ("whose", "person", "currency"), [("desk", "b", "BTC"), ("member", "a", "BTC"), ("currency", "b", "USD")]
)
def test_each_limit_holds_over_each_window_and_for_no_one_else(days, whose, person, currency):
    """What `person` moved of `currency` counts; what nobody of that kind moved does not."""
    name = f"{whose}_{'day' if days == 1 else 'week'}"
    policy = replace(THREE, **{name: {"USD": D(100)} if whose == "currency" else D(100)})
    asked = Moved(None, "a", "USD", D(1), D(1))

    def exceeded(at, person=person, currency=currency):
        return [
            one.is_exceeded for one in velocities(policy, [Moved(at, person, currency, D(100), D(100))], asked, NOW)
        ]

    inside, outside = NOW - timedelta(days=days) + timedelta(seconds=1), NOW - timedelta(days=days)
    assert (exceeded(inside), exceeded(outside)) == ([True], [False])
    if whose == "member":
        assert exceeded(inside, person="b") == [False]
    if whose == "currency":
        assert exceeded(inside, currency="BTC") == [False]


def test_an_amount_has_its_currencys_step_and_is_above_zero():
    assert [amount_trouble("USD", D(one)) == "" for one in ("0.0001", "0.00001", "0", "-1", "NaN", "1E+3")] == [
        True, False, False, False, False, True
    ]  # fmt: skip
    assert amount_trouble("BTC", D("0.00000001")) == ""
    assert "steps of 0.00000001" in amount_trouble("BTC", D("0.000000015"))


@pytest.mark.parametrize(
    ("hours", "hour", "open_"),
    [((9, 17), 9, True), ((9, 17), 17, False), ((22, 6), 23, True), ((22, 6), 5, True), ((22, 6), 6, False)],
)
def test_hours_may_cross_midnight(hours, hour, open_):
    assert is_open(replace(THREE, hours=hours), NOW.replace(hour=hour)) is open_


def test_spans_are_told_in_words():
    assert [words(timedelta(seconds=n)) for n in (0, 60, 5400, 86400, 259200)] == [
        "none", "1 minute", "90 minutes", "24 hours", "3 days",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [("A.B@Gmail.com", "ab+x@googlemail.com"), ("kim@x.test", "KIM+desk@X.test")],
)
def test_one_person_has_many_addresses(one, other):
    assert person_of(one) == person_of(other)


def test_other_people_are_other_people():
    assert person_of("a.b@x.test") != person_of("ab@x.test")


def test_every_state_has_its_row_and_nothing_leaves_an_end():
    assert set(NEXT) == set(S)
    assert {S.CONFIRMED, S.FAILED, S.RESOLVED, S.REJECTED, S.CANCELLED, S.EXPIRED} == ENDED
    assert NEXT[S.UNCERTAIN] == {S.RESOLVED}
    assert [state for state in S if S.EXECUTING in NEXT[state]] == [S.READY]


def test_the_code_is_short_and_changes_with_the_payload():
    one, other = digest_of({"amount": "1"}), digest_of({"amount": "2"})
    assert len(short_code(one)) == 9
    assert short_code(one) != short_code(other)
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert short_code("no digest") == "????-????"


def test_amounts_are_rounded_down_and_never_up():
    assert rounded_down("USD", D("1.99999")) == D("1.9999")
    assert rounded_down("BTC", D("0.123456789")) == D("0.12345678")


def row(number=1, **changes):
    values = {"id": number, "at": NOW, "asset": "USD", "wallet": "flex", "kind": "cross-exchange transfer",
              "old": D(100), "new": D(90), **changes}  # fmt: skip
    return LedgerRow(**values)


def test_only_the_very_movement_matches():
    asked = {"landing": "spot", "source": "flex", "currency": "USD", "amount": D(10)}
    others = [
        row(2, kind="transfer"), row(3, wallet="cash"), row(4, asset="BTC"), row(5, new=D(91)), row(6, new=D(110)),
    ]  # fmt: skip
    assert [one.id for one in matching([row(), *others], taken=set(), **asked)] == [1]
    assert matching([row()], taken={1}, **asked) == ()


@pytest.mark.parametrize(
    ("candidates", "changes", "finding"),
    [
        ((row(),), {}, Finding.SENT),
        ((row(1), row(2)), {}, Finding.UNCLEAR),
        ((), {"age": timedelta(minutes=9)}, Finding.TOO_EARLY),
        ((), {}, Finding.NOT_SENT),
        ((), {"is_complete": False}, Finding.UNCLEAR),
        ((), {"balance_now": D(99)}, Finding.UNCLEAR),
        ((), {"balance_before": None, "explained": None}, Finding.UNCLEAR),
    ],
)
def test_absence_proves_something_only_when_everything_agrees(candidates, changes, finding):
    known = {"is_complete": True, "balance_before": D(100), "explained": D(100), "balance_now": D(100),
             "age": timedelta(minutes=11), **changes}  # fmt: skip
    assert weigh(candidates, **known).finding is finding
