"""The files for tax tools: the tools' own columns and words, and not a digit more or less than the ledger."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account, Desk, User
from tests.trading.furnished import demo_account
from trading.actions.exports import ask_export, make_export
from trading.actions.reports import Span
from trading.models import LedgerEntry
from trading.tax_rows import COINTRACKING, KOINLY, Layout, rows

AT = datetime(2026, 11, 22, 10, 30, 5, 123000, UTC)
MONEY = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=12)


def entry(**changed: object) -> LedgerEntry:
    values = {
        "number": 7, "at": AT, "wallet": "flex", "currency": "USD", "category": "trade", "symbol": "PF_XBTUSD",
        "realised_pnl": D(0), "fee": D(0), "funding": D(0), "other": D(0),
    } | changed  # fmt: skip
    return LedgerEntry(**values)


def told(layout: Layout, one: LedgerEntry) -> list[dict[str, str]]:
    return [dict(zip(layout.columns, row, strict=True)) for row in rows(layout, one)]


def test_koinly_gets_profit_and_fee_as_rows_of_their_own() -> None:
    profit, fee = told(KOINLY, entry(realised_pnl=D("12.50"), fee=D("0.4")))
    assert (profit["Date"], profit["Received Amount"], profit["Received Currency"], profit["Sent Amount"]) == (
        "2026-11-22 10:30:05 UTC", "12.5", "USD", "",
    )  # fmt: skip
    assert (profit["Label"], profit["Description"], profit["TxHash"]) == (
        "realized gain", "profit PF_XBTUSD (flex)", "log-7-profit",
    )  # fmt: skip
    assert (fee["Sent Amount"], fee["Sent Currency"], fee["Label"]) == ("0.4", "USD", "margin fee")


def test_cointracking_gets_a_loss_by_its_own_word() -> None:
    loss, funding = told(COINTRACKING, entry(realised_pnl=D("-3"), funding=D("0.01"), currency="BTC"))
    assert (loss["Type"], loss["Sell Amount"], loss["Sell Currency"], loss["Buy Amount"]) == (
        "Derivatives / Futures Loss", "3", "BTC", "",
    )  # fmt: skip
    assert (loss["Date"], loss["Exchange"], loss["Trade-Group"]) == (
        "2026-11-22 10:30:05", "Kraken Futures", "PF_XBTUSD",
    )  # fmt: skip
    assert (funding["Type"], funding["Buy Amount"]) == ("Derivatives / Futures Profit", "0.01")


def test_what_only_moved_carries_no_label_and_a_rebate_is_no_fee() -> None:
    (moved,) = told(KOINLY, entry(other=D("-250"), category="transfer", symbol=""))
    assert (moved["Sent Amount"], moved["Label"], moved["Description"]) == ("250", "", "transfer (flex)")
    (rebate,) = told(COINTRACKING, entry(fee=D("-0.2")))
    assert (rebate["Type"], rebate["Buy Amount"]) == ("Other Income", "0.2")


@given(realised=MONEY, fee=MONEY, funding=MONEY, other=MONEY)
def test_received_less_sent_is_what_the_ledger_booked(realised: D, fee: D, funding: D, other: D) -> None:
    one = entry(realised_pnl=realised, fee=fee, funding=funding, other=other)
    for layout, received, sent in (
        (KOINLY, "Received Amount", "Sent Amount"),
        (COINTRACKING, "Buy Amount", "Sell Amount"),
    ):
        found = told(layout, one)
        assert sum(D(row[received] or 0) - D(row[sent] or 0) for row in found) == realised - fee + funding + other
        assert len({row[layout.columns[-1]] for row in found} if layout is KOINLY else found) == len(found)


@pytest.mark.django_db
@pytest.mark.parametrize(("format", "first"), [("koinly", "Date"), ("cointracking", "Type")])
def test_the_file_is_made_like_any_other(desk: Desk, owner: User, format: str, first: str) -> None:
    account: Account = demo_account(desk, owner)
    made_of = entry(
        account=account, realised_pnl=D(2), fee=D(1), symbol="=1", amount=D(1), balance=D(1), residual=D(0)
    )
    made_of.save()
    export = ask_export(account, by=owner, format=format, span=Span())
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.rows, export.total) == ("ready", 1, 1)
    assert export.name.startswith(f"{format}-")
    assert export.name.endswith(".csv")
    found = list(csv.reader(io.StringIO(b"".join(bytes(part.data) for part in export.parts.all()).decode())))
    assert [len(found), found[0][0]] == [3, first]
    assert all(not cell.startswith("=") for row in found for cell in row)
