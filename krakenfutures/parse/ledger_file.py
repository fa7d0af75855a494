"""Kraken's own file of the account log: CSV, UTC times without a zone, empty where there is nothing to say."""

from __future__ import annotations

import csv
from datetime import datetime
from decimal import Decimal

from krakenfutures.errors import Unreadable
from krakenfutures.funds import LedgerRow
from krakenfutures.numbers import normal_currency, to_decimal, to_time
from krakenfutures.parse.wallets import margin_account_name
from krakenfutures.values import Value

COLUMNS = (
    "uid", "dateTime", "account", "type", "symbol", "contract", "change", "new balance", "new average entry price",
    "trade price", "mark price", "funding rate", "realized pnl", "fee", "realized funding",
)  # fmt: skip


class FileRow(Value, frozen=True):
    """One line of the file, by our names. It carries no number of the entry; `booking` is its name."""

    booking: str
    at: datetime  # whole seconds
    wallet: str
    kind: str
    asset: str
    contract: str
    change: Decimal
    new: Decimal
    new_entry: Decimal | None = None
    price: Decimal | None = None
    mark: Decimal | None = None
    funding_rate: Decimal | None = None
    realised_pnl: Decimal | None = None
    fee: Decimal | None = None
    realised_funding: Decimal | None = None


FIGURES = ("new_entry", "price", "mark", "funding_rate", "realised_pnl", "fee", "realised_funding")


def cells_of(line: str) -> list[str]:
    """Raises `Unreadable` for what is no line of CSV."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as problem:
        raise Unreadable(f"this is no line of CSV ({problem})") from None


def parse_header(line: str) -> list[str]:
    """The columns in the order they have in this file. Raises `Unreadable`, naming the ones that are missing."""
    header = [cell.strip() for cell in cells_of(line.removeprefix("\ufeff"))]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise Unreadable(f"the first line of Kraken's account log names its columns; here is no {', '.join(missing)}")
    return header


def parse_file_line(header: list[str], line: str) -> FileRow:
    """Raises `Unreadable`, saying what of it cannot be read."""
    cells = cells_of(line)
    if len(cells) != len(header):
        raise Unreadable(f"{len(cells)} cells where the first line has {len(header)}")
    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
    asset, contract = row["symbol"], row["contract"] or (row["symbol"] if "_" in row["symbol"] else "")
    if not row["uid"] or not asset:
        raise Unreadable("it has no uid or no symbol")
    named = zip(FIGURES, COLUMNS[8:], strict=True)
    return FileRow(
        booking=row["uid"],
        at=to_time(row["dateTime"]).replace(microsecond=0),
        wallet=margin_account_name(row["account"]),
        kind=row["type"],
        asset=asset.upper() if "_" in asset else normal_currency(asset),
        contract=contract.upper(),
        change=to_decimal(row["change"]),
        new=to_decimal(row["new balance"]),
        **{ours: to_decimal(row[theirs]) for ours, theirs in named if row[theirs]},
    )


def differences(theirs: FileRow, ours: LedgerRow) -> list[str]:
    """In words, what the file says otherwise than the log as we hold it; figures that are 0 need not be said."""
    found = []
    for name in ("wallet", "kind", "asset", "contract", "change", "new", *FIGURES):
        said, held = getattr(theirs, name), getattr(ours, name)
        if name in FIGURES:
            said, held = said or Decimal(0), held or Decimal(0)
        if said != held:
            found.append(f"{name.replace('_', ' ')}: {said} in the file, {held} here")
    if theirs.at != ours.at.replace(microsecond=0):
        found.append(f"time: {theirs.at:%Y-%m-%d %H:%M:%S} in the file, {ours.at:%Y-%m-%d %H:%M:%S} here")
    return found
