"""What the exchange writes down of itself, and how it wakes up: the second start is the same as going on."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import NamedTuple

import msgspec

from demovenue import sums
from demovenue.charts import Charts
from demovenue.clock import from_micros, wall_micros
from demovenue.floor import Floor
from demovenue.funding import Funding
from demovenue.market import Market
from demovenue.matching import Matching
from demovenue.settlement import Settlement
from demovenue.simulation import Simulation
from demovenue.values import Account, InstrumentStatus, Key, Notification, Order, Position, TradePrint

NUMBERED = ("orders", "triggers", "positions", "fills", "finished")  # streams that share their numbers


class Opening(NamedTuple):
    """The moment of the very first start: the sketched past ends here."""

    seed: int
    micros: int
    prices: dict[str, float]


class Memory:
    def __init__(self, floor: Floor, simulation: Simulation, settlement: Settlement) -> None:
        self._floor = floor
        self._simulation = simulation
        self._settlement = settlement
        simulation.saved = self.save

    def opening(self, seed: int) -> Opening:
        """Written once; also sets the first prices, or the last ones."""
        store, walk = self._floor.store, self._simulation.walk
        state = store.meta("walk")
        if state is not None:
            walk.restore(state)
        saved = store.meta("opening")
        if saved is not None:
            return Opening(saved["seed"], saved["micros"], saved["prices"])
        opening = Opening(seed, self._floor.micros, dict(walk.prices))
        store.save_meta("opening", opening._asdict())
        return opening

    # --- saving ------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Clock, index, premiums and funding; everything else is written where it happens."""
        floor, simulation, store = self._floor, self._simulation, self._floor.store
        wall = wall_micros()
        store.save_meta("clock", {"demo": floor.clock.micros(), "wall": wall})
        store.save_meta("walk", simulation.walk.state())
        store.save_meta("played", simulation.done)
        store.save_meta("running", self._simulation.charts.unfinished())
        store.save_meta("markets", {symbol: _state(market) for symbol, market in floor.markets.items()})

    # --- waking ------------------------------------------------------------------------------------------------

    def wake(self, funding: Funding, charts: Charts, matching: Matching) -> None:
        """Loads everything, opens the markets as they were, and fills the books, people's orders first."""
        floor, simulation = self._floor, self._simulation
        played = floor.store.meta("played")
        if played is not None:
            simulation.done = floor.micros = int(played)
        self._settlement.restore(floor.store.meta("expired") or [])
        floor.notifications = msgspec.convert(floor.store.meta("notifications") or [], list[Notification])
        simulation.list_markets()
        self._load_people()
        self._load_markets()
        simulation.reprice()
        if played is None:
            self._first_rates(funding, charts)
        for orders in floor.orders.values():
            for order in orders.values():
                if not order.is_trigger:
                    matching.rest(floor.markets[order.symbol], order)
        simulation.fill_books()
        self._recall_tape(charts)
        if played is not None:
            charts.resume(floor.store.meta("running"))
        simulation.see_prices()
        with floor.work():
            simulation.catch_up(floor.clock.micros())
            self.save()

    def _load_people(self) -> None:
        floor, store = self._floor, self._floor.store
        floor.accounts = {a.uid: a for a in store.records(Account, "SELECT body FROM accounts ORDER BY rowid")}
        floor.keys = {k.public: k for k in store.records(Key, "SELECT body FROM keys ORDER BY rowid")}
        for uid, wallet, currency, amount in store.rows("SELECT account, wallet, currency, amount FROM balances"):
            floor.balances[uid, wallet, currency] = Decimal(amount)
        for position in store.records(Position, "SELECT body FROM positions"):
            floor.positions[position.account_uid][position.symbol] = position
        for order in store.records(Order, "SELECT body FROM orders ORDER BY at, id"):
            floor.hold(order)
        floor.client_ids |= set(store.rows("SELECT account, cli FROM names"))
        floor.log_ids = store.newest("log")
        floor.history_seq = max(store.newest(*NUMBERED).values(), default=0)

    def _load_markets(self) -> None:
        states = self._floor.store.meta("markets") or {}
        for symbol, market in self._floor.markets.items():
            if symbol in states:
                _restore(market, states[symbol])

    def _first_rates(self, funding: Funding, charts: Charts) -> None:
        """At the first opening a rate is already in force and the hour's premium has begun, as the sketched past has
        them: the opening goes on where it ends."""
        now = self._floor.micros // 60_000_000
        for market in self._floor.markets.values():
            market.lean = market.premium = charts.past_premium(market, now)
            if market.instrument.perpetual:
                relative = market.relative_rate(charts.past_premium(market, now // 60 * 60))
                market.funding_relative = relative
                market.funding_rate = sums.absolute_rate(market.instrument.inverse, relative, market.index)
                market.premium_seconds = now % 60 * 60.0 + 1.0
                market.premium_sum = market.premium * market.premium_seconds
                funding.write(market, now // 60 * 3_600_000)
        self._simulation.reprice()

    def _recall_tape(self, charts: Charts) -> None:
        """The last hours of trades; before there are any, an hour of them drawn from its minutes."""
        floor = self._floor
        written = floor.store.newest("tape")
        for symbol, market in floor.markets.items():
            for trade in floor.store.happened(TradePrint, "tape", symbol):
                market.tape.append(trade)
                market.trade_seq = trade.seq
        if written:
            return
        now = floor.micros // 60_000_000
        for market in floor.markets.values():
            rng = random.Random(f"{market.symbol}:{now}")
            for bar in charts.recent(market, now - 60):
                for price, share in ((bar.open, 0.5), (bar.close, 0.5)):
                    market.trade_seq += 1
                    lots = max(1, int(bar.volume * share / float(market.instrument.lot)))
                    micros = bar.minute * 60_000_000 + (0 if price == bar.open else 30_000_000)
                    market.tape.append(
                        TradePrint(
                            symbol=market.symbol,
                            uid=floor.ids.other(),
                            side="buy" if rng.random() < 0.5 else "sell",
                            kind="fill",
                            seq=market.trade_seq,
                            at=from_micros(min(floor.micros, micros + int(rng.random() * 29_000_000))),
                            size=market.size(lots),
                            price=market.price(round(price / float(market.instrument.tick))),
                        )
                    )


def _state(market: Market) -> dict[str, object]:
    return {
        "lean": market.lean,
        "premium": market.premium,
        "held": str(market.mark_held) if market.mark_held is not None else None,
        "rate": f"{market.funding_rate:f}",
        "relative": f"{market.funding_relative:f}",
        "sum": market.premium_sum,
        "seconds": market.premium_seconds,
        "interest": f"{market.open_interest:f}",
        "trades": market.trade_seq,
        "status": market.status,
    }


def _restore(market: Market, state: dict[str, object]) -> None:
    market.lean = float(str(state["lean"]))
    market.premium = float(str(state["premium"]))
    market.mark_held = Decimal(str(state["held"])) if state["held"] is not None else None
    market.funding_rate = Decimal(str(state["rate"]))
    market.funding_relative = Decimal(str(state["relative"]))
    market.premium_sum = float(str(state["sum"]))
    market.premium_seconds = float(str(state["seconds"]))
    market.open_interest = Decimal(str(state["interest"]))
    market.trade_seq = int(str(state["trades"]))
    market.status = msgspec.convert(state["status"], InstrumentStatus)
