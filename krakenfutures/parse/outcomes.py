"""What an answer to a write proves: it happened, it did not, or it cannot be told.

`result: "success"` only means that the request was understood; the inner status and the events decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from krakenfutures.errors import Unreadable
from krakenfutures.parse.fields import Fields
from krakenfutures.parse.orders import parse_event_order, parse_event_trigger
from krakenfutures.pnl import average_price
from krakenfutures.sentences import STATUSES, field_of, status_sentence
from krakenfutures.values import (
    Accepted,
    DeadMan,
    Lost,
    NewOrder,
    Order,
    OrderRef,
    OrderState,
    OrderType,
    Outcome,
    Rejected,
    Value,
)
from krakenfutures.words import kind_of

ZERO = Decimal(0)
DONE = {"placed", "edited", "cancelled", "filled", "partiallyFilled"}
# It speaks of an order that does exist under our id: perhaps this very one. Only a look-up can tell.
PROVES_NOTHING = {"clientOrderIdAlreadyExist"}
DROPS_THE_REST = {OrderType.IOC, OrderType.MARKET, OrderType.FOK}


class Happened(Value, frozen=True):
    """What the events of one answer add up to."""

    order: Order | None = None
    executions: tuple[tuple[Decimal, Decimal], ...] = ()  # size, price
    resting: bool = False
    cancelled: bool = False
    refusal: str = ""

    @property
    def executed(self) -> Decimal:
        return sum((size for size, _ in self.executions), ZERO)


def parse_send(answer: Any, order: NewOrder) -> Outcome:
    return placed_outcome(Fields(answer, "the answer").need("sendStatus"), OrderRef(client_id=order.client_id))


def parse_edit(answer: Any, ref: OrderRef) -> Outcome:
    """An edit that changes nothing is accepted: the order is as it was wanted."""
    return placed_outcome(Fields(answer, "the answer").need("editStatus"), ref)


def parse_cancel(answer: Any, ref: OrderRef) -> Outcome:
    """`filled` and `notFound` are refusals: the cancel did nothing, and neither says that the order was cancelled."""
    return _cancel_outcome(Fields(Fields(answer, "the answer").need("cancelStatus"), "a cancel status"), ref)


def _cancel_outcome(row: Fields, ref: OrderRef) -> Outcome:
    status = row.need_text("status")
    if status != "cancelled":
        return _refused(status) if status in STATUSES else _unclear(ref, status)
    happened = read_events(row.rows("orderEvents"))
    order = happened.order
    return Accepted(
        order_id=row.text("order_id", "orderId") or (order.id if order else ref.venue_id or ""),
        client_id=row.text("cliOrdId") or (order.client_id if order else ref.client_id),
        state=OrderState.CANCELLED,
        filled=order.filled if order else ZERO,
        at=row.time("receivedTime"),
        status=status,
        order=order and msgspec.structs.replace(order, state=OrderState.CANCELLED),
    )


def parse_cancel_all(answer: Any) -> list[OrderRef]:
    """The orders that were cancelled; none is a fine answer too."""
    row = Fields(Fields(answer, "the answer").need("cancelStatus"), "a cancel-all status")
    status = row.need_text("status")
    if status not in {"cancelled", "noOrdersToCancel"}:
        raise Unreadable(f"cancel-all answered {status!r}")
    return [_ref(raw) for raw in row.rows("cancelledOrders")]


def parse_batch(answer: Any, orders: Sequence[NewOrder]) -> list[Outcome]:
    """One outcome per order, found by its tag, else by its place when every element is answered."""
    rows = [Fields(raw, "a batch status") for raw in Fields(answer, "the answer").rows("batchStatus")]
    by_tag = {tag: row for row in rows if (tag := row.text("order_tag"))}
    in_order = len(rows) == len(orders)
    outcomes: list[Outcome] = []
    for place, order in enumerate(orders):
        row = by_tag.get(str(place)) or (rows[place] if in_order and not rows[place].text("order_tag") else None)
        ref = OrderRef(client_id=order.client_id)
        outcomes.append(
            Lost(ref=ref, why="the answer does not speak of this order") if row is None else _outcome(row, ref)
        )
    return outcomes


def parse_cancel_batch(answer: Any, refs: Sequence[OrderRef]) -> list[Outcome]:
    """One outcome per cancel, found by the order it names, else by its place when every element is answered."""
    rows = [Fields(raw, "a batch status") for raw in Fields(answer, "the answer").rows("batchStatus")]
    by_id = {name: row for row in rows if (name := row.text("order_id", "orderId"))}
    in_order = len(rows) == len(refs)
    outcomes: list[Outcome] = []
    for place, ref in enumerate(refs):
        unnamed = in_order and not rows[place].text("order_id", "orderId")
        row = by_id.get(ref.venue_id or "") or (rows[place] if unnamed or (in_order and not ref.venue_id) else None)
        lost = Lost(ref=ref, why="the answer does not speak of this cancel")
        outcomes.append(lost if row is None else _cancel_outcome(row, ref))
    return outcomes


def parse_dead_man(answer: Any) -> DeadMan:
    row = Fields(Fields(answer, "the answer").need("status"), "the dead man's switch")
    return DeadMan(at=row.need_time("currentTime"), fires_at=row.time("triggerTime"))


def placed_outcome(raw: Any, ref: OrderRef) -> Outcome:
    return _outcome(Fields(raw, "an order's answer"), ref)


def _outcome(row: Fields, ref: OrderRef) -> Outcome:
    """Executions win over any status: what has traded was not rejected."""
    status = row.need_text("status")
    happened = read_events(row.rows("orderEvents"))
    if status in PROVES_NOTHING:
        return Lost(ref=ref, why=status_sentence(status))
    if status not in DONE and not happened.executions:
        return _refused(status) if status in STATUSES else _unclear(ref, status)
    order_id = row.text("order_id", "orderId") or (happened.order.id if happened.order else ref.venue_id)
    if not order_id:
        return Lost(ref=ref, why=f"Kraken says {status!r} and names no order")
    state = _state(status, happened)
    order = happened.order
    prior = order.filled if order else ZERO
    return Accepted(
        order_id=order_id,
        client_id=row.text("cliOrdId") or (order.client_id if order else None) or ref.client_id,
        state=state,
        filled=prior,
        average_price=_average(happened),
        at=row.time("receivedTime", "dateTimeReceived"),
        status=status,
        order=order and msgspec.structs.replace(order, state=state),
    )


def read_events(rows: Any) -> Happened:
    """Adds up an answer's events in the order they happened. An event we do not know adds nothing."""
    seen = Happened()
    for raw in rows:
        row = Fields(raw, "an order event")
        seen = _after(seen, str(row.take("type") or "").upper(), row)
    return seen


def _after(seen: Happened, kind: str, row: Fields) -> Happened:
    change = msgspec.structs.replace
    if kind == "EXECUTION":
        size, price = row.need_decimal("amount"), row.need_decimal("price")
        return change(seen, order=_executed(seen, row, size), executions=(*seen.executions, (size, price)))
    if kind == "EDIT":
        return change(seen, order=_edited(row.need("new")), resting=True)
    if kind == "PLACE":
        return change(seen, order=_order(row) or seen.order, resting=True)
    if kind == "CANCEL":
        return change(seen, order=_order(row) or seen.order, cancelled=True, resting=False)
    if kind == "REJECT":
        return change(seen, order=seen.order or _order(row), refusal=row.text("reason") or "")
    return seen


def _order(row: Fields) -> Order | None:
    plain_order, trigger = row.take("order"), row.take("orderTrigger")
    if plain_order is not None:
        return parse_event_order(plain_order)
    return None if trigger is None else parse_event_trigger(trigger)


def _edited(raw: Any) -> Order:
    """An edited trigger is described as triggers are, under the same name."""
    return parse_event_trigger(raw) if isinstance(raw, dict) and "uid" in raw else parse_event_order(raw)


def _executed(seen: Happened, row: Fields, size: Decimal) -> Order | None:
    """The order after one more execution; each event shows it as it was before."""
    prior = row.take("orderPriorExecution")
    order = parse_event_order(prior) if prior is not None else seen.order
    if order is None:
        return None
    filled = max(order.filled, seen.order.filled if seen.order else ZERO) + size
    return msgspec.structs.replace(order, filled=filled)


def _state(status: str, happened: Happened) -> OrderState:
    order = happened.order
    if status == "filled" or (order and order.filled >= order.size > 0):
        return OrderState.FILLED
    if status == "cancelled" or happened.cancelled:
        return OrderState.CANCELLED
    if order is None:  # accepted and held: it is not on the book yet
        return OrderState.PARTLY_FILLED if status == "partiallyFilled" else OrderState.PENDING
    if not happened.resting and order.type in DROPS_THE_REST and happened.executions:
        return OrderState.CANCELLED
    return OrderState.PARTLY_FILLED if order.filled > 0 else OrderState.OPEN


def _average(happened: Happened) -> Decimal | None:
    if not happened.executions or happened.order is None:
        return None
    return average_price(kind_of(happened.order.symbol), happened.executions)


def _refused(status: str) -> Rejected:
    return Rejected(code=status, sentence=status_sentence(status), field=field_of(status))


def _unclear(ref: OrderRef, status: str) -> Lost:
    return Lost(ref=ref, why=f"Kraken answered with a status this desk does not know: {status}")


def _ref(raw: Any) -> OrderRef:
    row = Fields(raw, "a cancelled order")
    return OrderRef(client_id=row.text("cliOrdId"), venue_id=row.text("order_id", "orderId"))
