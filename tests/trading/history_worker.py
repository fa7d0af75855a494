"""A worker of its own that reads a history, for tests that kill it: `python -m tests.trading.history_worker`.

`add UID PUBLIC PRIVATE` stores a key and prints its id; `read KEY` prints "reading" and reads until all is there;
`count` prints what is stored.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kfweb.settings")


def main(command: str, *words: str) -> None:
    import django

    django.setup()
    if command == "add":
        add(*words)
    elif command == "read":
        read(*words)
    else:
        count()


def add(uid: str, public: str, private: str) -> None:
    from accounts import vault
    from accounts.models import Account, ApiKey, Desk, User
    from krakenfutures.venue import Credentials

    account = Account.objects.create(desk=Desk.objects.get(), label="Lived", environment="demo", venue_uid=uid)
    key = ApiKey.objects.create(
        account=account, label="Lived", hint="AbC=", fingerprint=vault.fingerprint(public), general="full",
        added_by=User.objects.get(),
    )  # fmt: skip
    vault.seal(key, Credentials(public, private))
    key.save()
    print(key.pk)


def read(key: str) -> None:
    from krakenfutures.errors import Unreachable
    from trading.actions.histories import sync_history
    from trading.models import Sync

    print("reading", flush=True)
    reading = {"log", "executions", "order_events", "trigger_events", "position_events"}
    while not reading <= set(Sync.objects.filter(share=1).values_list("stream", flat=True)):
        try:
            sync_history(int(key))
        except Unreachable as problem:
            print(problem, file=sys.stderr)
        time.sleep(0.2)


def count() -> None:
    from krakenfutures.numbers import plain
    from trading.actions.ledgers import extend_ledger
    from trading.models import Fill, HistoryEvent, LedgerEntry, LedgerSum, LogEntry, PositionEvent, Sync, WalletLedger

    account = LogEntry.objects.all()[0].account_id
    extend_ledger(account)
    money = sum(1 for asset, contract in LogEntry.objects.values_list("asset", "contract") if asset != contract)
    streams = Counter(HistoryEvent.objects.values_list("stream", flat=True))
    found = {
        "fills": Fill.objects.count(),
        "entries": LogEntry.objects.count(),
        "kinds": Counter(LogEntry.objects.values_list("kind", flat=True)),
        "events": {
            "executions": Fill.objects.count(),
            "orders": streams["orders"],
            "triggers": streams["triggers"],
            "positions": PositionEvent.objects.count(),
        },
        "unexplained": [
            f"{one.wallet} {one.currency}: {plain(one.residual)} {one.why}"
            for one in WalletLedger.objects.all()
            if one.residual or one.opening or one.first_difference
        ],
        "wallets": WalletLedger.objects.count(),
        "ledger": LedgerEntry.objects.count() - money,
        "summed": sum(LedgerSum.objects.values_list("entries", flat=True)) - money,
        "rows": Sync.objects.get(stream="log").rows,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
