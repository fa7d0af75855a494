"""The table of an order's states: complete, closed, and walked move by move."""

from __future__ import annotations

from decimal import Decimal as D
from itertools import product

import pytest
from django.db import IntegrityError

from accounts.models import Account
from krakenfutures import values
from krakenfutures.values import OrderState, OrderType, Side
from trading.actions.learning import STATUS_OF, News, apply, learn, news_of_order
from trading.models import NEXT, Order, OrderStatus
from trading.models.order import FINAL, UNSETTLED, WORKING

S = OrderStatus


def order_in(status: str, *, filled: str = "0", size: str = "10") -> Order:
    return Order(symbol="PF_XBTUSD", side="buy", type="limit", size=D(size), filled=D(filled), status=status)


def described(state: OrderState, *, filled: str = "0", size: str = "10") -> values.Order:
    return values.Order(
        id="venue-1", client_id="ours-1", symbol="PF_XBTUSD", side=Side.BUY, type=OrderType.LIMIT,
        size=D(size), filled=D(filled), state=state,
    )  # fmt: skip


def test_every_status_has_a_row_and_every_row_leads_to_a_status() -> None:
    assert set(NEXT) == set(OrderStatus.values)
    assert set().union(*NEXT.values()) <= set(OrderStatus.values)


def test_every_status_is_a_draft_unsettled_working_or_final_and_only_one_of_them() -> None:
    assert sorted([S.DRAFT, *UNSETTLED, *WORKING, *FINAL]) == sorted(OrderStatus.values)


def test_every_state_of_a_venue_has_a_meaning_here() -> None:
    assert set(STATUS_OF) == set(OrderState)


@pytest.mark.parametrize(
    ("old", "new"), list(product(OrderStatus.values, [s for s in OrderStatus.values if s != S.DRAFT]))
)
def test_an_order_moves_exactly_where_its_row_allows(old: str, new: str) -> None:
    filled = {S.FILLED: "10", S.PARTLY_FILLED: "4"}
    order = order_in(old, filled=filled.get(S(old), "0"))
    said = described(OrderState.PARTLY_FILLED, filled="10", size="20") if old == S.FILLED else None
    apply(order, News(status=S(new), filled=D(filled.get(S(new), "0")), order=said))
    if old == S.FILLED and new in {S.OPEN, S.PARTLY_FILLED}:
        assert order.status == S.PARTLY_FILLED  # the edit made it larger
    elif old == S.PARTLY_FILLED and new == S.OPEN:
        assert order.status == S.PARTLY_FILLED  # what is filled stays filled
    else:
        assert order.status == (new if new in NEXT[old] else old)


def test_a_fill_overtakes_a_cancel() -> None:
    order = order_in(S.CANCELLED, filled="4")
    apply(order, News(filled=D(10), average_price=D(60000)))
    assert (order.status, order.filled, order.average_price) == (S.FILLED, D(10), D(60000))


def test_a_part_filled_after_the_cancel_is_kept_and_the_order_stays_cancelled() -> None:
    order = order_in(S.CANCELLED)
    apply(order, News(filled=D(4), average_price=D(60000)))
    assert (order.status, order.filled) == (S.CANCELLED, D(4))


def test_late_news_neither_reopen_an_order_nor_take_back_a_fill() -> None:
    order = order_in(S.CANCELLED, filled="4")
    apply(order, news_of_order(described(OrderState.OPEN)))
    assert (order.status, order.filled) == (S.CANCELLED, D(4))


def test_sizes_win_over_words() -> None:
    order = order_in(S.OPEN)
    apply(order, news_of_order(described(OrderState.CANCELLED, filled="10")))
    assert order.status == S.FILLED


def test_an_edit_that_makes_it_larger_reopens_an_order_whose_fill_was_heard_first() -> None:
    order = order_in(S.FILLED, filled="10")
    apply(order, news_of_order(described(OrderState.PARTLY_FILLED, filled="10", size="25")))
    assert (order.status, order.size) == (S.PARTLY_FILLED, D(25))


def test_news_that_say_nothing_clear_have_the_order_looked_up() -> None:
    order = order_in(S.OPEN)
    apply(order, News(status=None, look=True))
    assert order.status == S.OPEN
    assert order.resolve_after is not None


def test_the_venue_outranks_our_proof_that_an_order_never_arrived() -> None:
    order = order_in(S.NEVER_ARRIVED)
    apply(order, news_of_order(described(OrderState.OPEN)))
    assert order.status == S.OPEN


def test_an_order_of_somebody_else_is_stored_once(account: Account) -> None:
    for state, filled in ((OrderState.OPEN, "0"), (OrderState.PARTLY_FILLED, "4")):
        learn(account.pk, news_of_order(described(state, filled=filled)))
    order = Order.objects.get()
    assert (order.by, order.status, order.filled, order.client_order_id) == (None, S.PARTLY_FILLED, D(4), "ours-1")


@pytest.mark.parametrize("wrong", [{"size": D(0)}, {"filled": D(-1)}, {"status": "lost"}])
def test_the_database_refuses_what_must_never_be(account: Account, wrong: dict[str, object]) -> None:
    right = {"symbol": "PF_XBTUSD", "side": "buy", "type": "limit", "size": D(1)}
    with pytest.raises(IntegrityError):
        Order.objects.create(account=account, **{**right, **wrong})


@pytest.mark.parametrize("text", ["60504.43965517241379310344827586", "0.0000000001", "123456789012345.000000000001"])
def test_a_price_comes_back_to_the_last_digit(account: Account, text: str) -> None:
    Order.objects.create(account=account, symbol="X", side="buy", type="limit", size=D(1), limit_price=D(text))
    assert Order.objects.get().limit_price == D(text)
