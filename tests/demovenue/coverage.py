"""The whole documented protocol as a table: every endpoint and feed, and the test that holds it to the reference.

`ABSENT` answers as the real venue answers an account that has not got it.
"""

from __future__ import annotations

V3, HISTORY, CHARTS = "/derivatives/api/v3", ("/api/history/v2", "/api/history/v3"), "/api/charts/v1"

_ACCOUNT, _PUBLIC, _ORDERS = "test_doors_account", "test_doors_public", "test_doors_orders"
_READS = f"{_ACCOUNT}.test_reads_have_the_recorded_shape"

_TRADING = {
    ("GET", "instruments"): f"{_PUBLIC}.test_instruments",
    ("GET", "instruments/status"): f"{_PUBLIC}.test_instrument_statuses",
    ("GET", "instruments/{symbol}/status"): f"{_PUBLIC}.test_instrument_statuses",
    ("GET", "tickers"): f"{_PUBLIC}.test_tickers",
    ("GET", "tickers/{symbol}"): f"{_PUBLIC}.test_one_ticker_in_both_ways",
    ("GET", "orderbook"): f"{_PUBLIC}.test_the_book_is_sorted_and_not_crossed",
    ("GET", "history"): f"{_PUBLIC}.test_the_tape",
    ("GET", "historical-funding-rates"): f"{_PUBLIC}.test_funding_history",
    ("GET", "feeschedules"): f"{_PUBLIC}.test_fee_schedules",
    ("GET", "accounts"): f"{_ACCOUNT}.test_accounts_of_a_fresh_account_and_of_one_with_positions",
    ("GET", "openpositions"): _READS,
    ("GET", "openorders"): _READS,
    ("GET", "fills"): _READS,
    ("GET", "feeschedules/volumes"): _READS,
    ("GET", "notifications"): _READS,
    ("GET", "unwindqueue"): f"{_ACCOUNT}.test_accounts_of_a_fresh_account_and_of_one_with_positions",
    ("GET", "leveragepreferences"): _READS,
    ("GET", "pnlpreferences"): _READS,
    ("GET", "subaccounts"): _READS,
    ("GET", "self-trade-strategy"): _READS,
    ("GET", "trading/instruments"): f"{_ACCOUNT}.test_the_accounts_own_instruments",
    ("GET", "initialmargin"): f"{_ACCOUNT}.test_margin_estimates",
    ("GET", "initialmargin/maxordersize"): f"{_ACCOUNT}.test_margin_estimates",
    ("GET", "subaccount/{uid}/trading-enabled"): f"{_ACCOUNT}.test_a_subaccount_gets_money_and_may_be_stopped",
    ("PUT", "subaccount/{uid}/trading-enabled"): f"{_ACCOUNT}.test_a_subaccount_gets_money_and_may_be_stopped",
    ("GET", "assignmentprogram/current"): f"{_ACCOUNT}.test_the_assignment_programme",
    ("GET", "assignmentprogram/history"): f"{_ACCOUNT}.test_the_assignment_programme",
    ("POST", "assignmentprogram/add"): f"{_ACCOUNT}.test_the_assignment_programme",
    ("POST", "assignmentprogram/delete"): f"{_ACCOUNT}.test_the_assignment_programme",
    ("PUT", "leveragepreferences"): f"{_ACCOUNT}.test_a_leverage_preference_isolates_and_goes_back",
    ("PUT", "pnlpreferences"): f"{_ACCOUNT}.test_a_pnl_preference",
    ("PUT", "self-trade-strategy"): f"{_ACCOUNT}.test_a_self_trade_strategy",
    ("POST", "sendorder"): f"{_ORDERS}.test_a_limit_order_rests_is_listed_and_is_cancelled",
    ("POST", "editorder"): f"{_ORDERS}.test_an_edit_keeps_the_id",
    ("POST", "cancelorder"): f"{_ORDERS}.test_cancelling_what_is_not_there",
    ("POST", "cancelallorders"): f"{_ORDERS}.test_cancel_all_of_one_symbol_and_of_all",
    ("POST", "cancelallordersafter"): f"{_ORDERS}.test_the_dead_mans_switch",
    ("POST", "batchorder"): f"{_ORDERS}.test_a_batch_answers_line_by_line",
    ("GET", "orders/status"): f"{_ORDERS}.test_order_status_knows_open_and_just_closed_orders",
    ("POST", "orders/status"): f"{_ORDERS}.test_order_status_knows_open_and_just_closed_orders",
    ("POST", "transfer"): f"{_ACCOUNT}.test_a_transfer_moves_money_and_is_in_the_ledger",
    ("POST", "transfer/subaccount"): f"{_ACCOUNT}.test_a_subaccount_gets_money_and_may_be_stopped",
    ("POST", "withdrawal"): f"{_ACCOUNT}.test_a_withdrawal_leaves_and_is_in_the_ledger",
}

_HISTORY = {
    "executions": "test_executions",
    "orders": "test_orders",
    "triggers": "test_triggers",
    "positions": "test_positions",
    "account-log": "test_the_account_log",
    "accountlogcsv": "test_the_account_log_as_csv",
    "market/{symbol}/executions": "test_the_markets_own_history_needs_no_key",
    "market/{symbol}/orders": "test_the_markets_own_history_needs_no_key",
    "market/{symbol}/price": "test_the_markets_own_history_needs_no_key",
}

_CHARTS = {
    "": "test_what_charts_there_are",
    "/": "test_what_charts_there_are",
    "/{tick_type}": "test_what_charts_there_are",
    "/{tick_type}/{symbol}": "test_what_charts_there_are",
    "/{tick_type}/{symbol}/{resolution}": "test_candles",
    "/analytics/{symbol}/{kind}": "test_analytics",
    "/analytics/liquidity-pool": "test_analytics",
}

ENDPOINTS: dict[tuple[str, str], str] = {
    **{(method, f"{V3}/{name}"): test for (method, name), test in _TRADING.items()},
    **{("GET", f"{base}/{name}"): f"test_doors_history.{test}" for base in HISTORY for name, test in _HISTORY.items()},
    **{("GET", CHARTS + name): f"test_doors_history.{test}" for name, test in _CHARTS.items()},
    ("GET", "/derivatives/api/v4/historicalfundingrates"): f"{_PUBLIC}.test_funding_history",
    ("GET", "/api/auth/v1/api-keys/v3/check"): "test_doors_access.test_the_key_check",
}

# Method and path → the HTTP status an account without it gets.
ABSENT: dict[tuple[str, str], int] = {
    ("GET", f"{V3}/options-mm-greek-limits"): 403,
    ("PUT", f"{V3}/options-mm-greek-limits"): 403,
    ("DELETE", f"{V3}/options-mm-greek-limits"): 403,
    ("GET", f"{V3}/rfq-assignment/max-leverage"): 404,
    ("PUT", f"{V3}/rfq-assignment/max-leverage"): 404,
    ("DELETE", f"{V3}/rfq-assignment/max-leverage"): 404,
    ("GET", f"{V3}/portfolio-margining/parameters"): 404,
    ("POST", f"{V3}/portfolio-margining/simulate"): 404,
    ("POST", f"{V3}/portfolio-margining/simulate-iv"): 404,
    ("GET", f"{V3}/rfqs"): 404,
    ("GET", f"{V3}/rfqs/0"): 404,
    ("GET", f"{V3}/rfqs/open-rfqs"): 404,
    ("POST", f"{V3}/rfqs/open-rfqs"): 404,
    ("DELETE", f"{V3}/rfqs/open-rfqs/0"): 404,
    ("POST", f"{V3}/rfqs/open-rfqs/accept-offer/0"): 404,
    ("GET", f"{V3}/rfqs/open-offers"): 404,
    ("GET", f"{V3}/rfqs/closed-offers"): 404,
    ("POST", f"{V3}/rfqs/place-offer/0"): 404,
    ("DELETE", f"{V3}/rfqs/cancel-offer/0"): 404,
    # No evidence that anybody gets an answer: their shape is unknown.
    ("GET", f"{V3}/transfers"): 404,
    ("GET", f"{V3}/recentorders"): 404,
    ("GET", f"{V3}/account"): 404,
}

_SOCKET = "test_doors_socket"
FEEDS: dict[str, str] = {
    "ticker": f"{_SOCKET}.test_tickers_come_at_most_once_a_second",
    "ticker_lite": f"{_SOCKET}.test_a_dated_ticker_and_a_light_one",
    "trade": f"{_SOCKET}.test_the_tape_goes_on_from_its_snapshot",
    "book": f"{_SOCKET}.test_the_book_follows_its_snapshot_without_a_gap_and_equals_rest",
    "heartbeat": f"{_SOCKET}.test_heartbeats",
    **{
        f"candles_trade_{span}": f"{_SOCKET}.test_candles"
        for span in ("1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d", "1w")
    },
    "open_orders": f"{_SOCKET}.test_the_life_of_an_order",
    "open_orders_verbose": f"{_SOCKET}.test_a_rejected_post_only_order_is_only_told_verbosely",
    "fills": f"{_SOCKET}.test_a_trade_is_told_on_every_private_feed",
    "open_positions": f"{_SOCKET}.test_a_trade_is_told_on_every_private_feed",
    "balances": f"{_SOCKET}.test_balances_tell_only_the_section_that_changed",
    "account_log": f"{_SOCKET}.test_a_trade_is_told_on_every_private_feed",
    "notifications_auth": f"{_SOCKET}.test_notices_are_told_as_they_come",
}
RETIRED_FEEDS = ("account_balances_and_margins", "deposits_withdrawals")
