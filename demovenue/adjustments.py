"""Money that moves without a trade: what the house gives and takes by hand, interest, and fee credits.

The account log knows these kinds; what brings them about is not published, so it is decided here.
"""

from __future__ import annotations

from decimal import Decimal

from demovenue.bank import CREDITS, Bank
from demovenue.events import PositionsChanged
from demovenue.floor import Floor
from demovenue.margin import Margin
from demovenue.sums import booked, is_sane
from demovenue.values import LogEntry, Refused

# kind of the row → may be given, may be taken, the house's counter-account
KINDS = {
    "admin transfer": (True, True, "admin"),
    "tax withheld": (False, True, "tax"),
    "tax refund": (True, False, "tax"),
    "interest payment": (True, True, "interest"),
}
UNCOVERED_FREE = Decimal(30_000)  # USD of unrealised loss beyond the USD at hand that cost nothing
INTEREST_YEAR = Decimal("0.08")
HOURS_A_YEAR = 8760


class Adjustments:
    def __init__(self, floor: Floor, bank: Bank, margin: Margin) -> None:
        self._floor = floor
        self._bank = bank
        self._margin = margin

    def adjust(self, uid: str, kind: str, wallet: str, currency: str, amount: Decimal) -> LogEntry:
        """Given if above zero, taken if below. Refused invalidArgument (kind), invalidAccount, invalidUnit,
        invalidAmount, insufficientFunds."""
        self._floor.account(uid)
        if kind not in KINDS:
            raise Refused("invalidArgument")
        gives, takes, counter = KINDS[kind]
        if currency == CREDITS:
            self._check_credits(kind, wallet, amount)
        else:
            self._bank.check(wallet, currency, abs(amount) if is_sane(amount) else amount)
        if (amount > 0 and not gives) or (amount < 0 and not takes):
            raise Refused("invalidAmount")
        if amount < 0 and -amount > self._free(uid, wallet, currency):
            raise Refused("insufficientFunds")
        if wallet != "cash":
            self._floor.ring(PositionsChanged(account_uid=uid))
        return self._bank.book(uid, wallet, currency, {counter: amount}, kind)

    @staticmethod
    def _check_credits(kind: str, wallet: str, amount: Decimal) -> None:
        if kind != "admin transfer" or wallet != "flex":
            raise Refused("invalidUnit")
        if not is_sane(amount) or not amount or amount != booked(CREDITS, amount):
            raise Refused("invalidAmount")

    def _free(self, uid: str, wallet: str, currency: str) -> Decimal:
        if currency == CREDITS:
            return self._bank.balance(uid, wallet, currency)
        return self._margin.can_leave(uid, wallet, currency)

    # --- on the hour -------------------------------------------------------------------------------------------

    def charge_interest(self) -> None:
        """A large unrealised loss that no USD covers is lent: interest on all of it, for the hour that ended."""
        for uid in [uid for uid, held in self._floor.positions.items() if held]:
            unrealised = self._margin.flex(uid).total_unrealized
            uncovered = -(self._bank.balance(uid, "flex", "usd") + unrealised)
            if unrealised < 0 and uncovered > UNCOVERED_FREE:
                interest = booked("usd", uncovered * INTEREST_YEAR / HOURS_A_YEAR)
                self._bank.book(uid, "flex", "usd", {"interest": -interest}, "interest payment")
                self._bank.cover_debt(uid)
