"""What an order is worth, for the limits of whoever sends it: in USD, at the worst price it may execute at."""

from __future__ import annotations

import logging
from decimal import Decimal

import msgspec
import redis

from accounts.store import store
from krakenfutures.pnl import notional_usd
from krakenfutures.values import ContractKind, NewOrder, Side, Ticker
from krakenfutures.words import kind_of

log = logging.getLogger(__name__)

TICKERS = "kfweb:live:{environment}:tickers"  # where the relay keeps them; a test holds the name against its own


def worth_usd(environment: str, order: NewOrder) -> Decimal | None:
    """None when the order names no price and none is known. An inverse contract is worth a dollar at any price.

    Nothing is bought above its limit. A limit to sell may execute far above it, and what has no limit anywhere, so the
    mark counts there too where it is the higher one.
    """
    kind = kind_of(order.symbol)
    if kind is ContractKind.INVERSE:
        return notional_usd(kind, order.size, Decimal(1))
    if order.side is Side.BUY and order.limit_price:
        return notional_usd(kind, order.size, order.limit_price)
    prices = [price for price in (order.limit_price, order.stop_price, _mark(environment, order.symbol)) if price]
    return notional_usd(kind, order.size, max(prices)) if prices else None


def _mark(environment: str, symbol: str) -> Decimal | None:
    try:
        row = store().hget(TICKERS.format(environment=environment), symbol)
    except redis.RedisError as problem:
        log.warning("the store does not tell the mark of %s: %s", symbol, type(problem).__name__)
        return None
    if not isinstance(row, bytes):
        return None
    ticker = msgspec.json.decode(row, type=Ticker)
    return ticker.mark or ticker.last
