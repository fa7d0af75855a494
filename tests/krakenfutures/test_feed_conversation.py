"""What the feeds say, and what they make of what they hear; no socket in sight."""

from __future__ import annotations

import json
from typing import Any

import pytest

from krakenfutures.events import Alert, BalancesChanged, Gap, Heard, Subscribed, TradesSnapshot, Unread
from krakenfutures.feed import PRIVATE_FEEDS, AccountFeed, MarketFeed
from krakenfutures.signing import BadSecret
from krakenfutures.values import BookDelta, BookSnapshot, Ticker, Trade
from krakenfutures.venue import Credentials
from tests.krakenfutures.wire import CREDENTIALS, as_json, sample, text_of

BOOK = {"book": frozenset({"PF_XBTUSD"})}
EVERYTHING = {name: frozenset({"PF_XBTUSD"}) for name in ("book", "ticker", "trade")}


def said(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def heard(feed: MarketFeed | AccountFeed, *lines: str) -> list[Any]:
    return [event for line in lines for event in feed.receive(line)]


def delta(seq: int) -> str:
    return as_json({**sample("ws_book_delta"), "seq": seq})


def trade(seq: int) -> str:
    return as_json({**sample("ws_trade"), "seq": seq})


def a_feed(wishes: dict[str, frozenset[str]]) -> MarketFeed:
    feed = MarketFeed(lambda: wishes)
    feed.hello()
    return feed


def test_hello_asks_for_heartbeats_and_everything_wished_for():
    lines = said(MarketFeed(lambda: {"book": frozenset({"PI_XBTUSD", "PF_XBTUSD"}), "ticker": frozenset()}).hello())

    assert lines == [
        {"event": "subscribe", "feed": "heartbeat"},
        {"event": "subscribe", "feed": "book", "product_ids": ["PF_XBTUSD", "PI_XBTUSD"]},
    ]


def test_every_connection_says_the_same_hello():
    feed = MarketFeed(lambda: EVERYTHING)

    assert feed.hello() == feed.hello()


def test_changed_wishes_are_followed_by_the_difference():
    wishes = {"ticker": frozenset({"A", "B"})}
    feed = MarketFeed(lambda: wishes)
    feed.hello()
    assert feed.catch_up() == []

    wishes["ticker"] = frozenset({"B", "C"})
    wishes["book"] = frozenset({"C"})

    assert said(feed.catch_up()) == [
        {"event": "subscribe", "feed": "book", "product_ids": ["C"]},
        {"event": "unsubscribe", "feed": "ticker", "product_ids": ["A"]},
        {"event": "subscribe", "feed": "ticker", "product_ids": ["C"]},
    ]


def test_three_hundred_products_are_asked_for_in_three_lines():
    lines = MarketFeed(lambda: {"ticker": frozenset(f"PF_{n}USD" for n in range(300))}).hello()

    assert len(lines) == 1 + 3


def test_a_book_follows_its_snapshot_number_by_number():
    feed = a_feed(BOOK)

    events = heard(feed, text_of("ws_book_snapshot"), text_of("ws_book_delta"), text_of("ws_book_delta_remove"))

    assert [type(event) for event in events] == [BookSnapshot, BookDelta, BookDelta]
    assert feed.answers() == []


def test_a_gap_is_told_once_and_the_book_asked_for_anew():
    feed = a_feed(BOOK)
    heard(feed, text_of("ws_book_snapshot"))

    events = heard(feed, delta(115335797), delta(115335798), delta(115335799))

    assert events == [Gap(feed="book", symbol="PF_XBTUSD", expected=115335795, got=115335797)]
    assert [line["event"] for line in said(feed.answers())] == ["unsubscribe", "subscribe"]
    assert feed.answers() == []

    fresh = as_json({**sample("ws_book_snapshot"), "seq": 200})
    assert [type(event) for event in heard(feed, fresh, delta(201))] == [BookSnapshot, BookDelta]


def test_a_snapshot_that_never_comes_is_asked_for_again():
    feed = a_feed(BOOK)
    heard(feed, text_of("ws_book_snapshot"), delta(115335797))
    feed.answers()

    events = heard(feed, *(delta(115335800 + n) for n in range(500)))

    assert [type(event) for event in events] == [Gap]
    assert len(feed.answers()) == 2


def test_repeated_book_lines_are_dropped_and_early_ones_too():
    feed = a_feed(BOOK)

    assert heard(feed, delta(5)) == []
    assert len(heard(feed, text_of("ws_book_snapshot"), delta(115335795), delta(115335795), delta(115335794))) == 2


def test_a_new_connection_starts_counting_anew():
    feed = a_feed(BOOK)
    heard(feed, text_of("ws_book_snapshot"))

    feed.hello()

    assert heard(feed, delta(115335795)) == []
    assert len(heard(feed, as_json({**sample("ws_book_snapshot"), "seq": 3}), delta(4))) == 2


def test_a_skipped_trade_is_a_gap_and_a_repeated_one_is_dropped():
    feed = a_feed(EVERYTHING)
    events = heard(feed, text_of("ws_trade_snapshot"), text_of("ws_trade"), text_of("ws_trade"), trade(421140))

    assert [type(event) for event in events] == [TradesSnapshot, Trade, Gap]
    assert [line["feed"] for line in said(feed.answers())] == ["trade", "trade"]


def test_trades_that_do_not_count_by_one_are_passed_on_after_three_attempts():
    feed, got = a_feed(EVERYTHING), []
    for start in range(0, 100, 10):
        snapshot = sample("ws_trade_snapshot")
        snapshot["trades"] = [{**row, "seq": start} for row in snapshot["trades"]]
        got += heard(feed, as_json(snapshot), trade(start + 5))

    assert sum(isinstance(event, Gap) for event in got) == 3
    assert sum(isinstance(event, Trade) for event in got) == 7


def test_a_gap_in_what_nobody_wants_any_more_asks_for_nothing():
    wishes = dict(BOOK)
    feed = MarketFeed(lambda: wishes)
    feed.hello()
    heard(feed, text_of("ws_book_snapshot"))
    wishes.clear()
    feed.catch_up()

    assert heard(feed, delta(115335799)) == []
    assert feed.answers() == []


def test_alerts_errors_and_nonsense_pass_without_harm():
    feed = a_feed(BOOK)
    names = ("ws_alert_already", "ws_error_documented", "ws_info", "ws_subscribed_public", "ws_heartbeat", "ws_ticker")

    events = heard(feed, *(text_of(name) for name in names), "nonsense")

    assert [type(event) for event in events] == [Alert, Alert, Heard, Subscribed, Heard, Ticker, Unread]


def test_private_streams_begin_with_a_challenge_and_continue_with_its_signature():
    feed = AccountFeed(CREDENTIALS)
    hello = said(feed.hello())
    assert hello[1] == sample("ws_challenge_request")
    assert not feed.ready

    assert heard(feed, text_of("ws_info"), text_of("ws_challenge_response")) == [Heard()]

    answers = said(feed.answers())
    assert feed.ready
    assert [line["feed"] for line in answers] == list(PRIVATE_FEEDS)
    assert answers[0] == sample("ws_subscribe_private_request")


def test_an_old_challenge_is_not_used_on_a_new_connection():
    feed = AccountFeed(CREDENTIALS)
    feed.hello()
    heard(feed, text_of("ws_challenge_response"))
    first = feed.answers()

    feed.hello()
    assert (feed.ready, feed.answers()) == (False, [])
    heard(feed, '{"event":"challenge","message":"00000000-0000-4000-8000-000000000000"}')

    assert feed.ready
    assert set(feed.answers()).isdisjoint(first)


def test_a_skipped_balance_is_a_gap_and_the_balances_are_asked_for_anew():
    feed = AccountFeed(CREDENTIALS)
    feed.hello()
    heard(feed, text_of("ws_challenge_response"))
    feed.answers()

    events = heard(feed, *(text_of(f"ws_balances_{name}") for name in ("snapshot", "holding", "single")))

    assert [type(event) for event in events] == [BalancesChanged, BalancesChanged, Gap]
    asked = said(feed.answers())
    assert [(line["event"], line["feed"]) for line in asked] == [
        ("unsubscribe", "balances"),
        ("subscribe", "balances"),
    ]
    assert all(line["signed_challenge"] for line in asked)


def test_a_refused_key_is_an_alert_that_says_so():
    (alert,) = heard(AccountFeed(CREDENTIALS), text_of("ws_alert_auth"))

    assert alert.unauthorised


def test_a_secret_that_cannot_sign_is_told_at_once():
    feed = AccountFeed(Credentials(key="k", secret="no base64 !"))
    feed.hello()

    with pytest.raises(BadSecret):
        heard(feed, text_of("ws_challenge_response"))
