"""The exchange as its doors see it: one object, one thread, no I/O but its own database.

Every command returns after what it did is committed. Listeners hear of it after the commit, before the return.
`Refused` carries Kraken's word for whatever is not an order status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from demovenue.clock import from_micros
from demovenue.events import InstrumentsChanged, Listener
from demovenue.needs import Wanted
from demovenue.parts import Parts, build
from demovenue.values import (
    Account,
    Analytics,
    BookView,
    CancelAllResult,
    CancelWish,
    Candle,
    EditWish,
    Fill,
    FundingRate,
    HistoryPage,
    Instrument,
    InstrumentStatus,
    Key,
    Ledger,
    LogEntry,
    MarginLevel,
    MarketOrder,
    Notification,
    Order,
    OrderResult,
    OrderWish,
    Participant,
    PositionView,
    Refused,
    SignUp,
    Ticker,
    TradePrint,
    Transfer,
    WalletsView,
    Withdrawal,
)

SAVE_EVERY = 2_000_000  # microseconds of demo time between writings of clock and prices


class Exchange:
    """`data` is a directory, or None for an exchange that forgets. `start` freezes the first demo time; without it
    demo time is the wall's. `manual` clocks stand still between `advance` calls (tests)."""

    def __init__(
        self,
        data: Path | None = None,
        *,
        seed: int = 1,
        speed: Decimal = Decimal(1),
        start: datetime | None = None,
        manual: bool = False,
    ) -> None:
        self._parts = build(data, seed=seed, speed=speed, start=start, manual=manual)
        self._notifications: list[Notification] = []
        self._saved = self._parts.floor.micros

    @contextmanager
    def _command(self) -> Iterator[Parts]:
        """The market is played up to now first, so that a command never meets the past."""
        parts = self._parts
        with parts.floor.work():
            parts.simulation.catch_up(parts.floor.micros)
            yield parts

    @contextmanager
    def _order_command(self) -> Iterator[Parts]:
        """A command that moves the book: its deltas are told with everything else."""
        with self._command() as parts:
            try:
                yield parts
            finally:
                for market in parts.floor.markets.values():
                    parts.floor.publish_book(market)

    @contextmanager
    def _read(self) -> Iterator[Parts]:
        """What depends on the time of day, such as funding, is reckoned for now."""
        floor = self._parts.floor
        floor.micros = max(floor.micros, floor.clock.micros())
        yield self._parts

    # --- running -----------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let demo time catch up: market, triggers, funding, liquidations, maturities. Bounded work."""
        parts = self._parts
        with parts.floor.work():
            parts.simulation.catch_up(parts.floor.micros)
            if parts.floor.micros - self._saved > SAVE_EVERY:
                self._saved = parts.floor.micros
                parts.memory.save()

    async def run(self) -> None:
        """`step` some twenty times a second until cancelled."""
        while True:
            self.step()
            await asyncio.sleep(0.05)

    def close(self) -> None:
        """Commit and let go of the database."""
        with self._command():
            self._parts.memory.save()
        self._parts.store.close()

    def subscribe(self, listener: Listener) -> None:
        self._parts.floor.listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        self._parts.floor.listeners.remove(listener)

    def now(self) -> datetime:
        """Demo time, aware UTC: the `serverTime` of every answer."""
        return from_micros(self._parts.clock.micros())

    # --- people and keys ---------------------------------------------------------------------------------------

    def sign_up(self) -> SignUp:
        """A new funded account: cash, flex and single-collateral wallets. About 30 ms (argon2)."""
        password, hashed = self._parts.people.hash_password()
        with self._command() as parts:
            opened = parts.people.open_account(password, hashed)
            parts.people.welcome(opened.account)
            return opened

    def sign_in(self, email: str, password: str) -> Account | None:
        """None when the e-mail or the password is wrong; takes as long either way."""
        return self._parts.people.sign_in(email, password)

    def account(self, uid: str) -> Account | None:
        return self._parts.floor.accounts.get(uid)

    def create_key(self, account_uid: str, *, general: str, withdrawal: str) -> Key:
        """`general`: none, read, full; `withdrawal`: none, full. Refused `tooManyKeys` beyond 50."""
        with self._command() as parts:
            return parts.people.create_key(account_uid, general, withdrawal)

    def keys(self, account_uid: str) -> Sequence[Key]:
        return self._parts.people.keys(account_uid)

    def key(self, public: str) -> Key | None:
        """For verifying a signature. None for a revoked or unknown key."""
        return self._parts.floor.keys.get(public)

    def revoke_key(self, account_uid: str, public: str) -> bool:
        with self._command() as parts:
            return parts.people.revoke(account_uid, public)

    def subaccounts(self, account_uid: str) -> Sequence[Account]:
        accounts = self._parts.floor.accounts.values()
        return [account for account in accounts if account.master_uid == account_uid]

    def open_subaccount(self, master_uid: str) -> SignUp:
        """A subaccount without money, with its own sign-in and keys."""
        password, hashed = self._parts.people.hash_password()
        with self._command() as parts:
            master = parts.floor.account(master_uid)
            return parts.people.open_account(password, hashed, master_uid=master.uid)

    # --- orders ------------------------------------------------------------------------------------------------

    def send_order(self, account_uid: str, wish: OrderWish, *, fault: str | None = None) -> OrderResult:
        """`fault`: None, `fill_at_once`, `partial_fill` (a resting order is hit at its own price by the house) or
        `unknown_fill_type` (its fills carry a type no client knows). Refused `notFound`… never: see the status.
        An unknown symbol is Refused `invalidArgument`."""
        with self._order_command() as parts:
            return parts.orders.send(account_uid, wish, fault)

    def edit_order(self, account_uid: str, wish: EditWish) -> OrderResult:
        with self._order_command() as parts:
            return parts.edits.edit(account_uid, wish)

    def cancel_order(self, account_uid: str, wish: CancelWish) -> OrderResult:
        with self._order_command() as parts:
            return parts.cancels.cancel(account_uid, wish)

    def cancel_all(self, account_uid: str, symbol: str | None = None) -> CancelAllResult:
        with self._order_command() as parts:
            return parts.cancels.cancel_all(account_uid, symbol)

    def batch(
        self,
        account_uid: str,
        wishes: Sequence[OrderWish | EditWish | CancelWish],
        *,
        process_before: datetime | None = None,
    ) -> Sequence[OrderResult]:
        """One result per wish, in order, applied in order, not atomic, one commit."""
        with self._order_command() as parts:
            return [self._one_of_batch(parts, account_uid, wish, process_before) for wish in wishes]

    def cancel_all_after(self, account_uid: str, seconds: int) -> datetime | None:
        """Arms the dead man's switch; 0 disarms (None). Returns when it fires."""
        with self._command() as parts:
            parts.cancels.arm(account_uid, seconds)
            return parts.floor.account(account_uid).cancel_all_at

    def order_status(self, account_uid: str, order_ids: Sequence[str], cli_ord_ids: Sequence[str]) -> Sequence[Order]:
        """Orders open now or finished within the last 5 seconds (rejected ones too); unknown ids are left out."""
        floor = self._parts.floor
        known = [*floor.orders[account_uid].values(), *floor.finished_of(account_uid)]
        ids, names = set(order_ids), set(cli_ord_ids)
        return [order for order in known if order.id in ids or (order.cli_ord_id and order.cli_ord_id in names)]

    def open_orders(self, account_uid: str) -> Sequence[Order]:
        """Newest first, triggers included."""
        return sorted(self._parts.floor.orders[account_uid].values(), key=lambda order: order.id, reverse=True)

    # --- the account -------------------------------------------------------------------------------------------

    def wallets(self, account_uid: str) -> WalletsView:
        with self._read() as parts:
            return parts.margin.wallets(account_uid)

    def positions(self, account_uid: str) -> Sequence[PositionView]:
        """The newest first."""
        with self._read() as parts:
            held = sorted(parts.floor.positions[account_uid].values(), key=lambda p: p.opened, reverse=True)
            return [parts.margin.position(position) for position in held]

    def fills(self, account_uid: str, *, before: datetime | None = None, limit: int = 100) -> Sequence[Fill]:
        """Newest first."""
        return self._parts.history.fills(account_uid, before, limit)

    def account_log(
        self,
        account_uid: str,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        from_id: int | None = None,
        to_id: int | None = None,
        info: Sequence[str] = (),
        ascending: bool = False,
        limit: int = 500,
    ) -> Sequence[LogEntry]:
        """Ids inclusive; `since` inclusive, `before` exclusive; newest first unless `ascending`."""
        return self._parts.history.log(
            account_uid,
            since=since,
            before=before,
            from_id=from_id,
            to_id=to_id,
            info=info,
            ascending=ascending,
            limit=limit,
        )

    def history(
        self,
        account_uid: str,
        family: str,
        *,
        symbol: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        ascending: bool = False,
        count: int = 1000,
        cursor: int | None = None,
        opened: bool | None = None,
        closed: bool | None = None,
        changes: Sequence[str] = (),
        reasons: Sequence[str] = (),
    ) -> HistoryPage:
        """`family`: executions, orders, triggers, positions. `changes`, `reasons` filter positions (the values
        of `PositionChange.change` and `.reason`); `opened`/`closed` filter orders and triggers."""
        return self._parts.history.page(
            account_uid,
            family,
            symbol=symbol,
            since=since,
            before=before,
            ascending=ascending,
            count=count,
            cursor=cursor,
            opened=opened,
            closed=closed,
            changes=changes,
            reasons=reasons,
        )

    def volume_30d(self, account_uid: str) -> Decimal:
        """USD traded in the last 30 days of demo time."""
        return self._parts.fees.volume(account_uid)

    def unwind_queue(self, account_uid: str) -> Sequence[tuple[str, int]]:
        """(symbol, percentile) of every open position."""
        parts = self._parts
        held = parts.floor.positions[account_uid].values()
        return [(position.symbol, parts.liquidation.percentile(position)) for position in held]

    def initial_margin_of(
        self, account_uid: str, *, symbol: str, side: str, size: Decimal, price: Decimal
    ) -> tuple[Decimal, Decimal]:
        """What an order would need, and the estimated liquidation price after it filled (0: none)."""
        wanted = Wanted(symbol, side == "buy", size, price)
        return self._parts.margin.added_need(account_uid, wanted), self._parts.margin.threshold_after(
            account_uid, wanted
        )

    def max_order_size(self, account_uid: str, *, symbol: str, side: str, price: Decimal) -> Decimal:
        return self._parts.margin.largest(account_uid, symbol, side == "buy", price)

    # --- preferences -------------------------------------------------------------------------------------------

    def set_max_leverage(self, account_uid: str, symbol: str, leverage: Decimal | None) -> None:
        """None: cross. Refused with number 41, 87, 88 or 92."""
        with self._command() as parts:
            parts.preferences.set_max_leverage(account_uid, symbol, leverage)

    def set_pnl_currency(self, account_uid: str, symbol: str, currency: str) -> None:
        """Refused with number 87, 88, 89 or 90."""
        with self._command() as parts:
            parts.preferences.set_pnl_currency(account_uid, symbol, currency)

    def set_self_trade(self, account_uid: str, strategy: str) -> None:
        """REJECT_TAKER, CANCEL_MAKER_SELF, CANCEL_MAKER_CHILD, CANCEL_MAKER_ANY, or Refused."""
        with self._command() as parts:
            parts.preferences.set_self_trade(account_uid, strategy)

    def set_trading_enabled(self, master_uid: str, sub_uid: str, enabled: bool) -> None:
        """Refused `notFound` when it is no subaccount of the master."""
        with self._command() as parts:
            parts.preferences.set_trading_enabled(master_uid, sub_uid, enabled)

    def assignment_add(self, participant: Participant) -> Participant:
        """Enters the assignment programme; `id` and `added` are given here. Refused `invalidArgument`."""
        with self._command() as parts:
            return parts.assignment.add(participant)

    def assignment_delete(self, account_uid: str, number: int) -> Participant:
        """Refused `notFound`."""
        with self._command() as parts:
            return parts.assignment.delete(account_uid, number)

    def assignments(self, account_uid: str) -> Sequence[Participant]:
        """All there ever were, ascending; `deleted` tells which are gone."""
        return self._parts.assignment.of(account_uid)

    # --- money -------------------------------------------------------------------------------------------------

    def transfer(self, account_uid: str, *, source: str, target: str, unit: str, amount: Decimal) -> Transfer:
        """Between own wallets. Refused insufficientFunds, invalidAccount, invalidAmount, invalidUnit."""
        with self._command() as parts:
            return parts.money.transfer(account_uid, source, target, unit, amount)

    def transfer_subaccount(
        self,
        account_uid: str,
        *,
        from_user: str,
        to_user: str,
        source: str,
        target: str,
        unit: str,
        amount: Decimal,
    ) -> Transfer:
        """`from_user` and `to_user` are account uids; the caller is master of whatever is not itself."""
        with self._command() as parts:
            giver = parts.money.family(account_uid, from_user)
            taker = parts.money.family(account_uid, to_user)
            return parts.money.transfer(giver, source, target, unit, amount, to=taker)

    def withdraw(self, account_uid: str, *, currency: str, amount: Decimal, source: str = "cash") -> Withdrawal:
        """To the owner's spot wallet, which is not simulated: the money leaves."""
        with self._command() as parts:
            return parts.money.withdraw(account_uid, currency, amount, source)

    # --- public ------------------------------------------------------------------------------------------------

    def instruments(self, *, expired: bool = False) -> Sequence[Instrument]:
        parts = self._parts
        return list(parts.floor.expired.values()) if expired else [m.instrument for m in parts.floor.markets.values()]

    def instrument(self, symbol: str) -> Instrument | None:
        """By upper-case symbol; expired contracts are gone."""
        market = self._parts.floor.markets.get(symbol)
        return market.instrument if market else None

    def account_levels(self, account_uid: str, symbol: str) -> Sequence[MarginLevel]:
        """The account's own ladder (`trading/instruments`)."""
        return self._parts.floor.market(symbol).instrument.levels

    def statuses(self) -> Sequence[InstrumentStatus]:
        return [market.status for market in self._parts.floor.markets.values()]

    def tickers(self) -> Sequence[Ticker]:
        return [self._parts.tickers.ticker(market) for market in self._parts.floor.markets.values()]

    def ticker(self, symbol: str) -> Ticker:
        return self._parts.tickers.ticker(self._parts.floor.market(symbol))

    def book(self, symbol: str) -> BookView:
        """The whole book; `seq` is that of the last delta told."""
        return self._parts.floor.market(symbol).view(self._parts.floor.now)

    def trades(self, symbol: str, *, before: datetime | None = None, limit: int = 100) -> Sequence[TradePrint]:
        """Newest first; about the last hours."""
        return self._parts.floor.market(symbol).tape_before(before, limit)

    def market_orders(
        self, symbol: str, *, since: datetime | None = None, before: datetime | None = None, limit: int = 1000
    ) -> Sequence[MarketOrder]:
        """What came into the book and left it unfilled, newest first; about the last minutes."""
        return self._parts.floor.market(symbol).orders_between(since, before, limit)

    def analytics(self, symbol: str, kind: str, *, since: int, until: int, interval: int) -> Analytics:
        """Epoch seconds; kinds and the shape of `data` as the charts reference has them. Refused `notFound`."""
        parts = self._parts
        return parts.analytics.series(parts.floor.market(symbol), kind, since, until, interval)

    def candle_symbols(self, tick_type: str) -> Sequence[str]:
        """`tick_type`: trade, mark, spot."""
        return self._parts.charts.symbols(tick_type)

    def candles(
        self,
        tick_type: str,
        symbol: str,
        resolution: str,
        *,
        since: int | None,
        until: int | None,
        count: int = 2000,
    ) -> tuple[Sequence[Candle], bool]:
        """Ascending, running candle included; the flag says that the range was cut. `since`, `until`: epoch
        seconds. Refused `notFound` for the symbol, `invalidArgument` for the resolution or the tick type."""
        return self._parts.charts.candles(tick_type, symbol, resolution, since, until, count)

    def funding_rates(self, symbol: str) -> Sequence[FundingRate]:
        """Ascending, hourly, 90 days. Refused `invalidArgument` when not a perpetual."""
        parts = self._parts
        return parts.funding.history(parts.floor.market(symbol), parts.charts)

    def open_interest(self, symbol: str, *, since: int, until: int, interval: int) -> Sequence[Candle]:
        """Epoch seconds; `volume` is 0."""
        return self._parts.charts.open_interest(self._parts.floor.market(symbol), since, until, interval)

    def notifications(self) -> Sequence[Notification]:
        return list(self._notifications)

    # --- control (/demo) ---------------------------------------------------------------------------------------

    def fund(self, account_uid: str, *, wallet: str, currency: str, amount: Decimal) -> Decimal:
        """The faucet; returns the new balance. Refused invalidAccount, invalidUnit, invalidAmount."""
        with self._command() as parts:
            parts.floor.account(account_uid)
            return parts.bank.fund(account_uid, wallet, currency, amount)

    def set_mark(self, symbol: str, *, price: Decimal | None = None, percent: Decimal | None = None) -> Decimal:
        """Moves index and mark and holds them; returns the mark. `percent` is relative to the mark now."""
        with self._command() as parts:
            market = parts.floor.market(symbol)
            wanted = price if price is not None else market.mark * (1 + (percent or Decimal(0)) / 100)
            if not wanted.is_finite() or wanted < market.instrument.tick:
                raise Refused("invalidArgument")
            parts.simulation.hold(market, wanted.quantize(market.mark_step) if price is None else wanted)
            parts.simulation.watch_now()
            parts.memory.save()
            return market.mark

    def release_mark(self, symbol: str | None = None) -> None:
        """The walk goes on from where it was held. None: all."""
        with self._command() as parts:
            markets = parts.floor.markets
            for market in [parts.floor.market(symbol)] if symbol else markets.values():
                parts.simulation.release(market)
            parts.memory.save()

    def advance(self, seconds: Decimal) -> datetime:
        """Jumps and catches up: every funding hour and maturity in between happens. Returns the new time."""
        with self._command() as parts:
            parts.clock.advance(seconds)
            parts.simulation.catch_up(parts.clock.micros())
            parts.memory.save()
        return self.now()

    def set_speed(self, speed: Decimal) -> None:
        with self._command() as parts:
            parts.clock.set_speed(speed)
            parts.memory.save()

    def speed(self) -> Decimal:
        return self._parts.clock.speed

    def set_status(
        self,
        symbol: str,
        *,
        suspended: bool | None = None,
        post_only: bool | None = None,
        maker_protection_ms: int | None = None,
        margin_multiplier: int | None = None,
        dislocation: str | None = None,
    ) -> InstrumentStatus:
        """`dislocation`: ABOVE_UPPER_BOUND, BELOW_LOWER_BOUND, or "" for none."""
        changes = {
            "suspended": suspended,
            "post_only": post_only,
            "maker_protection_ms": maker_protection_ms,
            "margin_multiplier": margin_multiplier,
        }
        with self._command() as parts:
            market = parts.floor.market(symbol)
            wanted: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
            if dislocation is not None:
                wanted["dislocation"] = dislocation or None
            if margin_multiplier is not None:
                wanted["extreme_volatility"] = margin_multiplier > 1
            market.status = msgspec.structs.replace(market.status, **wanted)
            if market.status.suspended:
                parts.simulation.makers[symbol].withdraw()
            parts.floor.publish_book(market)
            parts.floor.ring(InstrumentsChanged())
            parts.memory.save()
            return market.status

    def notify(self, notification: Notification) -> None:
        self._notifications.append(notification)

    def ledger(self, account_uid: str) -> Ledger:
        return self._parts.history.ledger(account_uid)

    @staticmethod
    def _one_of_batch(
        parts: Parts, uid: str, wish: OrderWish | EditWish | CancelWish, process_before: datetime | None
    ) -> OrderResult:
        if process_before is not None:
            wish = msgspec.structs.replace(wish, process_before=process_before)
        if isinstance(wish, OrderWish):
            return parts.orders.send(uid, wish)
        if isinstance(wish, EditWish):
            return parts.edits.edit(uid, wish)
        return parts.cancels.cancel(uid, wish)
