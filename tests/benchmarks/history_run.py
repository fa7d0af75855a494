"""One measurement of the history in the database that DATABASE_URL names. Prints JSON; bench_history starts it.

`KFWEB_BENCH_FILLS` fills are made by the database itself; then the page of fills is asked for at growing depth, with
and without a filter, through the whole server. Then a log of 100,000 rows becomes a ledger.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")

FILLS = int(os.environ.get("KFWEB_BENCH_FILLS", "1000000"))
ENTRIES, ROUNDS, WARM = 100_000, 20, 3
EPOCH, START = datetime(1970, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
DEPTHS = (0, 0.01, 0.5, 0.999)  # shares of all fills that lie before the page
ROW = """
    SELECT {account}, 'derivatives', 'fill-' || n, 'order-' || (n / 3), '', CASE n % 10 WHEN 0 THEN 'PI_XBTUSD'
        WHEN 1 THEN 'PF_ETHUSD' ELSE 'PF_XBTUSD' END, CASE n % 2 WHEN 0 THEN 'buy' ELSE 'sell' END,
        {size}, {price}, {at}, CASE WHEN n % 100000 = 7 THEN 'liquidation' ELSE 'taker' END,
        {fee}, 'USD', {pnl}, '{{}}', {false}
"""
SQLITE = {
    "size": "'0.0' || (1 + n % 9)", "price": "'' || (60000 + n % 999)", "fee": "'1.2345'", "pnl": "'0.5'",
    "false": "0",
    "at": "strftime('%Y-%m-%d %H:%M:%S', 1577836800 + n * 15, 'unixepoch')",
}  # fmt: skip
POSTGRES = {
    "size": "0.01 * (1 + n % 9)", "price": "60000 + n % 999", "fee": "1.2345", "pnl": "0.5", "false": "false",
    "at": "timestamptz '2020-01-01 00:00:00+00' + n * interval '15 seconds'",
}  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="kfweb-bench-static-") as static:
        os.environ["KFWEB_STATIC_ROOT"] = static
        from tests.benchmarks.served import Served

        served = Served(positions=1)
        from django.db import connection

        from accounts.models import Account

        account = Account.objects.get()
        began = time.perf_counter()
        make_fills(account.pk)
        made = time.perf_counter() - began
        pages = {f"depth {share:.1%}": ask(served, share) for share in DEPTHS}
        pages["PI_XBTUSD, half-way"] = ask(served, 0.5, "&symbol=PI_XBTUSD")
        pages["liquidations"] = ask(served, 0, "&kind=liquidation")
        pages["one order"] = ask(served, 0, "&id=order-77")
        print(json.dumps({"vendor": connection.vendor, "made": made, "pages": pages, "ledger": ledger(account.pk)}))


def make_fills(account: int) -> None:
    """The indexes are made afterwards: it takes a quarter of the time."""
    from django.db import connection

    from trading.models import Fill

    Fill.objects.all().delete()
    columns = (
        "account_id, source, venue_fill_id, venue_order_id, client_order_id, symbol, side, size, price, at, kind, fee,"
        " fee_currency, realised_pnl, unknown, flagged"
    )
    words = POSTGRES if connection.vendor == "postgresql" else SQLITE
    rows = ROW.format(account=account, **words)
    counting = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {FILLS}) SELECT n FROM c"
    numbers = f"generate_series(1, {FILLS}) AS n" if connection.vendor == "postgresql" else f"({counting})"
    with connection.schema_editor() as editor:
        for index in Fill._meta.indexes:
            editor.remove_index(Fill, index)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO trading_fill ({columns}) {rows} FROM {numbers}")
    with connection.schema_editor() as editor:
        for index in Fill._meta.indexes:
            editor.add_index(Fill, index)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE trading_fill" if connection.vendor == "postgresql" else "ANALYZE trading_fill")


def ask(served: Any, share: float, more: str = "") -> float:
    """Milliseconds of the whole answer: the lower quartile, as what else the machine does only ever adds.

    Each time another place near the same depth.
    """
    from trading.models import Fill

    taken = []
    for number in range(ROUNDS + WARM):
        place = int(FILLS * (1 - share)) - number * 1000
        before = ""
        if share:
            micros = (START + timedelta(seconds=15 * place) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
                microseconds=1
            )
            before = f"&before={micros}-{2**60}"
        began = time.perf_counter()
        status, _, _ = served.get(f"/history/?tab=fills{more}{before}")
        if number >= WARM:
            taken.append((time.perf_counter() - began) * 1000)
        assert status.startswith("200"), status
    assert Fill.objects.exists()
    return statistics.quantiles(taken, n=4)[0]


def ledger(account: int) -> float:
    """Entries a second from stored rows of the log to a ledger of ours."""
    from krakenfutures.funds import LedgerRow
    from trading.actions.keeping import keep_log
    from trading.actions.ledgers import rebuild_ledger
    from trading.models import LedgerEntry, Sync, WalletLedger

    fee, pnl, funding = Decimal("0.84"), Decimal("1.2345"), Decimal("-0.0021")
    rows, balance = [], Decimal(1_000_000)
    for number in range(1, ENTRIES + 1):
        new = balance + pnl - fee + funding
        rows.append(
            LedgerRow(
                id=number, at=START + timedelta(seconds=number), asset="USD", wallet="flex", kind="futures trade",
                contract="PF_XBTUSD", old=balance, new=new, fee=fee, realised_pnl=pnl, realised_funding=funding,
                booking=f"b{number}", reference=f"fill-{number}",
            )
        )  # fmt: skip
        balance = new
    for start in range(0, ENTRIES, 1000):
        keep_log(account, rows[start : start + 1000], proven=True)
    Sync.objects.update_or_create(
        account_id=account, stream="log", defaults={"cursor": json.dumps({"high": ENTRIES, "gaps": []}), "share": 1}
    )
    began = time.perf_counter()
    rebuild_ledger(account)
    taken = time.perf_counter() - began
    assert LedgerEntry.objects.count() == ENTRIES
    assert WalletLedger.objects.get().residual == 0
    return ENTRIES / taken


if __name__ == "__main__":
    main()
