"""What the exchange holds and returns. Frozen records: a change is a new record, so what you hold is a snapshot.

Money and sizes are `Decimal`, times are aware UTC. Currencies are in lower case, Kraken's way (`xbt`, `usd`);
symbols in upper case. The words of enums are those of the REST reference unless a comment says otherwise.
"""

from __future__ import annotations

from demovenue.values.base import Record, Refused
from demovenue.values.history import HistoryEvent, HistoryPage, Ledger
from demovenue.values.listing import FeeTier, Instrument, InstrumentStatus, MarginLevel, Notification
from demovenue.values.market import Analytics, BookView, Candle, FundingRate, MarketOrder, Ticker
from demovenue.values.orders import CancelAllResult, CancelWish, EditWish, Order, OrderEvent, OrderResult, OrderWish
from demovenue.values.people import Account, Key, Participant, SignUp
from demovenue.values.trades import Fill, Position, PositionChange, PositionView, TradePrint
from demovenue.values.wallets import FlexCurrency, FlexView, LogEntry, MarginView, Transfer, WalletsView, Withdrawal

__all__ = [
    "Account",
    "Analytics",
    "BookView",
    "CancelAllResult",
    "CancelWish",
    "Candle",
    "EditWish",
    "FeeTier",
    "Fill",
    "FlexCurrency",
    "FlexView",
    "FundingRate",
    "HistoryEvent",
    "HistoryPage",
    "Instrument",
    "InstrumentStatus",
    "Key",
    "Ledger",
    "LogEntry",
    "MarginLevel",
    "MarginView",
    "MarketOrder",
    "Notification",
    "Order",
    "OrderEvent",
    "OrderResult",
    "OrderWish",
    "Participant",
    "Position",
    "PositionChange",
    "PositionView",
    "Record",
    "Refused",
    "SignUp",
    "Ticker",
    "TradePrint",
    "Transfer",
    "WalletsView",
    "Withdrawal",
]
