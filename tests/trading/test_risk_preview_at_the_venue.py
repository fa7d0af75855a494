"""What the preview says, held against what a real demo exchange then reports. Its clock stands still meanwhile."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any
from uuid import uuid4

import pytest

from krakenfutures.contracts import round_price, round_size_down
from krakenfutures.events import PositionsChanged
from krakenfutures.io.derivatives import DerivativesVenue
from krakenfutures.numbers import plain
from krakenfutures.values import Accepted, ContractKind, Instrument, NewOrder, OrderType, Position, Side, Wallets
from krakenfutures.venue import Credentials, Session
from krakenfutures.words import wallet_of
from tests.venue_process import DemoAccount, DemoVenue, start_demovenue
from trading.preview import Held, Preview, Situation, Waiting, preview

pytestmark = pytest.mark.venue
PEOPLE = int(os.environ.get("KFWEB_PREVIEW_PEOPLE", "16"))
TICKETS = 16  # each
COINS = ("XBTUSD", "ETHUSD", "LTCUSD", "XRPUSD")
INVERSE = ContractKind.INVERSE
# docs/topics/preview.md says why these are not zero.
DUST = {INVERSE: D("1E-10"), ContractKind.LINEAR: D("0.001")}
PRINTED = {INVERSE: D("1E-10"), ContractKind.LINEAR: D("0.01")}  # available margin in USD comes in whole cents


class OpenGate:
    """No budget of ours: each person here places a handful of orders."""

    def enter(self, cost: int, *, urgent: bool = False, history: bool = False) -> int | None:
        return None

    def penalise(self, *, history: bool = False) -> None:
        raise AssertionError("the exchange says too fast")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoVenue]:
    process = start_demovenue(tmp_path_factory.mktemp("preview"), seed=11)
    process.control("POST", "/demo/clock", {"speed": 0})
    yield process
    process.stop()


@pytest.fixture(scope="module")
def venue(exchange: DemoVenue) -> Iterator[DerivativesVenue]:
    venue = DerivativesVenue(exchange.url, exchange.ws_url)
    yield venue
    venue.close()


def situation(venue: DerivativesVenue, session: Session, instrument: Instrument, listed: dict[str, Any]) -> Situation:
    tickers = {one.symbol: one for one in venue.market.tickers()}
    orders = [one for one in session.account.open_orders() if not one.type.is_trigger and not one.reduce_only]
    return Situation(
        instrument=instrument,
        now=datetime.now(UTC),
        wallets=session.account.wallets(),
        held=tuple(
            Held(instrument=listed[one.symbol], size=one.size, entry=one.entry, max_leverage=one.max_leverage)
            for one in session.account.positions()
        ),
        waiting=tuple(
            Waiting(instrument=listed[one.symbol], side=one.side, size=one.open_size, price=one.limit_price or D(0))
            for one in orders
        ),
        marks={symbol: ticker.mark for symbol, ticker in tickers.items() if ticker.mark},
        ticker=tickers[instrument.symbol],
        caps={one.symbol: one.max_leverage for one in session.preferences.all() if one.max_leverage},
        book=venue.market.book(instrument.symbol),
    )


def ticket(dice: random.Random, at: Situation) -> NewOrder:
    """Long, short and flipping; mostly a few thousand dollars, at times through several brackets."""
    instrument, mark = at.instrument, at.mark
    assert mark is not None
    usd = (
        D(dice.choices([150, 900, 4_000, 9_000, 20_000, 600_000], [4, 4, 4, 4, 2, 1])[0])
        * D(dice.randint(50, 150))
        / 100
    )
    size = max(instrument.lot, round_size_down(instrument, usd if instrument.kind is INVERSE else usd / mark))
    side = dice.choice([Side.BUY, Side.SELL])
    kind = dice.choice([OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT, OrderType.IOC, OrderType.POST])
    away = D(dice.randint(5, 80)) / 1000 * side.sign  # a resting price, so much better than the mark
    crossing = kind is OrderType.IOC or (kind is OrderType.LIMIT and dice.random() < 0.4)
    limit = mark * (1 + D("0.004") * side.sign) if crossing else mark * (1 - away)
    return NewOrder(
        client_id=str(uuid4()),
        symbol=instrument.symbol,
        side=side,
        type=kind,
        size=size,
        limit_price=None if kind is OrderType.MARKET else round_price(instrument, limit),
        reduce_only=bool(at.position) and dice.random() < 0.15,
    )


def wallet_figures(wallets: Wallets, instrument: Instrument) -> tuple[D, D]:
    """(initial margin with orders, available) of the wallet that margins the instrument."""
    if instrument.kind is INVERSE:
        account = next(one for one in wallets.margin_accounts if one.name == instrument.wallet)
        return account.requirements.initial, account.available
    assert wallets.flex is not None
    return wallets.flex.initial_margin_with_orders, wallets.flex.available_margin


async def told_positions(venue: DerivativesVenue, person: DemoAccount) -> dict[str, Position]:
    """From the socket: only it tells the liquidation prices."""
    feed = venue.watch_account(Credentials(person.key.public, person.key.private))
    async with aclosing(feed) as events:  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, PositionsChanged):
                return {one.symbol: one for one in event.positions}
    raise AssertionError("the feed ended")


def marks_apart(at: Situation, after: Wallets, positions: list[Position]) -> D:
    """What it makes of the price by which mark the margin of several maturities is turned into USD."""
    account = next((one for one in after.margin_accounts if one.name == at.instrument.wallet), None)
    mine = [
        one for one in positions if at.instrument.kind is INVERSE and wallet_of(one.symbol) == at.instrument.wallet
    ]
    marks = [at.marks[one.symbol] for one in mine]
    if account is None or len(mine) < 2:
        return D(0)
    below = account.balance + sum((one.size / one.entry for one in mine), D(0))
    return abs(account.requirements.maintenance * (max(marks) - min(marks)) / below)


def near(ours: D | None, theirs: D | None, dust: D) -> bool:
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return abs(ours - theirs) <= max(dust, abs(theirs) * D("1E-9"))


async def test_two_hundred_random_tickets_do_what_their_preview_said(
    exchange: DemoVenue, venue: DerivativesVenue
) -> None:
    dice = random.Random(2026)
    listed = {one.symbol: one for one in venue.market.instruments()}
    sort = ("PI_", "PF_", "FI_", "FF_")
    wanted = [one for one in listed.values() if one.symbol.startswith(sort) and one.symbol.split("_")[1] in COINS]
    seen = {"tickets": 0, "filled": 0, "resting": 0, "flipped": 0, "liquidation": 0, "isolated": 0}
    wrong: list[str] = []
    for _ in range(PEOPLE):
        person = exchange.signup()
        with venue.session(Credentials(person.key.public, person.key.private), OpenGate()) as session:
            some = dice.sample(wanted, 3)
            if some[0].kind is not INVERSE and dice.random() < 0.5:  # margined by itself
                session.preferences.set_leverage(some[0].symbol, dice.choice([D(2), D("7.5"), D(20)]))
            for _ in range(TICKETS):
                at = situation(venue, session, dice.choice(some), listed)
                order = ticket(dice, at)
                shown = preview(order, at)
                outcome = session.orders.place(order, deadline=datetime.now(UTC) + timedelta(days=1))
                if not isinstance(outcome, Accepted):
                    continue
                wrong += await differences(exchange, venue, session, person, order, at, shown, seen)
    print(seen)
    assert not wrong, "\n".join(wrong)
    assert seen["tickets"] >= PEOPLE * TICKETS * 0.8
    assert min(seen.values()) >= PEOPLE // 2


async def differences(
    exchange: DemoVenue,
    venue: DerivativesVenue,
    session: Session,
    person: DemoAccount,
    order: NewOrder,
    at: Situation,
    shown: Preview,
    seen: dict[str, int],
) -> list[str]:
    """Everything in which the exchange and the preview do not agree."""
    instrument = at.instrument
    dust = DUST[instrument.kind]
    before, after = at.wallets, session.account.wallets()
    assert before is not None
    fills = [one for one in exchange.ledger(person)["fills"] if one["cli_ord_id"] == order.client_id]
    held = next((one for one in session.account.positions() if one.symbol == order.symbol), None)
    (needed_before, _), (needed_after, available) = (wallet_figures(one, instrument) for one in (before, after))
    seen["tickets"] += 1
    seen["filled" if fills else "resting"] += 1
    seen["isolated"] += at.cap is not None
    pairs: list[tuple[str, D | None, D | None, D]] = [
        ("fills now", shown.fills_now, sum((D(one["size"]) for one in fills), D(0)), D(0)),
        ("margin needed", shown.margin_needed, max(D(0), needed_after - needed_before), dust),
        ("available after", shown.margin_after, available, PRINTED[instrument.kind]),
    ]
    if not shown.rests:
        size = held.size if held else D(0)
        flipped = shown.position_before * size < 0
        seen["flipped"] += flipped
        pairs += [
            ("fee", shown.fee, sum((D(one["fee"]) for one in fills), D(0)), D("1E-9")),
            ("position", shown.position, size, D(0)),
            ("entry", shown.entry if size else None, held.entry if held else None, D("1E-9")),
        ]
        told = await told_positions(venue, person)
        if order.symbol in told:
            theirs = told[order.symbol].liquidation_price
            seen["liquidation"] += theirs is not None
            loose = instrument.tick if theirs is None else max(instrument.tick, theirs * D("0.0005"))
            loose += marks_apart(at, after, list(told.values()))
            pairs.append(("liquidation", shown.liquidation_price, theirs, loose))
    price = order.limit_price or ""
    wish = f"{order.side} {plain(order.size)} {order.symbol} {order.type} {price} from {shown.position_before}"
    return [
        f"{wish}: {name} {ours} there {theirs}" for name, ours, theirs, loose in pairs if not near(ours, theirs, loose)
    ]
