"""The live part's plain pieces: names, frames, rooms, the board, the relay's market, announcements."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
import redis
from django.conf import settings
from django.db import transaction

from krakenfutures.events import (
    Alert,
    BalancesChanged,
    Connected,
    Disconnected,
    Gap,
    Heard,
    PositionsChanged,
)
from krakenfutures.values import BookDelta, Position, Side
from tests.trading.live_page import book, tape, tick, trade
from trading.live import wire
from trading.live.board import MOST_TRADES, TAPE, Board
from trading.live.frames import Frame, header
from trading.live.latest import latest_tickers, link_state
from trading.live.link import LinkState
from trading.live.market import Market
from trading.live.private import merged
from trading.live.rooms import KEPT, Room
from trading.live.streams import parse_stream, wanted_by
from trading.live.wishes import Wishes
from trading.plain import to_json
from trading.publish import ACCOUNTS_GROUP, _publisher, announce

SYMBOL = "PF_XBTUSD"
TRADES = parse_stream(f"trades:demo:{SYMBOL}")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ":",
        "book",
        "book:demo",
        "book:demo:pf_xbtusd",
        "book:demo:A B",
        "account:",
        "account:٣",
        "link:x",
        "x:demo",
    ],
)
def test_what_is_no_name_is_no_stream(name):
    assert parse_stream(name) is None


@pytest.mark.parametrize("length", [0, 125, 126, 65535, 65536, 200_000])
def test_a_frame_says_how_long_it_is(length):
    head = header(length)
    assert head[0] == 0x81
    if length < 126:
        assert head[1:] == bytes([length])
    elif length < 65536:
        assert (head[1], int.from_bytes(head[2:])) == (126, length)
    else:
        assert (head[1], int.from_bytes(head[2:])) == (127, length)


def test_a_frame_is_a_json_array_with_a_head():
    frame = Frame(7, 123, [b'{"s":"x"}', b'{"s":"y"}'])
    assert json.loads(frame.text) == [{"f": 7, "now": 123}, {"s": "x"}, {"s": "y"}]
    assert frame.wire == header(len(frame.text)) + frame.text
    assert json.loads(Frame(8, 1, []).text) == [{"f": 8, "now": 1}]


def test_small_numbers_travel_in_plain_notation_and_unknown_fields_stay_behind():
    sent = json.loads(wire.ticker_json(tick(bid=Decimal("1E-10"), unknown={"odd": 1})))
    assert sent["bid"] == "0.0000000001"
    assert "unknown" not in sent
    assert "ask" not in sent, "what is not known is not sent"
    assert json.loads(wire.ticker_row(tick(bid=Decimal("1E-10"))))["bid"] == "0.0000000001"


def test_values_of_every_kind_have_a_form_for_the_browser():
    value = {
        "a": Decimal("1E+3"),
        "b": datetime(2026, 11, 22, tzinfo=UTC),
        "c": UUID(int=1),
        "d": Side.BUY,
        "e": (None, True),
    }
    assert json.loads(to_json(value)) == {
        "a": "1000", "b": "2026-11-22T00:00:00Z", "c": str(UUID(int=1)), "d": "buy", "e": [None, True],
    }  # fmt: skip
    with pytest.raises(TypeError):
        to_json(object())


# the board and the market


def test_the_depth_is_told_while_it_is_looked_at_and_no_oftener_than_it_may() -> None:
    market, board = Market("demo", "first"), Board("demo")
    stream = parse_stream(f"depth:demo:{SYMBOL}")
    market.follow(frozenset({SYMBOL}))
    said(market, board, book("10", "11"))
    assert board.snapshot(stream).data == b'{"bids":[],"asks":[],"gap":true}', "nobody looked"
    market.follow(frozenset({SYMBOL}), frozenset({SYMBOL}))
    assert f"depth:demo:{SYMBOL}" in [name for name, _ in said(market, board)]
    assert json.loads(board.snapshot(stream).data) == {"bids": [["10", "1"]], "asks": [["11", "1"]]}
    assert said(market, board, book("12", "13", seq=2)) == [(f"book:demo:{SYMBOL}", None)], "too soon for the depth"
    market.deep_told[SYMBOL] -= 1
    assert (f"depth:demo:{SYMBOL}", None) in said(market, board), "and not forgotten"
    market.follow(frozenset({SYMBOL}))
    said(market, board)
    assert b"gap" in board.snapshot(stream).data, "an old depth does not pass for a fresh one"


def test_whose_depth_is_looked_at_is_followed_too() -> None:
    stream = parse_stream(f"depth:demo:{SYMBOL}")
    assert stream is not None
    wishes = Wishes()
    wishes.update(listed=frozenset({SYMBOL}), looked_at=frozenset(wanted_by(stream)) | {"NOTHING+"})
    assert wishes.current()["book"] == {SYMBOL}
    assert wishes.deep == {SYMBOL}


def said(market: Market, board: Board, *events: object) -> list[tuple]:
    for event in events:
        market.hear(event)
    return [tuple(change) for change in board.apply(market.take(None, {}))]


@pytest.fixture
def market() -> Market:
    market = Market("demo", "first")
    market.follow(frozenset({SYMBOL}))
    return market


@pytest.fixture
def board() -> Board:
    return Board("demo")


def test_a_batch_holds_the_newest_of_each_and_nothing_twice(market, board):
    changes = said(market, board, tick(last="1"), tick(last="2"), tick("PI_XBTUSD", "3"))
    assert sorted(stream for stream, _ in changes) == [
        "ticker:demo:PF_XBTUSD",
        "ticker:demo:PI_XBTUSD",
        "tickers:demo",
    ]
    assert json.loads(board.tickers[SYMBOL].data)["last"] == "2"
    assert not market.has_news
    assert said(market, board) == []


def test_trades_add_up_between_two_frames(market, board):
    said(market, board, tape(0))
    first = said(market, board, trade(1), trade(2))
    second = said(market, board, trade(3))
    kind, entry = board.update(TRADES, [addition for _, addition in first + second])
    assert (kind, [row["id"] for row in json.loads(entry.data)["trades"]]) == (
        "upd",
        ["trade-3", "trade-2", "trade-1"],
    )


def test_more_trades_than_one_message_tells_become_a_snapshot(market, board):
    said(market, board, tape(0))
    changes = said(market, board, *map(trade, range(1, MOST_TRADES + 2)))
    kind, entry = board.update(TRADES, [addition for _, addition in changes])
    rows = json.loads(entry.data)["trades"]
    assert (kind, len(rows), rows[0]["id"]) == ("snap", TAPE, f"trade-{MOST_TRADES + 1}")


def test_a_trade_before_its_snapshot_is_not_believed(market, board):
    assert said(market, board, trade(1)) == []


def test_a_gap_voids_the_book_until_its_snapshot(market, board):
    said(market, board, book("1", "2"))
    said(market, board, Gap(feed="book", symbol=SYMBOL, expected=2, got=5))
    assert json.loads(board.books[SYMBOL].data) == {"bids": [], "asks": [], "gap": True}
    delta = BookDelta(symbol=SYMBOL, side=Side.BUY, price=Decimal(1), size=Decimal(2), seq=6)
    said(market, board, delta)
    assert json.loads(board.books[SYMBOL].data)["gap"]
    said(market, board, book("3", "4", seq=9))
    assert json.loads(board.books[SYMBOL].data) == {"bids": [["3", "1"]], "asks": [["4", "1"]]}


def test_what_nobody_looks_at_any_more_is_forgotten_and_late_words_of_it_too(market, board):
    said(market, board, book("1", "2"), tape(1))
    market.follow(frozenset())
    said(market, board, book("1", "2"), trade(2), tape(3))
    assert (board.books, board.tapes, market.books, market.tapes) == ({}, {}, {}, {})


def test_an_instrument_that_is_listed_no_more_leaves_the_tickers(market, board):
    said(market, board, tick(), tick("FI_OLD_1", "5"))
    market.forget(frozenset({"FI_OLD_1"}))
    said(market, board)
    assert board.rows.keys() == {SYMBOL}


def test_a_lost_batch_and_another_relay_are_noticed(market, board):
    said(market, board, tick())
    market.take(None, {})
    assert not board.follows(market.take(None, {}))
    assert not board.follows(Market("demo", "second").take(None, {}))


# rooms


def test_a_room_replays_what_came_after_a_snapshot():
    room = Room(1)
    for number in range(5):
        room.add(b'{"id":%d}' % number, None)
    assert [json.loads(text)["d"]["id"] for text in room.after(2)] == [2, 3, 4]
    assert room.reaches(0)
    assert room.after(5) == []


def test_a_room_forgets_only_what_everybody_has():
    room = Room(1)
    for _ in range(KEPT + 10):
        room.add(b"{}", None)
    room.forget(before=3)
    assert room.reaches(3)
    assert not room.reaches(2)
    room.forget(before=10**6)
    assert len(room.events) == KEPT


def test_a_room_notices_a_missing_announcement():
    room = Room(1)
    assert room.heard(7)
    assert room.heard(8)
    assert not room.heard(10)
    assert room.heard(9), "late is not lost"
    assert room.heard(11)
    assert room.compare(11)
    assert room.compare(12), "it may still be on its way"
    assert not room.compare(12)
    assert room.compare(12)


# links


def test_a_link_is_live_only_while_data_comes(monkeypatch):
    moment = 100.0
    monkeypatch.setattr("trading.live.link.time.monotonic", lambda: moment)
    link = LinkState()
    assert link.state == "down"
    link.hear(Connected(attempt=1))
    link.hear(Alert(message="Failed to subscribe to authenticated feed"))
    assert (link.state, link.why) == ("down", "Failed to subscribe to authenticated feed")
    link.hear(tick())
    assert (link.state, link.why) == ("live", "")
    moment += 3.9
    assert link.state == "live"
    moment += 0.2
    assert link.state == "stale"
    assert "says nothing" in json.loads(link.json())["why"]
    link.hear(Heard())
    assert link.state == "live"
    link.hear(Disconnected(why="the connection broke", retry_in=1))
    assert (link.state, json.loads(link.json())["why"]) == ("down", "the connection broke")


def test_wishes_ring_only_when_something_changes_and_never_name_what_is_not_listed():
    wishes = Wishes()
    wishes.update(listed=frozenset({SYMBOL, "PI_XBTUSD"}), looked_at=frozenset({SYMBOL, "NONSENSE"}))
    assert wishes.current() == {
        "ticker": frozenset({SYMBOL, "PI_XBTUSD"}), "book": frozenset({SYMBOL}), "trade": frozenset({SYMBOL}),
    }  # fmt: skip
    assert wishes._bell.is_set()
    wishes._bell.clear()
    wishes.update(looked_at=frozenset({SYMBOL, "OTHER"}))
    assert not wishes._bell.is_set()


def test_balances_that_wait_keep_the_sections_the_newer_word_does_not_name():
    whole = BalancesChanged(complete=True, cash={"USD": Decimal(1)}, margin_accounts=(), seq=1)
    part = BalancesChanged(complete=False, cash={"USD": Decimal(2)}, seq=2)
    both = merged(whole, part)
    assert (both.complete, both.cash, both.margin_accounts, both.seq) == (True, {"USD": Decimal(2)}, (), 2)
    assert merged(both, whole) is whole
    assert merged(None, part) is part


# announcements and the last prices


@pytest.fixture
def heard():
    client = redis.Redis.from_url(settings.REDIS_URL)
    listener = client.pubsub(ignore_subscribe_messages=True)
    prefix = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]
    listener.subscribe(f"{prefix}__group__{ACCOUNTS_GROUP}")
    listener.get_message(timeout=1)

    def messages() -> list[bytes]:
        _publisher().drain()
        found = []
        while message := listener.get_message(timeout=0.2):
            found.append(message["data"])
        return found

    yield messages
    listener.close()
    client.close()


@pytest.mark.django_db(transaction=True)
def test_an_announcement_leaves_after_the_commit_and_never_after_a_rollback(heard):
    with transaction.atomic():
        announce(1, "order", {"id": "kept"})
        assert heard() == []
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        announce(1, "order", {"id": "undone"})
        1 / 0  # noqa: B018
    (message,) = heard()
    assert b"kept" in message


@pytest.mark.django_db(transaction=True)
def test_a_kind_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="no kind"):
        announce(1, "gossip", {})


@pytest.mark.django_db(transaction=True)
def test_a_store_that_is_down_harms_no_one_who_announces(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    from trading.publish import Publisher

    publisher = Publisher()
    publisher.send(1, b"{}")
    publisher.drain(seconds=5)


def test_without_a_relay_there_are_no_prices_and_the_link_is_down():
    assert latest_tickers("demo") == {}
    assert link_state("demo")["state"] == "down"


async def test_the_last_prices_are_read_back_as_they_were_said():
    from tests.trading.live_page import relay

    async with relay() as speaker:
        said = tick(bid=Decimal("1E-8"), next_funding_at=datetime(2026, 11, 22, 18, tzinfo=UTC))
        await speaker.say(said)
    assert latest_tickers("demo") == {SYMBOL: said}


def test_positions_have_a_form_for_the_browser():
    event = PositionsChanged(positions=(Position(symbol=SYMBOL, size=Decimal("-0.5"), entry=Decimal("1E+4")),))
    assert json.loads(to_json(event.positions))[0]["entry"] == "10000"
    assert msgspec.json.decode(to_json(event.positions))[0]["size"] == "-0.5"
