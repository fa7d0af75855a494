"""The client over a replaced wire: what it sends, what it never sends twice, what it makes of silence."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal as D
from urllib.parse import parse_qs, parse_qsl

import msgspec
import pytest
import requests
import urllib3

from krakenfutures.errors import Refused, Throttled, Unreachable, Unreadable
from krakenfutures.io import rest
from krakenfutures.signing import authent
from krakenfutures.values import (
    Accepted,
    Change,
    Lost,
    NewOrder,
    OrderRef,
    OrderState,
    OrderType,
    Permission,
    PriceSource,
    Rejected,
    Side,
    TriggerSignal,
)
from krakenfutures.venue import Credentials, Feature, Venue
from tests.krakenfutures.wire import (
    CREDENTIALS,
    REST_URL,
    SECRET,
    CountingGate,
    answered,
    text_of,
    venue_answering,
)

DEADLINE = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
ORDER = NewOrder(
    client_id="desk-7 a+b",
    symbol="pf_xbtusd",
    side=Side.BUY,
    type=OrderType.LIMIT,
    size=D("1E-4"),
    limit_price=D("60500.0"),
)
SILENCES = [
    requests.ReadTimeout("slow"),
    requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.")),
    requests.exceptions.ChunkedEncodingError("cut"),
    answered("", 503),
    answered("<html>Bad gateway</html>", 502),
    answered("not json"),
    answered('{"result":"error","error":"Server Error"}'),
    answered('{"result":"success"}'),
    answered('{"result":"success","sendStatus":"?"}'),
]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(rest, "FIRST_PAUSE", 0)


def refused_connection() -> requests.ConnectionError:
    reason = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


def placing(*answers, order=ORDER, gate=None):
    venue, wire = venue_answering(*answers)
    with venue.session(CREDENTIALS, gate or CountingGate()) as session:
        return session.orders.place(order, deadline=DEADLINE), wire


def test_the_client_is_a_venue():
    venue, _ = venue_answering("{}")
    as_seen_from_above: Venue = venue

    assert Feature.PLACE in as_seen_from_above.capabilities.features
    assert OrderType.TRAILING_STOP in as_seen_from_above.capabilities.order_types


def test_an_order_is_sent_once_signed_plain_and_with_its_deadline():
    outcome, wire = placing(text_of("rest_sendorder_placed"))

    (request,) = wire.requests
    words = dict(parse_qsl(request.body))
    assert isinstance(outcome, Accepted)
    assert (request.method, request.url) == ("POST", f"{REST_URL}/derivatives/api/v3/sendorder")
    assert words == {
        "orderType": "lmt",
        "symbol": "PF_XBTUSD",
        "side": "buy",
        "size": "0.0001",
        "limitPrice": "60500",
        "cliOrdId": "desk-7 a+b",
        "processBefore": "2026-11-22T12:00:05.000Z",
    }
    assert request.headers["Nonce"] == "1795348800001"
    assert request.headers["Authent"] == authent(
        SECRET, url_path="/derivatives/api/v3/sendorder", post_data=request.body, nonce="1795348800001"
    )


def test_a_gate_that_gives_no_nonce_sends_none():
    _, wire = placing(text_of("rest_sendorder_placed"), gate=CountingGate(nonces=False))

    assert "Nonce" not in wire.requests[0].headers


def test_triggers_and_trailing_stops_carry_their_own_words():
    stop = NewOrder(
        client_id="s",
        symbol="PF_XBTUSD",
        side=Side.SELL,
        type=OrderType.STOP,
        size=D(1),
        stop_price=D("59000"),
        trigger_signal=TriggerSignal.INDEX,
        reduce_only=True,
    )
    trailing = NewOrder(
        client_id="t",
        symbol="PF_XBTUSD",
        side=Side.SELL,
        type=OrderType.TRAILING_STOP,
        size=D(1),
        trailing_deviation=D("0.5"),
        trailing_unit="percent",
    )
    _, stop_wire = placing(text_of("rest_sendorder_trigger_placed"), order=stop)
    _, trailing_wire = placing(text_of("rest_sendorder_trigger_placed"), order=trailing)

    words = dict(parse_qsl(stop_wire.requests[0].body))
    assert (words["orderType"], words["stopPrice"], words["triggerSignal"]) == ("stp", "59000", "index")
    assert words["reduceOnly"] == "true"
    words = dict(parse_qsl(trailing_wire.requests[0].body))
    assert (words["trailingStopMaxDeviation"], words["trailingStopDeviationUnit"]) == ("0.5", "PERCENT")


@pytest.mark.parametrize("silence", SILENCES, ids=range(len(SILENCES)))
def test_a_write_without_a_readable_answer_is_lost_and_never_sent_again(silence):
    venue, wire = venue_answering(silence)
    ref = OrderRef(client_id="c1")

    with venue.session(CREDENTIALS, CountingGate()) as session:
        outcomes = [session.orders.place(ORDER, deadline=DEADLINE)]
        outcomes += [session.orders.amend(ref, Change(size=D(2)), deadline=DEADLINE)]
        outcomes += [session.orders.cancel(ref)]
        outcomes += session.orders.batch([ORDER], deadline=DEADLINE)

    assert [type(outcome) for outcome in outcomes] == [Lost] * 4
    assert outcomes[0].ref.client_id == ORDER.client_id
    assert len(wire.requests) == 4


@pytest.mark.parametrize("problem", [requests.ConnectTimeout("slow"), refused_connection()])
def test_an_order_that_could_not_leave_certainly_did_not_arrive(problem):
    outcome, wire = placing(problem)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "notSent"
    assert len(wire.requests) == 1


def test_an_empty_budget_sends_nothing():
    outcome, wire = placing(text_of("rest_sendorder_placed"), gate=CountingGate(budget=5))

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.retry_after) == ("throttled", 2.5)
    assert wire.requests == []


def test_a_venue_that_says_too_fast_is_believed():
    gate = CountingGate()
    outcome, _ = placing(text_of("rest_error_rate_limit"), gate=gate)

    assert isinstance(outcome, Rejected)
    assert gate.penalties == 1


def test_a_refused_key_rejects_the_order_with_a_sentence():
    outcome, _ = placing(text_of("rest_error_authentication"))

    assert isinstance(outcome, Rejected)
    assert outcome.code == "authenticationError"
    assert "permission" in outcome.sentence


def test_an_edit_names_the_total_so_that_a_fill_on_the_way_does_not_enlarge_it():
    venue, wire = venue_answering(text_of("rest_editorder"))

    with venue.session(CREDENTIALS, CountingGate()) as session:
        session.orders.amend(
            OrderRef(client_id="c", venue_id="v"), Change(size=D("0.02"), limit_price=D(82100)), deadline=DEADLINE
        )

    assert dict(parse_qsl(wire.requests[0].body)) == {
        "orderId": "v",
        "size": "0.02",
        "qtyMode": "ABSOLUTE",
        "limitPrice": "82100",
        "processBefore": "2026-11-22T12:00:05.000Z",
    }


def test_a_cancel_is_urgent_and_names_the_order_by_whatever_is_known():
    venue, wire = venue_answering(text_of("rest_cancelorder"))
    gate = CountingGate()

    with venue.session(CREDENTIALS, gate) as session:
        outcome = session.orders.cancel(OrderRef(client_id="c1"))
        session.orders.cancel(OrderRef(client_id="c1", venue_id="v1"), deadline=DEADLINE)

    assert outcome.state is OrderState.CANCELLED
    assert [dict(parse_qsl(request.body)) for request in wire.requests] == [
        {"cliOrdId": "c1"},
        {"order_id": "v1", "processBefore": "2026-11-22T12:00:05.000Z"},
    ]
    assert gate.spent == [(10, True), (10, True)]


def test_each_call_costs_what_the_limits_page_says():
    venue, wire = venue_answering("{}")
    gate = CountingGate()
    wire.answers = [
        *(text_of(f"rest_{name}") for name in ("accounts", "openpositions", "openorders", "fills", "fills")),
        *(
            text_of(f"rest_{name}")
            for name in ("sendorder_placed", "sendorder_placed", "cancelallorders", "orders_status")
        ),
        text_of("rest_batchorder"),
        *(text_of(f"rest_{name}") for name in ("leveragepreferences_get", "pnlpreferences_get")),
        *(text_of(f"rest_{name}") for name in ("leveragepreferences_put", "pnlpreferences_put", "unwindqueue")),
    ]

    with venue.session(CREDENTIALS, gate) as session:
        session.account.wallets()
        session.account.positions()
        session.account.open_orders()
        session.account.fills()
        session.account.fills(before=DEADLINE)
        session.orders.place(ORDER, deadline=DEADLINE)
        reducing = NewOrder(
            client_id="r", symbol="P", side=Side.SELL, type=OrderType.MARKET, size=D(1), reduce_only=True
        )
        session.orders.place(reducing, deadline=DEADLINE)
        session.orders.cancel_all()
        session.orders.lookup([OrderRef(client_id="c"), OrderRef(venue_id="v")])
        session.orders.batch([ORDER] * 4, deadline=DEADLINE)
        session.preferences.all()
        session.preferences.set_leverage("PF_XBTUSD", D("1E+1"))
        session.preferences.set_pnl_currency("PF_XBTUSD", "BTC")
        session.preferences.unwind_ranks()

    assert gate.spent == [
        (2, False), (2, False), (2, False), (2, False), (25, False),
        (10, False), (10, True), (25, True), (1, False), (13, False),
        (2, False), (2, False), (10, False), (10, False), (200, False),
    ]  # fmt: skip
    assert parse_qs(wire.requests[4].url.partition("?")[2]) == {"lastFillTime": ["2026-11-22T12:00:05.000Z"]}
    assert parse_qsl(wire.requests[8].body) == [("cliOrdIds", "c"), ("orderIds", "v")]


def test_a_batch_is_one_json_in_plain_numbers_that_echoes_its_tags():
    venue, wire = venue_answering(text_of("rest_batchorder"))

    with venue.session(CREDENTIALS, CountingGate()) as session:
        session.orders.batch([ORDER, ORDER], deadline=DEADLINE)

    words = dict(parse_qsl(wire.requests[0].body))
    assert '"size":0.0001' in words["json"]
    assert [element["order_tag"] for element in json.loads(words["json"])["batchOrder"]] == ["0", "1"]
    assert words["processBefore"] == "2026-11-22T12:00:05.000Z"


def test_a_batch_of_cancels_or_of_reductions_may_use_the_reserve():
    gate = CountingGate()
    venue, wire = venue_answering(*[text_of("rest_batchorder")] * 3)
    reducing = msgspec.structs.replace(ORDER, reduce_only=True)

    with venue.session(CREDENTIALS, gate) as session:
        session.orders.cancel_batch([OrderRef(venue_id="v"), OrderRef(client_id="c")], deadline=DEADLINE)
        session.orders.batch([reducing], deadline=DEADLINE)
        session.orders.batch([reducing, ORDER], deadline=DEADLINE)

    elements = json.loads(dict(parse_qsl(wire.requests[0].body))["json"])["batchOrder"]
    assert elements == [{"order": "cancel", "order_id": "v"}, {"order": "cancel", "cliOrdId": "c"}]
    assert gate.spent == [(11, True), (10, True), (11, False)]


def test_the_dead_mans_switch_costs_twenty_five_and_may_use_the_reserve():
    gate = CountingGate()
    now = "2026-11-22T12:00:00.000Z"
    venue, wire = venue_answering(json.dumps({"status": {"currentTime": now, "triggerTime": "0"}}))

    with venue.session(CREDENTIALS, gate) as session:
        assert session.orders.arm(0).fires_at is None

    assert (dict(parse_qsl(wire.requests[0].body)), gate.spent) == ({"timeout": "0"}, [(25, True)])


def test_a_batch_that_is_too_large_is_a_mistake_of_ours():
    venue, _ = venue_answering("{}")
    with venue.session(CREDENTIALS, CountingGate()) as session, pytest.raises(ValueError, match="batch"):
        session.orders.batch([ORDER] * 51, deadline=DEADLINE)


def test_a_read_is_tried_again_with_a_new_nonce_each_time():
    gate = CountingGate()
    venue, wire = venue_answering(requests.ReadTimeout("slow"), answered("", 503), text_of("rest_accounts"))

    with venue.session(CREDENTIALS, gate) as session:
        assert session.account.wallets().cash["USD"] == D("12500.25")

    assert [request.headers["Nonce"][-1] for request in wire.requests] == ["1", "2", "3"]
    assert len(gate.spent) == 3


def test_a_read_gives_up_after_four_attempts():
    venue, wire = venue_answering(requests.ReadTimeout("slow"))

    with pytest.raises(Unreachable):
        venue.market.tickers()

    assert len(wire.requests) == 4


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answered("not json"), Unreadable),
        (text_of("rest_error_authentication"), Refused),
        (text_of("rest_error_rate_limit"), Throttled),
        (answered("Invalid resolution", 400), Refused),
        (answered("", 302, Location="https://elsewhere.test"), Unreadable),
    ],
)
def test_a_read_that_was_answered_is_not_repeated(answer, error):
    venue, wire = venue_answering(answer)

    with pytest.raises(error):
        venue.market.instruments()

    assert len(wire.requests) == 1


def test_a_wrong_secret_is_refused_before_anything_is_sent_and_never_repeated():
    venue, wire = venue_answering(text_of("rest_auth_api_keys_check"))
    secret = "definitely not base64 !!"

    with (
        venue.session(Credentials(key="k", secret=secret), CountingGate()) as session,
        pytest.raises(Refused) as refusal,
    ):
        session.account.check()

    assert (refusal.value.code, refusal.value.field) == ("invalidSecret", "secret")
    assert wire.requests == []
    assert secret not in repr(refusal.value) + repr(Credentials(key="k", secret=secret))


def test_no_error_carries_the_signature():
    venue, _ = venue_answering(requests.ReadTimeout("slow"))

    with venue.session(CREDENTIALS, CountingGate()) as session, pytest.raises(Unreachable) as silence:
        session.account.wallets()

    assert silence.value.__cause__ is None
    assert "Authent" not in repr(silence.value)


def test_a_key_tells_what_it_may_and_its_path_is_signed_whole():
    venue, wire = venue_answering(text_of("rest_auth_api_keys_check"))

    with venue.session(CREDENTIALS, CountingGate(nonces=False)) as session:
        facts = session.account.check()

    assert facts.general is Permission.FULL
    assert wire.requests[0].headers["Authent"] == authent(SECRET, url_path="/api/auth/v1/api-keys/v3/check")


def test_a_closed_session_has_forgotten_the_key():
    venue, _ = venue_answering(text_of("rest_accounts"))
    with venue.session(CREDENTIALS, CountingGate()) as session:
        pass

    with pytest.raises(RuntimeError, match="closed"):
        session.account.wallets()


def test_public_data_is_asked_without_a_key():
    venue, wire = venue_answering(text_of("charts_candles_trade"))

    candles = venue.market.candles("PF_XBTUSD", source=PriceSource.INDEX, resolution="1h", since=DEADLINE, count=3)

    (request,) = wire.requests
    assert len(candles) == 3
    assert request.url == f"{REST_URL}/api/charts/v1/spot/PF_XBTUSD/1h?from=1795348805&count=3"
    assert "APIKey" not in request.headers


def test_the_rest_of_the_market_is_read():
    venue, wire = venue_answering("{}")
    wire.answers = [
        text_of(f"rest_{name}")
        for name in ("instruments", "tickers", "orderbook", "history", "historical_funding_rates")
    ]

    assert len(venue.market.instruments()) == 6
    assert venue.market.tickers()[0].funding_rate == D("0.915201")
    assert venue.market.book("PF_XBTUSD").bids[0].price == 84005
    assert venue.market.trades("PF_XBTUSD", before=DEADLINE)[2].kind == "liquidation"
    assert venue.market.funding("PF_XBTUSD")[0].relative == D("0.000011795815")
    assert "lastTime=2026-11-22T12%3A00%3A05.000Z" in wire.requests[3].url


def test_the_clock_skew_is_the_venues_clock_minus_ours():
    ahead = datetime.fromtimestamp(time.time() + 30, UTC).isoformat()
    venue, _ = venue_answering(json.dumps({"result": "success", "serverTime": ahead}))

    assert 29 < venue.clock_skew() < 31


def test_the_default_session_adds_nothing_of_its_own(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine futures.test login somebody password else")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")

    session = rest.pooled_session("https://futures.test")
    prepared = session.prepare_request(requests.Request("GET", "https://futures.test/"))

    assert session.proxies["https"] == "http://proxy.test:3128"
    assert "Authorization" not in prepared.headers
    assert session.get_adapter("https://x").max_retries.total == 0


def test_a_preference_is_put_once_and_read_for_every_contract_that_has_one():
    venue, wire = venue_answering(*(text_of(f"rest_{name}_get") for name in ("leveragepreferences", "pnlpreferences")))
    with venue.session(CREDENTIALS, CountingGate()) as session:
        leverage, currency = session.preferences.all()
        wire.answers = [text_of("rest_leveragepreferences_put")]
        session.preferences.set_leverage("PF_XBTUSD", D("2.5"))
        session.preferences.set_leverage("PF_XBTUSD", None)
        wire.answers = [answered(text_of("rest_error_leverage_contract"), 500), requests.ReadTimeout("slow")]
        with pytest.raises(Refused, match="does not know this contract"):
            session.preferences.set_leverage("PF_NOPE", D(2))
        with pytest.raises(Unreachable):
            session.preferences.set_pnl_currency("PF_XBTUSD", "USD")

    assert (leverage.symbol, leverage.max_leverage, leverage.pnl_currency) == ("PF_ETHUSD", D("5.0"), None)
    assert (currency.symbol, currency.max_leverage, currency.pnl_currency) == ("PF_XBTUSD", None, "BTC")
    sent = [(request.method, request.body) for request in wire.requests[2:]]
    assert sent == [
        ("PUT", "symbol=PF_XBTUSD&maxLeverage=2.5"),
        ("PUT", "symbol=PF_XBTUSD"),
        ("PUT", "symbol=PF_NOPE&maxLeverage=2"),
        ("PUT", "symbol=PF_XBTUSD&pnlPreference=USD"),
    ]
