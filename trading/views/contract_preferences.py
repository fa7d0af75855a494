"""The sheet of one contract's preferences: leverage, the currency of profits, and the place in the unwind queue."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from accounts.rules import NotAllowed
from krakenfutures import pnl
from krakenfutures.margin import max_leverage
from krakenfutures.values import ContractKind, Instrument
from trading.actions.contract_preferences import (
    PREFERENCES,
    RANKS,
    preference_of,
    read_again,
    set_leverage,
    set_pnl_currency,
)
from trading.forms import LeverageForm
from trading.instruments import instrument_for
from trading.views.picture import Picture
from trading.views.risk import known_picture, person, sheet, sheet_view


@never_cache
@sheet_view
def contract_preferences(request: HttpRequest, symbol: str) -> HttpResponse:
    """`do` names the button: isolate, cross, currency, or again, which only reads."""
    picture = known_picture(request)
    try:
        instrument = instrument_for(picture.environment, symbol.upper())
    except NotAllowed:
        raise Http404 from None
    refusal, form = None, LeverageForm()
    if request.method == "POST":
        form = LeverageForm(request.POST if request.POST.get("do") == "isolate" else None)
        try:
            _do(request, picture, instrument, form)
        except NotAllowed as problem:
            refusal = problem
    context = _shown(picture, instrument) | {"form": form, "refusal": refusal}
    context["done"] = request.POST.get("do") if refusal is None else None
    return sheet(request, "preferring", context, changed=request.method == "POST")


def _do(request: HttpRequest, picture: Picture, instrument: Instrument, form: LeverageForm) -> None:
    account, by, wanted = picture.account, person(request), request.POST.get("do")
    if wanted == "isolate":
        if not form.is_valid():
            raise NotAllowed(str(form.errors["max_leverage"][0]), field="max_leverage")
        set_leverage(account, instrument.symbol, by=by, max_leverage=form.cleaned_data["max_leverage"])
    elif wanted == "cross":
        set_leverage(account, instrument.symbol, by=by, max_leverage=None)
    elif wanted == "currency":
        set_pnl_currency(account, instrument.symbol, by=by, currency=request.POST.get("pnl_currency", ""))
    elif wanted == "again":
        read_again(account, by=by)
    else:
        raise NotAllowed("This sheet is damaged. Close it and open it again; nothing was sent.")


def _shown(picture: Picture, instrument: Instrument) -> dict[str, Any]:
    preference = preference_of(picture.account, instrument.symbol)
    return {
        "title": f"Leverage of {instrument.symbol}",
        "picture": picture,
        "instrument": instrument,
        "linear": instrument.kind is not ContractKind.INVERSE,
        "most": max_leverage(instrument),
        "preference": preference,
        "currencies": pnl.CURRENCIES,
        "read": picture.syncs.get(PREFERENCES),
        "ranked": picture.syncs.get(RANKS),
        "rows": [row for row in picture.positions if row.position.symbol == instrument.symbol],
    }
