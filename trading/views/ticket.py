"""The ticket: a form around one intent, and what became of it.

The intent is minted when the ticket opens and travels with it. A ticket whose order is not proven yet keeps its
intent, also across a reload, so that pressing the button again can only find the first order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Account, User
from accounts.prepared import Prepared
from krakenfutures.numbers import plain
from krakenfutures.values import Instrument
from trading.actions.placing import open_ticket
from trading.forms import TicketForm
from trading.models import Order
from trading.models.order import UNSETTLED

NEWS = timedelta(minutes=10)
TYPED = (
    "side", "type", "size", "limit_price", "stop_price", "trigger_signal", "trailing_deviation", "trailing_unit",
    "stop_loss", "take_profit",
)  # fmt: skip
LAST = Prepared(
    lambda account, by, symbol, since: Order.objects.filter(
        Q(created_at__gt=since) | Q(status__in=UNSETTLED),
        account=account, by=by, symbol=symbol, parent=None, batch=None,
    ).order_by("-created_at")[:1],
    int, int, str, datetime,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The legal values around one that is off its step."""

    field: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Ticket:
    form: TicketForm
    order: Order | None = None  # what became of the last intent
    neighbours: Neighbours | None = None

    @property
    def locked(self) -> bool:
        """While the order's fate is open, the ticket offers nothing that could be mistaken for sending it again."""
        return self.order is not None and self.order.is_unsettled

    @property
    def side(self) -> str:
        return str(self.form["side"].value() or "buy")

    @property
    def type(self) -> str:
        return str(self.form["type"].value() or "limit")


def fresh_ticket(instrument: Instrument, *, like: TicketForm | None = None, order: Order | None = None) -> Ticket:
    """A new intent. `like` hands on side and type, but never the size: Enter on it must not repeat an order."""
    initial = {"intent": open_ticket(), "symbol": instrument.symbol, "side": "buy", "type": "limit"}
    if like is not None:
        initial |= {name: like.cleaned_data[name] for name in ("side", "type")}
    return Ticket(TicketForm(initial=initial), order)


def again(form: TicketForm, order: Order) -> Ticket:
    """The venue said no: what was typed stays, under a new intent, because this one is used up."""
    typed = {name: form.data.get(name, "") for name in TYPED}
    initial = typed | {
        "intent": open_ticket(),
        "symbol": order.symbol,
        "reduce_only": form.cleaned_data["reduce_only"],
    }
    return Ticket(TicketForm(initial=initial), order)


def ticket_of(order: Order) -> Ticket:
    """The ticket as it was when this order was sent, with its intent."""
    initial = {
        "intent": order.pk,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "size": plain(order.size),
        "limit_price": _plain(order.limit_price),
        "stop_price": _plain(order.stop_price),
        "trigger_signal": order.trigger_signal,
        "trailing_deviation": _plain(order.trailing_deviation),
        "trailing_unit": order.trailing_unit,
        "reduce_only": order.reduce_only,
        **{child.type.replace("stop", "stop_loss"): _plain(child.stop_price) for child in _attached(order)},
    }
    return Ticket(TicketForm(initial=initial), order)


def remembered_ticket(request: HttpRequest, instrument: Instrument) -> Ticket | None:
    """The one this person sent last here: itself while its fate is open, else a new one with its result below.

    What was proven long ago is no longer news.
    """
    account: Account | None = getattr(request, "account", None)
    if account is None or not isinstance(request.user, User):
        return None
    order = LAST.first(account.pk, request.user.pk, instrument.symbol, timezone.now() - NEWS)
    if order is None or order.is_unsettled:
        return ticket_of(order) if order else None
    return fresh_ticket(instrument, order=order)


def _attached(order: Order) -> list[Order]:
    return list(order.attached.all()) if order.has_attached else []


def _plain(value: Decimal | None) -> str:
    return "" if value is None else plain(value)
