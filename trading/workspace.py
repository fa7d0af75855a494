"""How the trade page can be laid out: the presets, how far their parts can be resized, what is remembered. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from krakenfutures.numbers import plain

PRESETS = {"standard": "Standard", "chart": "Large chart", "ladder": "Ladder first"}
INDICATORS = {"sma": "SMA 20", "ema": "EMA 50", "vwap": "VWAP", "bollinger": "Bollinger 20", "rsi": "RSI 14"}
GROUPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # ticks a level of the book may gather
BOOK_FORMS = ("book", "ladder")
MARKETS = 200  # instruments whose choices are remembered, the ones used last


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page that can be made larger, in pixels."""

    label: str
    smallest: int
    largest: int
    usual: Mapping[str, int]  # by preset
    ends: frozenset[str] = frozenset()  # presets in which it begins at its grip, and does not end there


ALL = frozenset(PRESETS)
PARTS = {
    "left": Part(
        "Width of the watchlist and the trades",
        *(170, 360),
        {"standard": 220, "chart": 220, "ladder": 220},
        frozenset({"ladder"}),
    ),
    "book": Part(
        "Width of the book", 200, 520, {"standard": 250, "chart": 250, "ladder": 340}, ALL - frozenset({"ladder"})
    ),
    "ticket": Part("Width of the ticket", 270, 420, {"standard": 290, "chart": 290, "ladder": 290}, ALL),
    "chart": Part("Height of the chart", 320, 1600, {"standard": 480, "chart": 640, "ladder": 480}),
}
LEVEL, MOST_LEVELS, MOST_RUNGS = 20, 25, 51  # pixels a row of the book; rows a side; rows of the ladder
Sizes = Mapping[str, Mapping[str, int]]


def sizes_of(preset: str, sizes: Sizes) -> dict[str, int]:
    """The sizes to draw with; a word that is not known any more changes nothing."""
    own = sizes.get(preset, {})
    return {name: own.get(name, part.usual[preset]) for name, part in PARTS.items()}


def checked_sizes(raw: object) -> dict[str, int]:
    """What somebody dragged, held within bounds. Raises `ValueError` for what is no size of a part."""
    if not isinstance(raw, Mapping):
        raise ValueError("sizes are an object")
    found = {}
    for name, value in raw.items():
        if name not in PARTS or not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{str(name)[:20]} has no such size")
        found[name] = max(PARTS[name].smallest, min(PARTS[name].largest, value))
    return found


def stylesheet(preset: str, sizes: Sizes) -> str:
    """The sizes as CSS, so that the page is drawn with them from its first frame on."""
    drawn = sizes_of(preset, sizes)
    named = "".join(f"--{name}-size:{size}px;" for name, size in drawn.items())
    levels, rungs = rows_of(drawn["chart"])
    ends = (f".asks tr:nth-last-child(n+{levels + 1})", f".bids tr:nth-child(n+{levels + 1})")
    hidden = ",".join((*ends, f".rungs tbody tr:nth-child(n+{rungs + 1})"))
    wide = f"@media(min-width:1021px){{{hidden}{{display:none}}}}"
    return f"@layer pages{{.trade-grid{{{named}}}{wide}}}"


def rows_of(chart: int) -> tuple[int, int]:
    """Levels of a side, and rungs of the ladder, that have room beside a chart of this height."""
    return min(MOST_LEVELS, (chart - 18) // (2 * LEVEL)), min(MOST_RUNGS, chart // LEVEL // 2 * 2 - 1)


def checked_market(raw: Mapping[str, Any]) -> dict[str, str]:
    """What is remembered of one instrument. Raises `ValueError` naming what is wrong."""
    found = {}
    for name, value in raw.items():
        text = str(value)
        if (name == "group" and text in {str(group) for group in GROUPS}) or (name == "form" and text in BOOK_FORMS):
            found[name] = text
        elif name == "tape_from" and re.fullmatch(r"\d{1,15}(\.\d{1,12})?", text, re.ASCII):
            found[name] = plain(Decimal(text))
        else:
            raise ValueError(f"{str(name)[:20]} cannot be {text[:20]!r}")
    return found


def without_forms(markets: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """A preset brings its own form of the book, whatever was chosen under another one."""
    return {
        symbol: {name: value for name, value in kept.items() if name != "form"} for symbol, kept in markets.items()
    }


def with_market(markets: Mapping[str, Mapping[str, str]], symbol: str, news: Mapping[str, str]) -> dict[str, Any]:
    """The instrument used last stands last; the oldest one goes when there are too many."""
    others = {name: kept for name, kept in markets.items() if name != symbol}
    while len(others) >= MARKETS:
        del others[next(iter(others))]
    return {**others, symbol: {**markets.get(symbol, {}), **news}}
