"""Moving money, and reading the venue's book of it. What moves money is sent once, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from krakenfutures import costs
from krakenfutures.costs import Cost
from krakenfutures.errors import Refused, Throttled, Unreachable, Unreadable
from krakenfutures.funds import CASH, Destination, LedgerRow, MoneyOutcome, Receipt, Transfer
from krakenfutures.io.rest import NotSent, Parameters
from krakenfutures.numbers import epoch_ms, plain
from krakenfutures.parse.funds import (
    is_plain_no,
    parse_destinations,
    parse_ledger,
    parse_transfer,
    parse_withdrawal,
)
from krakenfutures.parse.wallets import parse_wallets
from krakenfutures.sentences import sentence
from krakenfutures.values import Lost, OrderRef, Rejected

API = "/derivatives/api/v3"
LEDGER = "/api/history/v3/account-log"
NOTHING = OrderRef()  # money has no id of ours to be looked up by


class Doors(Protocol):
    """What of a session is used here."""

    def read(self, path: str, parameters: Parameters = (), *, cost: Cost = ...) -> Any: ...
    def write(self, path: str, parameters: Parameters, *, cost: Cost) -> Any: ...


class DerivativesFunds:
    """`withdraw` and `move` answer outcomes and raise nothing of the wire; the reads raise the error tree."""

    def __init__(self, session: Doors) -> None:
        self._session = session

    def withdraw(self, currency: str, amount: Decimal, *, source: str = CASH) -> MoneyOutcome:
        """From a wallet of this account to the owner's spot wallet. Sent once."""
        words = [("currency", wire_currency(currency)), ("amount", plain(amount)), ("sourceWallet", source)]
        return self._decide(f"{API}/withdrawal", words, costs.WITHDRAW, parse_withdrawal)

    def move(self, transfer: Transfer) -> MoneyOutcome:
        """Between own wallets, or to or from a subaccount when both accounts are named. Sent once."""
        words = [
            ("fromAccount", transfer.source),
            ("toAccount", transfer.target),
            ("unit", wire_currency(transfer.currency)),
            ("amount", plain(transfer.amount)),
        ]
        if not (transfer.from_account and transfer.to_account):
            return self._decide(f"{API}/transfer", words, costs.TRANSFER, parse_transfer)
        words = [("fromUser", transfer.from_account), ("toUser", transfer.to_account), *words]
        return self._decide(f"{API}/transfer/subaccount", words, costs.TRANSFER, parse_transfer)

    def destinations(self) -> list[Destination]:
        """Everywhere this account's money can go."""
        wallets = parse_wallets(self._session.read(f"{API}/accounts", cost=costs.READ))
        return parse_destinations(wallets, self._session.read(f"{API}/subaccounts", cost=costs.READ))

    def ledger(
        self,
        *,
        from_id: int | None = None,
        to_id: int | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        count: int = 500,
        oldest_first: bool = False,
    ) -> list[LedgerRow]:
        """Rows of the account log, newest first unless told otherwise; ids are inclusive and start at 1.

        For evidence: it may use the reserve of the history pool, which reading whole histories leaves alone.
        """
        asked = ledger_parameters(from_id, to_id, since, before, count, oldest_first)
        return parse_ledger(self._session.read(LEDGER, asked, cost=costs.ledger(count, urgent=True)))

    def _decide(self, path: str, words: Parameters, cost: Cost, read: Callable[[Any], Receipt]) -> MoneyOutcome:
        try:
            return read(self._session.write(path, words, cost=cost))
        except NotSent:
            return Rejected(code="notSent", sentence=sentence("notSent"))
        except Throttled as problem:
            return Rejected(code="throttled", sentence=sentence("throttled"), retry_after=problem.retry_after)
        except Refused as problem:
            if is_plain_no(problem.code):
                return Rejected(code=problem.code, sentence=problem.sentence, field=problem.field)
            return Lost(ref=NOTHING, why=str(problem))
        except (Unreachable, Unreadable) as problem:
            return Lost(ref=NOTHING, why=str(problem))


def wire_currency(currency: str) -> str:
    """`BTC` is `xbt` on this wire, everything else only small letters."""
    return "xbt" if currency.upper() == "BTC" else currency.lower()


def ledger_parameters(
    from_id: int | None,
    to_id: int | None,
    since: datetime | None,
    before: datetime | None,
    count: int,
    oldest_first: bool,
) -> list[tuple[str, str]]:
    asked = {"from": from_id, "to": to_id, "since": epoch_ms(since), "before": epoch_ms(before)}
    given = [(name, str(value)) for name, value in asked.items() if value is not None]
    return [*given, ("count", str(count)), ("sort", "asc" if oldest_first else "desc")]
