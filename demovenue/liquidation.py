"""What happens to an account whose equity no longer holds its maintenance margin.

Its orders go first. Then linear positions are cut a quarter at a time until the margin holds; inverse wallets are
closed whole. Each cut is an immediate order down to the bankruptcy price; what the book does not take goes to the
assignment programme, then to the positions on the other side in the order of the unwind queue, then to the house.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import NamedTuple

import msgspec

from demovenue import sums
from demovenue.bank import Bank
from demovenue.cancels import Cancels
from demovenue.executions import Executions, Share
from demovenue.floor import Floor
from demovenue.margin import Margin
from demovenue.market import Market
from demovenue.matching import Manner, Matching
from demovenue.values import Order, Position

ZERO = Decimal(0)
PART = Decimal("0.25")
PARTS = 12  # after so many cuts the rest is closed whole
PERCENTILES = (20, 40, 80, 100)  # of the unwind queue; the reference knows no others


class Taker(NamedTuple):
    """Somebody who takes over a part of a liquidated position at the bankruptcy price."""

    uid: str
    size: Decimal


class Liquidation:
    def __init__(
        self,
        floor: Floor,
        bank: Bank,
        margin: Margin,
        matching: Matching,
        executions: Executions,
        cancels: Cancels,
        assignees: Callable[[Market, bool], Iterable[Taker]],
    ) -> None:
        self._floor = floor
        self._bank = bank
        self._margin = margin
        self._matching = matching
        self._executions = executions
        self._cancels = cancels
        self._assignees = assignees

    def check_all(self) -> None:
        for uid in [uid for uid, held in self._floor.positions.items() if held]:
            self.check(uid)

    def endangers(self, uid: str) -> bool:
        """Would `check` close anything at the prices of now?"""
        isolated, held = self._floor.accounts[uid].max_leverage, self._floor.positions[uid]
        if any(p.symbol in isolated and self._margin.isolated_in_danger(p) for p in held.values()):
            return True
        wallets = {self._floor.markets[symbol].instrument.wallet for symbol in held}
        return any(self._in_danger(uid, wallet) for wallet in wallets)

    def check(self, uid: str) -> None:
        isolated = self._floor.accounts[uid].max_leverage
        for position in list(self._floor.positions[uid].values()):
            if position.symbol in isolated and self._margin.isolated_in_danger(position):
                self._close(uid, position.symbol, partial=False)
        wallets = {self._floor.markets[symbol].instrument.wallet for symbol in self._floor.positions[uid]}
        for wallet in sorted(wallets):
            if self._in_danger(uid, wallet):
                self._liquidate(uid, wallet)

    def _in_danger(self, uid: str, wallet: str) -> bool:
        equity, maintenance = self._margin.equity(uid, wallet)
        return equity < maintenance

    def _symbols(self, uid: str, wallet: str) -> list[str]:
        """Largest position first."""
        markets = self._floor.markets
        held = [p for p in self._floor.positions[uid].values() if markets[p.symbol].instrument.wallet == wallet]
        held.sort(key=lambda p: abs(p.size) * (1 if wallet != "flex" else markets[p.symbol].mark), reverse=True)
        return [p.symbol for p in held]

    def _liquidate(self, uid: str, wallet: str) -> None:
        for order in list(self._floor.orders[uid].values()):
            if self._floor.markets[order.symbol].instrument.wallet == wallet:
                self._matching.withdraw(self._floor.markets[order.symbol], order, "liquidation", "LIQUIDATION_ORDER")
        for _ in range(PARTS if wallet == "flex" else 0):
            symbols = self._symbols(uid, wallet)
            equity, maintenance = self._margin.equity(uid, wallet)
            if not symbols or equity >= maintenance or equity <= 0:
                break
            self._close(uid, symbols[0], partial=True)
        if self._in_danger(uid, wallet):
            for symbol in self._symbols(uid, wallet):
                self._close(uid, symbol, partial=False)
        if not self._symbols(uid, wallet):
            currency = "usd" if wallet == "flex" else wallet.removeprefix("fi_").removesuffix("usd")
            self._bank.forgive(uid, wallet, currency)

    # --- closing -----------------------------------------------------------------------------------------------

    def _close(self, uid: str, symbol: str, *, partial: bool) -> None:
        market = self._floor.markets[symbol]
        position = self._floor.positions[uid][symbol]
        size = abs(position.size)
        if partial:
            lot = market.instrument.lot
            size = min(size, max(lot, (size * PART / lot).to_integral_value(ROUND_UP) * lot))
        partial = partial and size < abs(position.size)
        bankrupt = self._bankruptcy_price(position)
        word = "partialLiquidation" if partial else "liquidation"
        order = self._order(position, size, bankrupt, "liquidation")
        manner = Manner(word, "liquidation", taker_order_type="liquidation")
        order, _ = self._matching.take(market, order, bankrupt, manner)
        left = order.remaining
        self._keep(order)
        for taker in self._assignees(market, position.size > 0):
            left -= self._hand_over(market, position, min(left, taker.size), bankrupt, "assign", taker.uid)
        for taker in self.queue(market, position.size < 0):
            left -= self._hand_over(market, position, min(left, taker.size), bankrupt, "unwind", taker.uid)
        self._hand_over(market, position, left, bankrupt, "unwind", None)
        self._executions.settle_debt(uid, market)

    def _bankruptcy_price(self, position: Position) -> Decimal:
        """Where the equity is used up, on a tick that still leaves none owing; one tick at least."""
        market = self._floor.markets[position.symbol]
        instrument = market.instrument
        if instrument.inverse:
            price = self._inverse_bankruptcy(position, market)
        else:
            equity = self._margin.stake(position)[0]
            price = market.mark - equity / position.size
        rounding = ROUND_UP if position.size > 0 else ROUND_DOWN
        return max(instrument.tick, (price / instrument.tick).to_integral_value(rounding) * instrument.tick)

    def _inverse_bankruptcy(self, position: Position, market: Market) -> Decimal:
        view = self._margin.single(position.account_uid, market.instrument.wallet)
        others = view.pv - self._margin.pnl(position)
        price = sums.inverse_trigger(ZERO, position.size, position.size / position.entry, others)
        # A short that no price can ruin is closed within a wide limit.
        return price or market.mark * 2

    def _order(self, position: Position, size: Decimal, price: Decimal, type_: str, *, other: bool = False) -> Order:
        floor = self._floor
        sells = (position.size > 0) != other
        return Order(
            id=floor.ids.order(floor.micros),
            account_uid=position.account_uid,
            symbol=position.symbol,
            side="sell" if sells else "buy",
            type=type_,
            sent_type=type_,
            quantity=size,
            filled=ZERO,
            limit_price=price,
            created=floor.now,
            updated=floor.now,
            reduce_only=False,
        )

    def _keep(self, order: Order) -> None:
        """Orders of the venue's own making are among the account's orders; what did not trade was dropped."""
        if order.filled:
            dropped = {"quantity": order.filled, "status": "FULLY_EXECUTED", "update_reason": "LIQUIDATION_ORDER"}
            self._floor.keep(msgspec.structs.replace(order, **dropped))

    def _hand_over(
        self, market: Market, position: Position, size: Decimal, price: Decimal, how: str, to: str | None
    ) -> Decimal:
        """The bankrupt's part goes to somebody (None: the house) without fee. Returns the size."""
        if size <= 0:
            return ZERO
        kind, type_ = ("assignment", "assignment") if how == "assign" else ("unwind", "unwind")
        words = ("assignor", "assignee") if how == "assign" else ("unwindBankrupt", "unwindCounterparty")
        trade = self._floor.print_trade(market, position.size < 0, kind, price, size)
        mine = self._order(position, size, price, type_)
        self._keep(self._executions.settle(market, Share(mine, words[0], type_, free=True), price, size, trade))
        if to is not None:
            # Sides are those of a position held the other way round.
            theirs = self._order(
                Position(
                    account_uid=to,
                    symbol=position.symbol,
                    size=position.size,
                    entry=price,
                    opened=self._floor.now,
                    funded=self._floor.now,
                ),
                size,
                price,
                type_,
                other=True,
            )
            self._keep(self._executions.settle(market, Share(theirs, words[1], type_, free=True), price, size, trade))
            self._executions.settle_debt(to, market)
        return size

    # --- the unwind queue --------------------------------------------------------------------------------------

    def queue(self, market: Market, long: bool) -> list[Taker]:
        """Positions of one direction, the first in line first: by profit and leverage."""
        held = [
            positions[market.symbol]
            for positions in self._floor.positions.values()
            if market.symbol in positions and (positions[market.symbol].size > 0) == long
        ]
        held.sort(key=self._rank, reverse=True)
        return [Taker(p.account_uid, abs(p.size)) for p in held]

    def _rank(self, position: Position) -> Decimal:
        """Winners by profit times leverage; losers by loss over leverage, so that the safest comes last."""
        view = self._margin.position(position)
        leverage = max(view.effective_leverage, Decimal("0.01"))
        return view.return_on_equity * leverage if view.pnl > 0 else view.return_on_equity / leverage

    def percentile(self, position: Position) -> int:
        """How far in front the position stands; 100 is first in line."""
        market = self._floor.markets[position.symbol]
        line = [taker.uid for taker in self.queue(market, position.size > 0)]
        behind = len(line) - line.index(position.account_uid)
        return PERCENTILES[-(-behind * len(PERCENTILES) // len(line)) - 1]
