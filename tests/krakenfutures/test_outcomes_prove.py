"""What an answer to a write proves. `success` at its top proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from krakenfutures.errors import Refused, Throttled, Unreachable, Unreadable
from krakenfutures.parse.outcomes import (
    parse_batch,
    parse_cancel,
    parse_cancel_all,
    parse_cancel_batch,
    parse_dead_man,
    parse_edit,
    parse_send,
)
from krakenfutures.parse.refusals import error_in
from krakenfutures.sentences import ERRORS, ORDER_ERRORS, REASONS, STATUSES, field_of, sentence
from krakenfutures.values import (
    Accepted,
    Lost,
    NewOrder,
    OrderRef,
    OrderState,
    OrderType,
    Rejected,
    Side,
)
from tests.krakenfutures.wire import sample

ORDER = NewOrder(
    client_id="desk-1-0010",
    symbol="PF_XBTUSD",
    side=Side.BUY,
    type=OrderType.LIMIT,
    size=D("0.01"),
    limit_price=D(82000),
)
REF = OrderRef(client_id="desk-1-0010")


def sent(name: str):
    return parse_send(sample(f"rest_sendorder_{name}"), ORDER)


def with_status(name: str, part: str, status: str, **changes):
    raw = sample(name)
    raw[part] = {**raw[part], "status": status, **changes}
    return raw


def test_a_resting_order_is_open():
    outcome = sent("placed")

    assert isinstance(outcome, Accepted)
    assert (outcome.order_id, outcome.client_id) == ("a34938bf-4828-457c-9c5f-1e02566db639", "desk-1-0010")
    assert (outcome.state, outcome.filled, outcome.average_price) == (OrderState.OPEN, 0, None)
    assert outcome.at == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert outcome.order.limit_price == D("82000.0")


def test_an_executed_order_is_filled_though_kraken_calls_it_placed():
    outcome = sent("executed")

    assert (outcome.status, outcome.state) == ("placed", OrderState.FILLED)
    assert (outcome.filled, outcome.average_price) == (D("0.01"), D("84006.0"))
    assert outcome.client_id == "desk-1-0010"


def test_an_order_that_fills_in_part_and_rests_is_partly_filled():
    outcome = sent("partial_then_rest")

    assert (outcome.state, outcome.filled) == (OrderState.PARTLY_FILLED, D("0.4"))
    assert outcome.order.open_size == D("0.6")


def test_an_immediate_order_that_fills_in_part_has_dropped_its_rest():
    raw = sample("rest_sendorder_executed")
    raw["sendStatus"]["orderEvents"][0]["amount"] = D("0.004")

    outcome = parse_send(raw, ORDER)

    assert (outcome.state, outcome.filled) == (OrderState.CANCELLED, D("0.004"))


def test_several_executions_add_up_and_an_inverse_average_is_harmonic():
    raw = sample("rest_sendorder_executed")
    first = raw["sendStatus"]["orderEvents"][0]
    prior = {**first["orderPriorExecution"], "symbol": "PI_XBTUSD", "quantity": 2}
    first.update(amount=1, price=D("413.3"), orderPriorExecution=prior)
    second = {**first, "price": D("342.1"), "orderPriorExecution": {**prior, "filled": 1}}
    raw["sendStatus"]["orderEvents"].append(second)

    outcome = parse_send(raw, ORDER)

    assert (outcome.state, outcome.filled) == (OrderState.FILLED, 2)
    assert round(outcome.average_price, 13) == D("374.3445326979084")


def test_a_trigger_order_waits_and_knows_its_kind():
    outcome = sent("trigger_placed")

    assert outcome.state is OrderState.OPEN
    assert (outcome.order.type, outcome.order.stop_price, outcome.order.limit_price) == (
        OrderType.STOP,
        D("81000.0"),
        None,
    )


def test_an_accepted_order_without_events_is_held_back_not_open():
    raw = with_status("rest_sendorder_placed", "sendStatus", "placed", orderEvents=[])

    assert parse_send(raw, ORDER).state is OrderState.PENDING


@pytest.mark.parametrize(
    ("name", "code", "field"),
    [
        ("insufficient_funds", "insufficientAvailableFunds", "size"),
        ("rejected_ioc", "iocWouldNotExecute", "limit_price"),
        ("rejected_post", "postWouldExecute", "limit_price"),
    ],
)
def test_a_refused_order_says_why_and_which_field(name, code, field):
    outcome = sent(name)

    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.field, outcome.sentence) == (code, field, STATUSES[code])


def test_what_has_traded_was_not_rejected():
    raw = with_status("rest_sendorder_executed", "sendStatus", "selfFill")
    raw["sendStatus"]["orderEvents"][0]["amount"] = D("0.004")

    outcome = parse_send(raw, ORDER)

    assert isinstance(outcome, Accepted)
    assert outcome.filled == D("0.004")


@pytest.mark.parametrize("status", ["quantumFlux", "clientOrderIdAlreadyExist"])
def test_a_status_that_proves_nothing_is_lost_not_rejected(status):
    outcome = parse_send(with_status("rest_sendorder_insufficient_funds", "sendStatus", status), ORDER)

    assert isinstance(outcome, Lost)
    assert outcome.ref == REF


@pytest.mark.parametrize("raw", [{}, {"result": "success"}, {"result": "success", "sendStatus": {}}, [], None])
def test_an_answer_without_a_status_is_unreadable(raw):
    with pytest.raises(Unreadable):
        parse_send(raw, ORDER)


def test_an_edited_order_has_its_new_price_and_size():
    outcome = parse_edit(sample("rest_editorder"), REF)

    assert (outcome.state, outcome.status) == (OrderState.OPEN, "edited")
    assert (outcome.order.size, outcome.order.limit_price) == (D("0.02"), D("82100.0"))


def test_an_edit_without_effect_is_accepted_and_a_vanished_order_is_not():
    unchanged = parse_edit(sample("rest_editorder_no_effect"), REF)
    vanished = parse_edit(sample("rest_editorder_not_found"), REF)

    assert isinstance(unchanged, Accepted)
    assert unchanged.order.limit_price == D("82000.0")
    assert isinstance(vanished, Rejected)
    assert "no longer open" in vanished.sentence


def test_a_cancelled_order_is_cancelled_also_when_it_was_a_trigger():
    for name in ("rest_cancelorder", "rest_cancelorder_trigger"):
        outcome = parse_cancel(sample(name), REF)
        assert isinstance(outcome, Accepted)
        assert (outcome.state, outcome.order.state) == (OrderState.CANCELLED, OrderState.CANCELLED)


@pytest.mark.parametrize("status", ["filled", "notFound"])
def test_a_cancel_that_came_too_late_never_says_cancelled(status):
    outcome = parse_cancel(with_status("rest_cancelorder_not_found", "cancelStatus", status), REF)

    assert isinstance(outcome, Rejected)
    assert outcome.code == status
    assert "filled" in outcome.sentence


def test_cancel_all_names_what_it_cancelled_and_may_cancel_nothing():
    refs = parse_cancel_all(sample("rest_cancelallorders"))

    assert [ref.client_id for ref in refs] == ["desk-1-0010", None]
    assert all(ref.venue_id for ref in refs)
    assert parse_cancel_all(sample("rest_cancelallorders_none")) == []


def test_a_batch_answers_each_order_by_its_tag():
    raw = sample("rest_batchorder")
    raw["batchStatus"] = [
        {**raw["batchStatus"][3], "order_tag": "2"},
        {**raw["batchStatus"][0], "order_tag": "0"},
    ]

    first, second, third = parse_batch(raw, [ORDER] * 3)

    assert isinstance(first, Accepted)
    assert isinstance(second, Lost)
    assert isinstance(third, Rejected)


def test_an_edited_trigger_is_told_as_a_trigger():
    trigger = {
        "uid": "t", "clientId": "c", "symbol": "PF_XBTUSD", "side": "sell", "quantity": D("0.01"), "limitPrice": None,
        "triggerPrice": 77291, "triggerSide": "TRIGGER_BELOW", "triggerSignal": "MARK_PRICE", "reduceOnly": True,
        "timestamp": "2026-11-22T12:00:00.000Z", "lastUpdateTimestamp": "2026-11-22T12:00:01.000Z",
    }  # fmt: skip
    event = {"type": "EDIT", "old": {**trigger, "triggerPrice": 77000}, "new": trigger, "reducedQuantity": None}
    status = {"status": "edited", "orderId": "t", "orderEvents": [event]}

    outcome = parse_edit({"editStatus": status}, OrderRef(venue_id="t"))

    assert isinstance(outcome, Accepted) and outcome.order is not None
    assert (outcome.order.type, outcome.order.stop_price) == (OrderType.STOP, D(77291))


def test_a_batch_of_cancels_answers_each_by_its_order_or_by_its_place():
    raw = sample("rest_batchorder")
    cancelled, refused = raw["batchStatus"][2], {"status": "notFound", "orderEvents": []}
    mine, other = OrderRef(venue_id=cancelled["order_id"]), OrderRef(venue_id="other")

    first, second = parse_cancel_batch({"batchStatus": [refused, cancelled]}, [other, mine])
    (third, fourth) = parse_cancel_batch({"batchStatus": [cancelled]}, [other, mine])

    assert isinstance(first, Rejected) and first.code == "notFound"
    assert isinstance(second, Accepted) and second.state is OrderState.CANCELLED
    assert isinstance(third, Lost)
    assert isinstance(fourth, Accepted)


def test_the_dead_mans_switch_tells_when_it_fires_or_that_it_is_off():
    now = "2026-11-22T12:00:00.000Z"

    armed = parse_dead_man({"status": {"currentTime": now, "triggerTime": "2026-11-22T12:01:00.000Z"}})
    off = parse_dead_man({"status": {"currentTime": now, "triggerTime": "0"}})

    assert armed.fires_at is not None and (armed.fires_at - armed.at).total_seconds() == 60
    assert off.fires_at is None


def test_a_batch_element_without_a_tag_is_found_by_its_place():
    (outcome,) = parse_batch(sample("rest_batchorder_missing_argument"), [ORDER])

    assert outcome == Rejected(code="requiredArgumentMissing", sentence=STATUSES["requiredArgumentMissing"])


@pytest.mark.parametrize(
    ("status", "name", "kind", "code"),
    [
        (200, "rest_error_authentication", Refused, "authenticationError"),
        (200, "rest_error_invalid_argument_suffix", Refused, "invalidArgument: symbol"),
        (400, "rest_error_bad_request", Refused, "invalidArgument: orderType"),
        (404, "rest_error_not_found", Refused, "NOT_FOUND"),
        (404, "rest_error_gateway_404", Refused, "NOT_FOUND"),
        (400, "rest_error_unknown_symbol_orderbook", Refused, "BAD_REQUEST"),
        (500, "rest_error_leverage_contract", Refused, "CONTRACT_DOES_NOT_EXIST"),
        (200, "rest_error_required_argument", Refused, "requiredArgumentMissing"),
        (401, "rest_auth_api_keys_check_401", Refused, "authenticationError"),
        (401, "history_error_unauthorized", Refused, "authenticationError"),
        (200, "rest_error_rate_limit", Throttled, None),
        (200, "rest_withdrawal_unavailable", Unreachable, None),
    ],
)
def test_each_shape_of_error_becomes_one_of_four_words(status, name, kind, code):
    error = error_in(status, {}, sample(name))

    assert type(error) is kind
    assert code is None or (error.code, error.sentence) == (code, sentence(code))


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (429, {"rate-limit-reset": "12"}, Throttled),
        (500, {}, Unreachable),
        (503, {}, Unreachable),
        (302, {}, Unreadable),
        (200, {}, Unreadable),
        (400, {}, Refused),
        (403, {}, Refused),
    ],
)
def test_an_answer_that_is_not_json_is_sorted_by_its_status(status, headers, kind):
    error = error_in(status, headers, None)

    assert type(error) is kind
    assert status != 429 or error.retry_after == 12


@pytest.mark.parametrize("code", sorted({**ERRORS, **STATUSES, **ORDER_ERRORS, **REASONS}))
def test_every_code_has_a_sentence_that_starts_and_ends_like_one(code):
    said = sentence(code)

    assert said[0].isupper()
    assert said.endswith(".")


def test_a_code_nobody_knows_is_repeated_and_a_suffix_is_kept():
    assert "quantumFlux" in sentence("quantumFlux")
    assert sentence("invalidArgument: symbol").endswith("(symbol).")
    assert field_of("invalidPrice") == "limit_price"
    assert field_of("quantumFlux") is None


# The inner words of the reference for placing, editing and cancelling; and of the look-up and the live feed.
DOCUMENTED = """
marketSuspended marketInactive invalidPrice invalidSize tooManySmallOrders insufficientAvailableFunds
wouldCauseLiquidation clientOrderIdAlreadyExist clientOrderIdTooBig clientOrderIdTooLong maxPositionViolation
outsidePriceCollar wouldIncreasePriceDislocation notFound orderForEditNotAStop orderForEditNotFound postWouldExecute
iocWouldNotExecute selfFill wouldNotReducePosition marketIsPostOnly tooManyOrders fixedLeverageTooHigh
clientOrderIdInvalid cannotEditTriggerPriceOfTrailingStop cannotEditLimitPriceOfTrailingStop
wouldProcessAfterSpecifiedTime invalidOrderType invalidSide filled noOrdersToCancel requiredArgumentMissing
accountInactive apiLimitExceeded authenticationError insufficientFunds invalidAccount invalidAmount invalidArgument
invalidUnit marketUnavailable nonceBelowThreshold nonceDuplicate Unavailable unknownError contractNotFound
LOADING_MARKET NEW_USER_ORDER LIQUIDATION_ORDER CANCELLED_BY_SELF_TRADE EXPIRED TRAILING_STOP_PRICE_UPDATED
TRAILING_STOP_CANCELLED_AND_REPLACED_BY_ADMIN POST_WOULD_EXECUTE_REASON WOULD_EXECUTE_SELF_REASON
order_for_edit_not_found market_inactive dead_man_switch not_enough_margin would_execute_self
"""


@pytest.mark.parametrize("code", [*DOCUMENTED.split(), "Json Parse Error", "Server Error", "Bad Request"])
def test_every_documented_code_has_words_of_its_own(code):
    assert "does not know: " not in sentence(code)
