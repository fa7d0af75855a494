"""Who is signed in: by HTTP basic for scripts. Password hashes are slow on purpose, so a success is remembered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict

from demovenue.doors.limits import Bucket
from demovenue.exchange import Exchange
from demovenue.values import Account

REMEMBERED = 1024
WRONG, WRONG_BACK = 20.0, 1.0  # wrong passwords at once, and a second: each costs a slow hash


class People:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._pepper = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._wrong = Bucket(WRONG, WRONG_BACK)

    def sign_in(self, email: str, password: str) -> Account | None:
        """The account, or None: also right passwords that were not used yet, while too many wrong ones come.

        What is remembered is a keyed digest, in memory only.
        """
        proof = hashlib.blake2b(f"{email}\0{password}".encode(), key=self._pepper).digest()
        uid = self._known.get(proof)
        if uid is not None:
            return self._exchange.account(uid)
        if self._wrong.wait(1):
            return None
        account = self._exchange.sign_in(email, password)
        if account is None:
            self._wrong.take(1)
        else:
            self._known[proof] = account.uid
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return account

    def by_basic(self, header: str | None) -> Account | None:
        """The account an `Authorization: Basic` header proves."""
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            email, mark, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return self.sign_in(email, password) if mark else None
