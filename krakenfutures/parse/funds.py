"""The account log, the routes money can take, and what the answer to moving it proves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from krakenfutures.errors import Unreadable
from krakenfutures.funds import CASH, CATEGORIES, MULTI_COLLATERAL, Destination, Landing, LedgerRow, Receipt
from krakenfutures.numbers import normal_currency
from krakenfutures.parse.fields import Fields, rows_of
from krakenfutures.parse.wallets import margin_account_name
from krakenfutures.values import Wallets

UNREADABLE = "unreadable"
ZERO = Decimal(0)
OPTIONAL_FIGURES = frozenset({
    "fee", "realized_pnl", "realized_funding", "funding_rate", "mark_price", "trade_price", "old_average_entry_price",
    "new_average_entry_price", "liquidation_fee", "conversion_spread_percentage",
})  # fmt: skip
# Words that say for certain that no money moved. Any other error leaves it open.
PLAIN_NOES = frozenset({
    "accountInactive", "apiLimitExceeded", "authenticationError", "unauthorized", "invalidSecret",
    "insufficientFunds", "invalidAccount", "invalidAmount", "invalidArgument", "invalidUnit",
    "requiredArgumentMissing", "nonceBelowThreshold", "nonceDuplicate", "Json Parse Error", "notFound", "NOT_FOUND",
    "BAD_REQUEST", "Bad Request",
})  # fmt: skip


def parse_ledger(answer: Any) -> list[LedgerRow]:
    return rows_of(answer, "logs", parse_ledger_row)


def parse_ledger_page(answer: Any) -> list[LedgerRow]:
    """The same, but a row that cannot be read is kept raw, as one that moves nothing and is of no known kind."""
    return rows_of(answer, "logs", _row_or_raw)


def _row_or_raw(raw: Any) -> LedgerRow:
    try:
        return parse_ledger_row(raw)
    except Unreadable as problem:
        row = Fields(raw, "a row of the account log")
        return LedgerRow(
            id=int(row.need_decimal("id")), at=row.need_time("date"), asset="", wallet="", kind=UNREADABLE,
            old=ZERO, new=ZERO, unknown={"row": raw, "why": str(problem)},
        )  # fmt: skip


def parse_stream_ledger_row(raw: Any) -> LedgerRow:
    """The live feed writes 0 and nothing where the request says null: what is 0 there is not said."""
    zeros = {name: None for name, value in Fields(raw, "a row").items() if name in OPTIONAL_FIGURES and not value}
    return parse_ledger_row({**raw, **zeros})


def parse_ledger_row(raw: Any) -> LedgerRow:
    row = Fields(raw, "a row of the account log")
    row.ignore("position_uid")
    asset = row.need_text("asset")
    contract = (row.text("contract") or (asset if "_" in asset else "")).upper()
    kind = row.need_text("info")
    if kind not in CATEGORIES:
        row.keep("info", kind)
    return LedgerRow(
        id=int(row.need_decimal("id")),
        at=row.need_time("date"),
        asset=asset.upper() if "_" in asset else normal_currency(asset),
        wallet=margin_account_name(row.text("margin_account") or ""),
        kind=kind,
        old=row.need_decimal("old_balance"),
        new=row.need_decimal("new_balance"),
        contract=contract,
        booking=row.text("booking_uid") or "",
        reference=row.text("execution") or "",
        fee=row.decimal("fee"),
        realised_pnl=row.decimal("realized_pnl"),
        realised_funding=row.decimal("realized_funding"),
        funding_rate=row.decimal("funding_rate"),
        mark=row.decimal("mark_price"),
        price=row.decimal("trade_price"),
        old_entry=row.decimal("old_average_entry_price"),
        new_entry=row.decimal("new_average_entry_price"),
        liquidation_fee=row.decimal("liquidation_fee"),
        conversion_spread=row.decimal("conversion_spread_percentage"),
        collateral=normal_currency(row.text("collateral") or ""),
        unknown=row.unknown(),
    )


def parse_withdrawal(answer: Any) -> Receipt:
    """Without a uid it is no receipt: `Unreadable`, and so it may have happened."""
    row = Fields(answer, "the answer")
    return Receipt(reference=row.need_text("uid"), at=row.time("serverTime"))


def parse_transfer(answer: Any) -> Receipt:
    """Success is all that Kraken says of a transfer, so nothing less is taken for it."""
    row = Fields(answer, "the answer")
    if row.take("result") != "success":
        raise Unreadable("the answer to a transfer does not say success")
    return Receipt(at=row.time("serverTime"))


def is_plain_no(code: str) -> bool:
    return code.partition(":")[0] in PLAIN_NOES


def parse_destinations(wallets: Wallets, subaccounts: Any) -> list[Destination]:
    """Everywhere this account's money can go: out to spot, its own wallets, its subaccounts (their cash wallet)."""
    found = [Destination(landing=Landing.SPOT, label="Kraken spot wallet")]
    found.append(Destination(landing=Landing.WALLET, wallet=CASH, label="Cash wallet"))
    if wallets.flex is not None:
        found.append(Destination(landing=Landing.WALLET, wallet=MULTI_COLLATERAL, label="Multi-collateral wallet"))
    found += [
        Destination(
            landing=Landing.WALLET,
            wallet=single.name,
            label=f"{single.currency} margin account {single.name}",
            currencies=(single.currency,),
        )
        for single in wallets.margin_accounts
    ]
    return found + rows_of(subaccounts, "subaccounts", _subaccount)


def _subaccount(raw: Any) -> Destination:
    row = Fields(raw, "a subaccount")
    uid = row.need_text("accountUid")
    name = row.text("fullName") or row.text("email") or uid
    return Destination(landing=Landing.SUBACCOUNT, wallet=CASH, account=uid, label=f"Subaccount {name}")
