"""What an account chose: isolated leverage, the currency of profits, the self-trade strategy."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from demovenue.bank import HAIRCUTS
from demovenue.events import AccountChanged, PositionsChanged
from demovenue.floor import Floor
from demovenue.margin import Margin
from demovenue.market import Market
from demovenue.sums import is_sane
from demovenue.values import Account, Refused

STRATEGIES = {"REJECT_TAKER", "CANCEL_MAKER_SELF", "CANCEL_MAKER_CHILD", "CANCEL_MAKER_ANY"}
PNL_CURRENCIES = {"USD", "EUR", "GBP", "USDC", "USDT", "BTC", "ETH"}
WOULD_LIQUIDATE, NO_CONTRACT, NOT_FLEX, NO_CURRENCY, NOT_ENABLED, NO_MARGIN = 41, 87, 88, 89, 90, 92


class Preferences:
    def __init__(self, floor: Floor, margin: Margin, holds_for: Callable[[str], bool]) -> None:
        """`holds_for`: does an order of the account wait outside the book?"""
        self._floor = floor
        self._margin = margin
        self._holds_for = holds_for

    def _flex_market(self, symbol: str) -> Market:
        market = self._floor.markets.get(symbol)
        if market is None:
            raise Refused("CONTRACT_DOES_NOT_EXIST", NO_CONTRACT)
        if market.instrument.inverse:
            raise Refused("CONTRACT_NOT_FLEX_FUTURES", NOT_FLEX)
        return market

    def set_max_leverage(self, uid: str, symbol: str, leverage: Decimal | None) -> None:
        market, account = self._flex_market(symbol), self._floor.account(uid)
        if self._holds_for(uid):
            raise Refused("Unavailable")  # the reference says refused, not how
        chosen = {key: cap for key, cap in account.max_leverage.items() if key != symbol}
        if leverage is not None:
            if not is_sane(leverage) or not 0 < leverage <= 1 / market.instrument.levels[0].initial:
                raise Refused("invalidArgument")
            chosen[symbol] = leverage
        self._change(account, max_leverage=chosen)
        view = self._margin.flex(uid)
        if view.available_margin < 0:
            self._change(account)
            raise Refused("INSUFFICIENT_MARGIN", NO_MARGIN)
        position = self._floor.position(uid, symbol)
        if position is not None and leverage is not None and self._margin.isolated_in_danger(position):
            self._change(account)
            raise Refused("WOULD_CAUSE_LIQUIDATION", WOULD_LIQUIDATE)
        self._floor.ring(PositionsChanged(account_uid=uid))

    def set_pnl_currency(self, uid: str, symbol: str, currency: str) -> None:
        self._flex_market(symbol)
        word = "BTC" if currency.upper() == "XBT" else currency.upper()
        if word.lower().replace("btc", "xbt") not in HAIRCUTS:
            raise Refused("CURRENCY_DOES_NOT_EXIST", NO_CURRENCY)
        if word not in PNL_CURRENCIES:
            raise Refused("CURRENCY_NOT_MULTI_COLLATERAL", NOT_ENABLED)
        account = self._floor.account(uid)
        self._change(account, pnl_currency={**account.pnl_currency, symbol: word})

    def set_self_trade(self, uid: str, strategy: str) -> None:
        if strategy not in STRATEGIES:
            raise Refused("invalidArgument")
        self._change(self._floor.account(uid), self_trade=strategy)

    def set_trading_enabled(self, master_uid: str, sub_uid: str, enabled: bool) -> None:
        account = self._floor.accounts.get(sub_uid)
        if account is None or account.master_uid != master_uid:
            raise Refused("notFound")
        self._change(account, trading_enabled=enabled)

    def _change(self, account: Account, **changes: object) -> None:
        self._floor.save_account(msgspec.structs.replace(account, **changes))
        self._floor.ring(AccountChanged(account_uid=account.uid))
