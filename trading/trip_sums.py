"""How trades went, from the changes of a position: round trips, their statistics, profit by first in, first out.

A round trip begins when a position leaves zero and ends when it comes back to it or crosses it; its result is what the
trades in it realised, less their fees. First in, first out closes the oldest lot first, for those whose tax office
counts so; the venue itself counts by the average entry. Over a whole trip both give the same sum.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple

from krakenfutures.numbers import WIDE
from krakenfutures.pnl import profit
from krakenfutures.values import ContractKind

ZERO = Decimal(0)


class Step(NamedTuple):
    """One change of a position by a trade or a settlement. Sizes are signed; `fee` and `realised` in its currency."""

    at: datetime
    symbol: str
    currency: str
    old: Decimal
    new: Decimal
    price: Decimal
    realised: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class Trip:
    symbol: str
    currency: str
    side: str  # long, short
    began: datetime
    ended: datetime
    result: Decimal

    @property
    def held(self) -> timedelta:
        return self.ended - self.began


def trips(steps: Iterable[Step]) -> Iterator[Trip]:
    """Finished ones, in the order in which they ended. `steps` in the order of time."""
    open_since: dict[str, datetime] = {}
    results: dict[str, Decimal] = {}
    for step in steps:
        if step.symbol in open_since or step.old:
            results[step.symbol] = results.get(step.symbol, ZERO) + step.realised - step.fee
            crossed = step.new and step.old and (step.new > 0) != (step.old > 0)
            if not step.new or crossed:
                began = open_since.pop(step.symbol, None)
                result = results.pop(step.symbol)
                if began is not None:  # else it began before the first step we know
                    side = "long" if step.old > 0 else "short"
                    yield Trip(step.symbol, step.currency, side, began, step.at, result)
            if crossed:
                open_since[step.symbol] = step.at
        elif step.new:
            open_since[step.symbol], results[step.symbol] = step.at, step.realised - step.fee


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of finished round trips in one currency. A trip that came out at zero is neither won nor lost.

    `win_rate` = won / all; averages are means; `profit_factor` = sum won / sum lost, None where nothing was lost.
    """

    currency: str
    count: int
    won: int
    lost: int
    win_rate: Decimal
    average: Decimal
    average_won: Decimal | None
    average_lost: Decimal | None
    profit_factor: Decimal | None
    held: timedelta


def statistics(found: Iterable[Trip]) -> list[Statistics]:
    by_currency: dict[str, list[Trip]] = {}
    for trip in found:
        by_currency.setdefault(trip.currency, []).append(trip)
    with localcontext(WIDE):
        return [_statistics(currency, rows) for currency, rows in sorted(by_currency.items())]


def _statistics(currency: str, rows: list[Trip]) -> Statistics:
    won = [row.result for row in rows if row.result > 0]
    lost = [row.result for row in rows if row.result < 0]
    return Statistics(
        currency=currency,
        count=len(rows),
        won=len(won),
        lost=len(lost),
        win_rate=Decimal(len(won)) / len(rows),
        average=sum((row.result for row in rows), ZERO) / len(rows),
        average_won=sum(won, ZERO) / len(won) if won else None,
        average_lost=sum(lost, ZERO) / len(lost) if lost else None,
        profit_factor=sum(won, ZERO) / -sum(lost, ZERO) if lost else None,
        held=sum((row.held for row in rows), timedelta()) / len(rows),
    )


@dataclass(frozen=True, slots=True)
class Realised:
    """By first in, first out: what one trade realised, before fees, by closing the oldest lots."""

    at: datetime
    symbol: str
    currency: str
    amount: Decimal


def first_in_first_out(kind: ContractKind, steps: Iterable[Step]) -> Iterator[Realised]:
    """Of one contract, from flat. Raises `ValueError` when the steps do not begin with a flat position."""
    lots: deque[tuple[Decimal, Decimal]] = deque()  # signed size, price
    with localcontext(WIDE):
        for number, step in enumerate(steps):
            if not number and step.old:
                raise ValueError(f"{step.symbol} was not flat before its first known trade")
            left, amount = step.new - step.old, ZERO
            while left and lots and (lots[0][0] > 0) != (left > 0):
                size, entry = lots.popleft()
                closed = min(abs(size), abs(left)).copy_sign(size)
                amount += profit(kind, closed, entry, step.price)
                left += closed
                if size != closed:
                    lots.appendleft((size - closed, entry))
            if left:
                lots.append((left, step.price))
            yield Realised(step.at, step.symbol, step.currency, amount)


def drawdown(curve: Iterable[tuple[datetime, Decimal]]) -> tuple[Decimal, Decimal | None]:
    """The deepest fall from an earlier height: in money, and as a share of that height (None without a height)."""
    height, deepest, share = None, ZERO, None
    for _, equity in curve:
        height = equity if height is None else max(height, equity)
        if height - equity > deepest:
            deepest = height - equity
            share = deepest / height if height > 0 else None
    return deepest, share
