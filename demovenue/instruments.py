"""What is listed: perpetuals for ever, dated contracts by the month and the quarter of demo time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

from demovenue.values import Instrument, MarginLevel

QUARTERS = {3, 6, 9, 12}
# Which maturities a family has at a time. The busiest have more of them.
TERMS = {
    "FI_XBTUSD": ("month", "quarter", "semiannual"),
    "FI_ETHUSD": ("month", "quarter", "semiannual"),
    "FI_LTCUSD": ("month", "quarter"),
    "FI_XRPUSD": ("month", "quarter"),
    "FF_XBTUSD": ("week", "month", "quarter", "semiannual"),
    "FF_ETHUSD": ("week", "month", "quarter", "semiannual"),
    "FF_SOLUSD": ("month", "quarter"),
}


def load() -> dict[str, list[dict[str, Any]]]:
    """The live parameters: rows as the venue publishes them, `perpetual` ready, `dated` without symbol date."""
    text = files("demovenue").joinpath("data/instruments.json").read_text(encoding="utf-8")
    rows: dict[str, list[dict[str, Any]]] = json.loads(text, parse_float=Decimal)
    return rows


def listed(now: datetime) -> dict[str, Instrument]:
    """Every contract that trades at this moment, in the order of the listing."""
    rows = load()
    contracts = [parse(row, "perpetual", None, row_time(row["openingDate"])) for row in rows["perpetual"]]
    for row in rows["dated"]:
        for tag, maturity in maturities(row["symbol"], now):
            contracts.append(parse(dated_row(row, maturity), tag, maturity, maturity - timedelta(days=210)))
    return {contract.symbol: contract for contract in contracts}


def dated_row(row: dict[str, Any], maturity: datetime) -> dict[str, Any]:
    opened = maturity - timedelta(days=210)
    return {
        **row,
        "symbol": f"{row['symbol']}_{maturity:%y%m%d}",
        "lastTradingTime": f"{maturity:%Y-%m-%dT%H:%M:%SZ}",
        "openingDate": f"{opened:%Y-%m-%dT%H:%M:%SZ}",
    }


def parse(row: dict[str, Any], tag: str, maturity: datetime | None, opened: datetime) -> Instrument:
    symbol: str = row["symbol"]
    coin = symbol.split("_")[1].removesuffix("USD")
    inverse = row["type"] == "futures_inverse"
    start = "contracts" if inverse else "numNonContractUnits"
    precision: int = row["contractValueTradePrecision"]
    perpetual = maturity is None
    return Instrument(
        symbol=symbol,
        coin=coin,
        inverse=inverse,
        perpetual=perpetual,
        wallet=f"fi_{coin.lower()}usd" if inverse else "flex",
        tick=Decimal(row["tickSize"]),
        lot=Decimal(1).scaleb(-precision),
        size_precision=precision,
        max_position=Decimal(row["maxPositionSize"]).quantize(Decimal(1)),
        impact_mid_size=Decimal(row["impactMidSize"]),
        levels=tuple(
            MarginLevel(
                start=Decimal(level[start]),
                initial=Decimal(level["initialMargin"]),
                maintenance=Decimal(level["maintenanceMargin"]),
            )
            for level in row["marginLevels"]
        ),
        tag=tag,
        opened=opened,
        maturity=maturity,
        funding_coefficient=Decimal(row["fundingRateCoefficient"]) if perpetual else None,
        funding_cap=Decimal(row["maxRelativeFundingRate"]) if perpetual else None,
        raw=row,
    )


def row_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def maturities(family: str, now: datetime) -> Iterator[tuple[str, datetime]]:
    """The soonest first. A month is one without a quarter's end, a week one that is nothing else, a half year the
    quarter after the next; all of them end on Fridays, the longer ones on the last of their month."""
    inverse, terms = family.startswith("FI_"), TERMS[family]
    found: dict[str, datetime] = {}
    year, month = now.year, now.month
    while not {"month", "quarter", "semiannual"} <= found.keys():
        at = settlement(inverse, last_friday(year, month))
        tag = "month" if month not in QUARTERS else "semiannual" if "quarter" in found else "quarter"
        if at > now and tag not in found:
            found[tag] = at
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    friday = now.date() - timedelta(days=(now.weekday() - 4) % 7)
    while settlement(inverse, friday) <= now or settlement(inverse, friday) in found.values():
        friday += timedelta(days=7)
    found["week"] = settlement(inverse, friday)
    yield from sorted(((tag, found[tag]) for tag in terms), key=lambda one: one[1])


def last_friday(year: int, month: int) -> date:
    day = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return day - timedelta(days=(day.weekday() - 4) % 7)


def last_sunday(year: int, month: int) -> date:
    day = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return day - timedelta(days=(day.weekday() - 6) % 7)


def settlement(inverse: bool, day: date) -> datetime:
    """Single-collateral contracts settle at 16:00 London, the others at 08:00 UTC."""
    if not inverse:
        return datetime.combine(day, time(8), UTC)
    summer = last_sunday(day.year, 3) <= day < last_sunday(day.year, 10)
    return datetime.combine(day, time(15 if summer else 16), UTC)
