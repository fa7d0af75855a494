"""What an account would look like after money left it: plain sums over what the venue said, nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.withdrawal_rules import balance_in
from krakenfutures import liquidation
from krakenfutures.funds import CASH, MULTI_COLLATERAL
from krakenfutures.values import ContractKind, Instrument, MarginAccount, Position, Wallets

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a position's liquidation price is from the mark, as a share; None: no price would do it."""

    symbol: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class After:
    """`margin_…` is maintenance margin over equity of the source wallet; None: nothing at stake there."""

    left: Decimal
    balance: Decimal
    margin_before: Decimal | None
    margin_after: Decimal | None
    distances: tuple[Distance, ...]


def after(
    wallets: Wallets,
    source: str,
    currency: str,
    amount: Decimal,
    positions: Iterable[Position] = (),
    instruments: Mapping[str, Instrument] | None = None,
    marks: Mapping[str, Decimal] | None = None,
) -> After:
    """Estimates: the venue's own figures win. A destination inside the account is not credited."""
    balance = balance_in(wallets, source, currency)
    left = balance - amount
    if source == CASH:
        return After(left, balance, None, None, ())
    listed, prices = instruments or {}, marks or {}
    held = [  # an isolated position has its own margin, which nobody takes away
        one
        for one in positions
        if one.symbol in listed and listed[one.symbol].wallet == source and one.max_leverage is None
    ]
    if source == MULTI_COLLATERAL:
        return _multi(wallets, currency, amount, left, balance, held, prices)
    single = next((one for one in wallets.margin_accounts if one.name == source), None)
    if single is None:
        return After(left, balance, None, None, ())
    return _single(single, amount, left, balance, held, listed, prices)


def _multi(
    wallets: Wallets,
    currency: str,
    amount: Decimal,
    left: Decimal,
    balance: Decimal,
    held: list[Position],
    prices: Mapping[str, Decimal],
) -> After:
    """Collateral leaves with its haircut, so the equity shrinks by what it counted for."""
    flex = wallets.flex
    if flex is None:
        return After(left, balance, None, None, ())
    holding = next((one for one in flex.holdings if one.currency == currency), None)
    weight = holding.collateral / holding.quantity if holding and holding.quantity else ZERO
    equity, maintenance = flex.margin_equity, flex.maintenance_margin
    poorer = equity - amount * weight
    distances = tuple(
        Distance(
            one.symbol,
            _distance(prices[one.symbol], _flex(one, prices, equity, maintenance)),
            _distance(prices[one.symbol], _flex(one, prices, poorer, maintenance)),
        )
        for one in held
        if one.symbol in prices
    )
    return After(left, balance, _share(maintenance, equity), _share(maintenance, poorer), distances)


def _flex(one: Position, prices: Mapping[str, Decimal], equity: Decimal, maintenance: Decimal) -> Decimal | None:
    return liquidation.flex_price(one.size, prices[one.symbol], equity, maintenance)


def _single(
    single: MarginAccount,
    amount: Decimal,
    left: Decimal,
    balance: Decimal,
    held: list[Position],
    listed: Mapping[str, Instrument],
    prices: Mapping[str, Decimal],
) -> After:
    maintenance, equity = single.requirements.maintenance, single.portfolio_value
    base = single.balance + single.unrealised_funding
    distances = tuple(
        Distance(
            one.symbol,
            _distance(prices[one.symbol], _inverse(one, listed[one.symbol], base)),
            _distance(prices[one.symbol], _inverse(one, listed[one.symbol], base - amount)),
        )
        for one in held
        if one.symbol in prices and listed[one.symbol].kind is ContractKind.INVERSE
    )
    return After(left, balance, _share(maintenance, equity), _share(maintenance, equity - amount), distances)


def _inverse(one: Position, instrument: Instrument, balance: Decimal) -> Decimal | None:
    return liquidation.single_collateral_price(instrument.margin_levels, one.size, one.entry, balance)


def _distance(mark: Decimal, threshold: Decimal | None) -> Decimal | None:
    return liquidation.distance(mark, threshold)


def _share(maintenance: Decimal, equity: Decimal) -> Decimal | None:
    if maintenance <= 0:
        return None
    return maintenance / equity if equity > 0 else Decimal(1)
