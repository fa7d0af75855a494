"""Every instrument of the venue, with the favourites first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rules import NotAllowed
from krakenfutures.values import Instrument, Ticker
from trading.instruments import instrument_for, instruments
from trading.live.latest import latest_tickers
from trading.models import Favourite
from trading.views.environment import environment_of
from trading.written import price_places

NO_TICKER = Ticker(symbol="")


@dataclass(frozen=True, slots=True)
class MarketRow:
    instrument: Instrument
    ticker: Ticker
    places: int
    favourite: bool

    @property
    def words(self) -> str:
        """What the search looks through."""
        return f"{self.instrument.symbol} {self.instrument.base} {self.kind}".lower()

    @property
    def kind(self) -> str:
        length = "perpetual" if self.instrument.perpetual else "dated"
        return f"{self.instrument.kind.value} {length}"

    @property
    def turnover(self) -> Decimal:
        return self.ticker.volume_quote or Decimal(0)


def market_rows(environment: str, user: User) -> list[MarketRow]:
    """Favourites first, then by turnover of the day."""
    tickers = latest_tickers(environment)
    liked = set(Favourite.objects.filter(user=user).values_list("symbol", flat=True))
    rows = [
        MarketRow(one, tickers.get(one.symbol, NO_TICKER), price_places(one), one.symbol in liked)
        for one in instruments(environment)
        if not one.expired
    ]
    return sorted(rows, key=lambda row: (not row.favourite, -row.turnover, row.instrument.symbol))


@login_required
@require_GET
def markets(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    environment = environment_of(request)
    context = {"rows": market_rows(environment, request.user), "market": environment}
    return render(request, "trading/markets.html", context)


@login_required
@require_POST
def favourite(request: HttpRequest, symbol: str) -> HttpResponse:
    """Turns the star on or off."""
    assert isinstance(request.user, User)
    try:
        known = instrument_for(environment_of(request), symbol).symbol
    except NotAllowed:
        raise Http404 from None
    liked, created = Favourite.objects.get_or_create(user=request.user, symbol=known)
    if not created:
        liked.delete()
    if request.headers.get("HX-Request"):
        return render(request, "star.jinja", {"symbol": known, "favourite": created}, using="drawn")
    return redirect("markets")
