"""The floor everybody works on: what the exchange holds in memory, what it has yet to write and to tell.

One command is one piece of work: `with floor.work():` sets the time, and at its end tells what became of the books,
commits, and then announces.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from demovenue.book import Resting
from demovenue.clock import DemoClock, from_micros
from demovenue.events import BookDelta, Event, Listener, OrderChanged, Traded
from demovenue.ids import Ids, public_id
from demovenue.market import Market
from demovenue.store import Store
from demovenue.values import (
    Account,
    HistoryEvent,
    Instrument,
    Key,
    Notification,
    Order,
    Position,
    PositionChange,
    Refused,
    TradePrint,
)

HOUSE = ""  # the makers' and takers' own account: it always pays, and nobody watches its margin
STATUS_MEMORY = 5_000_000  # microseconds a finished order is remembered by orders/status


class Floor:
    def __init__(self, store: Store, clock: DemoClock, rng: random.Random) -> None:
        self.store = store
        self.clock = clock
        self.ids = Ids(rng)
        self.micros = clock.started
        self._now = (self.micros, from_micros(self.micros))
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, Key] = {}
        self.balances: dict[tuple[str, str, str], Decimal] = {}
        self.positions: dict[str, dict[str, Position]] = defaultdict(dict)
        self.orders: dict[str, dict[str, Order]] = defaultdict(dict)  # open ones, by account, oldest first
        self.plain: dict[str, dict[str, dict[str, Order]]] = defaultdict(lambda: defaultdict(dict))  # by market
        self.versions: dict[tuple[str, str], int] = defaultdict(int)  # (account, market) → counts changes of `plain`
        self.owners: dict[str, str] = {}  # open order → account
        self.triggers: dict[str, dict[str, Order]] = defaultdict(dict)  # dormant ones, by symbol
        self.client_ids: set[tuple[str, str]] = set()  # ever used, by account
        self.finished: dict[str, tuple[int, Order]] = {}  # for orders/status
        self.markets: dict[str, Market] = {}
        self.expired: dict[str, Instrument] = {}
        self.notifications: list[Notification] = []
        self.log_ids: dict[str, int] = {}
        self.history_seq = 0
        self.listeners: list[Listener] = []
        self._outbox: list[Event] = []
        self._bells: dict[Event, None] = {}
        self.afterwards: list[Callable[[], None]] = []  # called once what was done is written down
        self._working = False
        self.watch_trade: Callable[[Market, TradePrint], None] = lambda market, trade: None

    # --- time and work -----------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        if self._now[0] != self.micros:
            self._now = (self.micros, from_micros(self.micros))
        return self._now[1]

    @contextmanager
    def work(self) -> Iterator[None]:
        """Time moves to the clock's; at the end everything is committed, then told. Work does not nest."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def begin(self) -> None:
        if self._working:
            raise RuntimeError("a listener must not give commands")
        self._working = True
        self.micros = max(self.micros, self.clock.micros())

    def end(self) -> None:
        for market in self.markets.values():
            if market.book.changes:
                self.publish_book(market)
        # Also after an error: memory already holds what was done, so the file must.
        self.store.commit()
        self._working = False
        self._announce()

    def tell(self, event: Event) -> None:
        self._outbox.append(event)

    def ring(self, event: Event) -> None:
        """For events that only say "look again": rung twice in one piece of work, told once, at its end."""
        self._bells[event] = None

    def _announce(self) -> None:
        events, self._outbox = self._outbox, []
        bells, self._bells = self._bells, {}
        for listener in self.listeners:
            for event in (*events, *bells):
                listener(event)
        if self.afterwards:
            calls, self.afterwards = self.afterwards, []
            for call in calls:
                call()

    # --- lookups -----------------------------------------------------------------------------------------------

    def market(self, symbol: str) -> Market:
        market = self.markets.get(symbol)
        if market is None:
            raise Refused("invalidArgument")
        return market

    def account(self, uid: str) -> Account:
        account = self.accounts.get(uid)
        if account is None:
            raise Refused("accountInactive")
        return account

    def position(self, uid: str, symbol: str) -> Position | None:
        return self.positions[uid].get(symbol)

    def position_size(self, uid: str, symbol: str) -> Decimal:
        position = self.positions[uid].get(symbol)
        return position.size if position else Decimal(0)

    def open_order(self, order_id: str) -> Order | None:
        owner = self.owners.get(order_id)
        return None if owner is None else self.orders[owner].get(order_id)

    # --- changes -----------------------------------------------------------------------------------------------

    def save_account(self, account: Account) -> None:
        self.accounts[account.uid] = account
        self.store.save_account(account)

    def keep(self, order: Order) -> None:
        """The order as it is now: among the open ones, or remembered for a while as finished."""
        if order.cli_ord_id is not None and (order.account_uid, order.cli_ord_id) not in self.client_ids:
            self.store.save_name(order.account_uid, order.cli_ord_id)
        self.hold(order)
        self.store.save_order(order, self.next_number())

    def hold(self, order: Order) -> None:
        """`keep` without writing: also how orders come back after a restart."""
        if order.cli_ord_id is not None:
            self.client_ids.add((order.account_uid, order.cli_ord_id))
        if order.is_open and order.is_trigger:
            self.triggers[order.symbol][order.id] = order
        else:
            self.triggers[order.symbol].pop(order.id, None)
            self._hold_plain(order)
        if order.is_open:
            self.orders[order.account_uid][order.id] = order
            self.owners[order.id] = order.account_uid
        else:
            self.orders[order.account_uid].pop(order.id, None)
            self.owners.pop(order.id, None)
            self._remember(order)

    def _hold_plain(self, order: Order) -> None:
        orders = self.plain[order.account_uid][order.symbol]
        if order.is_open:
            orders[order.id] = order
        elif orders.pop(order.id, None) is None:
            return
        self.versions[order.account_uid, order.symbol] += 1

    def remember_rejected(self, order: Order) -> None:
        """Known to orders/status for a while; never in the book, so never among the orders."""
        self._remember(order)

    def _remember(self, order: Order) -> None:
        self.finished.pop(order.id, None)  # the oldest come first
        self.finished[order.id] = (self.micros, order)

    def finished_of(self, uid: str) -> list[Order]:
        """Those that ended within the memory of orders/status."""
        limit = max(self.micros, self.clock.micros()) - STATUS_MEMORY
        return [order for at, order in self.finished.values() if order.account_uid == uid and at >= limit]

    def forget_finished(self) -> None:
        limit = self.micros - STATUS_MEMORY
        while self.finished:
            order_id, (at, _) = next(iter(self.finished.items()))
            if at >= limit:
                return
            del self.finished[order_id]

    def save_position(self, position: Position) -> None:
        if position.size == 0:
            self.positions[position.account_uid].pop(position.symbol, None)
        else:
            self.positions[position.account_uid][position.symbol] = position
        self.store.save_position(position)

    def tell_order(self, order: Order, reason: str, *, gone: bool) -> None:
        self.tell(OrderChanged(account_uid=order.account_uid, order=order, gone=gone, reason=reason))

    def next_number(self) -> int:
        """Of whatever is written into the history."""
        self.history_seq += 1
        return self.history_seq

    def record(
        self,
        account_uid: str,
        family: str,
        key: str,
        symbol: str,
        *,
        order: Order | None = None,
        old: Order | None = None,
        reason: str = "",
        error: str | None = None,
        reduced: Decimal | None = None,
        position: PositionChange | None = None,
        opened: bool = False,
        closed: bool = False,
    ) -> None:
        """One event of the account's history."""
        event = HistoryEvent(
            seq=self.next_number(),
            uid=self.ids.other(),
            account_uid=account_uid,
            family=family,
            key=key,
            at=self.now,
            symbol=symbol,
            order=order,
            old=old,
            reason=reason,
            error=error,
            reduced=reduced,
            position=position,
            opened=opened,
            closed=closed,
        )
        self.store.add_history(event)

    def print_trade(
        self,
        market: Market,
        buy: bool,
        kind: str,
        price: Decimal,
        size: Decimal,
        *,
        maker: Resting | None = None,
        taker: Order | None = None,
    ) -> TradePrint:
        """`maker` as the book has left it, `taker` as it was before."""
        market.trade_seq += 1
        trade = TradePrint(
            symbol=market.symbol,
            uid=self.ids.other(),
            side="buy" if buy else "sell",
            kind=kind,
            seq=market.trade_seq,
            at=self.now,
            size=size,
            price=price,
            mark=market.mark,
            maker_id=public_id(maker.id) if maker else None,
            taker_id=taker.id if taker else None,
            maker_quantity=market.size(maker.size) + size if maker else None,
            taker_quantity=taker.remaining if taker else size,
            taker_limit=taker.limit_price if taker else price,
            limit_filled=maker is not None and maker.size == 0,
        )
        market.tape.append(trade)
        self.store.add_trade(trade)
        self.watch_trade(market, trade)
        self.tell(Traded(trade=trade))
        return trade

    def publish_book(self, market: Market) -> None:
        """Turns what changed in the book into deltas, numbered without a gap."""
        changes = market.book.changes
        if not changes:
            return
        at = self.now
        market.remember_comings(self.micros)
        for buy, price, size in changes:
            market.seq += 1
            self._outbox.append(
                BookDelta(
                    symbol=market.symbol,
                    seq=market.seq,
                    side="buy" if buy else "sell",
                    price=market.price(price),
                    size=market.size(size),
                    at=at,
                )
            )
        changes.clear()
