"""Whatever people do, in whatever order: money is conserved, books are not crossed, nobody ends below zero."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal as D

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demovenue.book import Book, Resting
from demovenue.values import CancelWish, EditWish, OrderWish, Refused
from tests.demovenue.auditor import Auditor
from tests.demovenue.engine_world import BTC, ETH, open_exchange

SYMBOLS = (BTC, ETH, "PI_XBTUSD", "FF_XBTUSD_261127", "FI_ETHUSD_261225")
PEOPLE = 3

who = st.integers(0, PEOPLE - 1)
symbols = st.sampled_from(SYMBOLS)
sides = st.sampled_from(("buy", "sell"))
sizes = st.sampled_from(("0.0001", "0.01", "0.5", "8", "60"))
offsets = st.integers(-30, 30)  # thousandths of the mark
kinds = st.sampled_from(("lmt", "lmt", "post", "ioc", "fok", "mkt", "mkt", "stp", "take_profit", "trailing_stop"))
orders = st.tuples(st.just("send"), who, kinds, symbols, sides, sizes, offsets, st.booleans())
edits = st.tuples(st.just("edit"), who, sizes, offsets)
cancels = st.tuples(st.just("cancel"), who, st.booleans())
moves = st.tuples(st.just("move"), who, st.sampled_from(("cash", "flex", "fi_xbtusd")), sizes, st.booleans())
marks = st.tuples(st.just("mark"), symbols, st.integers(-15, 15))
times = st.tuples(st.just("time"), st.sampled_from(("0.25", "3", "40", "900", "7300", "90000")))
choices = st.tuples(st.just("choose"), who, st.sampled_from(("leverage", "cross", "self", "euro", "credits", "tax")))
steps = st.one_of(orders, orders, orders, edits, cancels, moves, marks, times, choices)


class Town:
    """A few people on one exchange, and the auditor."""

    def __init__(self) -> None:
        self.exchange = open_exchange(seed=11)
        self.auditor = Auditor(self.exchange)
        self.people = [self.exchange.sign_up().account.uid for _ in range(PEOPLE)]

    def do(self, step) -> None:
        with suppress(Refused):  # a refusal must leave everything as it was: the auditor looks
            getattr(self, f"_{step[0]}")(*step[1:])
        self.auditor.check()

    def _price(self, symbol, offset):
        market = self.exchange._parts.floor.markets[symbol]
        return market.price(market.ticks(market.mark * (1 + D(offset) / 1000)))

    def _send(self, person, kind, symbol, side, size, offset, reduce_only):
        if self.exchange.instrument(symbol) is None:
            return
        price = self._price(symbol, offset)
        inverse = symbol[1] == "I"
        wish = OrderWish(
            order_type=kind,
            symbol=symbol,
            side=side,
            size=D(size) * 10_000 if inverse else D(size),
            limit_price=price if kind in {"lmt", "post", "ioc", "fok"} else None,
            stop_price=price if kind in {"stp", "take_profit"} else None,
            trailing_max_deviation=D(1) if kind == "trailing_stop" else None,
            trailing_unit="PERCENT" if kind == "trailing_stop" else None,
            reduce_only=reduce_only,
        )
        self.exchange.send_order(self.people[person], wish)

    def _edit(self, person, size, offset):
        for order in self.exchange.open_orders(self.people[person])[:1]:
            price = self._price(order.symbol, offset)
            changed = {"stop_price": price} if order.is_trigger else {"limit_price": price, "size": D(size)}
            self.exchange.edit_order(self.people[person], EditWish(order_id=order.id, **changed))

    def _cancel(self, person, everything):
        if everything:
            self.exchange.cancel_all(self.people[person])
        for order in self.exchange.open_orders(self.people[person])[:1]:
            self.exchange.cancel_order(self.people[person], CancelWish(order_id=order.id))

    def _move(self, person, wallet, size, away):
        unit = "xbt" if wallet == "fi_xbtusd" else "usd"
        amount = D(size) if unit == "xbt" else D(size) * 1000
        source, target = (wallet, "cash") if away else ("cash", wallet)
        self.exchange.transfer(self.people[person], source=source, target=target, unit=unit, amount=amount)

    def _mark(self, symbol, percent):
        if self.exchange.instrument(symbol) is not None:
            self.exchange.set_mark(symbol, percent=D(percent))
            self.auditor.check_margins()
            self.exchange.release_mark(symbol)

    def _time(self, seconds):
        self.exchange.advance(D(seconds))
        self.exchange._parts.liquidation.check_all()
        self.auditor.check_margins()

    def _choose(self, person, what):
        uid, exchange = self.people[person], self.exchange
        if what in {"leverage", "cross"}:
            exchange.set_max_leverage(uid, BTC, D(10) if what == "leverage" else None)
        elif what == "self":
            exchange.set_self_trade(uid, "CANCEL_MAKER_SELF")
        elif what == "euro":
            exchange.set_pnl_currency(uid, BTC, "EUR")
        elif what == "credits":
            exchange.adjust(uid, kind="admin transfer", wallet="flex", currency="fee", amount=D("77.7"))
        else:
            exchange.adjust(uid, kind="tax withheld", wallet="flex", currency="usd", amount=D("-1000.01"))


# Shrinking would take minutes: the failing script is short enough to read.
@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(steps, min_size=5, max_size=40))
def test_everything_always_adds_up(script):
    town = Town()
    for step in script:
        town.do(step)
    town.exchange.close()


# --- price and time ---


class Naive:
    """The rule itself, slowly: who offers best goes first, among equals who came first."""

    def __init__(self) -> None:
        self.orders: list[list] = []  # id, buy, price, size, in the order of arrival

    def take(self, buy, limit, size):
        met = []
        while size:
            against = [o for o in self.orders if o[1] != buy and (o[2] <= limit if buy else o[2] >= limit)]
            if not against:
                break
            first = min(against, key=lambda o: o[2] if buy else -o[2])  # min keeps the earliest of equals
            amount = min(size, first[3])
            met.append((first[0], first[2], amount))
            first[3] -= amount
            size -= amount
            self.orders = [o for o in self.orders if o[3]]
        return met, size


moves_in_the_book = st.one_of(
    st.tuples(st.just("come"), st.booleans(), st.integers(90, 110), st.integers(1, 9)),
    st.tuples(st.just("go"), st.integers(0, 30)),
    st.tuples(st.just("shrink"), st.integers(0, 30)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(moves_in_the_book, max_size=60))
def test_price_then_time(script):
    book, naive = Book(), Naive()
    for number, (what, *how) in enumerate(script):
        if what == "come":
            buy, price, size = how
            expected, left = naive.take(buy, price, size)
            assert [(o.id, o.price, amount) for o, amount in book.take(buy, price, size)] == expected
            if left:
                book.add(Resting(str(number), "", buy, price, left))
                naive.orders.append([str(number), buy, price, left])
        elif naive.orders:
            chosen = naive.orders[how[0] % len(naive.orders)]
            if what == "go":
                naive.orders.remove(chosen)
                book.cancel(chosen[0])
            elif chosen[3] > 1:
                chosen[3] -= 1
                book.shrink(chosen[0], chosen[3])
        bids, asks = book.depth(True), book.depth(False)
        assert not bids or not asks or bids[0][0] < asks[0][0]
        for buy, depth in ((True, bids), (False, asks)):
            levels: dict[int, int] = {}
            for _, side, price, size in naive.orders:
                if side == buy:
                    levels[price] = levels.get(price, 0) + size
            assert depth == sorted(levels.items(), reverse=buy)
