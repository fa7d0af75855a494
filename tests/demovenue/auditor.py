"""Somebody who checks the books after every single thing that happens on an exchange."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from demovenue.events import BookDelta, Event, Filled, Logged
from demovenue.exchange import Exchange

ZERO = Decimal(0)


class Auditor:
    """Follows the events from the first one on, and knows from them alone what must be."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.by_log: dict[tuple[str, str, str], Decimal] = {}
        self.by_fills: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.books = {
            i.symbol: {True: dict(b.bids), False: dict(b.asks)}
            for i in exchange.instruments()
            for b in [exchange.book(i.symbol)]
        }
        self.seqs = {symbol: exchange.book(symbol).seq for symbol in self.books}
        self.log_ids: dict[str, int] = defaultdict(int)
        exchange.subscribe(self.hear)

    def hear(self, event: Event) -> None:
        if isinstance(event, Logged):
            self._enter(event)
        elif isinstance(event, Filled):
            fill = event.fill
            self.by_fills[event.account_uid, fill.symbol] += fill.size if fill.side == "buy" else -fill.size
            assert self.by_fills[event.account_uid, fill.symbol] == fill.position
        elif isinstance(event, BookDelta):
            self._apply(event)

    def _enter(self, event: Logged) -> None:
        """Rows follow each other without a gap, and each begins where the one before ended."""
        entry = event.entry
        assert entry.id == self.log_ids[event.account_uid] + 1
        self.log_ids[event.account_uid] = entry.id
        if entry.asset == entry.contract:  # a position row
            if entry.info == "settlement":
                self.by_fills.pop((event.account_uid, entry.asset.upper()))
            return
        key = (event.account_uid, entry.margin_account, entry.asset)
        assert entry.old_balance == self.by_log.get(key, ZERO)
        figures = (entry.realized_pnl, entry.fee, entry.realized_funding)
        if any(figure is not None for figure in figures):
            pnl, fee, funding = (figure or ZERO for figure in figures)
            assert entry.new_balance == entry.old_balance + pnl - fee + funding
        self.by_log[key] = entry.new_balance

    def _apply(self, delta: BookDelta) -> None:
        if delta.symbol not in self.books:  # listed since
            self.books[delta.symbol], self.seqs[delta.symbol] = {True: {}, False: {}}, 0
        assert delta.seq == self.seqs[delta.symbol] + 1
        self.seqs[delta.symbol] = delta.seq
        side = self.books[delta.symbol][delta.side == "buy"]
        if delta.size:
            side[delta.price] = delta.size
        else:
            side.pop(delta.price)

    # --- what must be true -------------------------------------------------------------------------------------

    def check(self) -> None:
        self.check_money()
        self.check_books()
        self.check_positions()

    def check_money(self) -> None:
        """Everybody and the house, insurance included, sum to zero; the log explains every balance."""
        balances = self.exchange._parts.floor.balances
        totals: dict[str, Decimal] = defaultdict(Decimal)
        for (_, _, currency), amount in balances.items():
            totals[currency] += amount
        assert set(totals.values()) <= {ZERO}
        assert {key: amount for key, amount in balances.items() if key[0]} == self.by_log

    def check_books(self) -> None:
        """Never crossed; what the deltas say; and every open order of a person is in there, nothing else of theirs."""
        floor = self.exchange._parts.floor
        for symbol, market in floor.markets.items():
            book = self.exchange.book(symbol)
            if book.bids and book.asks:
                assert book.bids[0][0] < book.asks[0][0]
            assert {True: dict(book.bids), False: dict(book.asks)} == self.books[symbol]
            mine = {o.id: market.size(o.size) for o in market.book.orders.values() if o.owner}
            kept = {o.id: o.remaining for by in floor.plain.values() for o in by[symbol].values()}
            assert mine == kept

    def check_positions(self) -> None:
        held = {
            (uid, p.symbol): p.size for uid, by in self.exchange._parts.floor.positions.items() for p in by.values()
        }
        assert held == {key: size for key, size in self.by_fills.items() if size}

    def check_margins(self) -> None:
        """After the exchange has looked: nobody in danger still holds, and nobody without a position owes."""
        parts = self.exchange._parts
        for uid in parts.floor.accounts:
            assert not parts.liquidation.endangers(uid)
            view = self.exchange.wallets(uid)
            if not any(p.size for p in parts.floor.positions[uid].values()):
                assert view.flex.margin_equity >= 0
                assert all(single.pv >= 0 for single in view.margin.values())
            for wallet in view.margin.values():
                assert wallet.positions or wallet.balance >= 0
            assert all(amount >= 0 for amount in view.cash.values())
