"""What an account decides: preferences, the assignment programme, where its money lies."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from demovenue.facade.base import Calls
from demovenue.values import Participant, Transfer, Withdrawal


class ChoiceCalls(Calls):
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
