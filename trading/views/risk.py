"""Taking risk away: the sheets that close, reverse, cancel many, flatten and halt, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.rights import Right, has
from accounts.rules import NotAllowed
from krakenfutures.values import Side
from trading.actions import closing, deadman, halting
from trading.rules import FLATTEN_WORD, LIFT_WORD
from trading.views.picture import Picture, picture_of

CHANGED = "account-changed"  # the browser's event after which it asks for the tables again; the sheet stays
SECONDS = (30, 60, 120, 300)  # choices of the dead man's switch

sheet_view = require_http_methods(["GET", "POST"])


def sheet(request: HttpRequest, part: str, context: dict[str, Any], *, changed: bool = False) -> HttpResponse:
    """The inside of a sheet for our script, a page of its own for a browser without one."""
    status = 422 if context.get("refusal") else 200
    if not request.headers.get("HX-Request"):
        whole = {**context, "sheet": f"trading/sheets.html#{part}"}
        return render(request, "trading/sheet_page.html", whole, status=status)
    response = render(request, f"trading/sheets.html#{part}", context, status=status)
    if changed:
        response["HX-Trigger"] = CHANGED
    return response


def intent_of(request: HttpRequest) -> UUID:
    """Minted with the sheet. Raises `NotAllowed` for one that is damaged."""
    try:
        return UUID(request.POST.get("intent", ""))
    except ValueError:
        raise NotAllowed("This sheet is damaged. Close it and open it again; nothing was sent.") from None


def known_picture(request: HttpRequest) -> Picture:
    picture = picture_of(request)
    if picture is None:
        raise Http404
    return picture


def person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # LoginRequiredMiddleware lets nobody else in
    return request.user


Act = Callable[[], list[closing.Leg]]


def _acted(request: HttpRequest, part: str, context: dict[str, Any], act: Act) -> HttpResponse:
    """Does it once, and shows a result for each leg; a refusal is told in the sheet, whose intent is still good."""
    if request.method != "POST":
        return sheet(request, part, context)
    try:
        legs = act()
    except NotAllowed as refusal:
        return sheet(request, part, context | {"refusal": refusal})
    return sheet(
        request, "legs", context | {"legs": legs, "undone": [leg for leg in legs if not leg.done]}, changed=True
    )


def _intent(request: HttpRequest) -> str:
    return request.POST.get("intent", "") or str(uuid4())


@never_cache
@sheet_view
def close(request: HttpRequest, symbol: str) -> HttpResponse:
    return _against(request, symbol, "close", closing.close_position)


@never_cache
@sheet_view
def reverse(request: HttpRequest, symbol: str) -> HttpResponse:
    return _against(request, symbol, "reverse", closing.reverse_position)


def _against(request: HttpRequest, symbol: str, what: str, action: Callable[..., closing.Leg]) -> HttpResponse:
    picture = known_picture(request)
    rows = [row for row in picture.positions if row.position.symbol == symbol.upper()]
    context = {"picture": picture, "symbol": symbol, "what": what, "rows": rows, "intent": _intent(request)}
    context |= {"title": f"{what.capitalize()} {symbol}", "twice": rows[0].position.size * 2 if rows else None}
    return _acted(
        request,
        "against",
        context,
        lambda: [action(intent_of(request), account=picture.account, by=person(request), symbol=symbol)],
    )


@never_cache
@sheet_view
def cancel_many(request: HttpRequest) -> HttpResponse:
    """`?symbol=S&side=buy`, each optional. The orders of others at the venue are counted too."""
    picture = known_picture(request)
    given = request.POST if request.method == "POST" else request.GET
    symbol, word = given.get("symbol") or None, given.get("side")
    side = Side(word) if word in {"buy", "sell"} else None
    here = given.get("here") or symbol or ""
    context = _hit(picture, symbol, side) | {
        "picture": picture,
        "symbol": symbol,
        "side": side,
        "here": here,
        "title": "Cancel orders",
    }
    return _acted(
        request,
        "cancelling",
        context,
        lambda: closing.cancel_many(picture.account, by=person(request), symbol=symbol, side=side),
    )


@never_cache
@sheet_view
def flatten(request: HttpRequest) -> HttpResponse:
    picture = known_picture(request)
    context = _hit(picture) | {"picture": picture, "rows": picture.positions, "word": FLATTEN_WORD}
    context |= {"intent": _intent(request), "title": "Flatten the account"}

    def act() -> list[closing.Leg]:
        _typed(request, FLATTEN_WORD)
        return closing.flatten(intent_of(request), account=picture.account, by=person(request))

    return _acted(request, "flattening", context, act)


@never_cache
@sheet_view
def halt(request: HttpRequest) -> HttpResponse:
    """The sheet of the halt: anybody sees whether one stands, traders halt."""
    desk = known_picture(request).account.desk
    context: dict[str, Any] = {"title": "Halt the desk", "word": LIFT_WORD, "of": request.GET.get("of", "")}
    if request.method == "POST":
        halting.halt(desk, by=person(request), reason=request.POST.get("reason", ""))
    context |= {"halt": halting.current_halt(desk), "may_lift": _may(request, Right.LIFT_HALT)}
    return sheet(
        request, "halting", context | {"may_halt": _may(request, Right.TRADE)}, changed=request.method == "POST"
    )


@never_cache
@require_POST
def lift(request: HttpRequest) -> HttpResponse:
    desk = known_picture(request).account.desk
    context: dict[str, Any] = {"title": "Halt the desk", "word": LIFT_WORD, "may_halt": True, "may_lift": True}
    try:
        _typed(request, LIFT_WORD)
        halting.lift(desk, by=person(request))
    except NotAllowed as refusal:
        return sheet(request, "halting", context | {"halt": halting.current_halt(desk), "refusal": refusal})
    return sheet(request, "halting", context | {"halt": None}, changed=True)


@never_cache
@sheet_view
def dead_man(request: HttpRequest) -> HttpResponse:
    """Arms the switch (`seconds`) or disarms it (`off`); shows who armed it and whose orders it would cancel."""
    picture = known_picture(request)
    refusal = None
    if request.method == "POST":
        try:
            _switch(request, picture)
        except NotAllowed as problem:
            refusal = problem
    context = _hit(picture) | {"picture": picture, "switch": deadman.deadman_of(picture.account), "refusal": refusal}
    context |= {"choices": SECONDS, "title": "Dead man's switch", "may": _may(request, Right.TRADE)}
    return sheet(request, "deadman", context, changed=request.method == "POST")


def _switch(request: HttpRequest, picture: Picture) -> None:
    if "off" in request.POST:
        deadman.disarm(picture.account, by=person(request))
        return
    word = request.POST.get("seconds", "")
    if not (word.isascii() and word.isdecimal() and len(word) < 6):
        raise NotAllowed("How many seconds?", field="seconds")
    deadman.arm(picture.account, by=person(request), seconds=int(word))


@require_POST
def be_here(request: HttpRequest) -> HttpResponse:
    """A page that is seen says so every ten seconds; the renewing itself is the worker's."""
    deadman.be_present(known_picture(request).account, by=person(request))
    return HttpResponse(status=204)


def _typed(request: HttpRequest, word: str) -> None:
    if request.POST.get("word", "").strip().upper() != word:
        raise NotAllowed(f"Type {word} to do this. Nothing was done.", field="word", code="word")


def _may(request: HttpRequest, right: Right) -> bool:
    return has(getattr(request, "membership", None), right)


def _hit(picture: Picture, symbol: str | None = None, side: Side | None = None) -> dict[str, Any]:
    """What would be cancelled, and whose it is."""
    marks = {name: ticker.mark for name, ticker in picture.tickers.items() if ticker.mark}
    hit = closing.orders_hit(picture.account, symbol=symbol, side=side, marks=marks)
    return {"hit": hit, "whose": sorted(hit.whose.items())}
