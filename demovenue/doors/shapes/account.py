"""Wallets, positions and the rest of what an account may read about itself."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from demovenue.doors.answers import iso_millis, plain, text
from demovenue.values import FlexView, MarginView, PositionView, WalletsView

Fields = dict[str, Any]
_CENT = Decimal("0.01")


def cents(value: Decimal) -> Decimal:
    """The totals of the flex wallet are printed with two decimals at most."""
    return plain(value.quantize(_CENT, ROUND_HALF_EVEN))


def accounts(wallets: WalletsView) -> Fields:
    rows: Fields = {
        "cash": {
            "type": "cashAccount",
            "balances": {currency: text(amount) for currency, amount in wallets.cash.items()},
        },
        "flex": {"type": "multiCollateralMarginAccount", **flex(wallets.flex)},
    }
    return rows | {name: margin_account(view) for name, view in wallets.margin.items()}


def flex(view: FlexView) -> Fields:
    currencies = {
        code: {
            "quantity": plain(held.quantity),
            "value": plain(held.value),
            "collateral": plain(held.collateral),
            "available": plain(held.available),
        }
        for code, held in view.currencies.items()
    }
    return {"currencies": currencies, **flex_totals(view)}


def flex_totals(view: FlexView) -> Fields:
    return {
        "initialMargin": plain(view.initial_margin),
        "initialMarginWithOrders": plain(view.initial_margin_with_orders),
        "maintenanceMargin": plain(view.maintenance_margin),
        "balanceValue": cents(view.balance_value),
        "portfolioValue": cents(view.portfolio_value),
        "collateralValue": cents(view.collateral_value),
        "pnl": cents(view.pnl),
        "unrealizedFunding": cents(view.unrealized_funding),
        "totalUnrealized": cents(view.total_unrealized),
        "totalUnrealizedAsMargin": cents(view.total_unrealized_as_margin),
        "availableMargin": cents(view.available_margin),
        "marginEquity": cents(view.margin_equity),
    }


def margin_account(view: MarginView) -> Fields:
    balances = {symbol: text(size) for symbol, size in view.positions.items()}
    return {
        "type": "marginAccount",
        "currency": view.currency,
        "balances": balances | {view.currency: text(view.balance)},
        "auxiliary": {
            "usd": 0,
            "pv": plain(view.pv),
            "pnl": plain(view.pnl),
            "af": plain(view.af),
            "funding": plain(view.funding),
        },
        "marginRequirements": {
            "im": plain(view.im),
            "mm": plain(view.mm),
            "lt": plain(view.lt),
            "tt": plain(view.tt),
        },
        "triggerEstimates": {name: plain(view.triggers[name]) for name in ("im", "mm", "lt", "tt")},
    }


def position(view: PositionView) -> Fields:
    """A row of `openpositions`. Only linear positions name the currency of their profit."""
    row: Fields = {
        "side": "long" if view.size > 0 else "short",
        "symbol": view.symbol,
        "price": plain(view.entry),
        "fillTime": iso_millis(view.opened),
        "size": plain(abs(view.size)),
        "unrealizedPnl": plain(view.pnl),
        "unrealizedFunding": plain(view.unrealized_funding),
    }
    row |= {"pnlCurrency": view.pnl_currency} if view.pnl_currency else {}
    return row | ({"maxFixedLeverage": plain(view.max_fixed_leverage)} if view.max_fixed_leverage is not None else {})


def subaccount(uid: str, email: str, wallets: WalletsView) -> Fields:
    currencies = [
        {
            "currency": code.lower(),
            "quantity": plain(held.quantity),
            "value": plain(held.value),
            "collateral": plain(held.collateral),
            "available": plain(held.available),
        }
        for code, held in wallets.flex.currencies.items()
    ]
    return {
        "accountUid": uid,
        "email": email,
        "fullName": None,
        "holdingAccounts": [{"currency": code, "amount": plain(amount)} for code, amount in wallets.cash.items()],
        "futuresAccounts": [
            {"name": f"f-{view.currency}:usd", "availableMargin": plain(view.af)} for view in wallets.margin.values()
        ],
        "flexAccount": {"currencies": currencies, **flex_totals(wallets.flex)},
    }
