"""What can be read: accounts, wallets, positions, orders, fills, withdrawals, the book. One desk, the token's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query

from accounts.models import Account, AuditRow, Withdrawal
from trading.api import shapes, told
from trading.api.edge import desk_of, person_of
from trading.api.paging import Piece, Wanted, in_order, newest_first
from trading.api.router import router
from trading.api.wishes import BIGGEST_ID, Symbol
from trading.models import Fill, Order
from trading.views.picture import Picture

State = Literal[
    "draft", "sending", "open", "partly_filled", "filled", "cancelled", "rejected", "expired", "uncertain",
    "never_arrived",
]  # fmt: skip
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,80}$")]


class OfAccount(Wanted):
    account: int | None = Field(None, ge=1, le=BIGGEST_ID, description="only of this account")


class Orders(OfAccount):
    symbol: Symbol | None = None
    state: State | None = None


class Fills(OfAccount):
    symbol: Symbol | None = None


class Book(Wanted):
    about: Word | None = Field(None, description="as in `about`: order:ID, withdrawal:ID …")
    action: Word | None = Field(None, description="how the action begins: order, withdrawal.approved …")


def accounts_of(request: HttpRequest) -> models.QuerySet[Account]:
    return Account.objects.visible_to(person_of(request)).filter(desk=desk_of(request))


def account_of(request: HttpRequest, account_id: int) -> Account:
    """404 for one that is not on the token's desk."""
    return get_object_or_404(accounts_of(request).select_related("desk"), pk=account_id)


def orders_of(request: HttpRequest) -> models.QuerySet[Order]:
    visible = Order.objects.visible_to(person_of(request)).filter(account__desk=desk_of(request))
    return visible.select_related("account__desk", "by")


def withdrawals_of(request: HttpRequest) -> models.QuerySet[Withdrawal]:
    """A draft, kept or thrown away, is its author's alone."""
    visible = Withdrawal.objects.visible_to(person_of(request)).filter(desk=desk_of(request))
    others_drafts = models.Q(requested_at=None) & ~models.Q(requester=person_of(request))
    return (
        visible.exclude(others_drafts)
        .select_related("requester", "account__desk", "desk")
        .prefetch_related("approvals")
    )


@router.get("/accounts", response=Piece[shapes.Account], url_name="accounts")
def list_accounts(request: HttpRequest, wanted: Query[Wanted]) -> Any:
    """The desk's accounts."""
    return in_order(list(accounts_of(request)), wanted, told.account, key=lambda one: (one.pk, ""))


@router.get("/wallets", response=Piece[shapes.AccountWallets], url_name="wallets")
def list_wallets(request: HttpRequest, wanted: Query[OfAccount]) -> Any:
    """What each account holds. One that has never been read is not in it."""
    read = [picture for picture in _pictures(request, wanted) if picture.wallets is not None]
    return in_order(read, wanted, told.wallets, key=lambda one: (one.account.pk, ""))


@router.get("/positions", response=Piece[shapes.Position], url_name="positions")
def list_positions(request: HttpRequest, wanted: Query[OfAccount]) -> Any:
    """The open positions, with the figures of the pages."""
    rows = [row for picture in _pictures(request, wanted) for row in picture.positions]
    return in_order(rows, wanted, told.position, key=lambda row: (row.position.account_id, row.position.symbol))


@router.get("/orders", response=Piece[shapes.Order], url_name="orders")
def list_orders(request: HttpRequest, wanted: Query[Orders]) -> Any:
    """The newest first."""
    rows = _narrowed(orders_of(request), wanted, account="account", symbol="symbol", state="status")
    return newest_first(rows, wanted, told.order, by=("created_at", datetime))


@router.get("/orders/{uuid:order_id}", response=shapes.Order, url_name="order")
def one_order(request: HttpRequest, order_id: UUID) -> Any:
    """What is known of an order now."""
    return told.order(get_object_or_404(orders_of(request), pk=order_id))


@router.get("/fills", response=Piece[shapes.Fill], url_name="fills")
def list_fills(request: HttpRequest, wanted: Query[Fills]) -> Any:
    """The newest first."""
    fills = Fill.objects.visible_to(person_of(request)).filter(account__desk=desk_of(request))
    rows = _narrowed(fills, wanted, account="account", symbol="symbol")
    return newest_first(rows, wanted, told.fill, by=("at", datetime))


@router.get("/withdrawals", response=Piece[shapes.Withdrawal], url_name="withdrawals")
def list_withdrawals(request: HttpRequest, wanted: Query[OfAccount]) -> Any:
    """The newest first."""
    rows = _narrowed(withdrawals_of(request), wanted, account="account")
    return newest_first(rows, wanted, told.withdrawal, by=("created_at", datetime))


@router.get("/withdrawals/{uuid:withdrawal_id}", response=shapes.Withdrawal, url_name="withdrawal")
def one_withdrawal(request: HttpRequest, withdrawal_id: UUID) -> Any:
    """Where a request stands."""
    return told.withdrawal(get_object_or_404(withdrawals_of(request), pk=withdrawal_id))


@router.get("/audit", response=Piece[shapes.AuditRow], url_name="audit")
def list_audit(request: HttpRequest, wanted: Query[Book]) -> Any:
    """The book of who did what on the desk, the newest first."""
    rows = AuditRow.objects.visible_to(person_of(request)).filter(desk=desk_of(request)).select_related("actor")
    rows = _narrowed(rows, wanted, about="about", action="action__startswith")
    return newest_first(rows, wanted, told.audit_row)


def _pictures(request: HttpRequest, wanted: OfAccount) -> list[Picture]:
    rows = accounts_of(request).select_related("desk", "balances")
    return [Picture(one) for one in (rows.filter(pk=wanted.account) if wanted.account else rows)]


def _narrowed(rows: Any, wanted: Wanted, **columns: str) -> Any:
    given = {column: getattr(wanted, name) for name, column in columns.items()}
    return rows.filter(**{column: value for column, value in given.items() if value is not None})
