"""Every recorded or documented message is read, and nothing that the documentation knows counts as unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

import msgspec
import pytest

from krakenfutures.errors import Unreadable
from krakenfutures.events import Alert, Event, Heard, Subscribed, Unread
from krakenfutures.numbers import read_json
from krakenfutures.parse.fills import parse_fills
from krakenfutures.parse.instruments import parse_instruments, parse_status, parse_statuses
from krakenfutures.parse.keys import parse_key_check
from krakenfutures.parse.markets import (
    parse_candles,
    parse_funding,
    parse_orderbook,
    parse_readings,
    parse_trade_history,
)
from krakenfutures.parse.orders import parse_looked_up, parse_open_orders
from krakenfutures.parse.outcomes import parse_batch, parse_cancel, parse_cancel_all, parse_edit, parse_send
from krakenfutures.parse.positions import parse_positions
from krakenfutures.parse.preferences import parse_leverages, parse_pnl_currencies, parse_unwind_queue
from krakenfutures.parse.refusals import error_in
from krakenfutures.parse.stream import Challenge, read_line
from krakenfutures.parse.tickers import parse_ticker, parse_tickers
from krakenfutures.parse.wallets import parse_wallets
from krakenfutures.values import (
    ContractKind,
    Measure,
    NewOrder,
    OrderRef,
    OrderState,
    OrderType,
    Permission,
    Side,
    TriggerSignal,
    Value,
)
from tests.krakenfutures.wire import SAMPLES, as_json, sample, text_of

ORDER = NewOrder(client_id="desk-1-0010", symbol="PF_XBTUSD", side=Side.BUY, type=OrderType.LIMIT, size=D("0.01"))
REF = OrderRef(client_id="desk-1-0010")

READERS = {
    "charts_candles_mark": parse_candles,
    "charts_candles_trade": parse_candles,
    "rest_accounts": parse_wallets,
    "rest_auth_api_keys_check": parse_key_check,
    "rest_batchorder": lambda raw: parse_batch(raw, [ORDER] * 4),
    "rest_batchorder_missing_argument": lambda raw: parse_batch(raw, [ORDER]),
    "rest_cancelallorders": parse_cancel_all,
    "rest_cancelallorders_none": parse_cancel_all,
    "rest_cancelorder": lambda raw: parse_cancel(raw, REF),
    "rest_cancelorder_not_found": lambda raw: parse_cancel(raw, REF),
    "rest_cancelorder_trigger": lambda raw: parse_cancel(raw, REF),
    "rest_editorder": lambda raw: parse_edit(raw, REF),
    "rest_editorder_no_effect": lambda raw: parse_edit(raw, REF),
    "rest_editorder_not_found": lambda raw: parse_edit(raw, REF),
    "rest_fills": parse_fills,
    "rest_historical_funding_rates": parse_funding,
    "rest_history": lambda raw: parse_trade_history(raw, "PF_XBTUSD"),
    "rest_instruments": parse_instruments,
    "rest_instruments_status": parse_statuses,
    "rest_instruments_symbol_status": parse_status,
    "rest_openorders": parse_open_orders,
    "rest_leveragepreferences_get": parse_leverages,
    "rest_openpositions": parse_positions,
    "rest_orderbook": lambda raw: parse_orderbook(raw, "PF_XBTUSD"),
    "rest_orders_status": parse_looked_up,
    "rest_pnlpreferences_get": parse_pnl_currencies,
    "rest_sendorder_executed": lambda raw: parse_send(raw, ORDER),
    "rest_sendorder_insufficient_funds": lambda raw: parse_send(raw, ORDER),
    "rest_sendorder_partial_then_rest": lambda raw: parse_send(raw, ORDER),
    "rest_sendorder_placed": lambda raw: parse_send(raw, ORDER),
    "rest_sendorder_rejected_ioc": lambda raw: parse_send(raw, ORDER),
    "rest_sendorder_rejected_post": lambda raw: parse_send(raw, ORDER),
    "rest_sendorder_trigger_placed": lambda raw: parse_send(raw, ORDER),
    "rest_tickers": parse_tickers,
    "rest_tickers_index_legacy": parse_tickers,
    "rest_tickers_symbol": lambda raw: parse_ticker(raw["ticker"]),
    "rest_trading_instruments": parse_instruments,
    "rest_unwindqueue": parse_unwind_queue,
}
REST = sorted(path.stem for path in SAMPLES.glob("*.json") if not path.stem.startswith("ws_"))
SAID_BY_US = {"ws_challenge_request", "ws_subscribe_private_request", "ws_subscribe_public_request"}
LINES = sorted(path.stem for path in SAMPLES.glob("ws_*.json") if path.stem not in SAID_BY_US)


def unknown_in(value: object) -> list[object]:
    """Everything flagged as unknown, however deep."""
    if isinstance(value, Value):
        fields = msgspec.structs.asdict(value)
        own = [fields["unknown"]] if fields.get("unknown") else []
        return own + [odd for field in fields.values() for odd in unknown_in(field)]
    if isinstance(value, list | tuple):
        return [odd for member in value for odd in unknown_in(member)]
    return []


@pytest.mark.parametrize("name", REST)
def test_every_answer_is_json_that_is_an_error_exactly_when_it_says_so(name):
    raw = sample(name)

    error = error_in(200, {}, raw)

    is_an_error = name.startswith("rest_error") or "unavailable" in name or "401" in name or "unauthorized" in name
    is_an_error = is_an_error and name != "rest_error_gateway_404"  # which says so by its HTTP status alone
    assert (error is not None) == is_an_error


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_answer_the_desk_asks_for_is_read_and_wholly_known(name):
    value = READERS[name](sample(name))

    assert value is not None
    assert unknown_in(value) == []


@pytest.mark.parametrize("name", LINES)
def test_every_line_of_the_socket_is_read_and_wholly_known(name):
    event = read_line(text_of(name))

    assert isinstance(event, Event | Challenge)
    assert not isinstance(event, Unread)
    assert unknown_in(event) == []


@pytest.mark.parametrize("name", LINES)
def test_a_line_reads_the_same_as_bytes(name):
    assert read_line(text_of(name).encode()) == read_line(text_of(name))


def test_an_instrument_carries_its_steps_ladder_and_wallet():
    by_symbol = {one.symbol: one for one in parse_instruments(sample("rest_instruments"))}
    coin, linear, pepe, dated = (
        by_symbol[symbol] for symbol in ("PI_XBTUSD", "PF_XBTUSD", "PF_PEPEUSD", "FI_XBTUSD_261225")
    )

    assert (coin.kind, coin.base, coin.wallet, coin.perpetual) == (ContractKind.INVERSE, "BTC", "fi_xbtusd", True)
    assert (coin.tick, coin.lot, coin.max_position, coin.maker_protection_ms) == (D("0.5"), D(1), D(75_000_000), 20)
    assert (linear.kind, linear.wallet, linear.lot) == (ContractKind.LINEAR, "flex", D("0.0001"))
    assert [level.start for level in linear.margin_levels][:3] == [0, 1_000_000, 3_000_000]
    assert (pepe.size_decimals, pepe.lot, pepe.tick) == (-3, D(1000), D("1E-10"))
    assert (dated.perpetual, dated.wallet) == (False, "fi_xbtusd")
    assert dated.maturity == datetime(2026, 12, 25, 16, tzinfo=UTC)


def test_an_account_equals_the_answer_to_the_last_digit():
    wallets = parse_wallets(sample("rest_accounts"))

    assert wallets.cash == {"USD": D("12500.25"), "BTC": D("0.05"), "ETH": D(0)}
    assert wallets.flex is not None
    assert (wallets.flex.initial_margin, wallets.flex.initial_margin_with_orders) == (D("41.5"), D("49.7"))
    assert wallets.flex.available_margin == D("28148.69")
    bitcoin = wallets.flex.holdings[1]
    assert (bitcoin.currency, bitcoin.collateral, bitcoin.haircut) == ("BTC", D("8148.0"), D("0.03"))
    (coin,) = wallets.margin_accounts
    assert (coin.name, coin.currency, coin.balance) == ("fi_xbtusd", "BTC", D("0.4"))
    assert str(coin.portfolio_value) == "0.40059700937360515"
    assert coin.requirements.termination == D("0.000005951495313197441") * 10
    assert coin.trigger_estimates is not None
    assert coin.trigger_estimates.liquidation == D("2442.42")


def test_both_spellings_of_the_wallets_mean_the_same():
    asked, told = parse_wallets(sample("rest_accounts")), read_line(text_of("ws_balances_snapshot"))

    assert told.complete
    assert told.cash == {"USD": D("12500.25"), "BTC": D("0.05")}
    assert told.flex.initial_margin == asked.flex.initial_margin
    assert told.flex.initial_margin_with_orders == asked.flex.initial_margin_with_orders
    assert told.flex.margin_equity == asked.flex.margin_equity
    assert [(a.name, a.currency, a.balance) for a in told.margin_accounts] == [("fi_xbtusd", "BTC", D("0.4"))]


def test_a_balance_change_sets_only_what_changed():
    holding, single, flex = (read_line(text_of(f"ws_balances_{name}")) for name in ("holding", "single", "flex"))

    assert (holding.cash, holding.margin_accounts, holding.flex) == ({"USD": D("12000.25")}, None, None)
    assert single.cash is None
    assert single.margin_accounts[0].name == "fi_xbtusd"
    assert (flex.cash, flex.margin_accounts, flex.seq) == (None, None, 2)
    assert flex.flex.available_margin == D("28148.69")


def test_open_orders_know_total_filled_trigger_and_signal():
    stop, partly, plain = parse_open_orders(sample("rest_openorders"))

    assert (stop.type, stop.stop_price, stop.trigger_signal) == (OrderType.STOP, D("81000.0"), TriggerSignal.MARK)
    assert (stop.size, stop.reduce_only, stop.limit_price) == (D("0.05"), True, None)
    assert (partly.client_id, partly.state) == ("desk-1-0002", OrderState.PARTLY_FILLED)
    assert (partly.size, partly.filled, partly.open_size) == (D("0.010"), D("0.004"), D("0.006"))
    assert (plain.side, plain.symbol, plain.limit_price) == (Side.SELL, "PI_XBTUSD", D("90000.0"))


def test_the_live_order_counts_what_remains_and_the_value_counts_the_total():
    snapshot = read_line(text_of("ws_open_orders_snapshot")).orders
    partly, stop, trailing = snapshot[1:]

    assert (partly.size, partly.filled, partly.state) == (D("0.010"), D("0.004"), OrderState.PARTLY_FILLED)
    assert (stop.type, stop.limit_price, stop.stop_price) == (OrderType.STOP, None, D("81000.0"))
    assert (trailing.type, trailing.trigger_signal) == (OrderType.TRAILING_STOP, TriggerSignal.LAST)


@pytest.mark.parametrize(
    ("name", "gone", "state"),
    [
        ("new", False, OrderState.OPEN),
        ("edited", False, OrderState.OPEN),
        ("partial_fill", False, OrderState.PARTLY_FILLED),
        ("full_fill", True, OrderState.FILLED),
        ("full_fill_legacy", True, OrderState.FILLED),
        ("cancelled", True, OrderState.CANCELLED),
        ("post_rejected", True, OrderState.REJECTED),
        ("verbose_post_rejected", True, OrderState.REJECTED),
        ("stop_triggered", True, OrderState.PENDING),
        ("from_stop", False, OrderState.OPEN),
    ],
)
def test_an_order_change_says_what_it_proves(name, gone, state):
    change = read_line(text_of(f"ws_open_orders_{name}"))

    assert (change.gone, change.state) == (gone, state)
    assert change.order is None or change.order.state is state
    assert change.order_id


def test_a_look_up_knows_open_triggered_filled_and_rejected():
    partly, stop, filled, rejected = parse_looked_up(sample("rest_orders_status"))

    assert (partly.state, partly.reason) == (OrderState.PARTLY_FILLED, "PARTIAL_FILL")
    assert (stop.state, stop.type, stop.stop_price) == (OrderState.OPEN, OrderType.STOP, D("81000.0"))
    assert (filled.state, filled.filled) == (OrderState.FILLED, D("0.01"))
    assert (rejected.state, rejected.reason) == (OrderState.REJECTED, "POST_WOULD_EXECUTE")


def test_fills_have_their_kind_and_only_the_live_ones_a_fee():
    asked = parse_fills(sample("rest_fills"))[0]
    (told,) = read_line(text_of("ws_fills")).fills

    assert (asked.kind, asked.realised_pnl, asked.fee, asked.seq) == ("taker", D("20.0"), None, 421120)
    assert (told.fee, told.fee_currency, told.side) == (D("0.42003"), "USD", Side.BUY)
    assert told.at == datetime(2026, 11, 22, 12, 0, 0, 10000, tzinfo=UTC)


def test_positions_are_signed_and_a_zero_threshold_is_none():
    asked = parse_positions(sample("rest_openpositions"))
    linear, coin = read_line(text_of("ws_open_positions")).positions

    assert [(p.symbol, p.size, p.max_leverage) for p in asked[:2]] == [
        ("PF_XBTUSD", D("0.05"), None),
        ("PF_ETHUSD", D("0.2"), D("5.0")),
    ]
    assert asked[2].unrealised_funding is None
    assert linear.liquidation_price is None
    assert coin.liquidation_price == D("2448.4848484848485")


def test_a_short_position_is_negative():
    raw = sample("rest_openpositions")
    raw["openPositions"][0]["side"] = "short"

    assert parse_positions(raw)[0].size == D("-0.05")


def test_a_key_says_what_it_may():
    facts = parse_key_check(sample("rest_auth_api_keys_check"))

    assert (facts.general, facts.withdrawal) == (Permission.FULL, Permission.NONE)
    assert facts.account_uid == "c7a1f3d2-5b84-4e0f-9a36-2f1d8e7b6c50"
    assert facts.allowed_addresses == ()


def test_index_rows_of_old_answers_are_left_out():
    assert parse_tickers(sample("rest_tickers_index_legacy")) == []


def test_a_perpetual_without_funding_rates_pays_none_and_a_dated_contract_has_none():
    line = read_json(text_of("ws_ticker"))
    for name in ("funding_rate", "funding_rate_prediction", "relative_funding_rate"):
        del line[name]

    quiet = read_line(as_json(line))
    dated = read_line(text_of("ws_ticker_fixed"))

    assert (quiet.funding_rate, quiet.relative_funding_rate) == (0, 0)
    assert quiet.relative_funding_rate_prediction == D("0.00001576071")
    assert (dated.funding_rate, dated.maturity) == (None, datetime(2026, 12, 25, 16, tzinfo=UTC))


def test_what_the_socket_says_about_itself():
    assert read_line(text_of("ws_info")) == Heard()
    assert read_line(text_of("ws_heartbeat")) == Heard(at=datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert read_line(text_of("ws_subscribed_public")) == Subscribed(feed="book", symbol="PI_XBTUSD")
    assert read_line(text_of("ws_subscribed_balances")) == Subscribed(feed="balances")
    assert read_line(text_of("ws_error_documented")) == Alert(message="Invalid product id")
    assert read_line(text_of("ws_alert_auth")).unauthorised


def test_an_acknowledgement_passes_neither_key_nor_signature_on():
    event = read_line(text_of("ws_subscribed_private"))

    assert event == Subscribed(feed="open_orders")


@pytest.mark.parametrize(
    ("name", "measure", "last"),
    [
        ("charts_analytics_funding", Measure.FUNDING, ("0.0000109", "0.000011", "0.0000108", "0.000010895")),
        ("charts_analytics_open_interest", Measure.OPEN_INTEREST, ("2189.7", "2192.0", "2189.0", "2189.78")),
    ],
)
def test_readings_keep_their_digits(name, measure, last):
    first, second = parse_readings(sample(name), measure)

    assert first.at < second.at == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert (second.open, second.high, second.low, second.close) == tuple(map(D, last))


def test_a_premium_is_one_number_a_step_and_uneven_columns_are_unreadable():
    def told(times, basis):
        return {"result": {"timestamp": times, "data": {"basis": basis}, "more": False}, "errors": []}

    (reading,) = parse_readings(told([1795345200], ["0.0004"]), Measure.PREMIUM)
    assert reading.open == reading.high == reading.low == reading.close == D("0.0004")
    for answer in (told([1], []), told([1], [["1", "2"]])):
        with pytest.raises(Unreadable):
            parse_readings(answer, Measure.PREMIUM)


def test_candles_and_the_order_book_are_in_order():
    candles, cut = parse_candles(sample("charts_candles_trade"))
    book = parse_orderbook(sample("rest_orderbook"), "pf_xbtusd")

    assert not cut
    assert candles[0].at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert [candle.close for candle in candles] == [D(83811), D(83955), D(84006)]
    assert (book.symbol, book.bids[0].price, book.asks[0].size) == ("PF_XBTUSD", D(84005), D("0.4"))
