"""Taking risk away: many cancels at once, positions closed, turned round, everything flattened. A result for each leg.

Cancels and reduce-only orders are urgent: they may use the reserve of the rate budget, and pass a halt.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID, uuid5

from django.db import models, transaction
from django.utils import timezone

from accounts.actions.audit import record
from accounts.models import Account, ApiKey, User
from accounts.rules import NotAllowed
from accounts.venues import venue_for
from krakenfutures.errors import KrakenError
from krakenfutures.numbers import plain
from krakenfutures.pnl import notional_usd
from krakenfutures.values import Accepted, ContractKind, NewOrder, OrderType, Outcome, Rejected, Side
from krakenfutures.words import kind_of
from trading import clock
from trading.actions.cancelling import NOT_OPEN, after_cancel, cancel_all, discard, look_twice
from trading.actions.intents import row_of
from trading.actions.looking import reference
from trading.actions.placing import ACCEPT_WITHIN, place_order
from trading.actions.positions import replace_positions
from trading.actions.progress import reading
from trading.actions.reaching import require_trader, trading_session
from trading.actions.together import Patience, chunks, send_drafts, store_drafts
from trading.models import Order, OrderStatus, Position, Sync
from trading.models.order import FINAL

log = logging.getLogger(__name__)

S = OrderStatus
FRESH = timedelta(seconds=3)
SOMEBODY_ELSE = "somebody else at the venue"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a cancel of many would hit. `notional_usd` is of what is open, None where no price is known of one."""

    orders: tuple[Order, ...]
    notional_usd: Decimal | None
    whose: Mapping[str, int]

    @property
    def count(self) -> int:
        return len(self.orders)


@dataclass(frozen=True, slots=True)
class Leg:
    """One thing that was asked for. `done` is None while nobody has proven what became of it."""

    what: str  # cancel, close, reverse
    symbol: str
    done: bool | None
    sentence: str
    order: Order | None = None


# --- orders ----------------------------------------------------------------------------------------------------------


def orders_hit(
    account: Account,
    *,
    symbol: str | None = None,
    side: Side | None = None,
    marks: Mapping[str, Decimal] | None = None,
) -> Hit:
    """The orders that are or may be open, also those of other people. A price that an order lacks is its mark."""
    orders = tuple(_open(account, symbol, side).select_related("by"))
    values = [_notional(order, marks or {}) for order in orders]
    known = [value for value in values if value is not None]
    whose = Counter(str(order.by) if order.by else SOMEBODY_ELSE for order in orders)
    return Hit(orders, sum(known, Decimal(0)) if len(known) == len(values) else None, whose)


def cancel_many(account: Account, *, by: User, symbol: str | None = None, side: Side | None = None) -> list[Leg]:
    """Cancel what `orders_hit` shows. Without a side the venue cancels all it has, also what we have not heard of.

    Raises `NotAllowed` where nothing could be sent. What is not proven cancelled is looked up, and the leg says so.
    """
    if side is None:
        return [_leg_of_cancel(order) for order in cancel_all(account, by=by, symbol=symbol)]
    key = require_trader(by, account)
    orders = list(_open(account, symbol, side))
    for draft in Order.objects.filter(account=account, status=S.DRAFT, side=side.value, **_of_symbol(symbol)):
        discard(draft, by=by, why="Cancelled before it was sent.")
    with transaction.atomic():
        record(by, "orders.cancel_sent", account, desk=account.desk, symbol=symbol or "", side=side.value)
    legs = list(_cancel_in_batches(orders, key)) if orders else []
    with transaction.atomic():
        done = sum(leg.done is True for leg in legs)
        record(by, "orders.cancel_answered", account, desk=account.desk, cancelled=done, asked=len(legs))
    return legs


def _cancel_in_batches(orders: Sequence[Order], key: ApiKey) -> Iterator[Leg]:
    patience = Patience()
    with trading_session(key) as session:
        for some in chunks(orders, venue_for(key.account.environment).capabilities.batch_size):
            refs = [reference(order) for order in some]
            deadline = clock.venue_now(key.account.environment) + ACCEPT_WITHIN
            yield from _legs(some, patience.ask(partial(session.orders.cancel_batch, refs, deadline=deadline)))


def _legs(orders: Sequence[Order], outcomes: Sequence[Outcome]) -> Iterator[Leg]:
    """What was refused or lost is looked up together, not one by one: the budget is short when it matters."""
    unclear = []
    for order, outcome in zip(orders, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            yield _leg_of_cancel(after_cancel(order, outcome))
        elif isinstance(outcome, Rejected) and outcome.code not in NOT_OPEN:
            yield Leg("cancel", order.symbol, False, outcome.sentence, order)
        else:
            unclear.append(order)
    if unclear:
        look_twice(unclear)
    for order in unclear:
        order.refresh_from_db()
        yield _leg_of_cancel(order)


def _leg_of_cancel(order: Order) -> Leg:
    if order.status == S.CANCELLED:
        return Leg("cancel", order.symbol, True, "Cancelled.", order)
    if order.is_final:
        return Leg("cancel", order.symbol, False, f"It is {order.get_status_display().lower()} already.", order)
    sentence = f"Not proven cancelled yet: it is {order.get_status_display().lower()}, and looked up again."
    return Leg("cancel", order.symbol, None, sentence, order)


# --- positions -------------------------------------------------------------------------------------------------------


def positions_hit(account: Account, symbol: str | None = None) -> list[Position]:
    return list(Position.objects.filter(account=account, **_of_symbol(symbol)))


def close_position(intent_id: UUID, *, account: Account, by: User, symbol: str) -> Leg:
    """At the market, to reduce only; once for an intent. Raises `NotAllowed` where there is nothing to close."""
    return _against(intent_id, account, by, symbol, "close")


def reverse_position(intent_id: UUID, *, account: Account, by: User, symbol: str) -> Leg:
    """As much on the other side, at the market, in one order. It adds risk, so it goes through the gate."""
    return _against(intent_id, account, by, symbol, "reverse")


def _against(intent_id: UUID, account: Account, by: User, symbol: str, what: str) -> Leg:
    key = require_trader(by, account)
    seen = Order.objects.filter(pk=intent_id, account=account).first()
    if seen is not None:
        return _leg_of(seen, what)
    if what == "close":
        _know_positions(key)
    else:
        _read_or_refuse(key)
    position = Position.objects.filter(account=account, symbol=symbol.upper()).first()
    if position is None:
        raise NotAllowed(f"There is no open position in {symbol.upper()}.", field="symbol", code="flat")
    twice = 2 if what == "reverse" else 1
    wish = NewOrder(
        client_id=str(intent_id),
        symbol=position.symbol,
        side=Side.SELL if position.size > 0 else Side.BUY,
        type=OrderType.MARKET,
        size=abs(position.size) * twice,
        reduce_only=what == "close",
    )
    return _leg_of(place_order(wish, account=account, by=by), what)


def flatten(intent_id: UUID, *, account: Account, by: User) -> list[Leg]:
    """Cancel every order, then close every position, together. Once for an intent: again, it cancels what is new.

    A part that fails is a leg that says so, and does not keep the rest from being tried.
    """
    key = require_trader(by, account)
    with transaction.atomic():
        record(by, "account.flatten", account, desk=account.desk)
    try:
        legs = cancel_many(account, by=by)
    except NotAllowed as refusal:
        legs = [Leg("cancel", "", False, refusal.reason)]
    _know_positions(key)
    rows = [_closing_row(intent_id, position, account, by) for position in positions_hit(account)]
    ids = [row.pk for row in rows]
    new = [row for row in rows if not Order.objects.filter(pk=row.pk).exists()]
    if new and store_drafts(new, account=account, by=by, about=account):
        send_drafts(ids, account=account, by=by, key=key, about=account)
    return [*legs, *(_leg_of(order, "close") for order in Order.objects.filter(pk__in=ids))]


def _closing_row(intent_id: UUID, position: Position, account: Account, by: User) -> Order:
    own = uuid5(intent_id, position.symbol)
    wish = NewOrder(
        client_id=str(own),
        symbol=position.symbol,
        side=Side.SELL if position.size > 0 else Side.BUY,
        type=OrderType.MARKET,
        size=abs(position.size),
        reduce_only=True,
    )
    return row_of(wish, account, by)


def _read_positions(key: ApiKey) -> None:
    """Raises `KrakenError` or `NotAllowed`."""
    with reading(key.account_id, "positions") as began, trading_session(key) as session:
        replace_positions(key.account_id, session.account.positions(), at=began, source="rest")


def _read_or_refuse(key: ApiKey) -> None:
    """Turning round twice what was turned round already would double it, so nothing older than now will do."""
    try:
        _read_positions(key)
    except KrakenError as problem:
        reason = f"The position cannot be read now, so it is not reversed by guess: {problem}"
        raise NotAllowed(reason, code="unread") from problem


def _know_positions(key: ApiKey) -> None:
    """As fresh as can be had at once. Where the venue does not tell, what is stored stands: it is good enough to
    reduce by, and a request that hangs would cost the seconds that count.
    """
    recent = timezone.now() - FRESH
    heard = Sync.objects.filter(account_id=key.account_id, stream="positions", ok_at__gt=recent).first()
    if heard and not Order.objects.filter(account_id=key.account_id, updated_at__gt=heard.ok_at).exists():
        return
    try:
        _read_positions(key)
    except KrakenError as problem:
        log.warning("closing by the positions as stored, for they cannot be read now: %s", problem)


def _leg_of(order: Order, what: str) -> Leg:
    filled = f"{plain(order.filled)} of {plain(order.size)} filled"
    if order.is_unsettled or order.is_working:
        return Leg(what, order.symbol, None, f"Not proven yet: {filled}, and looked up again.", order)
    if order.status == S.FILLED:
        return Leg(what, order.symbol, True, f"Filled: {plain(order.filled)}.", order)
    return Leg(what, order.symbol, False, " ".join(filter(None, [f"{filled}.", order.reason])), order)


# --- what is open ----------------------------------------------------------------------------------------------------


def _open(account: Account, symbol: str | None, side: Side | None) -> models.QuerySet[Order]:
    orders = Order.objects.filter(account=account, **_of_symbol(symbol)).exclude(status__in=(S.DRAFT, *FINAL))
    return orders.filter(side=side.value) if side else orders


def _of_symbol(symbol: str | None) -> dict[str, str]:
    return {"symbol": symbol.upper()} if symbol else {}


def _notional(order: Order, marks: Mapping[str, Decimal]) -> Decimal | None:
    kind, price = kind_of(order.symbol), order.limit_price or order.stop_price or marks.get(order.symbol)
    if price is None:
        return order.open_size if kind is ContractKind.INVERSE else None
    return notional_usd(kind, order.open_size, price)
