"""What survives: a restart, a kill at any moment. Nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from demovenue.exchange import Exchange
from demovenue.values import TradePrint
from tests.demovenue.engine_world import BTC, World, balances_by_log, balances_of, open_exchange, sums_by_currency

KINDS = ("trade", "mark", "spot")

# Sends orders as fast as it can and says of each what the exchange answered, after it answered.
BUSY_CLIENT = """
import json, sys
from decimal import Decimal
from pathlib import Path
from demovenue.exchange import Exchange
from demovenue.values import CancelWish, OrderWish
exchange = Exchange(Path(sys.argv[1]), seed=1)
uid = exchange.sign_up().account.uid
print(json.dumps(["account", uid]), flush=True)
number = 0
while True:
    number += 1
    kind, price = [("mkt", None), ("lmt", Decimal(70000)), ("post", Decimal(71000))][number % 3]
    wish = OrderWish(order_type=kind, symbol="PF_XBTUSD", side="buy" if number % 2 else "sell",
                     size=Decimal("0.001"), limit_price=price if number % 2 else price and price + 30000,
                     cli_ord_id=f"n{number}")
    result = exchange.send_order(uid, wish)
    print(json.dumps(["order", wish.cli_ord_id, result.status, result.order_id]), flush=True)
    if number % 7 == 0:
        moved = exchange.transfer(uid, source="cash", target="flex", unit="usd", amount=Decimal("1.25"))
        print(json.dumps(["transfer", moved.uid]), flush=True)
    if number % 5 == 0:
        gone = exchange.cancel_order(uid, CancelWish(cli_ord_id=f"n{number - 1}"))
        print(json.dumps(["cancel", f"n{number - 1}", gone.status]), flush=True)
"""


def portrait(exchange: Exchange, uid: str) -> dict[str, object]:
    """Everything a client can see of an account that does not depend on prices."""
    ledger = exchange.ledger(uid)
    return {
        "account": exchange.account(uid),
        "balances": balances_of(exchange, uid),
        "orders": exchange.open_orders(uid),
        "positions": [(p.symbol, p.size, p.entry, p.opened) for p in exchange.positions(uid)],
        "log": exchange.account_log(uid, limit=100_000),
        "fills": exchange.fills(uid, limit=1000),
        "ledger": (ledger.orders, ledger.transfers, ledger.withdrawals),
        "keys": exchange.keys(uid),
        "history": [exchange.history(uid, f).events for f in ("executions", "orders", "triggers", "positions")],
    }


def fill_a_life(world: World) -> None:
    world.send("mkt", "buy", "0.1")
    world.send("mkt", "sell", "700", symbol="PI_XBTUSD")
    world.send("lmt", "buy", "0.1", "70000", cli_ord_id="resting")
    world.send("stp", "sell", "0.1", "69000", stop_price=D(70000), trigger_signal="last", reduce_only=True)
    world.send("trailing_stop", "sell", "0.05", trailing_max_deviation=D(20), trailing_unit="PERCENT")
    world.exchange.create_key(world.trader, general="full", withdrawal="none")
    world.exchange.transfer(world.trader, source="cash", target="flex", unit="usd", amount=D("12.5"))
    world.exchange.withdraw(world.trader, currency="eth", amount=D("0.5"))
    world.exchange.set_max_leverage(world.trader, "PF_ETHUSD", D(7))
    world.exchange.advance(D(2 * 3600))


def test_a_restart_goes_on_where_it_was(tmp_path):
    world = World(tmp_path)
    fill_a_life(world)
    before, now = portrait(world.exchange, world.trader), world.exchange.now()
    mark, rates = world.exchange.ticker(BTC).mark, world.exchange.funding_rates(BTC)
    world.exchange.close()
    for _ in range(2):  # the second time over what the first one wrote
        again = open_exchange(tmp_path)
        assert portrait(again, world.trader) == before
        assert again.now() == now
        assert again.ticker(BTC).mark == mark
        assert again.funding_rates(BTC) == rates
        assert dict(again.book(BTC).bids)[D(70000)] >= D("0.1")
        again.close()


def test_without_a_farewell_it_is_the_same(tmp_path):
    world = World(tmp_path)
    fill_a_life(world)
    before = portrait(world.exchange, world.trader)
    again = open_exchange(tmp_path)  # a second reader of the same file: what a killed process leaves
    assert portrait(again, world.trader) == before
    world.exchange.close()
    again.close()


def test_keys_orders_and_triggers_work_after_a_restart(tmp_path):
    world = World(tmp_path)
    fill_a_life(world)
    (key,) = world.exchange.keys(world.trader)
    world.exchange.close()
    world.exchange = open_exchange(tmp_path)
    assert world.exchange.key(key.public) == key
    assert world.send("lmt", "buy", "0.1", "71000", cli_ord_id="resting").status == "clientOrderIdAlreadyExist"
    world.exchange.set_mark(BTC, price=D(69500))
    statuses = {o.cli_ord_id: o.status for o in world.exchange.ledger(world.trader).orders}
    assert statuses["resting"] == "FULLY_EXECUTED"
    world.exchange.close()


def test_a_held_mark_and_a_suspension_survive(tmp_path):
    world = World(tmp_path)
    world.exchange.set_mark(BTC, price=D(80000))
    world.exchange.set_status("PF_ETHUSD", suspended=True)
    world.exchange.close()
    again = open_exchange(tmp_path)
    assert again.ticker(BTC).mark == 80000
    assert again.ticker("PF_ETHUSD").suspended
    again.advance(D(60))
    assert again.ticker(BTC).mark == 80000
    again.close()


def test_the_lived_candles_are_still_there(tmp_path):
    world = World(tmp_path)
    world.pass_seconds(200)
    before, _ = world.exchange.candles("mark", BTC, "1m", since=None, until=None, count=10)
    world.exchange.close()
    again = open_exchange(tmp_path)
    after, _ = again.candles("mark", BTC, "1m", since=None, until=None, count=10)
    assert after[:-1] == before[:-1]
    again.close()


def test_the_running_minute_and_the_tape_survive_a_kill(tmp_path):
    world = World(tmp_path)
    world.pass_seconds(83)  # 28 seconds into a minute, and the last writing is at most two seconds old
    world.send("mkt", "buy", "0.2")
    trades = world.exchange.trades(BTC, limit=20)
    bars = {kind: world.exchange.candles(kind, BTC, "1m", since=None, until=None, count=3)[0] for kind in KINDS}
    again = open_exchange(tmp_path)  # what a killed process leaves: nobody said farewell
    assert again.trades(BTC, limit=20) == trades
    for kind, before in bars.items():
        after = again.candles(kind, BTC, "1m", since=None, until=None, count=3)[0]
        assert after[:-1] == before[:-1]
        assert (after[-1].time, after[-1].open) == (before[-1].time, before[-1].open)
        assert abs(after[-1].high / before[-1].high - 1) < D("0.0005")
        assert after[-1].volume == before[-1].volume
    again.advance(D(1))
    newest = again.trades(BTC, limit=1)[0]
    assert newest.seq >= trades[0].seq
    world.exchange.close()
    again.close()


def test_the_tape_on_disk_is_forgotten_after_hours(tmp_path):
    world = World(tmp_path)
    world.pass_seconds(30)
    store = world.exchange._parts.store
    store.settle()
    world.exchange.advance(D(4 * 3600))
    kept = [trade for symbol in store.newest("tape") for trade in store.happened(TradePrint, "tape", symbol)]
    assert kept
    assert min(trade.at for trade in kept) > world.exchange.now() - timedelta(hours=3)
    world.exchange.close()


@pytest.mark.parametrize("seconds", [0.7, 1.6])
def test_a_killed_exchange_keeps_every_word_it_gave(tmp_path: Path, seconds: float):
    child = subprocess.Popen(
        [sys.executable, "-c", BUSY_CLIENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert child.stdout is not None
    first = json.loads(child.stdout.readline())
    time.sleep(seconds)
    child.kill()
    # A last line may be cut in the middle: that one was not heard.
    heard = [json.loads(line) for line in child.stdout.read().splitlines() if line.endswith("]")]
    child.stdout.close()
    child.wait()
    uid, exchange = first[1], Exchange(tmp_path, seed=1)
    ledger = exchange.ledger(uid)
    by_client_id = {order.cli_ord_id: order for order in ledger.orders}
    assert len(by_client_id) == len(ledger.orders)
    sent = [line for line in heard if line[0] == "order"]
    assert len(sent) > 30
    for _, client_id, status, order_id in sent:
        if status == "placed":
            assert by_client_id[client_id].id == order_id
    assert len(ledger.orders) - sum(line[2] == "placed" for line in sent) <= 1
    transfers = {transfer.uid for transfer in ledger.transfers}
    assert all(line[1] in transfers for line in heard if line[0] == "transfer")
    for line in heard:
        if line[0] == "cancel" and line[2] == "cancelled":
            assert by_client_id[line[1]].status == "CANCELLED"
    assert set(sums_by_currency(exchange).values()) == {D(0)}
    log = balances_by_log(exchange, uid)
    assert all(amount == log[key] for key, amount in balances_of(exchange, uid).items() if key in log)
    filled = sum((f.size if f.side == "buy" else -f.size) for f in ledger.fills)
    assert filled == sum(p.size for p in exchange.positions(uid))
    exchange.close()
