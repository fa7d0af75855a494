"""One measurement of reports in the database that DATABASE_URL names. Prints JSON; bench_reports starts it.

A year of `KFWEB_BENCH_ENTRIES` fills: rows of the log made by the database itself, the ledger and its sums derived
from them as always. Then the page Reports over that year, a drawer, and on PostgreSQL a CSV of everything beside
`COPY … TO`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")

ENTRIES = int(os.environ.get("KFWEB_BENCH_ENTRIES", "1000000"))
STEP = 365 * 86400 // ENTRIES  # seconds from one fill to the next
COLUMNS = (
    "account_id, source, number, at, wallet, asset, kind, category, contract, old, new, booking, reference, fee,"
    " realised_pnl, collateral, unknown, flagged, proven"
)
ROW = """
    SELECT {account}, 'derivatives', n, {at}, 'flex', 'USD', 'futures trade', 'trade',
        CASE n % 10 WHEN 0 THEN 'PF_SOLUSD' WHEN 1 THEN 'PF_ETHUSD' ELSE 'PF_XBTUSD' END, {old}, {new}, 'b' || n,
        'fill-' || n, {fee}, {pnl}, '', '{{}}', {false}, {true}
"""
# Every fill realises 1.2345 and costs 0.84, so that each balance is known beforehand.
SQLITE = {
    "at": "strftime('%Y-%m-%d %H:%M:%S', 1735689600 + n * {step}, 'unixepoch')", "fee": "'0.84'", "pnl": "'1.2345'",
    "old": "printf('%d.%04d', (n - 1) * 3945 / 10000, (n - 1) * 3945 % 10000)",
    "new": "printf('%d.%04d', n * 3945 / 10000, n * 3945 % 10000)", "false": "0", "true": "1",
}  # fmt: skip
POSTGRES = {
    "at": "timestamptz '2025-01-01 00:00:00+00' + n * interval '{step} seconds'", "fee": "0.84", "pnl": "1.2345",
    "old": "(n - 1) * 0.3945", "new": "n * 0.3945", "false": "false", "true": "true",
}  # fmt: skip


def main(*words: str) -> None:
    if words:
        write_file(*words)
        return
    with tempfile.TemporaryDirectory(prefix="kfweb-bench-static-") as static:
        os.environ["KFWEB_STATIC_ROOT"] = static
        from tests.benchmarks.served import Served

        served = Served(positions=1)
        from django.db import connection

        from accounts.models import Account

        account = Account.objects.get()
        made = timed(lambda: make_log(account.pk))
        derived = timed(lambda: derive(account.pk))
        pages = {by: ask(served, f"/reports/?by={by}&since=2025-01-01&until=2025-12-31") for by in ("day", "symbol")}
        pages["drawer"] = ask(
            served, "/reports/details/?by=symbol&group=PF_SOLUSD&currency=USD&since=2025-01-01&until=2025-12-31"
        )
        pages["member"] = timed(lambda: served.get("/reports/?by=member&since=2025-01-01&until=2025-12-31"))
        found = {"made": made, "derived": derived, "pages": pages}
        if connection.vendor == "postgresql":
            found |= files(account)
        print(json.dumps(found))


def timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ask(served: Any, address: str) -> float:
    """Seconds of the whole answer, the best of three."""

    def once() -> None:
        status, _, _ = served.get(address)
        assert status.startswith("200"), status

    return min(timed(once) for _ in range(3))


def make_log(account: int) -> None:
    from django.db import connection

    words = POSTGRES if connection.vendor == "postgresql" else SQLITE
    row = ROW.format(account=account, **{name: word.format(step=STEP) for name, word in words.items()})
    counting = f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {ENTRIES}) SELECT n FROM c"
    numbers = f"generate_series(1, {ENTRIES}) AS n" if connection.vendor == "postgresql" else f"({counting})"
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO trading_logentry ({COLUMNS}) {row} FROM {numbers}")
        cursor.execute("ANALYZE trading_logentry")


def derive(account: int) -> None:
    from django.db import connection

    from trading.actions.ledgers import rebuild_ledger
    from trading.models import LedgerEntry, Sync, WalletLedger

    cursor = json.dumps({"high": ENTRIES, "gaps": []})
    Sync.objects.update_or_create(account_id=account, stream="log", defaults={"cursor": cursor, "share": 1})
    assert rebuild_ledger(account) == ENTRIES == LedgerEntry.objects.count()
    assert WalletLedger.objects.get().residual == 0
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def files(account: Any) -> dict[str, float]:
    """Seconds of the bare `COPY` and of ours, and megabytes of the process that writes, before it does and at most."""
    from django.db import connection

    from accounts.models import Membership
    from trading.actions.exports import ask_export
    from trading.actions.reports import Span
    from trading.models import ExportPart

    owner = Membership.objects.get().user
    size = 0

    def bare() -> None:
        nonlocal size
        with connection.cursor() as cursor, cursor.copy("COPY trading_ledgerentry TO STDOUT (FORMAT csv)") as copy:
            size = sum(len(part) for part in copy)

    made = ask_export(account, by=owner, format="csv", span=Span())
    copied = min(timed(bare) for _ in range(2))
    connection.close()
    command = [sys.executable, "-m", "tests.benchmarks.reports_run", str(made.pk)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    made.refresh_from_db()
    assert (made.state, made.rows) == ("ready", ENTRIES), (made.state, made.rows, made.trouble)
    assert size
    assert ExportPart.objects.filter(export=made).count() == -(-made.size // 1_000_000)
    return {"copied": copied, "bytes": made.size, **json.loads(run.stdout)}


def write_file(export: str) -> None:
    """In a process of its own, so that its memory is that of the file alone."""
    import django

    import tests.environment  # noqa: F401 - before the settings

    django.setup()
    from trading.actions.exports import make_export

    before = memory()
    written = timed(lambda: make_export(UUID(export)))
    print(json.dumps({"written": written, "before": before, "most": memory()}))


def memory() -> float:
    """The most megabytes this process has had; `getrusage` would tell those of whoever started it."""
    told = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return int(told.split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
