"""Accounts and their keys."""

from __future__ import annotations

from collections.abc import Sequence

from demovenue.facade.base import Calls
from demovenue.values import Account, Key, SignUp


class PeopleCalls(Calls):
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
