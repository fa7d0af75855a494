"""What only a demo exchange has: money from nowhere, prices and time by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from demovenue.events import InstrumentsChanged
from demovenue.facade.base import Calls
from demovenue.protection import LONGEST_MS
from demovenue.sums import is_sane
from demovenue.values import InstrumentStatus, LogEntry, Notification, Refused

LONGEST_JUMP = Decimal(366 * 86400)  # seconds
MAX_SPEED = Decimal(1000)


class ControlCalls(Calls):
    def fund(self, account_uid: str, *, wallet: str, currency: str, amount: Decimal) -> Decimal:
        """The faucet; returns the new balance. Refused invalidAccount, invalidUnit, invalidAmount."""
        with self._command() as parts:
            parts.floor.account(account_uid)
            return parts.bank.fund(account_uid, wallet, currency, amount)

    def adjust(self, account_uid: str, *, kind: str, wallet: str, currency: str, amount: Decimal) -> LogEntry:
        """What the venue books by hand; the row it leaves. `kind`: `admin transfer` and `interest payment` (given
        above zero, taken below), `tax withheld` (below), `tax refund` (above). `fee` as currency, in flex, are fee
        credits, a cent each: they pay fees, which leaves `kfee applied`. Refused invalidArgument, invalidAccount,
        invalidUnit, invalidAmount, insufficientFunds."""
        with self._command() as parts:
            return parts.adjustments.adjust(account_uid, kind, wallet, currency, amount)

    def set_mark(self, symbol: str, *, price: Decimal | None = None, percent: Decimal | None = None) -> Decimal:
        """Moves index and mark and holds them; returns the mark. `percent` is relative to the mark now."""
        with self._command() as parts:
            market = parts.floor.market(symbol)
            if not all(is_sane(given) for given in (price, percent) if given is not None):
                raise Refused("invalidArgument")
            wanted = price if price is not None else market.mark * (1 + (percent or Decimal(0)) / 100)
            if not is_sane(wanted) or wanted < market.instrument.tick:
                raise Refused("invalidArgument")
            parts.simulation.hold(market, wanted.quantize(market.mark_step) if price is None else wanted)
            parts.simulation.watch_now()
            parts.memory.save()
            return market.mark

    def release_mark(self, symbol: str | None = None) -> None:
        """The walk goes on from where it was held. None: all."""
        with self._command() as parts:
            markets = parts.floor.markets
            for market in [parts.floor.market(symbol)] if symbol else markets.values():
                parts.simulation.release(market)
            parts.memory.save()

    def advance(self, seconds: Decimal) -> datetime:
        """Jumps and catches up: every funding hour and maturity in between happens. Returns the new time. At most
        a year; Refused `invalidArgument`."""
        if not is_sane(seconds) or not 0 <= seconds <= LONGEST_JUMP:
            raise Refused("invalidArgument")
        with self._command() as parts:
            parts.clock.advance(seconds)
            parts.protection.release_due(parts.clock.micros())
            parts.simulation.catch_up(parts.clock.micros())
            parts.memory.save()
        return self.now()

    def set_speed(self, speed: Decimal) -> None:
        if not is_sane(speed) or not 0 <= speed <= MAX_SPEED:
            raise Refused("invalidArgument")
        with self._command() as parts:
            parts.clock.set_speed(speed)
            parts.memory.save()

    def speed(self) -> Decimal:
        return self._parts.clock.speed

    def set_status(
        self,
        symbol: str,
        *,
        suspended: bool | None = None,
        post_only: bool | None = None,
        maker_protection_ms: int | None = None,
        margin_multiplier: int | None = None,
        dislocation: str | None = None,
    ) -> InstrumentStatus:
        """`dislocation`: ABOVE_UPPER_BOUND, BELOW_LOWER_BOUND, or "" for none. Refused `invalidArgument`."""
        if maker_protection_ms is not None and not 0 <= maker_protection_ms <= LONGEST_MS:
            raise Refused("invalidArgument")
        changes = {
            "suspended": suspended,
            "post_only": post_only,
            "maker_protection_ms": maker_protection_ms,
            "margin_multiplier": margin_multiplier,
        }
        with self._command() as parts:
            market = parts.floor.market(symbol)
            wanted: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
            if dislocation is not None:
                wanted["dislocation"] = dislocation or None
            if margin_multiplier is not None:
                wanted["extreme_volatility"] = margin_multiplier > 1
            market.status = msgspec.structs.replace(market.status, **wanted)
            if market.status.suspended:
                parts.simulation.makers[symbol].withdraw()
            parts.floor.publish_book(market)
            parts.floor.ring(InstrumentsChanged())
            parts.memory.save()
            return market.status

    def set_maker_protection(self, symbol: str, milliseconds: int) -> InstrumentStatus:
        """How long orders that are not post-only wait before they reach the book; 0: not at all."""
        return self.set_status(symbol, maker_protection_ms=milliseconds)

    def notify(self, notification: Notification) -> None:
        with self._command() as parts:
            parts.floor.notifications.append(notification)
            parts.store.save_meta("notifications", parts.floor.notifications)

    def notifications(self) -> Sequence[Notification]:
        return list(self._parts.floor.notifications)
