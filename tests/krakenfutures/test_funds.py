"""Moving money: sent once, in Kraken's words; what an answer proves; the account log read whole."""

from __future__ import annotations

from decimal import Decimal as D
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import urllib3

from krakenfutures.errors import Unreadable
from krakenfutures.funds import Landing, Receipt, Transfer
from krakenfutures.io import rest
from krakenfutures.parse.funds import parse_ledger
from krakenfutures.values import Lost, Rejected
from krakenfutures.venue import Feature
from tests.krakenfutures.wire import CREDENTIALS, CountingGate, answered, as_json, sample, text_of, venue_answering

MOVE = Transfer(source="cash", target="fi_xbtusd", currency="BTC", amount=D("0.1"))
SILENCES = [
    requests.ReadTimeout("slow"),
    requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.")),
    requests.exceptions.ChunkedEncodingError("cut"),
    answered("", 503),
    answered("<html>Bad gateway</html>", 502),
    answered("not json"),
    answered('{"result":"error","error":"Server Error"}'),
    answered('{"result":"error","error":"somethingNew"}'),
    answered('{"result":"somethingElse"}'),
]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(rest, "FIRST_PAUSE", 0)


def withdrawing(*answers, gate=None):
    venue, wire = venue_answering(*answers)
    with venue.session(CREDENTIALS, gate or CountingGate()) as session:
        return session.funds.withdraw("BTC", D("1E-4"), source="flex"), wire


def moving(*answers, transfer=MOVE, gate=None):
    venue, wire = venue_answering(*answers)
    with venue.session(CREDENTIALS, gate or CountingGate()) as session:
        return session.funds.move(transfer), wire


def test_the_venue_says_that_it_can_withdraw():
    venue, _ = venue_answering("{}")
    assert Feature.WITHDRAW in venue.capabilities.features


def test_a_withdrawal_is_sent_once_in_plain_words_and_costs_a_hundred():
    gate = CountingGate()
    outcome, wire = withdrawing(text_of("rest_withdrawal"), gate=gate)

    (request,) = wire.requests
    assert outcome.reference == "faaf2cf8-e715-47a7-a3f7-fa9f127e4b7c"
    assert (request.method, urlsplit(request.url).path) == ("POST", "/derivatives/api/v3/withdrawal")
    assert dict(parse_qsl(request.body)) == {"currency": "xbt", "amount": "0.0001", "sourceWallet": "flex"}
    assert gate.spent == [(100, False)]


def test_a_transfer_names_both_wallets_and_costs_ten():
    gate = CountingGate()
    outcome, wire = moving(text_of("rest_transfer"), gate=gate)

    (request,) = wire.requests
    assert isinstance(outcome, Receipt)
    assert outcome.reference == ""
    assert urlsplit(request.url).path == "/derivatives/api/v3/transfer"
    assert dict(parse_qsl(request.body)) == {
        "fromAccount": "cash", "toAccount": "fi_xbtusd", "unit": "xbt", "amount": "0.1",
    }  # fmt: skip
    assert gate.spent == [(10, False)]


def test_a_subaccount_is_named_by_its_uid():
    there = Transfer(
        source="flex", target="cash", currency="USD", amount=D(5), from_account="main-uid", to_account="sub-uid"
    )
    outcome, wire = moving(text_of("rest_transfer"), transfer=there)

    assert isinstance(outcome, Receipt)
    assert urlsplit(wire.requests[0].url).path == "/derivatives/api/v3/transfer/subaccount"
    assert dict(parse_qsl(wire.requests[0].body)) == {
        "fromUser": "main-uid", "toUser": "sub-uid", "fromAccount": "flex", "toAccount": "cash", "unit": "usd",
        "amount": "5",
    }  # fmt: skip


@pytest.mark.parametrize("silence", SILENCES, ids=range(len(SILENCES)))
@pytest.mark.parametrize("send", [withdrawing, moving], ids=["withdraw", "move"])
def test_whatever_is_no_clear_answer_is_lost_and_never_sent_again(send, silence):
    outcome, wire = send(silence)

    assert isinstance(outcome, Lost)
    assert len(wire.requests) == 1


def test_a_receipt_without_its_reference_is_lost():
    outcome, _ = withdrawing('{"result":"success"}')
    assert isinstance(outcome, Lost)


def test_withdrawals_that_are_closed_prove_nothing():
    """The word is also the one of a venue in trouble, so it stays open whether the money moved."""
    outcome, wire = withdrawing(text_of("rest_withdrawal_unavailable"))
    assert isinstance(outcome, Lost)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("code", ["insufficientFunds", "invalidAmount", "authenticationError", "nonceBelowThreshold"])
def test_a_plain_no_is_a_refusal_in_words(code):
    outcome, wire = withdrawing(as_json({"result": "error", "error": code}))
    assert isinstance(outcome, Rejected)
    assert (outcome.code, len(wire.requests)) == (code, 1)
    assert outcome.sentence


def test_nothing_leaves_when_the_budget_is_short():
    outcome, wire = withdrawing(text_of("rest_withdrawal"), gate=CountingGate(budget=99))
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.retry_after, wire.requests) == ("throttled", 2.5, [])


def test_no_connection_means_not_sent():
    reason = urllib3.exceptions.NewConnectionError(None, "refused")
    outcome, _ = withdrawing(requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason)))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "notSent"


def test_every_column_of_the_account_log_is_read():
    rows = parse_ledger(sample("history_account_log"))

    trade, position = rows[0], rows[1]
    assert {row.id for row in rows} and all(row.unknown == {} for row in rows)
    assert (trade.asset, trade.wallet, trade.kind, trade.change) == ("USD", "flex", "futures trade", D("19.1579"))
    assert trade.change == trade.realised_pnl - trade.fee + trade.realised_funding
    assert (position.asset, position.is_position, trade.is_position) == ("PF_XBTUSD", True, False)


def test_a_kind_nobody_knows_is_kept_as_it_came():
    raw = sample("history_account_log")
    raw["logs"][0] |= {"info": "moon dust", "new_column": 3}
    row = parse_ledger(raw)[0]
    assert row.kind == "moon dust"
    assert row.unknown == {"info": "moon dust", "new_column": 3}


def test_a_row_without_balances_is_not_guessed():
    raw = sample("history_account_log")
    del raw["logs"][0]["new_balance"]
    with pytest.raises(Unreadable):
        parse_ledger(raw)


def test_the_account_log_is_asked_by_id_and_is_paid_from_the_history_pool():
    gate = CountingGate()
    venue, wire = venue_answering(text_of("history_account_log"))
    with venue.session(CREDENTIALS, gate) as session:
        session.funds.ledger(from_id=901, count=25, oldest_first=True)

    asked = urlsplit(wire.requests[0].url)
    assert asked.path == "/api/history/v3/account-log"
    assert dict(parse_qsl(asked.query)) == {"from": "901", "count": "25", "sort": "asc"}
    assert gate.spent == []
    assert gate.history == [(1, True)]


def test_destinations_are_typed_and_have_no_address():
    venue, _ = venue_answering(text_of("rest_accounts"), text_of("rest_subaccounts"))
    with venue.session(CREDENTIALS, CountingGate()) as session:
        found = session.funds.destinations()

    assert found[0].landing is Landing.SPOT
    wallets = {one.wallet: one.currencies for one in found if one.landing is Landing.WALLET}
    assert wallets["cash"] is None and wallets["flex"] is None
    assert wallets["fi_xbtusd"] == ("BTC",)
    (sub,) = [one for one in found if one.landing is Landing.SUBACCOUNT]
    assert (sub.account, sub.wallet) == ("0152e145-787b-4c35-81c1-f13184749259", "cash")
