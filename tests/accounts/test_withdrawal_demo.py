"""A desk to look at: a withdrawal in every state, real where the exchange is concerned."""

from __future__ import annotations

import pytest

from accounts.actions.policy import policy_in_force
from accounts.actions.withdrawal_demo import furnish_withdrawals
from accounts.actions.withdrawal_moves import tampered
from accounts.models import Desk, Withdrawal
from accounts.policy_rules import DEFAULT
from accounts.rules import NotAllowed
from accounts.withdrawal_rules import S
from tests.accounts.withdrawing import make_team
from tests.venue_process import DemoVenue

pytestmark = [pytest.mark.venue, pytest.mark.timeout(180)]


def test_every_state_is_there_and_nothing_is_added_twice(desk: Desk, venue: DemoVenue) -> None:
    team = make_team(desk, venue, DEFAULT)
    people = {"owner": team.owner, "trader": team.trader, "reviewer": team.alice}
    made = furnish_withdrawals(team.account, **people)

    assert {state: Withdrawal.objects.get(pk=pk).status for state, pk in made.items()} == {s.value: s.value for s in S}
    assert all(tampered(row) == [] for row in Withdrawal.objects.all())
    assert len(team.sent()) == 3  # confirmed, uncertain, resolved
    assert policy_in_force(desk).number == 2
    assert furnish_withdrawals(team.account, **people) == made
    assert (Withdrawal.objects.count(), len(team.sent())) == (len(S), 3)


def test_an_account_of_real_money_is_left_alone(desk: Desk, venue: DemoVenue) -> None:
    team = make_team(desk, venue, DEFAULT)
    team.account.environment = "production"
    with pytest.raises(NotAllowed):
        furnish_withdrawals(team.account, owner=team.owner, trader=team.trader, reviewer=team.alice)
    assert Withdrawal.objects.count() == 0
