"""Rows of an account log, stored as a reading stores them, with the ledger that follows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal as D

from accounts.models import Account
from krakenfutures.funds import LedgerRow
from trading.actions.keeping import keep_log
from trading.actions.ledgers import extend_ledger
from trading.models import LogEntry, Sync


def row(
    number: int, at: datetime, *, symbol: str = "PF_XBTUSD", currency: str = "USD", realised: str = "2",
    fee: str = "0.5", funding: str = "0", old: str = "0", reference: str | None = None,
) -> LedgerRow:  # fmt: skip
    return LedgerRow(
        id=number, at=at, asset=currency, wallet="flex", kind="futures trade", contract=symbol, old=D(old),
        new=D(old) + D(realised) - D(fee) + D(funding), realised_pnl=D(realised), fee=D(fee),
        realised_funding=D(funding), booking=f"b{number}", reference=f"f{number}" if reference is None else reference,
    )  # fmt: skip


def book(account: Account, rows: Sequence[LedgerRow]) -> None:
    keep_log(account.pk, rows, proven=True)
    high = LogEntry.objects.filter(account=account).latest("number").number
    cursor = json.dumps({"high": high, "gaps": []})
    Sync.objects.update_or_create(account=account, stream="log", defaults={"cursor": cursor, "share": 1})
    extend_ledger(account.pk)
