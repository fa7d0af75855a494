"""`GET /demo/ledger`: the truth about an account, in our own JSON (decimals are strings)."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from demovenue.doors.answers import iso_millis, text
from demovenue.values import Fill, Ledger, Order, Transfer, Withdrawal

Fields = dict[str, Any]

STATUS = {
    "ENTERED_BOOK": "open",
    "TRIGGER_PLACED": "open",
    "FULLY_EXECUTED": "filled",
    "CANCELLED": "cancelled",
    "REJECTED": "rejected",
    "TRIGGER_ACTIVATION_FAILURE": "rejected",
}
# Nobody asked for these, so there was nothing to answer.
UNASKED = frozenset({"liquidation", "assignment", "unwind"})


def ledger(book: Ledger, answered: Container[str]) -> Fields:
    return {
        "orders": [_order(one, answered) for one in book.orders],
        "fills": [_fill(one) for one in book.fills],
        "transfers": [_transfer(one, answered) for one in book.transfers],
        "withdrawals": [_withdrawal(one, answered) for one in book.withdrawals],
    }


def _order(one: Order, answered: Container[str]) -> Fields:
    return {
        "order_id": one.id,
        "cli_ord_id": one.cli_ord_id,
        "symbol": one.symbol,
        "side": one.side,
        "type": one.sent_type,
        "size": text(one.quantity),
        "filled": text(one.filled),
        "limit_price": None if one.limit_price is None else text(one.limit_price),
        "status": STATUS[one.status],
        "reason": one.error or one.update_reason,
        "received_at": iso_millis(one.created),
        "answered": one.id in answered or one.type in UNASKED,
    }


def _fill(one: Fill) -> Fields:
    return {
        "fill_id": one.fill_id,
        "order_id": one.order_id,
        "cli_ord_id": one.cli_ord_id,
        "symbol": one.symbol,
        "side": one.side,
        "size": text(one.size),
        "price": text(one.price),
        "fill_type": one.fill_type,
        "time": iso_millis(one.at),
        "fee": text(one.fee),
        "fee_currency": one.fee_currency,
        "realized_pnl": text(one.realized_pnl),
    }


def _transfer(one: Transfer, answered: Container[str]) -> Fields:
    return {
        "uid": one.uid,
        "from": one.from_wallet,
        "to": one.to_wallet,
        "currency": one.currency,
        "amount": text(one.amount),
        "time": iso_millis(one.at),
        "answered": one.uid in answered,
    }


def _withdrawal(one: Withdrawal, answered: Container[str]) -> Fields:
    return {
        "uid": one.uid,
        "currency": one.currency,
        "amount": text(one.amount),
        "source_wallet": one.source_wallet,
        "time": iso_millis(one.at),
        "answered": one.uid in answered,
    }
