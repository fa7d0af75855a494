"""A demo exchange with a past: `python -m tests.trading.past FOLDER FILLS ENTRIES` makes it and prints what is in it.

One account that has lived through every kind of row the account log knows, an execution of a type that nobody knows,
and then so many ordinary fills and bookings that it has FILLS fills and ENTRIES rows of the log.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import msgspec

from demovenue.exchange import Exchange
from demovenue.values import CancelWish, OrderWish, Participant

START = datetime(2026, 9, 21, 12, 0, 5, tzinfo=UTC)
BTC = "PF_XBTUSD"
AT_ONCE = 250


def wish(side: str, size: str, price: D | None = None, *, kind: str = "mkt", symbol: str = BTC) -> OrderWish:
    return OrderWish(order_type=kind, symbol=symbol, side=side, size=D(size), limit_price=price, reduce_only=False)


class Past:
    def __init__(self, folder: Path) -> None:
        self.exchange = Exchange(folder, seed=5, start=START, manual=True)
        self.signed_up = self.exchange.sign_up()
        self.uid = self.signed_up.account.uid

    def send(self, side: str, size: str, *, who: str = "", fault: str | None = None, **more: Any) -> None:
        self.exchange.send_order(who or self.uid, wish(side, size, **more), fault=fault)

    def keep_only(self, usd: str, who: str = "") -> None:
        """So much USD stays in the flex wallet, the rest is out of reach of a liquidation."""
        uid = who or self.uid
        for currency, held in self.exchange.wallets(uid).flex.currencies.items():
            amount = held.quantity - (D(usd) if currency == "USD" else 0)
            if amount > 0:
                self.exchange.transfer(uid, source="flex", target="cash", unit=currency.lower(), amount=amount)

    def live(self) -> None:
        """Everything that can happen to an account, once."""
        self.be_booked()
        self.trade_a_little()
        self.hold_until_maturity()
        self.change_profits()
        self.be_liquidated()
        self.owe_much()
        self.take_over_from_others()

    def be_booked(self) -> None:
        exchange, uid = self.exchange, self.uid
        for kind, amount in (("admin transfer", "100"), ("tax withheld", "-12.34"), ("tax refund", "2.5")):
            exchange.adjust(uid, kind=kind, wallet="cash", currency="usd", amount=D(amount))
        exchange.adjust(uid, kind="admin transfer", wallet="flex", currency="fee", amount=D(300))
        below = exchange.open_subaccount(uid).account.uid
        exchange.transfer_subaccount(
            uid, from_user=uid, to_user=below, source="cash", target="cash", unit="usd", amount=D(10)
        )
        exchange.withdraw(uid, currency="usd", amount=D(25), source="cash")
        exchange.fund(uid, wallet="cash", currency="eth", amount=D(3))

    def trade_a_little(self) -> None:
        self.send("buy", "0.04")  # paid with fee credits
        self.send("sell", "0.01", fault="unknown_fill_type")
        self.send("buy", "0.02")
        self.send("buy", "2000", symbol="PI_XBTUSD")
        bid = self.exchange.book(BTC).bids[0][0]
        self.send("buy", "0.01", price=bid, kind="lmt", fault="fill_at_once")  # as the maker
        stop = wish("sell", "0.01", kind="stp")
        placed = self.exchange.send_order(self.uid, msgspec.structs.replace(stop, stop_price=bid * D("0.9") // 1))
        self.exchange.cancel_order(self.uid, CancelWish(order_id=placed.order_id))
        self.exchange.advance(D(3 * 3600))
        self.send("sell", "2500", symbol="PI_XBTUSD")  # crosses zero

    def hold_until_maturity(self) -> None:
        dated = next(one for one in self.exchange.instruments() if one.maturity and one.symbol.startswith("FI_XBT"))
        self.send("buy", "1000", symbol=dated.symbol)
        assert dated.maturity
        self.exchange.advance(D(int((dated.maturity - self.exchange.now()).total_seconds()) + 5))

    def change_profits(self) -> None:
        """Into another currency, at the index less a spread."""
        self.exchange.set_pnl_currency(self.uid, BTC, "BTC")
        self.send("buy", "0.05")
        self.exchange.set_mark(BTC, percent=D(2))
        self.send("sell", "0.05")
        self.exchange.release_mark()
        self.exchange.set_pnl_currency(self.uid, BTC, "USD")

    def flatten(self) -> None:
        for held in self.exchange.positions(self.uid):
            self.send("sell" if held.size > 0 else "buy", str(abs(held.size)), symbol=held.symbol)

    def be_liquidated(self) -> None:
        self.flatten()
        volunteer = self.exchange.sign_up().account.uid
        self.volunteer(volunteer, "0.1")
        self.keep_only("3000")
        self.exchange.set_mark(BTC, price=D(84000))
        self.send("buy", "2")
        threshold = self.exchange.positions(self.uid)[0].liquidation_price
        self.exchange.set_mark(BTC, price=threshold.quantize(D(1)) - 20)  # in parts
        self.exchange.set_mark(BTC, percent=D(-30))  # and then all of it
        self.exchange.release_mark()
        self.exchange.fund(self.uid, wallet="flex", currency="usd", amount=D(20_000))
        self.send("buy", "400000", symbol="PI_XBTUSD")
        single = self.exchange.wallets(self.uid).margin["fi_xbtusd"]
        self.exchange.set_mark("PI_XBTUSD", price=single.triggers["mm"].quantize(D(1)) - 200)
        self.exchange.release_mark()

    def volunteer(self, uid: str, size: str) -> None:
        self.exchange.assignment_add(
            Participant(
                account_uid=uid, contract_type="flex", accept_long=True, accept_short=True, time_frame="ALL",
                enabled=True, contract=BTC, max_size=D(size),
            )
        )  # fmt: skip

    def owe_much(self) -> None:
        """A large loss that no USD covers costs interest, and what is owed is paid by selling something else."""
        self.exchange.fund(self.uid, wallet="flex", currency="usd", amount=D(300_000))
        self.keep_only("50000")
        self.exchange.fund(self.uid, wallet="flex", currency="eth", amount=D(100))
        self.exchange.set_mark(BTC, price=D(84000))
        self.send("buy", "5")
        self.exchange.transfer(self.uid, source="flex", target="cash", unit="usd", amount=D(45_000))
        self.exchange.set_mark(BTC, price=D(74000))
        self.exchange.advance(D(3600))
        self.send("sell", "5")
        self.exchange.release_mark()

    def take_over_from_others(self) -> None:
        self.exchange.fund(self.uid, wallet="flex", currency="usd", amount=D(500_000))
        self.send("sell", "0.5")
        self.volunteer(self.uid, "0.2")
        for _ in range(2):
            crashing = self.exchange.sign_up().account.uid
            self.keep_only("1000", who=crashing)
            self.send("buy", "0.9", who=crashing)
            self.exchange.set_mark(BTC, percent=D(-30))
            self.exchange.release_mark()
        self.flatten()

    # --- mass --------------------------------------------------------------------------------------------------

    def fill_up(self, fills: int, entries: int) -> None:
        self.exchange.fund(self.uid, wallet="flex", currency="usd", amount=D(1_000_000))
        maker = self.exchange.sign_up().account.uid
        self.exchange.fund(maker, wallet="flex", currency="usd", amount=D(90_000_000))
        while len(self.exchange.fills(self.uid, limit=100_000)) < fills:
            self.trade_much(maker, fills - len(self.exchange.fills(self.uid, limit=100_000)))
            self.exchange.advance(D(7200))
        while (missing := entries - self.exchange.account_log(self.uid, limit=1)[0].id) > 0:
            for _ in range(min(missing, 1000)):
                self.exchange.adjust(
                    self.uid, kind="admin transfer", wallet="cash", currency="usd", amount=D("0.0001")
                )
            self.exchange.advance(D(60))

    def trade_much(self, maker: str, fills: int) -> None:
        mark = self.exchange.ticker(BTC).mark
        above, below = (mark * D("1.0002") // 1, mark * D("0.9998") // 1)
        for side, price in (("sell", above), ("buy", below)):
            for _ in range(2):
                self.exchange.send_order(maker, wish(side, "50", price, kind="lmt"))
        turns = [wish("buy", "0.0001", above, kind="ioc"), wish("sell", "0.0001", below, kind="ioc")]
        for _ in range(8):
            if fills > 0:
                done = self.exchange.batch(self.uid, (turns * (AT_ONCE // 2))[:fills])
                fills -= sum(event.type == "EXECUTION" for one in done for event in one.events)
        self.exchange.cancel_all(maker)

    def told(self) -> dict[str, Any]:
        key = self.exchange.create_key(self.uid, general="full", withdrawal="none")
        log = self.exchange.account_log(self.uid, limit=100_000)
        fills = self.exchange.fills(self.uid, limit=100_000)
        return {
            "email": self.signed_up.account.email,
            "password": self.signed_up.password,
            "uid": self.uid,
            "public": key.public,
            "private": key.secret,
            "fills": len(fills),
            "entries": log[0].id,
            "kinds": Counter(entry.info for entry in log),
            "fill_types": Counter(fill.fill_type for fill in fills),
            "events": {name: self.count(name) for name in ("executions", "orders", "triggers", "positions")},
        }

    def count(self, family: str) -> int:
        """Of the events of one stream, page by page."""
        found, cursor = 0, None
        while True:
            page = self.exchange.history(self.uid, family, cursor=cursor)
            found, cursor = found + len(page.events), page.cursor
            if cursor is None:
                return found


def main(folder: str, fills: str, entries: str) -> None:
    past = Past(Path(folder))
    past.live()
    past.fill_up(int(fills), int(entries))
    print(json.dumps(past.told()))
    past.exchange.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
