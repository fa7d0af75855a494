"""The trade page of one instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.prepared import Prepared
from accounts.rules import NotAllowed
from krakenfutures.numbers import plain
from krakenfutures.values import Instrument, Ticker
from trading import workspace
from trading.actions.workspaces import workspace_of
from trading.instruments import instrument_for, instruments
from trading.live.latest import latest_tickers
from trading.models import Favourite, Workspace
from trading.views.charts import SECONDS
from trading.views.environment import environment_of
from trading.views.picture import picture_of
from trading.views.readings import STEPS
from trading.views.ticket import fresh_ticket, remembered_ticket
from trading.written import price_places, size_places

FAVOURITES = Prepared(lambda user: Favourite.objects.filter(user=user).order_by("pk"))
LAST_SYMBOL = "last_symbol"
FIRST_CHOICES = ("PF_XBTUSD", "PI_XBTUSD")
BOOK_ROWS = range(25)  # what the stream holds; a chart that is not high leaves room for fewer
LADDER_ROWS = range(51)
TAPE_ROWS = range(42)
MEASURES = (
    ("funding", "Funding", ("Per hour", "A year", "Highest", "Lowest")),
    ("open_interest", "Open interest", ("At the end", "Change", "Highest", "Lowest")),
    ("premium", "Premium", ("Mark over index",)),
)


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
    return render(request, "ticket.jinja", context, using="drawn")


def page_context(request: HttpRequest, symbol: str) -> dict[str, Any]:
    context = instrument_context(request, symbol)
    known: Instrument = context["instrument"]
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    watched = [one.symbol for one in FAVOURITES.all(request.user.pk)]
    kept = workspace_of(request.user)
    picture = picture_of(request, known.symbol, watched)
    asked = {known.symbol, *watched}
    tickers = picture.tickers if picture else latest_tickers(context["market"], sorted(asked))
    return context | {
        "picture": picture,
        "ticker": tickers.get(known.symbol, Ticker(symbol=known.symbol)),
        "favourite": known.symbol in watched,
        "watched": _watchlist(context["market"], watched, tickers),
        "workspace": kept,
        "kept": kept.market(known.symbol),
        "parts": _parts(kept),
        "presets": workspace.PRESETS,
        "indicators": workspace.INDICATORS,
        "groups": [(group, plain(known.tick * group)) for group in workspace.GROUPS],
        "measures": MEASURES,
        "steps": STEPS,
        "ticket": remembered_ticket(request, known) or fresh_ticket(known),
        "symbols": " ".join(one.symbol for one in instruments(context["market"]) if not one.expired),
        "resolutions": list(SECONDS),
        "book_rows": BOOK_ROWS,
        "ladder_rows": LADDER_ROWS,
        "tape_rows": TAPE_ROWS,
    }


@dataclass(frozen=True, slots=True)
class Watched:
    symbol: str
    ticker: Ticker
    places: int


def _watchlist(market: str, symbols: list[str], tickers: Mapping[str, Ticker]) -> list[Watched]:
    """The favourites that are listed here, in the order they were chosen."""
    listed = {one.symbol: one for one in instruments(market) if not one.expired}
    return [
        Watched(symbol, tickers.get(symbol, Ticker(symbol=symbol)), price_places(listed[symbol]))
        for symbol in symbols
        if symbol in listed
    ]


def _parts(kept: Workspace) -> dict[str, dict[str, Any]]:
    """The parts that can be made larger, with their size now and its bounds."""
    sizes = kept.drawn
    return {
        name: {"size": sizes[name], "part": part, "way": -1 if kept.preset in part.ends else 1}
        for name, part in workspace.PARTS.items()
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
