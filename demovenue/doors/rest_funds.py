"""Moving money: between own wallets, to subaccounts, and out to the owner's spot wallet."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from demovenue.doors.answers import refusal
from demovenue.doors.call import Call
from demovenue.doors.rest_public import V3
from demovenue.doors.table import Right, Table

Fields = dict[str, Any]


def add_routes(table: Table) -> None:
    table.add("POST", f"{V3}/transfer", transfer, right=Right.FULL, cost=10)
    table.add("POST", f"{V3}/transfer/subaccount", transfer_subaccount, right=Right.FULL, cost=10)
    table.add("POST", f"{V3}/withdrawal", withdraw, right=Right.WITHDRAW, cost=100)


def transfer(call: Call) -> Fields:
    params = call.params
    moved = call.exchange.transfer(
        call.account,
        source=params.required("fromAccount").lower(),
        target=params.required("toAccount").lower(),
        unit=params.required("unit").lower(),
        amount=_amount(call),
    )
    call.touched.append(moved.uid)
    return {}


def transfer_subaccount(call: Call) -> Fields:
    params = call.params
    moved = call.exchange.transfer_subaccount(
        call.account,
        from_user=params.required("fromUser"),
        to_user=params.required("toUser"),
        source=params.required("fromAccount").lower(),
        target=params.required("toAccount").lower(),
        unit=params.required("unit").lower(),
        amount=_amount(call),
    )
    call.touched.append(moved.uid)
    return {}


def withdraw(call: Call) -> Fields:
    """No address: it always lands in the spot wallet of the same owner."""
    left = call.exchange.withdraw(
        call.account,
        currency=call.params.required("currency").lower(),
        amount=_amount(call),
        source=(call.params.get("sourceWallet") or "cash").lower(),
    )
    call.touched.append(left.uid)
    return {"uid": left.uid}


def _amount(call: Call) -> Decimal:
    call.params.required("amount")
    amount = call.params.number("amount")
    if amount is None or amount <= 0:
        raise refusal("invalidAmount")
    return amount
