"""Placing, showing, editing and cancelling an order: forms become arguments, outcomes become fragments."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Account, User
from accounts.rights import Right, require
from accounts.rules import NotAllowed
from krakenfutures.numbers import plain
from krakenfutures.values import Instrument
from trading.actions.cancelling import cancel_order
from trading.actions.editing import edit_order
from trading.actions.placing import open_ticket, place_order
from trading.forms import EditForm, TicketForm
from trading.models import Order, OrderStatus
from trading.rules import OffStep
from trading.views.instrument import instrument_context, page_context
from trading.views.picture import Picture, picture_of
from trading.views.ticket import Neighbours, Ticket, again, fresh_ticket, ticket_of
from trading.written import price_places

CHANGED = "orders-changed"  # the browser's event after which it asks for the tables again


@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Sends the ticket's order, once for its intent, and tells what became of it.

    Our script gets the result alone where the ticket can simply be emptied for the next intent, else the whole ticket.
    """
    form = TicketForm(request.POST)
    symbol = request.POST.get("symbol", "")
    ticket = Ticket(form)
    if form.is_valid():
        instrument: Instrument = instrument_context(request, symbol)["instrument"]
        try:
            order = _send(request, form, instrument)
        except NotAllowed as refusal:
            ticket.neighbours = _blame(form, refusal)
        else:
            if request.headers.get("HX-Request") and _empties(order):
                return _told(order, instrument)
            ticket = _ticket_after(form, order, instrument)
    response = _drawn(request, ticket, symbol)
    if form.errors:
        response.status_code = 422
    return response


def _send(request: HttpRequest, form: TicketForm, instrument: Instrument) -> Order:
    wish = form.wish(str(form.cleaned_data["intent"]), instrument.symbol)
    return place_order(wish, account=_account(picture_of(request)), by=_person(request), **form.attached())


def _empties(order: Order) -> bool:
    """Nothing of what was typed stays in the ticket: its fate is proven, and the venue took it."""
    return not order.is_unsettled and order.status != OrderStatus.REJECTED


def _ticket_after(form: TicketForm, order: Order, instrument: Instrument) -> Ticket:
    if _empties(order):
        return fresh_ticket(instrument, like=form, order=order)
    return ticket_of(order) if order.is_unsettled else again(form, order)


def _blame(form: TicketForm | EditForm, refusal: NotAllowed) -> Neighbours | None:
    """Puts the refusal next to its field. Nothing was stored and nothing was sent."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, refusal.reason)
    if not isinstance(refusal, OffStep):
        return None
    return Neighbours(refusal.field or "", tuple(plain(value) for value in refusal.neighbours))


def _drawn(request: HttpRequest, ticket: Ticket, symbol: str) -> HttpResponse:
    """The fragment for our script, the whole page for a browser without one."""
    if not request.headers.get("HX-Request"):
        return render(request, "trading/instrument.html", page_context(request, symbol) | {"ticket": ticket})
    context = instrument_context(request, symbol) | {"picture": picture_of(request, symbol), "ticket": ticket}
    response = render(request, "ticket.jinja", context, using="drawn")
    if ticket.order is not None:
        response["HX-Trigger"] = CHANGED
    return response


def _told(order: Order, instrument: Instrument) -> HttpResponse:
    """The result alone, and the intent for the next order: the script empties the ticket that is there."""
    context = {"order": order, "locked": False, "places": price_places(instrument), "next_intent": open_ticket()}
    response = HttpResponse(render_to_string("result.jinja", context, using="drawn"))
    response["HX-Retarget"], response["HX-Reswap"], response["HX-Trigger"] = "#ticket-result", "outerHTML", CHANGED
    return response


@never_cache
@require_GET
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """What is known of an order: its result (`?part=result`), or the whole ticket, a new intent in it once proven."""
    found = get_object_or_404(Order.objects.visible_to(_person(request)), pk=order_id)
    context = instrument_context(request, found.symbol)
    ticket = ticket_of(found) if found.is_unsettled else fresh_ticket(context["instrument"], order=found)
    if request.GET.get("part") == "result":
        context |= {"order": ticket.order, "locked": ticket.locked, "next_intent": None}
        return render(request, "result.jinja", context, using="drawn")
    context |= {"picture": picture_of(request, found.symbol), "ticket": ticket}
    return render(request, "ticket.jinja", context, using="drawn")


@require_POST
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    found = get_object_or_404(Order.objects.visible_to(_person(request)), pk=order_id)
    try:
        after = cancel_order(found, by=_person(request))
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    else:
        _tell(request, after)
    return _done(request, found)


def _tell(request: HttpRequest, order: Order) -> None:
    """Only what is proven; a plain success needs no words, the row is gone."""
    if order.status == OrderStatus.FILLED:
        messages.warning(request, "Too late to cancel: the order is filled.")
    elif order.status != OrderStatus.CANCELLED:
        state = order.get_status_display().lower()
        messages.warning(request, f"Not proven cancelled yet: the order is {state}. {order.reason}".strip())


def _done(request: HttpRequest, order: Order) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect("instrument", order.symbol)
    response = render(request, "trading/messages.html")
    response["HX-Retarget"] = "#messages"
    response["HX-Trigger"] = CHANGED
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """A sheet of size, prices and deviation; saving it answers with the message line, a mistake with the sheet."""
    found = get_object_or_404(Order.objects.visible_to(_person(request)), pk=order_id)
    require(_person(request), found.account.desk, Right.TRADE)
    form = EditForm(request.POST) if request.method == "POST" else EditForm(initial=_as_it_is(found) | _moved(request))
    neighbours = None
    if form.is_bound and form.is_valid():
        try:
            edit_order(found, by=_person(request), **_changes(found, form))
        except NotAllowed as refusal:
            neighbours = _blame(form, refusal)
        else:
            return _done(request, found)
    context = {"order": found, "form": form, "neighbours": neighbours, "moved": _moved(request)}
    return render(request, "trading/edit.html", context, status=422 if form.errors else 200)


def _as_it_is(order: Order) -> dict[str, str]:
    names = ("size", "limit_price", "stop_price", "trailing_deviation")
    return {name: plain(value) for name in names if (value := getattr(order, name)) is not None}


def _moved(request: HttpRequest) -> dict[str, str]:
    """The price an order was dragged to, on the chart or the ladder; the sheet is where that is confirmed."""
    named = {name: request.GET.get(name, "") for name in ("limit_price", "stop_price")}
    return {name: price[:40] for name, price in named.items() if price}


def _changes(order: Order, form: EditForm) -> dict[str, Decimal]:
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, getattr(order, name))}


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    return request.user


def _account(picture: Picture | None) -> Account:
    if picture is None:
        raise NotAllowed("There is no account to trade on. Add a key first.", code="no_account")
    return picture.account
