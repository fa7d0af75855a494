"""Moving money: between own wallets, between an account and its subaccounts, out to the spot wallet."""

from __future__ import annotations

from decimal import Decimal

from demovenue.bank import MARGIN_WALLETS, Bank
from demovenue.events import PositionsChanged
from demovenue.floor import Floor
from demovenue.margin import Margin
from demovenue.values import Refused, Transfer, Withdrawal


class Money:
    def __init__(self, floor: Floor, bank: Bank, margin: Margin) -> None:
        self._floor = floor
        self._bank = bank
        self._margin = margin

    def transfer(
        self, uid: str, source: str, target: str, unit: str, amount: Decimal, *, to: str | None = None
    ) -> Transfer:
        """`to`: another account's uid. Funds go between cash and a wallet of the same currency, or two such."""
        receiver = to or uid
        for wallet in (source, target):
            self._bank.check(wallet, unit, amount)
        if source == target and receiver == uid:
            raise Refused("invalidAccount")
        self._require(uid, source, unit, amount)
        info = "subaccount transfer" if receiver != uid else "transfer"
        self._bank.move((uid, source), (receiver, target), unit, amount, info)
        self._ring(uid, source)
        self._ring(receiver, target)
        transfer = Transfer(
            uid=self._floor.ids.other(),
            account_uid=uid,
            from_wallet=source,
            to_wallet=target,
            currency=unit,
            amount=amount,
            at=self._floor.now,
            other_account_uid=receiver if receiver != uid else None,
        )
        self._floor.store.add_transfer(transfer)
        return transfer

    def withdraw(self, uid: str, currency: str, amount: Decimal, source: str) -> Withdrawal:
        self._bank.check(source, currency, amount)
        self._require(uid, source, currency, amount)
        withdrawal = Withdrawal(
            uid=self._floor.ids.other(),
            account_uid=uid,
            currency=currency,
            amount=amount,
            source_wallet=source,
            at=self._floor.now,
        )
        self._bank.withdraw(uid, source, currency, amount, withdrawal.uid)
        self._ring(uid, source)
        self._floor.store.add_withdrawal(withdrawal)
        return withdrawal

    def _require(self, uid: str, wallet: str, currency: str, amount: Decimal) -> None:
        if amount > self._margin.can_leave(uid, wallet, currency):
            raise Refused("insufficientFunds")

    def _ring(self, uid: str, wallet: str) -> None:
        """Margin moved under the positions of the wallet."""
        if wallet == "flex" or wallet in MARGIN_WALLETS:
            self._floor.ring(PositionsChanged(account_uid=uid))

    def family(self, caller: str, uid: str) -> str:
        """The account, if the caller is it, its master or its subaccount; else Refused `invalidAccount`."""
        account = self._floor.accounts.get(uid)
        if account is None:
            raise Refused("invalidAccount")
        mine = self._floor.accounts[caller]
        if uid == caller or account.master_uid == caller or mine.master_uid == uid:
            return uid
        raise Refused("invalidAccount")
