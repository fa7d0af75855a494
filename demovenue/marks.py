"""The mark price: the index, and on top of it half a minute's average of how far the book is from it.

How far the book is, is told by its impact mid: the middle between what a sale and a purchase of the instrument's
impact size would fetch. The premium so averaged is also what funding is made of.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from zlib import crc32

from demovenue.market import Market

AVERAGED_SECONDS = 30.0
REACH = 0.01  # a mark is never farther from where its market hovers, whatever stands in the book
YEARLY_CARRY = 0.05  # of dated contracts
# Perpetuals: hours of the slow waves of demand, and how wide they are (linear, inverse).
WAVES = (5.3, 17.0, 71.0, 331.0)
WIDTH = (0.00005, 0.0001)
USUAL_PREMIUM = 0.00004


def basis(market: Market, minute: int) -> float:
    """Where the premium of a market hovers at a minute since the epoch. Dated contracts carry interest until their
    end; perpetuals are now more wanted, now less, each at its own time."""
    maturity = market.instrument.maturity
    if maturity is not None:
        return YEARLY_CARRY * max(0.0, maturity.timestamp() / 60 - minute) / (365 * 1440)
    seed, width = crc32(market.symbol.encode()), WIDTH[market.instrument.inverse]
    phases = (2 * math.pi * ((seed >> 8 * number) % 256) / 256 for number in range(len(WAVES)))
    return USUAL_PREMIUM + width * sum(
        math.sin(2 * math.pi * minute / 60 / hours + phase) for hours, phase in zip(WAVES, phases, strict=True)
    )


def impact_premium(market: Market) -> float | None:
    """Impact mid ÷ index − 1; None while the book is too thin to tell."""
    lots, total = market.lots(market.instrument.impact_mid_size), 0
    for buy in (True, False):
        found, cost = market.book.sweep_cost(buy, lots)
        if found < lots:
            return None
        total += cost
    return total / (2 * lots) * float(market.instrument.tick) / float(market.index) - 1


def follow_book(market: Market, seconds: float, minute: int) -> None:
    """The premium moves towards the book's for so many seconds."""
    premium = impact_premium(market)
    if premium is None:
        premium = market.lean
    middle = basis(market, minute)
    premium = min(middle + REACH, max(middle - REACH, premium))
    market.premium += (premium - market.premium) * -math.expm1(-seconds / AVERAGED_SECONDS)


def set_mark(market: Market) -> None:
    """From index and premium, or as it is held by hand."""
    if market.mark_held is not None:
        market.mark = market.mark_held
        market.lean = market.premium = float(market.mark / market.index - 1)
        return
    mark = market.index * (1 + Decimal(market.premium)) / market.mark_step
    market.mark = mark.to_integral_value(ROUND_HALF_UP) * market.mark_step
