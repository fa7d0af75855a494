"""The sums of the overview, pure and in `Decimal`: what an account is worth and uses, how far it is from trouble."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from krakenfutures import liquidation, pnl
from krakenfutures.contracts import round_price
from krakenfutures.values import ContractKind, Instrument, Ticker, Wallets

ZERO = Decimal(0)
LEVELS = ((Decimal("0.9"), "critical"), (Decimal("0.7"), "warning"), (Decimal("0.5"), "caution"))


@dataclass(frozen=True, slots=True)
class Totals:
    """In USD. `share` is maintenance margin over equity, of the account nearest to liquidation; 1 means there."""

    equity: Decimal
    available: Decimal
    used: Decimal
    maintenance: Decimal
    unrealised_pnl: Decimal
    unrealised_funding: Decimal
    share: Decimal | None
    level: str
    missing: tuple[str, ...]  # currencies nobody has told a price of: they are in none of the sums


@dataclass(frozen=True, slots=True)
class Distance:
    """From the mark to the liquidation price: signed in price, unsigned as a share of the mark."""

    price: Decimal
    share: Decimal


class Held(Protocol):
    """What a stored position and one from the venue have in common."""

    size: Decimal
    entry: Decimal
    liquidation_price: Decimal | None


class HeldWithMark(Held, Protocol):
    mark: Decimal | None


def usd_prices(tickers: Mapping[str, Ticker], instruments: Iterable[Instrument]) -> dict[str, Decimal]:
    """What a coin is worth, by the index of its perpetuals; dollars are worth one."""
    prices = {"USD": Decimal(1)}
    for instrument in instruments:
        ticker = tickers.get(instrument.symbol)
        if instrument.perpetual and instrument.quote == "USD" and ticker and ticker.index:
            prices.setdefault(instrument.base, ticker.index)
    return prices


def totals(wallets: Wallets, prices: Mapping[str, Decimal]) -> Totals:
    """Everything the account holds, in dollars; no haircut in the equity, haircuts in what is available."""
    purses = list(_purses(wallets))
    priced = [(purse, prices[purse.currency]) for purse in purses if purse.currency in prices]
    missing = dict.fromkeys(purse.currency for purse in purses if purse.currency not in prices and purse.equity)
    share = max((purse.share for purse in purses if purse.share is not None), default=None)
    return Totals(
        equity=sum((purse.equity * price for purse, price in priced), ZERO),
        available=sum((purse.available * price for purse, price in priced), ZERO),
        used=sum((purse.used * price for purse, price in priced), ZERO),
        maintenance=sum((purse.maintenance * price for purse, price in priced), ZERO),
        unrealised_pnl=sum((purse.pnl * price for purse, price in priced), ZERO),
        unrealised_funding=sum((purse.funding * price for purse, price in priced), ZERO),
        share=share,
        level=_word(share),
        missing=tuple(missing),
    )


@dataclass(frozen=True, slots=True)
class _Purse:
    """One wallet, in its own currency."""

    currency: str
    equity: Decimal
    available: Decimal = ZERO
    used: Decimal = ZERO
    maintenance: Decimal = ZERO
    pnl: Decimal = ZERO
    funding: Decimal = ZERO
    share: Decimal | None = None


def _purses(wallets: Wallets) -> Iterator[_Purse]:
    if flex := wallets.flex:
        yield _Purse(
            "USD",
            flex.portfolio_value,
            flex.available_margin,
            flex.initial_margin_with_orders,
            flex.maintenance_margin,
            flex.pnl,
            flex.unrealised_funding,
            margin_share(flex.maintenance_margin, flex.margin_equity),
        )
    for single in wallets.margin_accounts:
        needs = single.requirements
        yield _Purse(
            single.currency,
            single.portfolio_value,
            single.available,
            needs.initial,
            needs.maintenance,
            single.pnl,
            single.unrealised_funding,
            margin_share(needs.maintenance, single.portfolio_value),
        )
    for currency, quantity in wallets.cash.items():
        yield _Purse(currency, quantity)


def margin_share(maintenance: Decimal, equity: Decimal) -> Decimal | None:
    """Maintenance margin over equity. None with nothing at stake; 1 or more means liquidation."""
    if maintenance <= 0:
        return None
    return maintenance / equity if equity > 0 else Decimal(1)


def margin_level(maintenance: Decimal, equity: Decimal) -> str:
    """Healthy below a half, then caution, warning from 70 %, critical from 90 %."""
    return _word(margin_share(maintenance, equity))


def _word(share: Decimal | None) -> str:
    return next((word for floor, word in LEVELS if share is not None and share >= floor), "healthy")


def distance(position: Held, mark: Decimal | None) -> Distance | None:
    """None while the mark or the liquidation price is unknown, or when no price liquidates."""
    if mark is None or not position.liquidation_price or mark <= 0:
        return None
    share = liquidation.distance(mark, position.liquidation_price)
    return None if share is None else Distance(position.liquidation_price - mark, abs(share))


def return_on(margin: Decimal | None, profit: Decimal | None) -> Decimal | None:
    """A result as a share of the initial margin the position takes; both in the same currency."""
    return profit / margin if margin and profit is not None else None


def hours_away(
    mark: Decimal | None, threshold: Decimal | None, high: Decimal | None, low: Decimal | None
) -> int | None:
    """After how many hours a move of one standard deviation is as large as the way to `threshold`.

    The deviation is that of the last day, estimated from its range (Parkinson): ln(high/low) ÷ (2·√ln 2), and grows
    with the root of time. An order of magnitude, no money: floats. None where the day had no range, or a figure lacks.
    """
    if not (mark and threshold and high and low) or min(mark, threshold, low) <= 0 or high <= low:
        return None
    a_day = math.log(high / low) / (2 * math.sqrt(math.log(2)))
    return round(24 * (math.log(threshold / mark) / a_day) ** 2)


def mark_of(position: HeldWithMark, ticker: Ticker | None) -> Decimal | None:
    """The live one, else what the venue last said with the position."""
    return ticker.mark if ticker and ticker.mark is not None else position.mark


def liquidation_of(
    position: Held, instrument: Instrument | None, wallets: Wallets | None, mark: Decimal | None
) -> Decimal | None:
    """The venue's word, else ours in whole ticks."""
    if position.liquidation_price is not None or instrument is None:
        return position.liquidation_price
    estimate = estimated_liquidation(position, instrument, wallets, mark)
    return round_price(instrument, estimate) if estimate else None


def unrealised(position: Held, instrument: Instrument, mark: Decimal) -> tuple[Decimal, str]:
    """The result of closing at `mark` and its currency: the coin of an inverse contract, else the quote."""
    currency = instrument.base if instrument.kind is ContractKind.INVERSE else instrument.quote
    return pnl.profit(instrument.kind, position.size, position.entry, mark), currency


def estimated_liquidation(
    position: Held, instrument: Instrument, wallets: Wallets | None, mark: Decimal | None
) -> Decimal | None:
    """The price that would liquidate the account if nothing else moved, for as long as the venue has not said it.

    In USD. None where the wallet of the position is unknown, or where no price would.
    """
    if wallets is None or mark is None:
        return None
    if instrument.kind is ContractKind.LINEAR:
        flex = wallets.flex
        if flex is None:
            return None
        return liquidation.flex_price(position.size, mark, flex.margin_equity, flex.maintenance_margin)
    account = next((one for one in wallets.margin_accounts if one.name == instrument.wallet), None)
    if account is None:
        return None
    if account.trigger_estimates and account.trigger_estimates.maintenance > 0:
        return account.trigger_estimates.maintenance
    levels, balance = instrument.margin_levels, account.balance + account.unrealised_funding
    return liquidation.single_collateral_price(levels, position.size, position.entry, balance)
