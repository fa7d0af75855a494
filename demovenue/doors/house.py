"""What all doors share: the exchange behind them, and what the doors themselves must remember."""

from __future__ import annotations

import ipaddress
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from demovenue.doors.faults import Faults
from demovenue.doors.limits import Budgets
from demovenue.doors.signatures import Nonces
from demovenue.exchange import Exchange
from demovenue.values import Order

_ROOM = 1 << 20  # bytes the file grows by


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Answered:
    """Which orders, transfers and withdrawals had an answer that left the house.

    An id is noted when its answer is handed to the network; an id that is not there was never answered, also when the
    process was killed in between. The file is mapped into memory: what is written there outlives the process (not a
    loss of power) and costs no call to the system. Behind the last line it is filled with zeros.
    """

    def __init__(self, file: Path | None) -> None:
        self._ids: set[str] = set()
        self._map: mmap.mmap | None = None
        if file is not None:
            file.touch(mode=0o600)
            whole = file.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]  # a line that was cut short was of no answer
            self._ids.update(whole.decode().split())
            os.truncate(file, len(whole) + _ROOM)
            with file.open("r+b") as handle:
                self._map = mmap.mmap(handle.fileno(), 0)
            self._map[len(whole) :] = bytes(_ROOM)
            self._map.seek(len(whole))

    def add(self, ids: list[str]) -> None:
        self._ids.update(ids)
        if self._map is not None and ids:
            lines = ("\n".join(ids) + "\n").encode()
            if self._map.tell() + len(lines) > len(self._map):
                self._map.resize(len(self._map) + len(lines) + _ROOM)
            self._map.write(lines)

    def __contains__(self, uid: object) -> bool:
        return uid in self._ids

    def close(self) -> None:
        if self._map is not None:
            self._map.close()
            self._map = None


class House:
    """One exchange with its faults, budgets, nonces and switches. Lives as long as the process."""

    def __init__(
        self, exchange: Exchange, *, data: Path | None, seed: int, control: bool, loopback: bool, sockets: int
    ) -> None:
        self.exchange = exchange
        self.faults = Faults(seed)
        self.budgets = Budgets()
        self.answered = Answered(None if data is None else data / "answered.log")
        self.control = control  # are /demo calls and the scenario page allowed?
        self.loopback = loopback  # does it listen only to this machine?
        self.sockets_per_client = sockets
        self.hidden_orders: set[str] = set()
        self._nonces: dict[str, Nonces] = {}
        self._hiding: tuple[str, datetime] | None = None

    def now(self, key: str | None = None) -> datetime:
        """The venue's clock as a client with this key sees it: `clock_skew` moves it."""
        now = self.exchange.now()
        skew = self.faults.meet("clock_skew", key=key)
        return now + timedelta(seconds=skew.seconds or 0) if skew else now

    def true_time(self, seen: datetime, key: str | None) -> datetime:
        """A moment on the clock this key sees, as the exchange's own clock has it."""
        skew = self.faults.peek("clock_skew", key=key)
        return seen - timedelta(seconds=skew.seconds or 0) if skew else seen

    def nonces(self, public: str) -> Nonces:
        return self._nonces.setdefault(public, Nonces())

    def forget_key(self, public: str) -> None:
        self._nonces.pop(public, None)

    @contextmanager
    def hiding(self, account: str, active: bool) -> Iterator[None]:
        """While active, what is placed for the account is hidden from its first moment, before its id is known."""
        self._hiding = (account, self.exchange.now()) if active else None
        try:
            yield
        finally:
            self._hiding = None

    def saw_order(self, order: Order) -> None:
        """The exchange tells of an order: is it one to hide?"""
        if self._hiding and order.account_uid == self._hiding[0] and order.created >= self._hiding[1]:
            self.hidden_orders.add(order.id)

    def is_hidden(self, order_id: str) -> bool:
        """Hidden orders come back when the fault is cleared."""
        return order_id in self.hidden_orders

    def close(self) -> None:
        self.answered.close()
