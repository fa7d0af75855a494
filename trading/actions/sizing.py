"""How much can be afforded: the preview, asked the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from accounts.models import Account
from accounts.rules import NotAllowed
from krakenfutures.contracts import round_size_down
from krakenfutures.values import BookSnapshot, NewOrder, Ticker
from trading.actions.previewing import situation
from trading.instruments import instrument_for
from trading.preview import Situation, preview

HALVINGS = 40


def size_for_share(
    wish: NewOrder,
    share: Decimal,
    *,
    account: Account,
    tickers: Mapping[str, Ticker],
    book: BookSnapshot | None,
) -> Decimal:
    """The largest legal size whose margin and fee take no more than `share` (0 to 1) of what is available.

    An order that only reduces takes this share of the position. The size of the wish is not read. Raises `NotAllowed`
    where nothing is available, or not even the smallest size fits.
    """
    instrument = instrument_for(account.environment, wish.symbol)
    at = situation(account, instrument, tickers=tickers, book=book)
    if wish.reduce_only:
        size = abs(at.position.size) * share if at.position else Decimal(0)
    else:
        size = _affordable(msgspec.structs.replace(wish, size=instrument.lot), at, share)
    legal = round_size_down(instrument, min(size, instrument.max_position or size))
    if legal <= 0:
        what = (
            "There is no position to reduce." if wish.reduce_only else "What is available is too little for one lot."
        )
        raise NotAllowed(what, field="size", code="nothing_available")
    return legal


def _affordable(order: NewOrder, at: Situation, share: Decimal) -> Decimal:
    """By halving: margin grows with the size, but in tranches, and reducing a position needs none."""
    available = preview(order, at).margin_available
    if available is None:
        raise NotAllowed("The available margin is not known yet.", field="size", code="nothing_available")
    budget = available * share
    low, high = Decimal(0), at.instrument.max_position or Decimal(10) ** 9
    for _ in range(HALVINGS):
        middle = round_size_down(at.instrument, (low + high) / 2)
        if middle in {low, high}:
            break
        shown = preview(msgspec.structs.replace(order, size=middle), at)
        executed = shown.fills_now + shown.rests >= middle  # beyond what the book holds nothing trades, or costs
        if executed and shown.margin_needed + shown.fee <= budget:
            low = middle
        else:
            high = middle
    return low
