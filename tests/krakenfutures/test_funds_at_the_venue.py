"""The same over a real connection: the demo exchange's ledger is the truth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D

import pytest

from krakenfutures.funds import Landing, Transfer
from krakenfutures.io.derivatives import DerivativesVenue
from krakenfutures.values import Lost, Rejected
from krakenfutures.venue import Credentials
from tests.krakenfutures.wire import CountingGate
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue

pytestmark = pytest.mark.venue


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    venue = start_demovenue(tmp_path_factory.mktemp("funds"))
    yield venue
    venue.stop()


@pytest.fixture
def account(process: DemoVenue) -> Iterator[DemoAccount]:
    yield process.signup(withdrawal="full")
    process.clear_faults()


def session_of(process: DemoVenue, account: DemoAccount):
    credentials = Credentials(account.key.public, account.key.private)
    return DerivativesVenue(process.url, process.ws_url).session(credentials, CountingGate())


def test_a_withdrawal_moves_money_once_and_its_reference_stands_in_the_log(process, account):
    with session_of(process, account) as session:
        before = session.account.wallets().flex.holdings
        receipt = session.funds.withdraw("USD", D("12.5"), source="flex")
        (row,) = [row for row in session.funds.ledger(count=25) if row.reference == receipt.reference]
        after = session.account.wallets().flex.holdings

    held = {one.currency: one.quantity for one in before}["USD"]
    assert (row.kind, row.wallet, row.asset, row.change) == ("cross-exchange transfer", "flex", "USD", D("-12.5"))
    assert {one.currency: one.quantity for one in after}["USD"] == held - D("12.5")
    (left,) = process.ledger(account)["withdrawals"]
    assert (left["uid"], D(left["amount"]), left["source_wallet"]) == (receipt.reference, D("12.5"), "flex")


def test_a_dropped_answer_is_lost_and_the_log_tells_the_truth(process, account):
    process.fault("drop_response", count=1, key=account.key.public)
    with session_of(process, account) as session:
        outcome = session.funds.withdraw("USD", D(7), source="flex")
        rows = [row for row in session.funds.ledger(count=25) if row.kind == "cross-exchange transfer"]

    assert isinstance(outcome, Lost)
    assert len(process.ledger(account)["withdrawals"]) == 1
    assert [row.change for row in rows if row.change < 0] == [D(-7)]


def test_too_much_is_a_plain_no_and_nothing_moves(process, account):
    with session_of(process, account) as session:
        outcome = session.funds.withdraw("USD", D(10) ** 9, source="flex")
    assert isinstance(outcome, Rejected)
    assert (outcome.code, process.ledger(account)["withdrawals"]) == ("insufficientFunds", [])


def test_a_key_that_may_not_withdraw_is_told_so(process):
    account = process.signup(withdrawal="none")
    with session_of(process, account) as session:
        outcome = session.funds.withdraw("USD", D(1), source="flex")
    assert isinstance(outcome, Rejected)
    assert process.ledger(account)["withdrawals"] == []


def test_money_moves_between_wallets_and_to_a_subaccount(process, account):
    process.control("POST", "/demo/subaccounts", {}, account)
    with session_of(process, account) as session:
        found = session.funds.destinations()
        session.funds.move(Transfer(source="flex", target="cash", currency="USD", amount=D(20)))
        (sub,) = [one for one in found if one.landing is Landing.SUBACCOUNT]
        session.funds.move(
            Transfer(
                source="cash",
                target=sub.wallet,
                currency="USD",
                amount=D(5),
                from_account=account.uid,
                to_account=sub.account,
            )
        )
        kinds = [(row.kind, row.wallet, row.change) for row in session.funds.ledger(count=10)]

    assert ("transfer", "flex", D(-20)) in kinds
    assert ("transfer", "cash", D(20)) in kinds
    assert ("subaccount transfer", "cash", D(-5)) in kinds
    assert len(process.ledger(account)["transfers"]) == 2
