"""Looking back over REST: each stream page by page, the account log by its ids or as the venue's own file."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from krakenfutures import costs
from krakenfutures.costs import Cost
from krakenfutures.funds import LedgerRow
from krakenfutures.history import HistoryPage, HistoryStream
from krakenfutures.io.funds import LEDGER, ledger_parameters
from krakenfutures.io.rest import Parameters
from krakenfutures.numbers import epoch_ms
from krakenfutures.parse.funds import parse_ledger_page
from krakenfutures.parse.history import parse_page

API = "/api/history/v3"


class Doors(Protocol):
    """What of a session is used here."""

    def read(self, path: str, parameters: Parameters = (), *, cost: Cost = ...) -> Any: ...
    def read_text(self, path: str, *, cost: Cost) -> str: ...


class DerivativesHistory:
    """Paid from the history pool. Raises the error tree."""

    def __init__(self, session: Doors) -> None:
        self._session = session

    def page(
        self,
        stream: HistoryStream,
        *,
        since: datetime | None = None,
        before: datetime | None = None,
        oldest_first: bool = False,
        count: int = 1000,
        after: str = "",
    ) -> HistoryPage:
        """At most 1,000 elements, newest first unless told otherwise; `since` counts in, `before` does not.

        `after` goes on where a page ended. Whether such a word is still good after hours is not published: when the
        venue refuses it, go on by `before`.
        """
        asked = [("since", epoch_ms(since)), ("before", epoch_ms(before))]
        parameters = [(name, str(value)) for name, value in asked if value is not None]
        parameters += [("count", str(count)), ("sort", "asc" if oldest_first else "desc")]
        parameters += [("continuation_token", after)] if after else []
        return parse_page(stream, self._session.read(f"{API}/{stream}", parameters, cost=costs.EVENTS))

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
        """Rows of the account log as in `Funds.ledger`, but a row we cannot read is kept instead of raised."""
        asked = ledger_parameters(from_id, to_id, since, before, count, oldest_first)
        return parse_ledger_page(self._session.read(LEDGER, asked, cost=costs.ledger(count)))

    def ledger_file(self) -> str:
        """The venue's own file of the account log: CSV, newest first, at most 500,000 rows."""
        return self._session.read_text(f"{API}/accountlogcsv", cost=costs.LEDGER_FILE)
