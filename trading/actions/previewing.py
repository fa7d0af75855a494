"""The preview of a ticket, from what is stored of the account and the prices the caller has."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec
from django.utils import timezone

from accounts.broker import StoreAway, budget
from accounts.models import Account, ApiKey, Balances, User
from krakenfutures.values import (
    BookSnapshot,
    Instrument,
    NewOrder,
    OrderType,
    Side,
    Ticker,
    Wallets,
)
from trading.actions.reaching import require_trader
from trading.caveats import caveats
from trading.instruments import instrument_for, instruments
from trading.models import ContractPreference, Order, Position
from trading.models.order import WORKING
from trading.preview import Held, Preview, Situation, Waiting, preview
from trading.rules import refusals


def preview_order(
    wish: NewOrder,
    *,
    account: Account,
    by: User,
    stop_loss: Decimal | None = None,
    tickers: Mapping[str, Ticker],
    book: BookSnapshot | None,
) -> Preview:
    """What the order would do. Asks nobody: reads the rows of the account. `stop_loss` is an attached trigger price.

    Raises for whoever may not trade, and what `place_order` would raise about the order's numbers.
    """
    key = require_trader(by, account)
    instrument = instrument_for(account.environment, wish.symbol)
    for refusal in refusals(wish, instrument):
        raise refusal
    at = situation(account, instrument, tickers=tickers, book=book)
    shown = preview(wish, at)
    found = caveats(wish, at, shown, stop_loss=stop_loss, points_left=points_left(key))
    return msgspec.structs.replace(shown, warnings=tuple(found))


def situation(
    account: Account, instrument: Instrument, *, tickers: Mapping[str, Ticker], book: BookSnapshot | None
) -> Situation:
    """The account as stored, in four queries. What is not listed any more is left out."""
    listed = {one.symbol: one for one in instruments(account.environment)}
    balances = Balances.objects.filter(account=account).first()
    return Situation(
        instrument=instrument,
        now=timezone.now(),
        wallets=msgspec.convert(balances.wallets, Wallets) if balances else None,
        held=tuple(
            Held(instrument=listed[row.symbol], size=row.size, entry=row.entry, max_leverage=row.max_leverage)
            for row in Position.objects.filter(account=account)
            if row.symbol in listed
        ),
        waiting=tuple(
            Waiting(instrument=listed[row.symbol], side=Side(row.side), size=row.open_size, price=row.limit_price)
            for row in Order.objects.filter(account=account, status__in=WORKING, reduce_only=False)
            if row.symbol in listed and row.limit_price is not None and not OrderType(row.type).is_trigger
        ),
        caps={
            row.symbol: row.max_leverage
            for row in ContractPreference.objects.filter(account=account)
            if row.max_leverage is not None
        },
        marks={symbol: ticker.mark for symbol, ticker in tickers.items() if ticker.mark},
        ticker=tickers.get(instrument.symbol),
        book=book,
    )


def points_left(key: ApiKey) -> int | None:
    """Of the key's rate budget; None while nobody can say."""
    try:
        return budget(key.pk).points
    except StoreAway:
        return None
