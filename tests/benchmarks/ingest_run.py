"""One measurement of storing fills, in the database that DATABASE_URL names. Prints JSON; bench_ingest starts it.

Both sides store the same 25,000 rows in one go into the empty table. Ours begins with the answers as they come over
the wire, 100 fills each, as text; the bare side begins with the finished rows and one `executemany`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from uuid import uuid4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")

FILLS, PAGE, ROUNDS = 25_000, 100, 5


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import Account, Desk

    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    account = Account.objects.create(desk=Desk.objects.create(name="Bench"), label="Bench", environment="demo")
    answers = [page(number) for number in range(FILLS // PAGE)]
    rows = finished_rows(account.pk, answers)
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(timed(lambda: insert_bare(rows)))
        ours.append(timed(lambda: store(account.pk, answers)))
    print(json.dumps({"vendor": connection.vendor, "bare": min(bare), "ours": min(ours)}))


def page(number: int) -> bytes:
    fills = [
        {
            "fill_id": str(uuid4()), "symbol": "PF_XBTUSD", "side": "sell", "order_id": str(uuid4()),
            "cliOrdId": str(uuid4()), "size": 0.02, "price": 84000.5 + row, "fillType": "taker",
            "fillTime": f"2026-11-{1 + number % 20:02d}T11:58:20.{row:03d}Z", "realized_pnl": 20.125,
            "sequence_id": str(421120 + row),
        }
        for row in range(PAGE)
    ]  # fmt: skip
    return json.dumps({"result": "success", "fills": fills, "serverTime": "2026-11-22T12:00:00.000Z"}).encode()


def timed(action: Callable[[], None]) -> float:
    from django.db import connection, transaction

    from trading.models import Fill

    Fill.objects.all().delete()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE trading_fill")
    began = time.perf_counter()
    with transaction.atomic():
        action()
    taken = time.perf_counter() - began
    assert Fill.objects.count() == FILLS
    return taken


def store(account_id: int, answers: list[bytes]) -> None:
    """As a sync does: parse a page, store it, count it towards its orders."""
    from krakenfutures.numbers import read_json
    from krakenfutures.parse.fills import parse_fills
    from trading.actions.storing import store_history

    for answer in answers:
        store_history(account_id, parse_fills(read_json(answer)))


def finished_rows(account_id: int, answers: list[bytes]) -> list[tuple[object, ...]]:
    from krakenfutures.numbers import read_json
    from krakenfutures.parse.fills import parse_fills
    from trading.actions.storing import rows_of

    return [row for answer in answers for row in rows_of(account_id, parse_fills(read_json(answer)))]


def insert_bare(rows: list[tuple[object, ...]]) -> None:
    from django.db import connection

    from trading.actions.storing import COLUMNS

    places = ", ".join(["%s"] * len(COLUMNS))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO trading_fill ({', '.join(COLUMNS)}) VALUES ({places})", rows)


if __name__ == "__main__":
    sys.exit(main())
