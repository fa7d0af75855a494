"""The order book by itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from demovenue.book import Book, Resting

ORDERS = st.lists(
    st.tuples(
        st.booleans(), st.integers(90, 110), st.integers(1, 9), st.sampled_from(["add", "add", "cancel", "shrink"])
    ),
    max_size=120,
)


def incoming(book: Book, number: int, buy: bool, price: int, size: int) -> list[tuple[Resting, int]]:
    """What a venue does with a limit order."""
    met = book.take(buy, price, size)
    left = size - sum(amount for _, amount in met)
    if left:
        book.add(Resting(str(number), "", buy, price, left))
    return met


def test_the_better_price_trades_first_and_then_the_older_order():
    book = Book()
    for name, price in (("late", 101), ("first", 100), ("second", 100)):
        book.add(Resting(name, "", False, price, 5))
    met = book.take(True, 101, 12)
    assert [(order.id, order.price, amount) for order, amount in met] == [
        ("first", 100, 5),
        ("second", 100, 5),
        ("late", 101, 2),
    ]
    assert book.depth(False) == [(101, 3)]


def test_a_smaller_size_keeps_the_place_in_the_queue():
    book = Book()
    for name in ("first", "second"):
        book.add(Resting(name, "", True, 100, 5))
    book.shrink("first", 2)
    assert [order.id for order, _ in book.take(False, 100, 3)] == ["first", "second"]


def test_nothing_beyond_the_limit_is_touched():
    book = Book()
    book.add(Resting("far", "", False, 105, 5))
    assert book.take(True, 104, 5) == []
    assert not book.crosses(True, 104)
    assert book.crosses(True, 105)


@given(ORDERS)
@settings(max_examples=200, deadline=None)
def test_the_book_is_never_crossed_and_its_changes_replay_it(actions):
    book, copy = Book(), {True: {}, False: {}}
    sent = matched = dropped = 0
    for number, (buy, price, size, action) in enumerate(actions):
        if action == "add" or not book.orders:
            sent += size
            matched += 2 * sum(amount for _, amount in incoming(book, number, buy, price, size))
        elif action == "cancel":
            gone = book.cancel(next(iter(book.orders)))
            dropped += gone.size
        else:
            order = next(reversed(book.orders.values()))
            smaller = max(1, order.size - 1)
            dropped += order.size - smaller
            book.shrink(order.id, smaller)
        bid, ask = book.bids.best, book.asks.best
        assert bid is None or ask is None or bid < ask
    for buy, price, size in book.changes:
        copy[buy][price] = size
    for buy in (True, False):
        assert {p: s for p, s in copy[buy].items() if s} == dict(book.depth(buy))
    resting = sum(order.size for order in book.orders.values())
    assert sent == resting + matched + dropped


@given(ORDERS)
@settings(max_examples=100, deadline=None)
def test_levels_are_the_sum_of_their_orders(actions):
    book = Book()
    for number, (buy, price, size, _) in enumerate(actions):
        incoming(book, number, buy, price, size)
    for half in (book.bids, book.asks):
        assert sorted(half.levels) == sorted(half.prices())
        for price, level in half.levels.items():
            assert level.size == sum(order.size for order in level.orders.values()) > 0
            assert all(order.price == price for order in level.orders.values())
