"""The exchange as its doors see it: one object, one thread, no I/O but its own database.

Every command returns after what it did is committed. Listeners hear of it after the commit, before the return.
`Refused` carries Kraken's word for whatever is not an order status.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from demovenue.events import Listener
from demovenue.values import (
    Account,
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
    Notification,
    Order,
    OrderResult,
    OrderWish,
    PositionView,
    SignUp,
    Ticker,
    TradePrint,
    Transfer,
    WalletsView,
    Withdrawal,
)


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
        raise NotImplementedError

    # --- running -----------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let demo time catch up: market, triggers, funding, liquidations, maturities. Bounded work."""
        raise NotImplementedError

    async def run(self) -> None:
        """`step` some twenty times a second until cancelled."""
        raise NotImplementedError

    def close(self) -> None:
        """Commit and let go of the database."""
        raise NotImplementedError

    def subscribe(self, listener: Listener) -> None:
        raise NotImplementedError

    def unsubscribe(self, listener: Listener) -> None:
        raise NotImplementedError

    def now(self) -> datetime:
        """Demo time, aware UTC: the `serverTime` of every answer."""
        raise NotImplementedError

    # --- people and keys ---------------------------------------------------------------------------------------

    def sign_up(self) -> SignUp:
        """A new funded account: cash, flex and single-collateral wallets. About 30 ms (argon2)."""
        raise NotImplementedError

    def sign_in(self, email: str, password: str) -> Account | None:
        """None when the e-mail or the password is wrong; takes as long either way."""
        raise NotImplementedError

    def account(self, uid: str) -> Account | None:
        raise NotImplementedError

    def create_key(self, account_uid: str, *, general: str, withdrawal: str) -> Key:
        """`general`: none, read, full; `withdrawal`: none, full. Refused `tooManyKeys` beyond 50."""
        raise NotImplementedError

    def keys(self, account_uid: str) -> Sequence[Key]:
        raise NotImplementedError

    def key(self, public: str) -> Key | None:
        """For verifying a signature. None for a revoked or unknown key."""
        raise NotImplementedError

    def revoke_key(self, account_uid: str, public: str) -> bool:
        raise NotImplementedError

    def subaccounts(self, account_uid: str) -> Sequence[Account]:
        raise NotImplementedError

    def open_subaccount(self, master_uid: str) -> SignUp:
        """A subaccount without money, with its own sign-in and keys."""
        raise NotImplementedError

    # --- orders ------------------------------------------------------------------------------------------------

    def send_order(self, account_uid: str, wish: OrderWish, *, fault: str | None = None) -> OrderResult:
        """`fault`: None, `fill_at_once`, `partial_fill` (a resting order is hit at its own price by the house) or
        `unknown_fill_type` (its fills carry a type no client knows). Refused `notFound`… never: see the status.
        An unknown symbol is Refused `invalidArgument`."""
        raise NotImplementedError

    def edit_order(self, account_uid: str, wish: EditWish) -> OrderResult:
        raise NotImplementedError

    def cancel_order(self, account_uid: str, wish: CancelWish) -> OrderResult:
        raise NotImplementedError

    def cancel_all(self, account_uid: str, symbol: str | None = None) -> CancelAllResult:
        raise NotImplementedError

    def batch(
        self,
        account_uid: str,
        wishes: Sequence[OrderWish | EditWish | CancelWish],
        *,
        process_before: datetime | None = None,
    ) -> Sequence[OrderResult]:
        """One result per wish, in order, applied in order, not atomic, one commit."""
        raise NotImplementedError

    def cancel_all_after(self, account_uid: str, seconds: int) -> datetime | None:
        """Arms the dead man's switch; 0 disarms (None). Returns when it fires."""
        raise NotImplementedError

    def order_status(
        self, account_uid: str, order_ids: Sequence[str], cli_ord_ids: Sequence[str]
    ) -> Sequence[Order]:
        """Orders open now or finished within the last 5 seconds (rejected ones too); unknown ids are left out."""
        raise NotImplementedError

    def open_orders(self, account_uid: str) -> Sequence[Order]:
        """Newest first, triggers included."""
        raise NotImplementedError

    # --- the account -------------------------------------------------------------------------------------------

    def wallets(self, account_uid: str) -> WalletsView:
        raise NotImplementedError

    def positions(self, account_uid: str) -> Sequence[PositionView]:
        """Newest fill first."""
        raise NotImplementedError

    def fills(self, account_uid: str, *, before: datetime | None = None, limit: int = 100) -> Sequence[Fill]:
        """Newest first."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    def volume_30d(self, account_uid: str) -> Decimal:
        """USD traded in the last 30 days of demo time."""
        raise NotImplementedError

    def unwind_queue(self, account_uid: str) -> Sequence[tuple[str, int]]:
        """(symbol, percentile) of every open position."""
        raise NotImplementedError

    def initial_margin_of(
        self, account_uid: str, *, symbol: str, side: str, size: Decimal, price: Decimal
    ) -> tuple[Decimal, Decimal]:
        """What an order would need, and the estimated liquidation price after it filled (0: none)."""
        raise NotImplementedError

    def max_order_size(self, account_uid: str, *, symbol: str, side: str, price: Decimal) -> Decimal:
        raise NotImplementedError

    # --- preferences -------------------------------------------------------------------------------------------

    def set_max_leverage(self, account_uid: str, symbol: str, leverage: Decimal | None) -> None:
        """None: cross. Refused with number 41, 87, 88 or 92."""
        raise NotImplementedError

    def set_pnl_currency(self, account_uid: str, symbol: str, currency: str) -> None:
        """Refused with number 87, 88, 89 or 90."""
        raise NotImplementedError

    def set_self_trade(self, account_uid: str, strategy: str) -> None:
        """REJECT_TAKER, CANCEL_MAKER_SELF, CANCEL_MAKER_CHILD, CANCEL_MAKER_ANY, or Refused."""
        raise NotImplementedError

    def set_trading_enabled(self, master_uid: str, sub_uid: str, enabled: bool) -> None:
        """Refused `notFound` when it is no subaccount of the master."""
        raise NotImplementedError

    # --- money -------------------------------------------------------------------------------------------------

    def transfer(self, account_uid: str, *, source: str, target: str, unit: str, amount: Decimal) -> Transfer:
        """Between own wallets. Refused insufficientFunds, invalidAccount, invalidAmount, invalidUnit."""
        raise NotImplementedError

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
        raise NotImplementedError

    def withdraw(self, account_uid: str, *, currency: str, amount: Decimal, source: str = "cash") -> Withdrawal:
        """To the owner's spot wallet, which is not simulated: the money leaves."""
        raise NotImplementedError

    # --- public ------------------------------------------------------------------------------------------------

    def instruments(self, *, expired: bool = False) -> Sequence[Instrument]:
        raise NotImplementedError

    def instrument(self, symbol: str) -> Instrument | None:
        """By upper-case symbol; expired contracts are gone."""
        raise NotImplementedError

    def account_levels(self, account_uid: str, symbol: str) -> Sequence[MarginLevel]:
        """The account's own ladder (`trading/instruments`)."""
        raise NotImplementedError

    def statuses(self) -> Sequence[InstrumentStatus]:
        raise NotImplementedError

    def tickers(self) -> Sequence[Ticker]:
        raise NotImplementedError

    def ticker(self, symbol: str) -> Ticker:
        raise NotImplementedError

    def book(self, symbol: str) -> BookView:
        """The whole book; `seq` is that of the last delta told."""
        raise NotImplementedError

    def trades(self, symbol: str, *, before: datetime | None = None, limit: int = 100) -> Sequence[TradePrint]:
        """Newest first; about the last hours."""
        raise NotImplementedError

    def candle_symbols(self, tick_type: str) -> Sequence[str]:
        """`tick_type`: trade, mark, spot."""
        raise NotImplementedError

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
        raise NotImplementedError

    def funding_rates(self, symbol: str) -> Sequence[FundingRate]:
        """Ascending, hourly, 90 days. Refused `invalidArgument` when not a perpetual."""
        raise NotImplementedError

    def open_interest(self, symbol: str, *, since: int, until: int, interval: int) -> Sequence[Candle]:
        """Epoch seconds; `volume` is 0."""
        raise NotImplementedError

    def notifications(self) -> Sequence[Notification]:
        raise NotImplementedError

    # --- control (/demo) ---------------------------------------------------------------------------------------

    def fund(self, account_uid: str, *, wallet: str, currency: str, amount: Decimal) -> Decimal:
        """The faucet; returns the new balance. Refused invalidAccount, invalidUnit, invalidAmount."""
        raise NotImplementedError

    def set_mark(self, symbol: str, *, price: Decimal | None = None, percent: Decimal | None = None) -> Decimal:
        """Moves index and mark and holds them; returns the mark. `percent` is relative to the mark now."""
        raise NotImplementedError

    def release_mark(self, symbol: str | None = None) -> None:
        """The walk goes on from where it was held. None: all."""
        raise NotImplementedError

    def advance(self, seconds: Decimal) -> datetime:
        """Jumps and catches up: every funding hour and maturity in between happens. Returns the new time."""
        raise NotImplementedError

    def set_speed(self, speed: Decimal) -> None:
        raise NotImplementedError

    def speed(self) -> Decimal:
        raise NotImplementedError

    def set_status(
        self,
        symbol: str,
        *,
        suspended: bool | None = None,
        post_only: bool | None = None,
        maker_protection_ms: int | None = None,
        margin_multiplier: int | None = None,
    ) -> InstrumentStatus:
        raise NotImplementedError

    def notify(self, notification: Notification) -> None:
        raise NotImplementedError

    def ledger(self, account_uid: str) -> Ledger:
        raise NotImplementedError
