"""What is ours in one market, for the chart, the book and the ladder: orders, the position, fills."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import Account
from krakenfutures.numbers import plain
from trading.models import Fill, Order
from trading.models.order import UNSETTLED, WORKING
from trading.views.picture import Picture, picture_of

ORDERS, FILLS = 500, 500
EDITABLE = {"limit", "post", "stop", "take_profit"}


@never_cache
@require_GET
def own(request: HttpRequest, symbol: str) -> JsonResponse:
    """`{"orders", "position", "fills", "more"}` of the account the page is about; decimals as text.

    Fills from `?since=SECONDS` on, the newest ones; `more` says that there were too many of them, or of orders.
    """
    since = request.GET.get("since", "")
    picture = picture_of(request, symbol)
    if picture is None or not re.fullmatch(r"\d{0,11}", since, re.ASCII):
        raise Http404
    orders = _orders(picture.account, symbol)
    fills = _fills(picture.account, symbol, datetime.fromtimestamp(int(since or 0), UTC))
    return JsonResponse(
        {
            "orders": orders[:ORDERS],
            "position": _position(picture, symbol),
            "fills": fills[:FILLS],
            "more": len(fills) > FILLS or len(orders) > ORDERS,
        }
    )


def _orders(account: Account, symbol: str) -> list[dict[str, Any]]:
    """Working ones and those not proven yet; what waits for its parent is not at the venue."""
    live = Q(status__in=(*WORKING, *UNSETTLED), account=account, symbol=symbol)
    return [_order(one) for one in Order.objects.filter(live)[: ORDERS + 1]]


def _order(one: Order) -> dict[str, Any]:
    """`moves` names the price that dragging changes; empty where the order cannot be edited."""
    trigger = one.type not in {"limit", "post", "ioc", "fok"}
    price, field = (one.stop_price, "stop_price") if trigger else (one.limit_price, "limit_price")
    return {
        "id": str(one.pk),
        "side": one.side,
        "type": one.type,
        "open": plain(one.open_size),
        "price": "" if price is None else plain(price),
        "moves": field if one.is_working and price is not None and one.type in EDITABLE else "",
        "status": one.status,
    }


def _position(picture: Picture, symbol: str) -> dict[str, str] | None:
    row = next((row for row in picture.positions if row.position.symbol == symbol), None)
    if row is None:
        return None
    figures = {"entry": row.position.entry, "liquidation": row.position.liquidation_price, "size": row.position.size}
    return {"side": row.side, **{name: "" if value is None else plain(value) for name, value in figures.items()}}


def _fills(account: Account, symbol: str, since: datetime) -> list[list[Any]]:
    rows = Fill.objects.filter(account=account, symbol=symbol, at__gte=since)[: FILLS + 1]
    return [[int(one.at.timestamp() * 1000), one.side, plain(one.price), plain(one.size)] for one in rows]
