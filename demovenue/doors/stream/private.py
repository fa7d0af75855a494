"""The feeds of one account: orders, fills, positions, balances, log, notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demovenue import events
from demovenue.doors.answers import millis
from demovenue.doors.shapes import feeds
from demovenue.doors.stream.connection import Connection
from demovenue.values import WalletsView

if TYPE_CHECKING:
    from demovenue.doors.stream.hub import Hub

Fields = dict[str, Any]

PRIVATE_FEEDS = frozenset(
    {
        "open_orders",
        "open_orders_verbose",
        "fills",
        "open_positions",
        "balances",
        "account_log",
        "notifications_auth",
    }
)
NEWEST = 100  # fills and log rows of a snapshot


class PrivateFeeds:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._moved: set[str] = set()  # accounts whose positions changed
        self._positions: dict[str, list[Fields]] = {}
        self._wallets: dict[str, Fields] = {}

    # --- snapshots --------------------------------------------------------------------------------

    def snapshot(self, connection: Connection, feed: str, account: str) -> None:
        """What a new subscriber hears first."""
        connection.sequences.pop(feed, None)
        exchange = self.hub.house.exchange
        if feed in ("open_orders", "open_orders_verbose"):
            connection.say(self._orders(feed, account))
        elif feed == "fills":
            found = [one for one in exchange.fills(account, limit=NEWEST) if _is_wanted(connection, one.symbol)]
            fills = [feeds.fill(one) for one in reversed(found)]
            connection.say({"feed": "fills_snapshot", "account": account, "fills": fills})
        elif feed == "open_positions":
            rows = self._position_rows(account)
            self._remember(self._positions, feed, account, rows)
            self._say_positions(connection, account, rows)
        elif feed == "balances":
            sections = self._sections(exchange.wallets(account))
            self._remember(self._wallets, feed, account, sections)
            self._say_balances(connection, account, sections, "balances_snapshot")
        elif feed == "account_log":
            logs = [feeds.log_entry(one) for one in exchange.account_log(account, limit=NEWEST)]
            connection.say({"feed": "account_log_snapshot", "logs": logs})
        else:
            connection.say(self.notices())

    def _remember(self, told: dict[str, Any], feed: str, account: str, value: Any) -> None:
        """What a first listener heard is what changes are measured from; with others listening it stays as it was."""
        if len(list(self.hub.listeners((feed, account)))) <= 1:
            told[account] = value

    def _orders(self, feed: str, account: str) -> Fields:
        house = self.hub.house
        found = [one for one in reversed(house.exchange.open_orders(account)) if not house.is_hidden(one.id)]
        return {"feed": f"{feed}_snapshot", "account": account, "orders": [feeds.order(one) for one in found]}

    def notices(self) -> Fields:
        found = self.hub.house.exchange.notifications()
        return {"feed": "notifications_auth", "notifications": [feeds.notification(one) for one in found]}

    # --- orders, fills, log -----------------------------------------------------------------------

    def on_order(self, event: events.Event) -> None:
        assert isinstance(event, events.OrderChanged)
        house, account = self.hub.house, event.account_uid
        house.saw_order(event.order)
        if house.is_hidden(event.order.id):
            return
        plain, verbose = ("open_orders", account), ("open_orders_verbose", account)
        if self.hub.listeners(plain) and not event.verbose_only:
            self.hub.tell(plain, feeds.order_delta(event.order, gone=event.gone, reason=event.reason))
        if self.hub.listeners(verbose):
            self.hub.tell(verbose, feeds.verbose_delta(event.order, gone=event.gone, reason=event.reason))

    def on_fill(self, event: events.Event) -> None:
        assert isinstance(event, events.Filled)
        topic = ("fills", event.account_uid)
        listeners = self.hub.listeners(topic)
        if not listeners:
            return
        # Recordings say `username` here, where the snapshot says `account`.
        row = {"feed": "fills", "username": event.account_uid, "fills": [feeds.fill(event.fill)]}
        self.hub.tell_some(topic, row, [one for one in listeners if _is_wanted(one, event.fill.symbol)])

    def on_log(self, event: events.Event) -> None:
        assert isinstance(event, events.Logged)
        topic = ("account_log", event.account_uid)
        if self.hub.listeners(topic):
            self.hub.tell(topic, {"feed": "account_log", "new_entry": feeds.log_entry(event.entry)})

    # --- positions and balances: at once when they change, and every second as prices move --------

    def on_positions(self, event: events.Event) -> None:
        assert isinstance(event, events.PositionsChanged)
        self._moved.add(event.account_uid)

    def on_balances(self, event: events.Event) -> None:
        assert isinstance(event, events.BalancesChanged)
        self._moved.add(event.account_uid)

    def on_turn(self) -> None:
        """Tell of the accounts that changed since the last turn."""
        moved, self._moved = self._moved, set()
        for account in moved:
            self._update(account)

    def on_second(self) -> None:
        for account in {*self.hub.topics("open_positions"), *self.hub.topics("balances")}:
            self._update(account)

    def _update(self, account: str) -> None:
        if self.hub.listeners(("open_positions", account)):
            rows = self._position_rows(account)
            if rows != self._positions.get(account):
                self._positions[account] = rows
                for connection in self.hub.listeners(("open_positions", account)):
                    self._say_positions(connection, account, rows)
        if self.hub.listeners(("balances", account)):
            sections = self._sections(self.hub.house.exchange.wallets(account))
            for changed in _changes(self._wallets.get(account), sections):
                for connection in self.hub.listeners(("balances", account)):
                    self._say_balances(connection, account, changed, "balances")
            self._wallets[account] = sections

    def _position_rows(self, account: str) -> list[Fields]:
        return [feeds.position(one) for one in self.hub.house.exchange.positions(account)]

    def _say_positions(self, connection: Connection, account: str, rows: list[Fields]) -> None:
        number = connection.next_sequence("open_positions")
        now = millis(self.hub.house.now())
        connection.say(
            {"feed": "open_positions", "account": account, "positions": rows, "seq": number, "timestamp": now}
        )

    def _say_balances(self, connection: Connection, account: str, sections: Fields, feed: str) -> None:
        number = connection.next_sequence("balances")
        now = millis(self.hub.house.now())
        connection.say({"feed": feed, "account": account, **sections, "timestamp": now, "seq": number})

    def _sections(self, wallets: WalletsView) -> Fields:
        return {
            "holding": feeds.holding(wallets.cash),
            "futures": dict(feeds.margin_account(view) for view in wallets.margin.values()),
            "flex_futures": feeds.flex(wallets.flex),
        }


def _changes(before: Fields | None, now: Fields) -> list[Fields]:
    """One message for each section that changed, with only the changed part of it."""
    if before is None:
        return []
    held = {code: amount for code, amount in now["holding"].items() if before["holding"].get(code) != amount}
    margin = {name: view for name, view in now["futures"].items() if before["futures"].get(name) != view}
    found: list[Fields] = [{"holding": held, "futures": {}}] if held else []
    found += [{"holding": {}, "futures": margin}] if margin else []
    return found + ([{"flex_futures": now["flex_futures"]}] if before["flex_futures"] != now["flex_futures"] else [])


def _is_wanted(connection: Connection, symbol: str) -> bool:
    return connection.product_filter is None or symbol in connection.product_filter
