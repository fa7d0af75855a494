"""Pages of the history: what is known becomes values, what is not is kept, and no entry takes its page with it."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal as D
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from krakenfutures.errors import Refused, Throttled, Unreadable
from krakenfutures.funds import CATEGORIES, Category, category_of
from krakenfutures.history import HistoryStream
from krakenfutures.numbers import to_time
from krakenfutures.parse.funds import parse_ledger_page, parse_stream_ledger_row
from krakenfutures.parse.history import parse_page
from krakenfutures.parse.ledger_file import differences, parse_file_line, parse_header
from krakenfutures.values import OrderType, Side
from tests.krakenfutures.wire import CREDENTIALS, CountingGate, answered, sample, text_of, venue_answering

H = HistoryStream


def page(stream: HistoryStream, raw: Any = None) -> Any:
    return parse_page(stream, sample(f"history_{stream}") if raw is None else raw)


def test_an_execution_is_a_fill_with_its_fee() -> None:
    (fill,) = page(H.EXECUTIONS).fills
    assert (fill.id, fill.order_id) == ("1da89e6d-f747-4339-8916-1e633e37c596", "a3490dd4-f242-4e54-ba3e-740435898b6a")
    assert (fill.side, fill.size, fill.price, fill.kind) == (Side.BUY, D("0.07"), D(83000), "taker")
    assert (fill.fee, fill.fee_currency, fill.unknown) == (D("2.905"), "USD", {})


def test_an_older_execution_names_both_sides_and_ours_has_the_account() -> None:
    raw = sample("history_executions")
    event = raw["elements"][0]["event"]
    execution = event.pop("Execution")
    one = execution["execution"]
    one["makerOrder"] = {**one.pop("order"), "tradeable": "PI_XBTUSD"}
    one["takerOrder"] = {**one["makerOrder"], "uid": "theirs", "direction": "Sell"}
    del one["takerOrder"]["accountUid"], one["executionType"]
    one["makerOrderData"] = one.pop("orderData")
    event["execution"] = execution
    (fill,) = page(H.EXECUTIONS, raw).fills
    assert (fill.kind, fill.side, fill.fee, fill.fee_currency) == ("maker", Side.BUY, D("2.905"), "BTC")


def test_what_became_of_orders_and_triggers() -> None:
    cancelled, updated, rejected, placed = page(H.ORDERS).events
    assert (updated.kind, updated.old_size, updated.size, updated.reason) == (
        "updated", D("0.01"), D("0.02"), "edited_by_user",
    )  # fmt: skip
    assert (rejected.kind, rejected.type, rejected.error) == ("rejected", OrderType.POST, "POST_WOULD_EXECUTE")
    assert (placed.client_id, cancelled.order_id) == ("desk-1-0010", placed.order_id)
    stopped = page(H.TRIGGERS).events[0]
    assert (stopped.kind, stopped.stop_price, stopped.reduce_only) == ("cancelled", D(81000), True)


def test_positions_say_what_was_realised_and_their_ids_need_not_differ() -> None:
    trade, funding = page(H.POSITIONS).positions
    assert (trade.realised_pnl, trade.fee, trade.realised_funding) == (D(20), D("0.84"), D("-0.0021"))
    assert (funding.reason, funding.realised_funding, funding.execution) == ("fundingRealisation", D("-0.0641"), "")
    raw = sample("history_positions")
    assert raw["elements"][0]["uid"] == raw["elements"][1]["uid"]
    assert trade.id != funding.id


@pytest.mark.parametrize("stream", list(H))
def test_an_entry_of_an_unknown_kind_is_kept_whole_and_the_others_are_read(stream: HistoryStream) -> None:
    raw = sample(f"history_{stream}")
    known = len(page(stream))
    strange = deepcopy(raw["elements"][0])
    strange["uid"], strange["event"] = "strange", {"OrderTeleported": {"where": "elsewhere"}}
    broken = deepcopy(raw["elements"][0])
    kind = next(iter(broken["event"]))
    broken["uid"], broken["event"] = "broken", {kind: {"nothing": 1}}
    raw["elements"] = [strange, *raw["elements"], broken]
    found = page(stream, raw)
    assert len(found) == known + 2
    odd = {one.id: one for one in found.events}
    assert (odd["strange"].kind, odd["strange"].unknown["event"]) == ("OrderTeleported", strange["event"])
    assert (odd["broken"].kind, odd["broken"].unknown["event"]) == (kind, broken["event"])


def test_an_entry_without_id_or_time_cannot_be_kept() -> None:
    raw = sample("history_orders")
    del raw["elements"][0]["uid"]
    with pytest.raises(Unreadable, match="uid"):
        page(H.ORDERS, raw)


def test_a_page_is_asked_for_by_time_or_by_the_word_of_the_last_and_paid_from_the_pool() -> None:
    gate = CountingGate()
    venue, wire = venue_answering(text_of("history_orders"))
    with venue.session(CREDENTIALS, gate) as session:
        first = session.history.page(H.ORDERS, since=to_time("2026-11-22T12:00:00Z"))
        session.history.page(H.ORDERS, after=first.after)
        session.history.ledger(to_id=904, count=20_000)
    asked = [dict(parse_qsl(str(urlsplit(str(one.url)).query))) for one in wire.requests]
    assert asked[0] == {"since": "1795348800000", "count": "1000", "sort": "desc"}
    assert asked[1] == {"count": "1000", "sort": "desc", "continuation_token": "YzE3OTUzNDg4MDAwMDA="}
    assert (gate.history, gate.spent) == ([(1, False), (1, False), (10, False)], [])


def test_a_spent_pool_is_told_to_the_broker_of_that_pool() -> None:
    class Told(CountingGate):
        def penalise(self, *, history: bool = False) -> None:
            self.pool = "history" if history else "trading"

    gate = Told()
    venue, _ = venue_answering(answered("too many", 429, rate_limit_reset="37"))
    with venue.session(CREDENTIALS, gate) as session, pytest.raises(Throttled) as caught:
        session.history.page(H.ORDERS)
    assert (caught.value.retry_after, gate.pool) == (37, "history")


def test_a_row_of_the_log_that_cannot_be_read_is_kept_as_one_that_moves_nothing() -> None:
    raw = sample("history_account_log")
    raw["logs"][0]["new_balance"] = "plenty"
    rows = parse_ledger_page(raw)
    assert len(rows) == len(raw["logs"])
    assert (rows[0].kind, rows[0].change, rows[0].unknown["row"]["new_balance"]) == ("unreadable", D(0), "plenty")


def test_the_feed_writes_nothing_as_zero_and_leaves_the_contract_out() -> None:
    whole = sample("history_account_log")["logs"][1]
    heard = {**whole, "fee": 0.0, "realized_pnl": 0.0, "realized_funding": 0, "execution": ""}
    del heard["contract"]
    row = parse_stream_ledger_row(
        {name: D(str(one)) if isinstance(one, float) else one for name, one in heard.items()}
    )
    assert (row.fee, row.realised_pnl, row.contract, row.is_position) == (None, None, "PF_XBTUSD", True)


def test_every_kind_has_a_category_and_an_unknown_one_says_so() -> None:
    assert len(CATEGORIES) == 19
    assert category_of("futures teleport") is Category.UNKNOWN


def test_the_file_is_answered_as_text_and_a_refusal_is_raised() -> None:
    venue, _ = venue_answering("uid,dateTime\n1,2\n", answered('{"status":"unauthorized"}', 401))
    with venue.session(CREDENTIALS, CountingGate()) as session:
        assert session.history.ledger_file() == "uid,dateTime\n1,2\n"
        with pytest.raises(Refused):
            session.history.ledger_file()


def test_a_line_of_the_file_is_the_row_of_the_log() -> None:
    row = parse_ledger_page(sample("history_account_log"))[0]
    header = parse_header(
        "uid,dateTime,account,type,symbol,contract,change,new balance,new average entry price,trade price,mark price,"
        "funding rate,realized pnl,fee,realized funding"
    )
    line = (
        f"{row.booking},2026-11-22 11:58:20,flex,futures trade,usd,pf_xbtusd,19.1579,20000,,84000,84001.5,0.9152,"
        "20,0.84,-0.0021"
    )
    assert differences(parse_file_line(header, line), row) == []
    assert differences(parse_file_line(header, line.replace("0.84,", "0.85,")), row) == [
        "fee: 0.85 in the file, 0.84 here"
    ]
    with pytest.raises(Unreadable, match="here is no account, type"):
        parse_header("uid,dateTime,fee")
