"""What the ticket's order would do, asked for while somebody types. Nothing is stored and nothing is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import Account, User
from accounts.rules import NotAllowed
from krakenfutures.numbers import plain
from krakenfutures.values import Instrument, Ticker
from trading.actions.previewing import preview_order
from trading.actions.sizing import size_for_share
from trading.forms import WishForm
from trading.live.latest import latest_book, latest_tickers
from trading.preview import Preview
from trading.views.instrument import instrument_context
from trading.views.picture import picture_of

SHARES = {"10": Decimal("0.1"), "25": Decimal("0.25"), "50": Decimal("0.5"), "100": Decimal(1)}  # of what is available


@never_cache
@require_GET
def preview(request: HttpRequest, symbol: str) -> HttpResponse:
    """The figures as a fragment; with `share` the size that takes this share of the available margin, in a header."""
    context = instrument_context(request, symbol)
    picture = picture_of(request, symbol)
    form = WishForm(_with_any_size(request))
    if picture is None or not form.is_valid():
        return _drawn(request, context, waiting=True)
    known: Instrument = context["instrument"]
    try:
        found = _preview(request, form, picture.account, known)
    except NotAllowed as refusal:
        return _drawn(request, context, refusal=refusal)
    response = _drawn(request, context, preview=found[0])
    if found[1] is not None:
        response["X-Size"] = plain(found[1])
    return response


def _drawn(request: HttpRequest, context: dict[str, Any], **found: Any) -> HttpResponse:
    nothing = {"preview": None, "refusal": None, "waiting": False}
    return render(request, "preview.jinja", context | nothing | found, using="drawn")


def _with_any_size(request: HttpRequest) -> dict[str, str]:
    """A size that is still to be found is not missing."""
    typed = {name: str(value) for name, value in request.GET.items()}
    return typed | {"size": "1"} if typed.get("share") in SHARES else typed


def _preview(
    request: HttpRequest, form: WishForm, account: Account, instrument: Instrument
) -> tuple[Preview, Decimal | None]:
    """Only the prices that matter are read: of this instrument, and of what the account holds."""
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    tickers, book = _prices(account, instrument), latest_book(account.environment, instrument.symbol)
    wish = form.wish("preview", instrument.symbol)
    share = SHARES.get(request.GET.get("share", ""))
    size = None
    if share is not None:
        size = size_for_share(wish, share, account=account, tickers=tickers, book=book)
        wish = msgspec.structs.replace(wish, size=size)
    stop = form.cleaned_data["stop_loss"]
    return preview_order(wish, account=account, by=request.user, stop_loss=stop, tickers=tickers, book=book), size


def _prices(account: Account, instrument: Instrument) -> dict[str, Ticker]:
    held = account.positions.values_list("symbol", flat=True)
    return latest_tickers(account.environment, {instrument.symbol, *held})
