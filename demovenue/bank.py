"""Who owns how much, and the account log that explains it.

Double entry: what a person gains, a counter-account of the house loses, so every currency sums to zero over the whole
exchange. Only people have a log; a person's balance is the sum of it.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

from demovenue.events import BalancesChanged, Logged
from demovenue.floor import HOUSE, Floor
from demovenue.sums import USD_STEP, booked, is_sane
from demovenue.values import LogEntry, Refused

ZERO = Decimal(0)
HAIRCUTS = {
    "usd": ZERO,
    "usdt": Decimal("0.01"),
    "usdc": Decimal("0.01"),
    "eur": Decimal("0.01"),
    "gbp": Decimal("0.01"),
    "xbt": Decimal("0.03"),
    "eth": Decimal("0.065"),
    "sol": Decimal("0.1"),
    "xrp": Decimal("0.1"),
    "ltc": Decimal("0.1"),
}
CASH_LIKE = {"usdt", "usdc", "eur", "gbp"}
FIXED_PRICES = {
    "usd": Decimal(1),
    "usdt": Decimal(1),
    "usdc": Decimal(1),
    "eur": Decimal("1.08"),
    "gbp": Decimal("1.27"),
}
CREDITS = "fee"  # KFEE, which only pay fees
CREDIT_USD = Decimal("0.01")
COINS = ("xbt", "eth", "sol", "xrp", "ltc")
HELD = ("usd", *COINS, *(currency for currency in HAIRCUTS if currency not in {"usd", *COINS}))
INDEX_OF = {coin: f"PF_{coin.upper()}USD" for coin in COINS}
MARGIN_WALLETS = {f"fi_{coin}usd": coin for coin in ("xbt", "eth", "ltc", "xrp")}


def spread(currency: str) -> Decimal:
    """The share lost when the currency is sold to settle something."""
    if currency == "usd":
        return ZERO
    return Decimal("0.0005") if currency in CASH_LIKE else Decimal("0.005")


def wallet_takes(wallet: str, currency: str) -> bool:
    if wallet in {"cash", "flex"}:
        return currency in HAIRCUTS
    return MARGIN_WALLETS.get(wallet) == currency


class Bank:
    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    # --- reading -----------------------------------------------------------------------------------------------

    def balance(self, uid: str, wallet: str, currency: str) -> Decimal:
        return self._floor.balances.get((uid, wallet, currency), ZERO)

    def wallet(self, uid: str, wallet: str) -> dict[str, Decimal]:
        """Currency → amount, in the order of first arrival; every currency that was ever there."""
        balances = self._floor.balances
        known = HELD if wallet in {"cash", "flex"} else (MARGIN_WALLETS[wallet],)
        return {currency: balances[uid, wallet, currency] for currency in known if (uid, wallet, currency) in balances}

    def price(self, currency: str) -> Decimal:
        """USD index of one unit."""
        fixed = FIXED_PRICES.get(currency)
        return fixed if fixed is not None else self._floor.markets[INDEX_OF[currency]].index

    def haircut(self, currency: str) -> Decimal:
        return HAIRCUTS[currency]

    # --- booking -----------------------------------------------------------------------------------------------

    def book(
        self,
        uid: str,
        wallet: str,
        currency: str,
        counters: dict[str, Decimal],
        info: str,
        **columns: Any,
    ) -> LogEntry:
        """Moves money and writes the row. `counters`: house account → what the person gets from it (negative: gives);
        every part is already rounded to what the log keeps."""
        change = sum(counters.values(), ZERO)
        old = self.balance(uid, wallet, currency)
        self._put(uid, wallet, currency, old + change)
        for counter, part in counters.items():
            self._put(HOUSE, counter, currency, self.balance(HOUSE, counter, currency) - part)
        self._floor.ring(BalancesChanged(account_uid=uid, wallet=wallet))
        return self.log(uid, wallet, currency, old, old + change, info, **columns)

    def log(
        self, uid: str, wallet: str, asset: str, old: Decimal, new: Decimal, info: str, **columns: Any
    ) -> LogEntry:
        """A row of the account log; also for positions, where no money moves."""
        floor = self._floor
        number = floor.log_ids.get(uid, 0) + 1
        floor.log_ids[uid] = number
        entry = LogEntry(
            account_uid=uid,
            id=number,
            at=floor.now,
            asset=asset,
            info=info,
            booking_uid=floor.ids.other(),
            margin_account=wallet,
            old_balance=old,
            new_balance=new,
            **columns,
        )
        floor.store.add_log(entry)
        floor.tell(Logged(account_uid=uid, entry=entry))
        return entry

    def _put(self, uid: str, wallet: str, currency: str, amount: Decimal) -> None:
        self._floor.balances[uid, wallet, currency] = amount
        self._floor.store.save_balance(uid, wallet, currency, amount)

    # --- moving ------------------------------------------------------------------------------------------------

    def fund(self, uid: str, wallet: str, currency: str, amount: Decimal) -> Decimal:
        """From the faucet, as a transfer from the owner's spot wallet would arrive."""
        self.check(wallet, currency, amount)
        self.book(uid, wallet, currency, {"faucet": amount}, "cross-exchange transfer")
        return self.balance(uid, wallet, currency)

    def move(
        self, source: tuple[str, str], target: tuple[str, str], currency: str, amount: Decimal, info: str
    ) -> None:
        """Between wallets, (account, wallet) to (account, wallet); the caller has checked what may leave."""
        for (uid, wallet), part in ((source, -amount), (target, amount)):
            self.book(uid, wallet, currency, {"transit": part}, info)

    def withdraw(self, uid: str, wallet: str, currency: str, amount: Decimal, reference: str) -> None:
        self.book(uid, wallet, currency, {"spot": -amount}, "cross-exchange transfer", execution=reference)

    @staticmethod
    def check(wallet: str, currency: str, amount: Decimal) -> None:
        if wallet not in {"cash", "flex", *MARGIN_WALLETS}:
            raise Refused("invalidAccount")
        if not wallet_takes(wallet, currency):
            raise Refused("invalidUnit")
        if not is_sane(amount) or amount <= 0 or amount != booked(currency, amount):
            raise Refused("invalidAmount")

    def cover_debt(self, uid: str) -> None:
        """A negative USD balance is settled by selling other currencies, the least haircut first."""
        if self.balance(uid, "flex", "usd") >= 0:
            return
        for currency in sorted(HAIRCUTS, key=lambda c: HAIRCUTS[c]):
            debt = -self.balance(uid, "flex", "usd")
            if debt <= 0:
                return
            held = self.balance(uid, "flex", currency)
            if currency != "usd" and held > 0:
                self._convert(uid, currency, held, debt)

    def _convert(self, uid: str, currency: str, held: Decimal, debt: Decimal) -> None:
        lost = spread(currency)
        net_price = self.price(currency) * (1 - lost)
        sold = min(held, booked(currency, debt / net_price) + Decimal("1E-8"))
        gained = booked("usd", sold * net_price)
        shown = {"conversion_spread_percentage": lost * 100}
        self.book(uid, "flex", currency, {"clearing": -sold}, "conversion", **shown)
        self.book(uid, "flex", "usd", {"clearing": gained}, "conversion", **shown)

    def pay_profit_in(self, uid: str, currency: str, usd: Decimal) -> None:
        """A realised profit changes into the currency the holder chose, at the index less the spread."""
        lost = spread(currency)
        bought = booked(currency, usd * (1 - lost) / self.price(currency))
        shown = {"conversion_spread_percentage": lost * 100}
        self.book(uid, "flex", "usd", {"clearing": -usd}, "conversion", **shown)
        self.book(uid, "flex", currency, {"clearing": bought}, "conversion", **shown)

    def spend_credits(self, uid: str, fee: Decimal) -> None:
        """A fee in USD comes back as far as fee credits pay for it."""
        held = self.balance(uid, "flex", CREDITS)
        if held <= 0 or fee <= 0:
            return
        paid = min(fee, (held * CREDIT_USD).quantize(USD_STEP, ROUND_DOWN))
        self.book(uid, "flex", CREDITS, {"credits": -paid / CREDIT_USD}, "kfee applied")
        self.book(uid, "flex", "usd", {"fees": paid}, "kfee applied")

    def forgive(self, uid: str, wallet: str, currency: str) -> None:
        """Nobody owes the exchange: the insurance fund pays what is missing after a liquidation."""
        missing = -self.balance(uid, wallet, currency)
        if missing > 0:
            self.book(uid, wallet, currency, {"insurance": missing}, "covered liquidation")
