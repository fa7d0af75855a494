"""Entries of the ledger as the import files of two tax tools. Pure; every digit is kept, and nothing is left out.

Both tools want the outcome of derivatives, not their trades: profit as something received, loss as something sent,
each with the word the tool has for it. Profit, fee and funding of one entry become a row each; what only moved
(transfers, conversions, interest, tax, credits) is a plain receipt or payment, for the tool or its owner to classify.
Received less sent over all rows of a currency is the sum of the ledger's amounts.

Sources: Koinly's universal template and its page on futures (label "realized gain", dates in UTC); CoinTracking's CSV
import with its types "Derivatives / Futures Profit", "Derivatives / Futures Loss", "Other Fee".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from krakenfutures.numbers import plain

PLACE = "Kraken Futures"


class Entry(Protocol):
    """What is read of an entry of the ledger."""

    number: int
    at: datetime
    wallet: str
    currency: str
    category: str
    symbol: str
    realised_pnl: Decimal
    fee: Decimal
    funding: Decimal
    other: Decimal


class Move(NamedTuple):
    """One thing an entry did to its balance: `kind` is profit, fee, funding or other; `amount` is never zero."""

    kind: str
    amount: Decimal


class Layout(NamedTuple):
    columns: tuple[str, ...]
    row: Callable[[Entry, Move], tuple[str, ...]]


def rows(layout: Layout, entry: Entry) -> Iterator[tuple[str, ...]]:
    for move in moves(entry):
        yield layout.row(entry, move)


def moves(entry: Entry) -> Iterator[Move]:
    for kind, amount in (
        ("profit", entry.realised_pnl), ("fee", -entry.fee), ("funding", entry.funding), ("other", entry.other),
    ):  # fmt: skip
        if amount:
            yield Move(kind, amount)


def _koinly(entry: Entry, move: Move) -> tuple[str, ...]:
    sent, received = _sides(entry, move)
    label = {"profit": "realized gain", "funding": "realized gain", "fee": "margin fee" if move.amount < 0 else ""}
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S} UTC", *sent, *received, "", "", "", "", label.get(move.kind, ""),
        _description(entry, move), _reference(entry, move),
    )  # fmt: skip


def _cointracking(entry: Entry, move: Move) -> tuple[str, ...]:
    sent, received = _sides(entry, move)
    gained = move.amount > 0
    kind = {
        "profit": "Derivatives / Futures Profit" if gained else "Derivatives / Futures Loss",
        "funding": "Derivatives / Futures Profit" if gained else "Derivatives / Futures Loss",
        "fee": "Other Income" if gained else "Other Fee",
        "other": "Deposit" if gained else "Withdrawal",
    }[move.kind]
    return (
        kind, *received, *sent, "", "", PLACE, entry.symbol, _description(entry, move),
        f"{entry.at:%Y-%m-%d %H:%M:%S}", _reference(entry, move),
    )  # fmt: skip


def _sides(entry: Entry, move: Move) -> tuple[tuple[str, str], tuple[str, str]]:
    """Sent and received, of which one is empty: amounts in such files carry no sign."""
    cells = (plain(abs(move.amount)), entry.currency)
    return (("", ""), cells) if move.amount > 0 else (cells, ("", ""))


def _description(entry: Entry, move: Move) -> str:
    what = entry.category if move.kind == "other" else move.kind
    return " ".join(filter(None, (what, entry.symbol, f"({entry.wallet})")))


def _reference(entry: Entry, move: Move) -> str:
    """Of its own in every file of the account, so that a tool knows a row it already has."""
    return f"log-{entry.number}-{move.kind}"


KOINLY = Layout(
    (
        "Date",
        "Sent Amount",
        "Sent Currency",
        "Received Amount",
        "Received Currency",
        "Fee Amount",
        "Fee Currency",
        "Net Worth Amount",
        "Net Worth Currency",
        "Label",
        "Description",
        "TxHash",
    ),
    _koinly,
)
COINTRACKING = Layout(
    (
        "Type",
        "Buy Amount",
        "Buy Currency",
        "Sell Amount",
        "Sell Currency",
        "Fee",
        "Fee Currency",
        "Exchange",
        "Trade-Group",
        "Comment",
        "Date",
        "Tx-ID",
    ),
    _cointracking,
)
