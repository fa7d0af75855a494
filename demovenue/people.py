"""Accounts, passwords, keys."""

from __future__ import annotations

import base64
import secrets
from decimal import Decimal

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from demovenue.bank import Bank
from demovenue.events import KeyRevoked
from demovenue.floor import Floor
from demovenue.values import Account, Key, Refused, SignUp

MAX_KEYS = 50
PUBLIC_BYTES, SECRET_BYTES = 42, 64  # 56 and 88 characters of base64
GIFTS = {
    "cash": {"usd": "25000", "xbt": "1", "eth": "10"},
    "flex": {"usd": "50000", "xbt": "0.5", "eth": "5"},
    "fi_xbtusd": {"xbt": "1"},
    "fi_ethusd": {"eth": "15"},
    "fi_ltcusd": {"ltc": "100"},
    "fi_xrpusd": {"xrp": "10000"},
}


class People:
    def __init__(self, floor: Floor, bank: Bank) -> None:
        self._floor = floor
        self._bank = bank
        # Play money: a sign-in should cost milliseconds, not memory.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=16 * 1024, parallelism=1)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(12))

    def hash_password(self) -> tuple[str, str]:
        """(password, hash)."""
        password = secrets.token_urlsafe(12)
        return password, self._hasher.hash(password)

    def open_account(self, password: str, hashed: str, master_uid: str | None = None) -> SignUp:
        floor = self._floor
        number = len(floor.accounts) + 1
        account = Account(
            uid=floor.ids.other(),
            number=1_000_000 + number,
            email=f"demo-{secrets.token_hex(5)}@demovenue.example",
            password_hash=hashed,
            created=floor.now,
            master_uid=master_uid,
        )
        floor.save_account(account)
        return SignUp(account=account, password=password)

    def welcome(self, account: Account) -> None:
        """Play money in every wallet."""
        for wallet, amounts in GIFTS.items():
            for currency, amount in amounts.items():
                self._bank.fund(account.uid, wallet, currency, Decimal(amount))

    def sign_in(self, email: str, password: str) -> Account | None:
        account = next((a for a in self._floor.accounts.values() if a.email == email.strip().lower()), None)
        try:
            self._hasher.verify(account.password_hash if account else self._nobody, password)
        except VerificationError:
            return None
        return account

    # --- keys --------------------------------------------------------------------------------------------------

    def create_key(self, uid: str, general: str, withdrawal: str) -> Key:
        if general not in {"none", "read", "full"} or withdrawal not in {"none", "full"}:
            raise Refused("invalidArgument")
        if len(self.keys(uid)) >= MAX_KEYS:
            raise Refused("tooManyKeys")
        key = Key(
            public=base64.b64encode(secrets.token_bytes(PUBLIC_BYTES)).decode(),
            secret=base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
            account_uid=self._floor.account(uid).uid,
            general=general,
            withdrawal=withdrawal,
            created=self._floor.now,
        )
        self._floor.keys[key.public] = key
        self._floor.store.save_key(key)
        return key

    def keys(self, uid: str) -> list[Key]:
        return [key for key in self._floor.keys.values() if key.account_uid == uid]

    def revoke(self, uid: str, public: str) -> bool:
        key = self._floor.keys.get(public)
        if key is None or key.account_uid != uid:
            return False
        del self._floor.keys[public]
        self._floor.store.drop_key(public)
        self._floor.tell(KeyRevoked(account_uid=uid, public=public))
        return True
