"""The trade page of one instrument."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.rules import NotAllowed
from krakenfutures.values import Instrument, Ticker
from trading.instruments import instrument_for, instruments
from trading.live.latest import latest_tickers
from trading.models import Favourite
from trading.views.charts import SECONDS
from trading.views.environment import environment_of
from trading.views.picture import picture_of
from trading.views.ticket import fresh_ticket, remembered_ticket
from trading.written import price_places, size_places

LAST_SYMBOL = "last_symbol"
FIRST_CHOICES = ("PF_XBTUSD", "PI_XBTUSD")
BOOK_ROWS = range(20)  # a screen that is not high shows fewer
TAPE_ROWS = range(42)


@require_GET
def trade(request: HttpRequest) -> HttpResponse:
    """The instrument looked at last, or the busiest one."""
    symbols = [one.symbol for one in instruments(environment_of(request)) if not one.expired]
    wishes = (request.session.get(LAST_SYMBOL), *FIRST_CHOICES, *symbols)
    chosen = next((symbol for symbol in wishes if symbol in symbols), None)
    return redirect("instrument", chosen) if chosen else redirect("markets")


@never_cache
@require_GET
def instrument(request: HttpRequest, symbol: str) -> HttpResponse:
    context = page_context(request, symbol)
    known: Instrument = context["instrument"]
    if request.session.get(LAST_SYMBOL) != known.symbol:
        request.session[LAST_SYMBOL] = known.symbol
    return render(request, "trading/instrument.html", context)


@never_cache
@require_GET
def ticket(request: HttpRequest, symbol: str) -> HttpResponse:
    """A new ticket with a new intent: the way on from an order that is not proven yet."""
    context = instrument_context(request, symbol)
    context |= {"picture": picture_of(request, symbol), "ticket": fresh_ticket(context["instrument"])}
    return render(request, "trading/ticket.html", context)


def page_context(request: HttpRequest, symbol: str) -> dict[str, Any]:
    context = instrument_context(request, symbol)
    known: Instrument = context["instrument"]
    ticker = latest_tickers(context["market"], [known.symbol]).get(known.symbol, Ticker(symbol=known.symbol))
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    liked = Favourite.objects.filter(user=request.user, symbol=known.symbol).exists()
    return context | {
        "picture": picture_of(request, known.symbol),
        "ticker": ticker,
        "favourite": liked,
        "ticket": remembered_ticket(request, known) or fresh_ticket(known),
        "symbols": " ".join(one.symbol for one in instruments(context["market"]) if not one.expired),
        "resolutions": list(SECONDS),
        "book_rows": BOOK_ROWS,
        "tape_rows": TAPE_ROWS,
    }


def instrument_context(request: HttpRequest, symbol: str) -> dict[str, Any]:
    """What every fragment of the page needs to know of its instrument."""
    market = environment_of(request)
    try:
        known = instrument_for(market, symbol)
    except NotAllowed:
        raise Http404 from None
    return {
        "market": market,
        "instrument": known,
        "places": price_places(known),
        "size_places": size_places(known),
        "size_unit": "USD" if known.kind == "inverse" else known.base,
    }
