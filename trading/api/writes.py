"""What can be done: place, change and cancel orders, and ask for money to move. The pages' own actions do it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja.responses import Status

from accounts.actions.withdrawals import request_withdrawal
from accounts.stepup import Factor
from krakenfutures.values import Side
from trading.actions.batching import send_batch
from trading.actions.cancelling import cancel_order
from trading.actions.closing import cancel_many
from trading.actions.editing import edit_order
from trading.actions.placing import place_order
from trading.api import shapes, told
from trading.api.edge import desk_of, person_of
from trading.api.reads import account_of, orders_of
from trading.api.repeats import require_same_batch, require_same_order, require_same_withdrawal
from trading.api.router import router
from trading.api.wishes import BatchWish, CancelWish, Key, MoneyWish, OrderChange, OrderWish, intent_of
from trading.models import Order

PROVEN, UNCERTAIN, DONE = 201, 202, 200


@router.post("/orders", response={PROVEN: shapes.Order, UNCERTAIN: shapes.Order}, url_name="orders")
def place(request: HttpRequest, wish: OrderWish, key: Key) -> Any:
    """Send an order, once for its key. 201: its fate is proven, which may be that the exchange refused it (`state`
    rejected). 202: nobody has answered yet; it is looked up, and `GET orders/ID` says what is found.
    """
    account, desk = account_of(request, wish.account), desk_of(request)
    order = wish.order(str(intent_of(key, desk)))
    placed = place_order(order, account=account, by=person_of(request), **wish.attached())
    require_same_order(placed, wish, desk)
    return Status(UNCERTAIN if placed.is_unsettled else PROVEN, told.order(placed))


@router.patch("/orders/{uuid:order_id}", response={DONE: shapes.Order, UNCERTAIN: shapes.Order}, url_name="order")
def change(request: HttpRequest, order_id: UUID, change: OrderChange) -> Any:
    """Change an open order. 202: the exchange did not answer, and what you see is what a look-up found."""
    order = edit_order(_order(request, order_id), by=person_of(request), **change.given())
    unanswered = order.is_unsettled or order.reason_code == "edit_unanswered"
    return Status(UNCERTAIN if unanswered else DONE, told.order(order))


@router.delete("/orders/{uuid:order_id}", response={DONE: shapes.Order, UNCERTAIN: shapes.Order}, url_name="order")
def cancel(request: HttpRequest, order_id: UUID) -> Any:
    """Cancel an order. 200: it is at its end, as `state` says, which may be filled. 202: not proven yet."""
    order = cancel_order(_order(request, order_id), by=person_of(request))
    return Status(DONE if order.is_final else UNCERTAIN, told.order(order))


@router.post("/orders/batch", response={PROVEN: shapes.Batch, UNCERTAIN: shapes.Batch}, url_name="orders_batch")
def place_many(request: HttpRequest, wish: BatchWish, key: Key) -> Any:
    """Many orders, each with its own fate; all are checked before any is sent. 202: at least one is not proven yet."""
    account, desk, lines = account_of(request, wish.account), desk_of(request), wish.lines()
    batch = send_batch(intent_of(key, desk), account=account, by=person_of(request), lines=lines)
    require_same_batch(batch, [line.wish("") for line in lines], desk)
    unsettled = any(line.order.is_unsettled for line in batch.lines())
    return Status(UNCERTAIN if unsettled else PROVEN, told.batch(batch))


@router.post(
    "/orders/cancel-all", response={DONE: shapes.Cancelled, UNCERTAIN: shapes.Cancelled}, url_name="orders_cancel_all"
)
def cancel_all(request: HttpRequest, wish: CancelWish) -> Any:
    """Cancel what is open, also of other people, with a result for each. 202: at least one is not proven yet."""
    account = account_of(request, wish.account)
    symbol, side = wish.symbol.upper() if wish.symbol else None, Side(wish.side) if wish.side else None
    legs = cancel_many(account, by=person_of(request), symbol=symbol, side=side)
    unproven = any(leg.done is None for leg in legs)
    return Status(UNCERTAIN if unproven else DONE, {"items": [told.leg(leg) for leg in legs if leg.order]})


@router.post("/withdrawals", response={PROVEN: shapes.Withdrawal}, url_name="withdrawals")
def ask_for_money(request: HttpRequest, wish: MoneyWish, key: Key) -> Any:
    """Ask for a withdrawal or a transfer, once for its key. Nothing moves: people review it, on pages, each with a
    fresh factor. No token approves, rejects or cancels.
    """
    account = account_of(request, wish.account)
    made_with_a_factor = Factor("token", timezone.now())  # it was asked for when the token was made
    asked = request_withdrawal(
        intent_of(key, desk_of(request)), account=account, by=person_of(request), wish=wish.wish(),
        factor=made_with_a_factor,
    )  # fmt: skip
    require_same_withdrawal(asked, wish)
    return Status(PROVEN, told.withdrawal(asked))


def _order(request: HttpRequest, order_id: UUID) -> Order:
    return get_object_or_404(orders_of(request), pk=order_id)
