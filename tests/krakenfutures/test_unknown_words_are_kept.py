"""Kraken may add a field or a word any day: nothing breaks, nothing is lost, and it is flagged."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krakenfutures.errors import Unreadable
from krakenfutures.events import Event, Unread
from krakenfutures.numbers import read_json
from krakenfutures.parse.fills import parse_fill, parse_fills
from krakenfutures.parse.instruments import parse_instrument
from krakenfutures.parse.keys import parse_key_check
from krakenfutures.parse.orders import parse_looked_up, parse_open_order
from krakenfutures.parse.positions import parse_position
from krakenfutures.parse.stream import Challenge, read_line
from krakenfutures.parse.tickers import parse_ticker
from krakenfutures.parse.wallets import parse_wallets
from krakenfutures.values import ContractKind, OrderState, OrderType, Permission
from tests.krakenfutures.test_parse_samples import LINES, READERS
from tests.krakenfutures.wire import as_json, sample, text_of

ROWS = [
    ("rest_instruments", "instruments", parse_instrument),
    ("rest_tickers", "tickers", parse_ticker),
    ("rest_openorders", "openOrders", parse_open_order),
    ("rest_openpositions", "openPositions", parse_position),
    ("rest_fills", "fills", parse_fill),
]


@pytest.mark.parametrize(("name", "key", "parse"), ROWS)
def test_an_unknown_field_of_a_row_is_kept_as_it_came(name, key, parse):
    row = {**sample(name)[key][0], "brandNew": {"deep": [1, "two"]}}

    assert parse(row).unknown == {"brandNew": {"deep": [1, "two"]}}


def test_an_unknown_word_is_kept_and_means_nothing_in_particular():
    order = parse_open_order(
        {**sample("rest_openorders")["openOrders"][0], "orderType": "iceberg", "triggerSignal": "moon"}
    )
    fill = parse_fill({**sample("rest_fills")["fills"][0], "fillType": "teleported"})
    instrument = parse_instrument({**sample("rest_instruments")["instruments"][0], "type": "futures_square"})

    assert (order.type, order.trigger_signal) == (OrderType.UNKNOWN, None)
    assert order.unknown == {"orderType": "iceberg", "triggerSignal": "moon"}
    assert (fill.kind, fill.unknown) == ("teleported", {"fillType": "teleported"})
    assert instrument.kind is ContractKind.INVERSE  # the symbol still tells
    assert instrument.unknown == {"type": "futures_square"}


def test_an_unknown_state_of_an_order_is_unknown_not_open():
    raw = sample("rest_orders_status")
    raw["orders"][0]["status"] = "SCHROEDINGER"

    assert parse_looked_up(raw)[0].state is OrderState.UNKNOWN


def test_a_trigger_on_an_unknown_side_is_neither_stop_nor_take_profit():
    raw = sample("rest_orders_status")
    raw["orders"][1]["order"]["priceTriggerOptions"]["triggerSide"] = "TRIGGER_SIDEWAYS"

    order = parse_looked_up(raw)[1]

    assert order.type is OrderType.UNKNOWN
    assert order.unknown == {"priceTriggerOptions": {"triggerSide": "TRIGGER_SIDEWAYS"}}


def test_an_unknown_permission_counts_as_none():
    raw = sample("rest_auth_api_keys_check")
    raw["permissions"]["general"] = "GOD_MODE"

    facts = parse_key_check(raw)

    assert (facts.general, facts.unknown) == (Permission.NONE, {"general": "GOD_MODE"})


def test_an_unknown_kind_of_wallet_and_an_unknown_field_of_a_holding_are_kept():
    raw = sample("rest_accounts")
    raw["accounts"]["moon"] = {"type": "lunarAccount"}
    raw["accounts"]["flex"]["currencies"]["USD"]["glitter"] = 1
    raw["accounts"]["fi_xbtusd"]["auxiliary"]["extra"] = 2

    wallets = parse_wallets(raw)

    assert wallets.unknown == {"moon": {"type": "lunarAccount"}}
    assert wallets.flex is not None
    assert wallets.flex.unknown == {"currencies": {"USD": {"glitter": 1}}}
    assert wallets.margin_accounts[0].unknown == {"extra": 2}


@pytest.mark.parametrize("name", ["ws_ticker", "ws_trade"])
def test_a_live_line_with_an_unknown_field_reads_as_before_and_keeps_it(name):
    known = read_line(text_of(name))

    event = read_line(as_json({**sample(name), "sparkle": "yes"}))

    assert event.unknown == {"sparkle": "yes"}
    assert {**as_dict(event), "unknown": {}} == as_dict(known)


def as_dict(value) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_a_book_change_with_an_unknown_field_reads_as_before():
    assert read_line(as_json({**sample("ws_book_delta"), "sparkle": 1})) == read_line(text_of("ws_book_delta"))


def test_an_unknown_kind_of_trade_is_kept():
    trade = read_line(as_json({**sample("ws_trade"), "type": "gift"}))

    assert (trade.kind, trade.unknown) == ("gift", {"type": "gift"})


@pytest.mark.parametrize("milliseconds", [-1, -62_135_596_800_001, 67_768_036_191_676_796_000, 253_402_300_800_000])
@pytest.mark.parametrize(
    ("name", "field"), [("ws_book_delta", "timestamp"), ("ws_trade", "time"), ("ws_ticker", "time")]
)
def test_a_time_outside_of_time_breaks_nothing(name, field, milliseconds):
    assert isinstance(read_line(as_json({**sample(name), field: milliseconds})), Event)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"feed":7}',
        '{"feed":"weather","sun":true}',
        '{"event":"party"}',
        '{"feed":"book","product_id":"PF_XBTUSD","side":"up","seq":1,"price":1,"qty":1}',
        '{"feed":"fills","fills":[{"fill_id":"x"}]}',
        '{"feed":"open_orders","is_cancel":true}',
        '{"feed":"balances","flex_futures":{"currencies":[]}}',
    ],
)
def test_a_line_we_do_not_understand_is_handed_on_as_it_came(text):
    event = read_line(text)

    assert isinstance(event, Unread)
    assert event.text == text
    assert event.why


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["0", "-1", "NaN", "1e999999999"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def places(raw, path=()):
    """Every place in a message, as the path to it."""
    members = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for name, value in members:
        yield (*path, name)
        yield from places(value, (*path, name))


def changed(raw, path, value):
    copy = deepcopy(raw)
    target = copy
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return copy


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(data=st.data(), value=JSON)
def test_no_damaged_line_breaks_the_reader(data, value):
    raw = json.loads(text_of(data.draw(st.sampled_from(LINES))))
    line = json.dumps(changed(raw, data.draw(st.sampled_from(list(places(raw)))), value))

    assert isinstance(read_line(line), Event | Challenge)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(data=st.data(), value=JSON)
def test_a_damaged_answer_is_read_or_unreadable_and_nothing_else(data, value):
    name = data.draw(st.sampled_from(sorted(READERS.keys() - {"rest_tickers_symbol"})))
    raw = json.loads(text_of(name))
    broken = changed(raw, data.draw(st.sampled_from(list(places(raw)))), value)

    with suppress(Unreadable):
        READERS[name](read_json(json.dumps(broken)))


def test_a_row_without_what_makes_it_a_row_is_unreadable():
    with pytest.raises(Unreadable, match="order_id"):
        parse_fills({"fills": [{"fill_id": "x", "side": "buy"}]})
