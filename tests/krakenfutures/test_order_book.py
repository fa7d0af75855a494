"""The order book: equal to a naive one whatever happens to it, and void rather than wrong."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from krakenfutures.book import Book
from krakenfutures.events import Gap
from krakenfutures.parse.stream import read_line
from krakenfutures.values import BookDelta, BookSnapshot, Level, Side
from tests.krakenfutures.wire import text_of

PRICES = st.integers(min_value=1, max_value=30).map(lambda ticks: D(ticks) / 2)
SIZES = st.integers(min_value=0, max_value=5).map(D)
LEVELS = st.dictionaries(PRICES, SIZES.filter(bool), max_size=8)
CHANGES = st.lists(st.tuples(st.sampled_from(Side), PRICES, SIZES), max_size=60)


def a_book(bids: dict[D, D], asks: dict[D, D], seq: int = 10) -> Book:
    book = Book("PF_XBTUSD")
    book.snapshot(BookSnapshot(symbol="PF_XBTUSD", bids=levels(bids, best_high=True), asks=levels(asks), seq=seq))
    return book


def levels(sizes: dict[D, D], *, best_high: bool = False) -> tuple[Level, ...]:
    return tuple(Level(price=price, size=sizes[price]) for price in sorted(sizes, reverse=best_high))


def change(seq: int, side: Side, price: D, size: D) -> BookDelta:
    return BookDelta(symbol="PF_XBTUSD", side=side, price=price, size=size, seq=seq)


@given(LEVELS, LEVELS, CHANGES)
def test_it_equals_a_naive_book_after_any_changes(bids, asks, changes):
    book, naive = a_book(bids, asks), {Side.BUY: dict(bids), Side.SELL: dict(asks)}

    for seq, (side, price, size) in enumerate(changes, start=11):
        assert book.delta(change(seq, side, price, size)) is None
        naive[side].pop(price, None)
        if size:
            naive[side][price] = size

    assert book.levels() == (levels(naive[Side.BUY], best_high=True), levels(naive[Side.SELL]))
    assert book.valid
    assert book.seq == 10 + len(changes)


@given(LEVELS, LEVELS, CHANGES, st.data())
def test_repeated_numbers_change_nothing(bids, asks, changes, data):
    once, twice = a_book(bids, asks), a_book(bids, asks)
    deltas = [change(seq, *rest) for seq, rest in enumerate(changes, start=11)]

    for place, delta in enumerate(deltas):
        once.delta(delta)
        twice.delta(delta)
        again = data.draw(st.integers(min_value=0, max_value=place))
        assert twice.delta(deltas[again]) is None

    assert once.levels() == twice.levels()


@given(LEVELS, LEVELS, st.integers(min_value=12, max_value=99))
def test_a_skipped_number_voids_it_until_a_snapshot(bids, asks, seq):
    book = a_book(bids, asks)

    gap = book.delta(change(seq, Side.BUY, D(1), D(1)))

    assert gap == Gap(feed="book", symbol="PF_XBTUSD", expected=11, got=seq)
    assert (book.valid, book.levels(), book.best()) == (False, ((), ()), (None, None))
    assert book.delta(change(seq + 1, Side.BUY, D(1), D(1))) is None
    assert not book.valid

    book.snapshot(BookSnapshot(symbol="PF_XBTUSD", bids=(), asks=(Level(price=D(3), size=D(1)),), seq=500))
    assert book.delta(change(501, Side.SELL, D(2), D(1))) is None
    assert book.best() == (None, Level(price=D(2), size=D(1)))


def test_a_book_without_a_snapshot_shows_nothing():
    book = Book("PF_XBTUSD")

    assert book.delta(change(1, Side.BUY, D(1), D(1))) is None
    assert book.levels(5) == ((), ())


def test_the_recorded_changes_follow_the_recorded_snapshot():
    book = Book("PF_XBTUSD")
    book.snapshot(read_line(text_of("ws_book_snapshot")))

    assert book.delta(read_line(text_of("ws_book_delta"))) is None
    assert book.delta(read_line(text_of("ws_book_delta_remove"))) is None

    bids, asks = book.levels(2)
    assert [level.price for level in bids] == [D(84005), D(84000)]
    assert asks[0] == Level(price=D("84006.0"), size=D("0.39"))
    assert book.as_snapshot(1).seq == 115335796


def test_empty_levels_of_a_snapshot_are_tolerated():
    book = Book("X")
    book.snapshot(BookSnapshot(symbol="X", bids=(Level(price=D(1), size=D(0)),), asks=(), seq=1))

    assert book.levels() == ((), ())
