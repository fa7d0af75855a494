"""Ready-made misfortunes: the buttons of the scenario page, also callable by scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from demovenue.doors.house import House
from demovenue.doors.stream.hub import Hub
from demovenue.values import Notification, Refused

OUTAGE = 30.0  # seconds
BEYOND = Decimal("0.005")  # how far past the liquidation price the mark is pushed
Scenario = Callable[[House, Hub, str | None], str]


def play(name: str, house: House, hub: Hub, account: str | None) -> str:
    """Does it and says in a sentence what was done. Raises `Refused` when it cannot be."""
    return SCENARIOS[name][1](house, hub, account)


def _gap(house: House, hub: Hub, account: str | None) -> str:
    house.faults.arm("ws_gap")
    return "The next order book update will be skipped."


def _freeze(house: House, hub: Hub, account: str | None) -> str:
    hub.strike(house.faults.arm("ws_freeze", seconds=OUTAGE))
    return "Every socket is silent for 30 seconds, and stays open."


def _crash(house: House, hub: Hub, account: str | None) -> str:
    coins: set[str] = set()
    for instrument in house.exchange.instruments():
        if instrument.coin not in coins:
            coins.add(instrument.coin)
            house.exchange.set_mark(instrument.symbol, percent=Decimal(-20))
    house.exchange.release_mark()
    return "Every index fell by 20 %; the markets go on from there."


def _liquidate(house: House, hub: Hub, account: str | None) -> str:
    if account is None:
        raise Refused("accountUnknown")
    reachable = [one for one in house.exchange.positions(account) if one.liquidation_price > 0]
    if not reachable:
        return "You have no position that a price could liquidate."
    nearest = min(reachable, key=lambda one: abs(one.liquidation_price / one.mark - 1))
    side = 1 if nearest.size > 0 else -1
    price = nearest.liquidation_price * (1 - side * BEYOND)
    house.exchange.set_mark(nearest.symbol, price=price)
    return f"The mark of {nearest.symbol} went just beyond your liquidation price, and is held there."


def _release(house: House, hub: Hub, account: str | None) -> str:
    house.exchange.release_mark()
    return "All prices walk on by themselves."


def _outage(house: House, hub: Hub, account: str | None) -> str:
    house.faults.arm("http_503", seconds=OUTAGE)
    hub.strike(house.faults.arm("ws_drop", seconds=OUTAGE))
    return "For 30 seconds every call is answered 503 and no socket stays open."


def _maintenance(house: House, hub: Hub, account: str | None) -> str:
    number = len(house.exchange.notifications()) + 1
    notice = Notification(
        id=number,
        type="maintenance",
        priority="high",
        note="Scheduled engine upgrade.",
        effective=house.exchange.now() + timedelta(minutes=10),
        downtime_minutes=15,
    )
    announce(house, hub, notice)
    return "A maintenance in ten minutes is announced."


def announce(house: House, hub: Hub, notice: Notification) -> None:
    """A notice to the REST list and to everyone who hears notices."""
    house.exchange.notify(notice)
    hub.announce()


def _slow(house: House, hub: Hub, account: str | None) -> str:
    house.faults.arm("delay", count=5, seconds=3.0)
    return "The next five orders or changes take three seconds longer."


def _drop(house: House, hub: Hub, account: str | None) -> str:
    house.faults.arm("drop_response")
    return "The next order or change is carried out, and its answer is lost."


def _calm(house: House, hub: Hub, account: str | None) -> str:
    house.faults.clear()
    house.hidden_orders.clear()
    hub.thaw()
    house.exchange.release_mark()
    return "Nothing is wrong any more."


SCENARIOS: dict[str, tuple[str, Scenario]] = {
    "gap": ("Skip a book update", _gap),
    "freeze": ("Freeze the sockets, 30 s", _freeze),
    "crash": ("Crash, −20 %", _crash),
    "liquidate_me": ("Liquidate me", _liquidate),
    "release": ("Let prices go", _release),
    "outage": ("Outage, 30 s", _outage),
    "maintenance": ("Announce maintenance", _maintenance),
    "slow": ("Slow answers", _slow),
    "drop": ("Drop the next answer", _drop),
    "calm": ("Clear everything", _calm),
}
