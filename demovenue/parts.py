"""The exchange put together: who knows whom."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from demovenue.adjustments import Adjustments
from demovenue.analytics import AnalyticsDesk
from demovenue.assignment import Assignment
from demovenue.bank import Bank
from demovenue.cancels import Cancels
from demovenue.charts import Charts
from demovenue.clock import DemoClock, to_micros, wall_micros
from demovenue.edits import Edits
from demovenue.executions import Executions
from demovenue.fees import Fees
from demovenue.floor import Floor
from demovenue.funding import Funding
from demovenue.history import History
from demovenue.liquidation import Liquidation
from demovenue.margin import Margin
from demovenue.matching import Matching
from demovenue.memory import Memory
from demovenue.money import Money
from demovenue.orders import Orders
from demovenue.people import People
from demovenue.preferences import Preferences
from demovenue.protection import Protection
from demovenue.settlement import Settlement
from demovenue.simulation import MINUTE, Simulation
from demovenue.sketch import Sketch
from demovenue.store import Store
from demovenue.tickers import Tickers
from demovenue.triggers import Triggers
from demovenue.walk import Replay, Walk


@dataclass
class Parts:
    store: Store
    clock: DemoClock
    floor: Floor
    bank: Bank
    margin: Margin
    fees: Fees
    matching: Matching
    orders: Orders
    edits: Edits
    cancels: Cancels
    protection: Protection
    liquidation: Liquidation
    assignment: Assignment
    funding: Funding
    settlement: Settlement
    people: People
    preferences: Preferences
    money: Money
    adjustments: Adjustments
    history: History
    simulation: Simulation
    charts: Charts
    tickers: Tickers
    analytics: AnalyticsDesk
    memory: Memory


def build(
    data: Path | None, *, seed: int, speed: Decimal, start: datetime | None, manual: bool, replay: Path | None
) -> Parts:
    """Opens the store, and the exchange where it was left or for the first time."""
    store = Store(data)
    clock = open_clock(store, speed=Decimal(0) if manual else speed, start=start)
    recorded = Replay.read(replay) if replay else None
    # Seeded by the moment too, so that a restart does not repeat the identifiers of the first start.
    walk = Walk(random.Random(f"{seed}:{clock.started}:walk"), recorded)
    return assemble(Floor(store, clock, random.Random(f"{seed}:{clock.started}")), walk, seed)


def assemble(floor: Floor, walk: Walk, seed: int) -> Parts:
    bank = Bank(floor)
    margin = Margin(floor, bank)
    fees = Fees(floor)
    executions = Executions(floor, bank, margin, fees)
    matching = Matching(floor, executions)
    triggers = Triggers(floor)
    orders = Orders(floor, margin, matching, triggers)
    edits = Edits(floor, matching, orders, triggers)
    cancels = Cancels(floor, matching)
    protection = Protection(floor, orders, edits)
    cancels.take_back, cancels.take_back_all = protection.take_back, protection.take_back_all
    assignment = Assignment(floor)
    liquidation = Liquidation(floor, bank, margin, matching, executions, cancels, assignment.takers)
    funding = Funding(floor, bank, margin)
    settlement = Settlement(floor, bank, cancels)
    rng = random.Random(f"{seed}:{floor.micros}:market")
    simulation = Simulation(floor, walk, matching, funding, settlement, triggers, liquidation, cancels, rng)
    adjustments = Adjustments(floor, bank, margin)
    simulation.on_the_hour = adjustments.charge_interest
    memory = Memory(floor, simulation, settlement)
    opening = memory.opening(seed)
    sketch = Sketch(str(opening.seed), opening.micros // MINUTE, opening.prices)
    charts = Charts(floor, sketch, lambda market: simulation.makers[market.symbol].hourly_volume())
    tickers = Tickers(floor, charts)
    simulation.charts, simulation.tickers = charts, tickers
    floor.watch_trade = simulation.record
    parts = Parts(
        store=floor.store,
        clock=floor.clock,
        floor=floor,
        bank=bank,
        margin=margin,
        fees=fees,
        matching=matching,
        orders=orders,
        edits=edits,
        cancels=cancels,
        protection=protection,
        liquidation=liquidation,
        assignment=assignment,
        funding=funding,
        settlement=settlement,
        people=People(floor, bank),
        preferences=Preferences(floor, margin, protection.holds_for),
        money=Money(floor, bank, margin),
        adjustments=adjustments,
        history=History(floor),
        simulation=simulation,
        charts=charts,
        tickers=tickers,
        analytics=AnalyticsDesk(floor, charts),
        memory=memory,
    )
    memory.wake(funding, charts, matching)
    return parts


def open_clock(store: Store, *, speed: Decimal, start: datetime | None) -> DemoClock:
    """A clock that was running ran on while nobody looked; one that stood still stands where it stood."""
    saved = store.meta("clock")
    if saved is None:
        return DemoClock(to_micros(start) if start else wall_micros(), speed)
    away = max(0, wall_micros() - int(saved["wall"]))
    return DemoClock(int(saved["demo"]) + int(away * speed), speed)
