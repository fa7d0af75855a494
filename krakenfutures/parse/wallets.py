"""What an account holds, from the request and from the live stream, which spell the same things differently."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from krakenfutures.events import BalancesChanged
from krakenfutures.numbers import normal_currency, to_decimal
from krakenfutures.parse.fields import Fields, mapping_of
from krakenfutures.values import FlexAccount, Holding, MarginAccount, MarginRequirements, Unknown, Wallets

ZERO = Decimal(0)


def parse_wallets(answer: Any) -> Wallets:
    """Everything `accounts` says. A kind of wallet we do not know is kept as unknown."""
    whole = Fields(answer, "accounts")
    cash: dict[str, Decimal] = {}
    flex: FlexAccount | None = None
    margin: list[MarginAccount] = []
    unknown: Unknown = {}
    for name, raw in mapping_of(whole.need("accounts"), "accounts").items():
        kind = raw.get("type") if isinstance(raw, dict) else None
        if kind == "cashAccount":
            cash = _cash(raw.get("balances"))
        elif kind == "multiCollateralMarginAccount":
            flex = parse_flex(raw)
        elif kind == "marginAccount":
            margin.append(parse_margin_account(name, raw))
        else:
            unknown[name] = raw
    return Wallets(cash=cash, margin_accounts=tuple(margin), flex=flex, at=whole.time("serverTime"), unknown=unknown)


def parse_flex(raw: Any) -> FlexAccount:
    row = Fields(raw, "the multi-collateral wallet")
    row.ignore("type", "portfolioMarginBreakdown", "upnlInterestRate")
    initial = row.decimal("initialMargin") or ZERO
    with_orders = row.decimal("initialMarginWithOrders")
    return FlexAccount(
        holdings=_holdings(row),
        balance_value=row.need_decimal("balanceValue"),
        portfolio_value=row.need_decimal("portfolioValue"),
        collateral_value=row.need_decimal("collateralValue"),
        initial_margin=initial,
        initial_margin_with_orders=initial if with_orders is None else with_orders,
        maintenance_margin=row.decimal("maintenanceMargin") or ZERO,
        pnl=row.decimal("pnl") or ZERO,
        unrealised_funding=row.decimal("unrealizedFunding") or ZERO,
        total_unrealised=row.decimal("totalUnrealized") or ZERO,
        total_unrealised_as_margin=row.decimal("totalUnrealizedAsMargin") or ZERO,
        margin_equity=row.need_decimal("marginEquity"),
        available_margin=row.need_decimal("availableMargin"),
        unknown=row.unknown(),
    )


def parse_margin_account(name: str, raw: Any) -> MarginAccount:
    """A single-collateral account. Position sizes listed among its balances are left to the positions."""
    row = Fields(raw, f"the account {name}")
    row.ignore("type")
    auxiliary = Fields(row.need("auxiliary"), f"the account {name}")
    currency = row.text("currency") or name.split("_")[-1][:-3]
    balances = mapping_of(row.take("balances"), "balances")
    estimates = row.take("triggerEstimates")
    auxiliary.ignore("usd")
    return MarginAccount(
        name=name.lower(),
        currency=normal_currency(currency),
        balance=to_decimal(balances.get(currency, 0)),
        portfolio_value=auxiliary.decimal("pv") or ZERO,
        available=auxiliary.decimal("af") or ZERO,
        pnl=auxiliary.decimal("pnl") or ZERO,
        unrealised_funding=auxiliary.decimal("funding") or ZERO,
        requirements=_requirements(row.take("marginRequirements") or {}),
        trigger_estimates=_requirements(estimates) if estimates else None,
        unknown={**row.unknown(), **auxiliary.unknown()},
    )


def parse_balances(raw: Any) -> BalancesChanged:
    """A line of the live feed: only what changed is set, unless it is the snapshot."""
    row = Fields(raw, "balances")
    complete = row.text("feed") == "balances_snapshot"
    holding, futures, flex = row.take("holding"), row.take("futures"), row.take("flex_futures")
    accounts = tuple(
        parse_stream_margin_account(name, value) for name, value in mapping_of(futures, "futures").items()
    )
    return BalancesChanged(
        complete=complete,
        cash=_cash(holding) if holding or (complete and holding is not None) else None,
        margin_accounts=accounts if accounts or (complete and futures is not None) else None,
        flex=parse_stream_flex(flex) if flex else None,
        seq=row.integer("seq"),
    )


def parse_stream_flex(raw: Any) -> FlexAccount:
    """The live spelling. Its `initial_margin` counts open orders, where the request's `initialMargin` does not."""
    row = Fields(raw, "the live multi-collateral wallet")
    row.ignore("isolated", "cross", "total_position_size", "unified_balances", "portfolio_margin_breakdown")
    with_orders = row.decimal("initial_margin") or ZERO
    without = row.decimal("initial_margin_without_orders")
    return FlexAccount(
        holdings=_holdings(row),
        balance_value=row.need_decimal("balance_value"),
        portfolio_value=row.need_decimal("portfolio_value"),
        collateral_value=row.need_decimal("collateral_value"),
        initial_margin=with_orders if without is None else without,
        initial_margin_with_orders=with_orders,
        maintenance_margin=row.decimal("maintenance_margin") or ZERO,
        pnl=row.decimal("pnl") or ZERO,
        unrealised_funding=row.decimal("unrealized_funding") or ZERO,
        total_unrealised=row.decimal("total_unrealized") or ZERO,
        total_unrealised_as_margin=row.decimal("total_unrealized_as_margin") or ZERO,
        margin_equity=row.need_decimal("margin_equity"),
        available_margin=row.need_decimal("available_margin"),
        unknown=row.unknown(),
    )


def parse_stream_margin_account(name: str, raw: Any) -> MarginAccount:
    """The live spelling, under the name the requests use: `F-XBT:USD` is `fi_xbtusd`."""
    row = Fields(raw, f"the live account {name}")
    row.ignore("name", "pair", "cash_value")
    return MarginAccount(
        name=margin_account_name(name),
        currency=normal_currency(row.text("unit") or name.removeprefix("F-").split(":")[0]),
        balance=row.need_decimal("balance"),
        portfolio_value=row.need_decimal("portfolio_value"),
        available=row.need_decimal("available"),
        pnl=row.decimal("pnl") or ZERO,
        unrealised_funding=row.decimal("unrealized_funding") or ZERO,
        requirements=MarginRequirements(
            initial=row.decimal("initial_margin") or ZERO,
            maintenance=row.decimal("maintenance_margin") or ZERO,
        ),
        unknown=row.unknown(),
    )


def margin_account_name(name: str) -> str:
    """`F-XBT:USD` and `f-xbt:usd` become `fi_xbtusd`; other names are only put in small letters."""
    lower = name.lower()
    if not lower.startswith("f-"):
        return lower
    base, _, quote = lower.removeprefix("f-").partition(":")
    return f"{'fi' if quote == 'usd' else 'fv'}_{base}{quote}"


def _cash(raw: Any) -> dict[str, Decimal]:
    return {normal_currency(name): to_decimal(amount) for name, amount in mapping_of(raw, "balances").items()}


def _holdings(wallet: Fields) -> tuple[Holding, ...]:
    rows = {
        name: Fields(raw, f"the holding of {name}")
        for name, raw in mapping_of(wallet.take("currencies"), "currencies").items()
    }
    holdings = tuple(_holding(name, row) for name, row in rows.items())
    if odd := {name: left for name, row in rows.items() if (left := row.unknown())}:
        wallet.keep("currencies", odd)
    return holdings


def _holding(name: str, row: Fields) -> Holding:
    row.ignore("conversion_spread")
    quantity = row.need_decimal("quantity")
    value = row.decimal("value") or ZERO
    collateral = row.decimal("collateral", "collateralValue", "collateral_value") or ZERO
    haircut = row.decimal("haircut")
    return Holding(
        currency=normal_currency(name),
        quantity=quantity,
        value=value,
        collateral=collateral,
        available=row.decimal("available") or ZERO,
        haircut=1 - collateral / value if haircut is None and value > 0 else haircut,
    )


def _requirements(raw: Any) -> MarginRequirements:
    row = Fields(raw, "margin requirements")
    return MarginRequirements(
        initial=row.decimal("im") or ZERO,
        maintenance=row.decimal("mm") or ZERO,
        liquidation=row.decimal("lt"),
        termination=row.decimal("tt"),
    )
