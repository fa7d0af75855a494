"""What an account needs and has: initial and maintenance margin, equity, liquidation prices.

Within one underlying and wallet longs and shorts net as the larger of both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from demovenue import sums
from demovenue.bank import MARGIN_WALLETS, Bank, spread
from demovenue.floor import Floor
from demovenue.market import Market
from demovenue.needs import Need, Needs, Wanted
from demovenue.values import FlexCurrency, FlexView, MarginView, Position, PositionView, WalletsView

ZERO = Decimal(0)
MAINTENANCE_OF_INITIAL = {"lt": Decimal("0.375"), "tt": Decimal("0.25")}


class Margin:
    def __init__(self, floor: Floor, bank: Bank) -> None:
        self._floor = floor
        self._bank = bank
        self._needs = Needs(floor)

    # --- one market --------------------------------------------------------------------------------------------

    def pnl(self, position: Position) -> Decimal:
        market = self._floor.markets[position.symbol]
        return sums.profit(market.instrument.inverse, position.size, position.entry, market.mark)

    def funding(self, position: Position) -> Decimal:
        """Accrued since it was last realised; what the holder would receive."""
        market = self._floor.markets[position.symbol]
        if not market.instrument.perpetual:
            return ZERO
        seconds = Decimal((self._floor.now - position.funded).total_seconds())
        return sums.funding_due(position.size, market.funding_rate, seconds)

    def _total(self, uid: str, needs: dict[str, Need]) -> tuple[Decimal, Decimal, Decimal]:
        """(initial, initial with orders, maintenance): the larger side per underlying; isolated markets alone."""
        isolated = self._floor.accounts[uid].max_leverage
        groups: dict[str, list[Need]] = defaultdict(list)
        for symbol, need in needs.items():
            coin = self._floor.markets[symbol].instrument.coin
            groups[symbol if symbol in isolated else coin].append(need)
        initial = with_orders = maintenance = ZERO
        for members in groups.values():
            # Alone in its underlying, as most are, there is nothing to add up.
            total = (
                members[0] if len(members) == 1 else Need(*(sum(parts, ZERO) for parts in zip(*members, strict=True)))
            )
            initial += max(total.long, total.short)
            with_orders += max(total.long_with_orders, total.short_with_orders)
            maintenance += max(total.maintenance_long, total.maintenance_short)
        return initial, with_orders, maintenance

    def waiting(self, uid: str, market: Market, side: str) -> Decimal:
        """The size of all open orders of a side that could add to the position."""
        waiting = self._needs.waiting(uid, market)
        return waiting.buy_sizes if side == "buy" else waiting.sell_sizes

    # --- one wallet --------------------------------------------------------------------------------------------

    def _held(self, uid: str, wallet: str) -> list[Position]:
        markets = self._floor.markets
        return [p for p in self._floor.positions[uid].values() if markets[p.symbol].instrument.wallet == wallet]

    def flex(self, uid: str) -> FlexView:
        bank = self._bank
        needs = self._needs.of_wallet(uid, "flex")
        initial, with_orders, maintenance = self._total(uid, needs)
        held = self._held(uid, "flex")
        pnl = sum((self.pnl(p) for p in held), ZERO)
        funding = sum((self.funding(p) for p in held), ZERO)
        amounts = bank.wallet(uid, "flex")
        values = {c: amount * bank.price(c) for c, amount in amounts.items()}
        # A debt is not softened by a haircut.
        collateral = {c: v * (1 - bank.haircut(c)) if v > 0 else v for c, v in values.items()}
        as_margin = self._as_margin(uid, held)
        equity = sum(collateral.values(), ZERO) + as_margin
        value = sum(values.values(), ZERO)
        available = equity - with_orders
        size = sum((abs(p.size) * self._floor.markets[p.symbol].mark for p in held), ZERO)
        return FlexView(
            currencies={
                c.upper(): FlexCurrency(
                    quantity=amount,
                    value=values[c],
                    collateral=collateral[c],
                    available=self._leaves(amount, collateral[c], available),
                    haircut=bank.haircut(c),
                    conversion_spread=spread(c),
                )
                for c, amount in amounts.items()
            },
            initial_margin=initial,
            initial_margin_with_orders=with_orders,
            maintenance_margin=maintenance,
            balance_value=value,
            portfolio_value=value + pnl + funding,
            collateral_value=sum(collateral.values(), ZERO),
            pnl=pnl,
            unrealized_funding=funding,
            total_unrealized=pnl + funding,
            total_unrealized_as_margin=as_margin,
            margin_equity=equity,
            available_margin=available,
            effective_leverage=size / equity if equity > 0 else ZERO,
            isolated=tuple(self._floor.accounts[uid].max_leverage),
        )

    def _as_margin(self, uid: str, held: Sequence[Position]) -> Decimal:
        """Profit to be paid in another currency counts after its haircut and the cost of converting."""
        chosen = self._floor.accounts[uid].pnl_currency
        total = ZERO
        for position in held:
            amount = self.pnl(position) + self.funding(position)
            currency = chosen.get(position.symbol, "USD").lower().replace("btc", "xbt")
            if amount > 0 and currency != "usd":
                amount *= (1 - self._bank.haircut(currency)) * (1 - spread(currency))
            total += amount
        return total

    @staticmethod
    def _leaves(amount: Decimal, collateral: Decimal, available: Decimal) -> Decimal:
        """How much of a currency could be moved away."""
        if amount <= 0 or available <= 0 or collateral <= 0:
            return ZERO
        return min(amount, available / (collateral / amount))

    def single(self, uid: str, wallet: str) -> MarginView:
        currency = MARGIN_WALLETS[wallet]
        balance = self._bank.balance(uid, wallet, currency)
        held = self._held(uid, wallet)
        pnl = sum((self.pnl(p) for p in held), ZERO)
        funding = sum((self.funding(p) for p in held), ZERO)
        initial, with_orders, maintenance = self._total(uid, self._needs.of_wallet(uid, wallet))
        pv = balance + pnl + funding
        levels = {"im": with_orders, "mm": maintenance}
        levels |= {name: share * initial for name, share in MAINTENANCE_OF_INITIAL.items()}
        reference = self._floor.markets[held[0].symbol].mark if held else ZERO
        contracts = sum((p.size for p in held), ZERO)
        over_entry = sum((p.size / p.entry for p in held), ZERO)
        requirements = {**levels, "im": initial}
        triggers = {
            name: sums.inverse_trigger(level * reference, contracts, over_entry, balance + funding)
            for name, level in requirements.items()
        }
        return MarginView(
            name=wallet,
            currency=currency,
            balance=balance,
            positions={p.symbol: p.size for p in held},
            pv=pv,
            pnl=pnl,
            af=pv - with_orders,
            funding=funding,
            triggers=triggers,
            **levels,
        )

    def wallets(self, uid: str) -> WalletsView:
        return WalletsView(
            cash=self._bank.wallet(uid, "cash"),
            flex=self.flex(uid),
            margin={name: self.single(uid, name) for name in MARGIN_WALLETS},
        )

    def equity(self, uid: str, wallet: str) -> tuple[Decimal, Decimal]:
        """(equity, maintenance margin) of the cross positions of a wallet: what liquidation watches."""
        if wallet == "flex":
            return self._flex_equity(uid), self._total(uid, self._needs.of_wallet(uid, "flex"))[2]
        single = self.single(uid, wallet)
        return single.pv, single.mm

    def can_leave(self, uid: str, wallet: str, currency: str) -> Decimal:
        """What a transfer or withdrawal may take, not rounded."""
        if wallet == "cash":
            return self._bank.balance(uid, wallet, currency)
        if wallet == "flex":
            held = self.flex(uid).currencies.get(currency.upper())
            return held.available if held else ZERO
        view = self.single(uid, wallet)
        return max(ZERO, min(view.balance, view.af))

    # --- one order ---------------------------------------------------------------------------------------------

    def affords(self, uid: str, wanted: Wanted) -> bool:
        """Would the wallet still hold its initial margin? An order that needs nothing more is always affordable."""
        wallet = self._floor.markets[wanted.symbol].instrument.wallet
        before = self._total(uid, self._needs.of_wallet(uid, wallet))[1]
        after = self._total(uid, self._needs.of_wallet(uid, wallet, wanted))[1]
        return after <= before or after <= self._equity(uid, wallet)

    def objection(self, uid: str, wanted: Wanted, loss: Decimal, *, without: str | None, adds: bool) -> str | None:
        """A status word when the wallet cannot bear one more order. `loss`: what it would lose by trading now (below
        zero), `adds`: whether it would leave a larger position."""
        market = self._floor.markets[wanted.symbol]
        wallet = market.instrument.wallet
        needs = self._needs.of_wallet(uid, wallet, wanted, without)
        after, equity = self._total(uid, needs)[1], self._equity(uid, wallet)
        if after <= equity + min(loss, ZERO):  # maintenance is never more than this
            return None
        _, before, maintenance = self._total(uid, self._needs.of_wallet(uid, wallet))
        if after > before and after > equity:
            return "insufficientAvailableFunds"
        return "wouldCauseLiquidation" if adds and loss < 0 and equity + loss < maintenance else None

    def leverage_too_high(self, uid: str, wanted: Wanted) -> bool:
        """An isolated leverage that the brackets no longer allow for the position that would result."""
        cap = self._floor.accounts[uid].max_leverage.get(wanted.symbol)
        if cap is None:
            return False
        market = self._floor.markets[wanted.symbol]
        held = self._floor.position_size(uid, wanted.symbol)
        size = abs(held + (wanted.size if wanted.buy else -wanted.size))
        amount = sums.notional_usd(market.instrument.inverse, size, wanted.price)
        return size > abs(held) and sums.bracket(market.instrument.levels, amount) > amount / cap

    def _equity(self, uid: str, wallet: str) -> Decimal:
        return self._flex_equity(uid) if wallet == "flex" else self.single(uid, wallet).pv

    def _flex_equity(self, uid: str) -> Decimal:
        """`FlexView.margin_equity` alone: every order asks for it."""
        bank, total = self._bank, self._as_margin(uid, self._held(uid, "flex"))
        for currency, amount in bank.wallet(uid, "flex").items():
            value = amount * bank.price(currency)
            total += value * (1 - bank.haircut(currency)) if value > 0 else value
        return total

    def added_need(self, uid: str, wanted: Wanted) -> Decimal:
        wallet = self._floor.markets[wanted.symbol].instrument.wallet
        before = self._total(uid, self._needs.of_wallet(uid, wallet))[1]
        return self._total(uid, self._needs.of_wallet(uid, wallet, wanted))[1] - before

    def threshold_after(self, uid: str, wanted: Wanted) -> Decimal:
        """Liquidation price of the position that the order would leave; 0 when there is none. Linear only."""
        market = self._floor.markets[wanted.symbol]
        held = self._floor.position_size(uid, wanted.symbol)
        size = held + (wanted.size if wanted.buy else -wanted.size)
        view = self.flex(uid)
        added = sums.bracket(market.instrument.levels, wanted.size * wanted.price, maintenance=True)
        return sums.linear_threshold(market.mark, size, view.margin_equity, view.maintenance_margin + added)

    def largest(self, uid: str, symbol: str, buy: bool, price: Decimal) -> Decimal:
        """The largest affordable size, found by halving; within the position limit."""
        instrument = self._floor.markets[symbol].instrument
        low, high = 0, int(instrument.max_position / instrument.lot)
        while low < high:
            middle = (low + high + 1) // 2
            if self.affords(uid, Wanted(symbol, buy, middle * instrument.lot, price)):
                low = middle
            else:
                high = middle - 1
        return low * instrument.lot

    # --- positions ---------------------------------------------------------------------------------------------

    def position(self, position: Position) -> PositionView:
        uid, symbol = position.account_uid, position.symbol
        market = self._floor.markets[symbol]
        need = self._needs.of(uid, market)
        pnl = self.pnl(position)
        initial = max(need.long, need.short)
        preferences = self._floor.accounts[uid]
        isolated = preferences.max_leverage.get(symbol)
        inverse = market.instrument.inverse
        value = sums.notional_usd(inverse, position.size, market.mark) / (market.mark if inverse else 1)
        equity, maintenance = self.stake(position)
        return PositionView(
            symbol=symbol,
            size=position.size,
            entry=position.entry,
            opened=position.opened,
            mark=market.mark,
            index=market.index,
            pnl=pnl,
            unrealized_funding=self.funding(position),
            initial_margin=initial,
            initial_margin_with_orders=max(need.long_with_orders, need.short_with_orders),
            maintenance_margin=max(need.maintenance_long, need.maintenance_short),
            liquidation_price=self._liquidation_price(position, equity, maintenance),
            effective_leverage=value / equity if equity > 0 else ZERO,
            return_on_equity=pnl / initial if initial else ZERO,
            pnl_currency=None if inverse else preferences.pnl_currency.get(symbol, "USD"),
            max_fixed_leverage=isolated,
        )

    def stake(self, position: Position) -> tuple[Decimal, Decimal]:
        """(equity, maintenance) that decide over this position: its own if isolated, else the wallet's."""
        uid, market = position.account_uid, self._floor.markets[position.symbol]
        if position.symbol not in self._floor.accounts[uid].max_leverage:
            return self.equity(uid, market.instrument.wallet)
        need = self._needs.of(uid, market)
        equity = max(need.long, need.short) + self.pnl(position) + self.funding(position)
        return equity, max(need.maintenance_long, need.maintenance_short)

    def _liquidation_price(self, position: Position, equity: Decimal, maintenance: Decimal) -> Decimal:
        market = self._floor.markets[position.symbol]
        if market.instrument.inverse:
            return self.single(position.account_uid, market.instrument.wallet).triggers["mm"]
        return sums.linear_threshold(market.mark, position.size, equity, maintenance)

    def isolated_in_danger(self, position: Position) -> bool:
        equity, maintenance = self.stake(position)
        return equity < maintenance
