"""Kraken Derivatives v3 as a `venue.Venue`: paths and parameters here, meanings in `krakenfutures.parse`."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from krakenfutures import costs
from krakenfutures.costs import Cost
from krakenfutures.errors import Refused, Throttled, Unreachable, Unreadable
from krakenfutures.events import Event
from krakenfutures.io.funds import DerivativesFunds
from krakenfutures.io.history import DerivativesHistory
from krakenfutures.io.preferences import DerivativesPreferences
from krakenfutures.io.rest import NotSent, Parameters, Rest, Signer
from krakenfutures.io.socket import watch_account, watch_market
from krakenfutures.numbers import iso, plain
from krakenfutures.parse.fills import parse_fills
from krakenfutures.parse.instruments import parse_instruments, parse_statuses
from krakenfutures.parse.keys import parse_key_check
from krakenfutures.parse.markets import (
    parse_candles,
    parse_funding,
    parse_orderbook,
    parse_readings,
    parse_server_time,
    parse_trade_history,
)
from krakenfutures.parse.orders import parse_looked_up, parse_open_orders
from krakenfutures.parse.outcomes import (
    parse_batch,
    parse_cancel,
    parse_cancel_all,
    parse_cancel_batch,
    parse_dead_man,
    parse_edit,
    parse_send,
)
from krakenfutures.parse.positions import parse_positions
from krakenfutures.parse.tickers import parse_tickers
from krakenfutures.parse.wallets import parse_wallets
from krakenfutures.sentences import sentence
from krakenfutures.values import (
    BookSnapshot,
    Candle,
    Change,
    DeadMan,
    Fill,
    FundingRate,
    Instrument,
    InstrumentStatus,
    KeyFacts,
    Lost,
    Measure,
    NewOrder,
    Order,
    OrderRef,
    OrderType,
    Outcome,
    Position,
    PriceSource,
    Reading,
    Rejected,
    Ticker,
    Trade,
    Wallets,
)
from krakenfutures.venue import Capabilities, Credentials, Feature, Gate, MarketWishes
from krakenfutures.words import as_text, edit_words, ref_words, send_words

API = "/derivatives/api/v3"
CHARTS = "/api/charts/v1"
KEY_CHECK = "/api/auth/v1/api-keys/v3/check"
ANALYTICS = {
    Measure.FUNDING: "funding",
    Measure.OPEN_INTEREST: "open-interest",
    Measure.PREMIUM: "future-basis",
}
TICK_TYPES = {PriceSource.TRADE: "trade", PriceSource.MARK: "mark", PriceSource.INDEX: "spot"}
BATCH_SIZE = 50

Words = Mapping[str, str | Decimal | bool]


class DerivativesVenue:
    """One environment. Safe to share between threads; `close` it when the process ends."""

    def __init__(self, rest_url: str, socket_url: str, http: requests.Session | None = None) -> None:
        self._rest = Rest(rest_url, http)
        self._socket_url = socket_url
        self.market = DerivativesMarket(self._rest)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            features=frozenset(Feature),
            order_types=frozenset(OrderType) - {OrderType.UNKNOWN},
            batch_size=BATCH_SIZE,
        )

    def clock_skew(self) -> float:
        """The venue's clock minus ours, in seconds; the way there and back is taken to be equally long."""
        asked = time.time()
        answer = self._rest.read(f"{API}/instruments/PI_XBTUSD/status")
        return parse_server_time(answer) - (asked + time.time()) / 2

    @contextmanager
    def session(self, credentials: Credentials, gate: Gate) -> Iterator[DerivativesSession]:
        """Everything one key may do. It shares the venue's connections and forgets the key when left."""
        session = DerivativesSession(self._rest, Signer(credentials, gate))
        try:
            yield session
        finally:
            session.close()

    def watch_market(self, wanted: MarketWishes) -> AsyncIterator[Event]:
        return watch_market(self._socket_url, wanted)

    def watch_account(self, credentials: Credentials) -> AsyncIterator[Event]:
        return watch_account(self._socket_url, credentials)

    def close(self) -> None:
        self._rest.close()


class DerivativesMarket:
    """What everybody may see. Raises the error tree."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def instruments(self) -> list[Instrument]:
        return parse_instruments(self._rest.read(f"{API}/instruments"))

    def statuses(self) -> list[InstrumentStatus]:
        return parse_statuses(self._rest.read(f"{API}/instruments/status"))

    def tickers(self) -> list[Ticker]:
        return parse_tickers(self._rest.read(f"{API}/tickers"))

    def book(self, symbol: str) -> BookSnapshot:
        return parse_orderbook(self._rest.read(f"{API}/orderbook", [("symbol", symbol)]), symbol)

    def trades(self, symbol: str, *, before: datetime | None = None) -> list[Trade]:
        """Up to 100, newest first; at most seven days back."""
        parameters = [("symbol", symbol), *_when("lastTime", before)]
        return parse_trade_history(self._rest.read(f"{API}/history", parameters), symbol)

    def candles(
        self,
        symbol: str,
        *,
        source: PriceSource,
        resolution: str,
        since: datetime | None = None,
        until: datetime | None = None,
        count: int | None = None,
    ) -> list[Candle]:
        """Oldest first, the running one included; without `since` the newest ones."""
        parameters = [("from", since and int(since.timestamp())), ("to", until and int(until.timestamp()))]
        asked = [(name, str(value)) for name, value in [*parameters, ("count", count)] if value is not None]
        path = f"{CHARTS}/{TICK_TYPES[source]}/{symbol}/{resolution}"
        return parse_candles(self._rest.read(path, asked))[0]

    def funding(self, symbol: str) -> list[FundingRate]:
        """Hourly rates, oldest first. Raises `Refused` for a contract that is not perpetual."""
        return parse_funding(self._rest.read(f"{API}/historical-funding-rates", [("symbol", symbol)]))

    def readings(
        self, symbol: str, measure: Measure, *, step: int, since: datetime, until: datetime | None = None
    ) -> list[Reading]:
        """Oldest first, one for each `step` of seconds. `Refused` where the contract has no such measure."""
        asked = [("since", str(int(since.timestamp()))), ("interval", str(step))]
        if until is not None:
            asked.append(("to", str(int(until.timestamp()))))
        return parse_readings(self._rest.read(f"{CHARTS}/analytics/{symbol}/{ANALYTICS[measure]}", asked), measure)


class DerivativesSession:
    """One key's doors. After `close` the key is gone and every call raises `RuntimeError`."""

    def __init__(self, rest: Rest, signer: Signer) -> None:
        self._rest = rest
        self._signer: Signer | None = signer
        self.orders = DerivativesOrders(self)
        self.account = DerivativesAccount(self)
        self.funds = DerivativesFunds(self)
        self.history = DerivativesHistory(self)
        self.preferences = DerivativesPreferences(self)

    def read(self, path: str, parameters: Parameters = (), *, cost: Cost = costs.READ) -> Any:
        return self._rest.read(path, parameters, signer=self._key(), cost=cost)

    def read_text(self, path: str, *, cost: Cost) -> str:
        return self._rest.read_text(path, signer=self._key(), cost=cost)

    def ask(self, path: str, parameters: Parameters, *, cost: Cost) -> Any:
        return self._rest.ask(path, parameters, signer=self._key(), cost=cost)

    def write(self, path: str, parameters: Parameters, *, cost: Cost, method: str = "POST") -> Any:
        return self._rest.write(path, parameters, signer=self._key(), cost=cost, method=method)

    def close(self) -> None:
        self._signer = None

    def _key(self) -> Signer:
        if self._signer is None:
            raise RuntimeError("this session is closed")
        return self._signer


class DerivativesAccount:
    """What a key may read. Raises the error tree."""

    def __init__(self, session: DerivativesSession) -> None:
        self._session = session

    def check(self) -> KeyFacts:
        """What the key may do. A wrong secret raises `Refused` with `authenticationError` or `invalidSecret`."""
        return parse_key_check(self._session.read(KEY_CHECK, cost=costs.CHECK))

    def wallets(self) -> Wallets:
        return parse_wallets(self._session.read(f"{API}/accounts"))

    def positions(self) -> list[Position]:
        return parse_positions(self._session.read(f"{API}/openpositions"))

    def open_orders(self) -> list[Order]:
        return parse_open_orders(self._session.read(f"{API}/openorders"))

    def fills(self, *, before: datetime | None = None) -> list[Fill]:
        """Up to 100, newest first. With `before` the call costs twelve times as much."""
        cost = costs.READ if before is None else costs.PAST_FILLS
        return parse_fills(self._session.read(f"{API}/fills", _when("lastFillTime", before), cost=cost))


class DerivativesOrders:
    """What changes orders. `place`, `amend`, `cancel` and `batch` answer outcomes and raise nothing of the wire."""

    def __init__(self, session: DerivativesSession) -> None:
        self._session = session

    def place(self, order: NewOrder, *, deadline: datetime) -> Outcome:
        """Sent once. After `deadline` the venue refuses it, so that a lost order can be proven never to arrive."""
        cost = costs.REDUCE if order.reduce_only else costs.PLACE
        return self._decide(
            OrderRef(client_id=order.client_id),
            lambda: self._session.write(f"{API}/sendorder", _text(send_words(order, deadline)), cost=cost),
            lambda answer: parse_send(answer, order),
        )

    def amend(self, ref: OrderRef, change: Change, *, deadline: datetime) -> Outcome:
        """`change.size` is the new total; what has filled meanwhile counts into it."""
        words = edit_words(ref, change, deadline)
        return self._decide(
            ref,
            lambda: self._session.write(f"{API}/editorder", _text(words), cost=costs.AMEND),
            lambda answer: parse_edit(answer, ref),
        )

    def cancel(self, ref: OrderRef, *, deadline: datetime | None = None) -> Outcome:
        parameters = _text(ref_words(ref, venue_name="order_id")) + _when("processBefore", deadline)
        return self._decide(
            ref,
            lambda: self._session.write(f"{API}/cancelorder", parameters, cost=costs.CANCEL),
            lambda answer: parse_cancel(answer, ref),
        )

    def batch(self, orders: Sequence[NewOrder], *, deadline: datetime) -> list[Outcome]:
        """One outcome per order, in the order given. At most `capabilities.batch_size` of them; not atomic."""
        if not 0 < len(orders) <= BATCH_SIZE:
            raise ValueError(f"a batch has 1 to {BATCH_SIZE} orders")
        elements = [{"order": "send", "order_tag": str(place), **send_words(one)} for place, one in enumerate(orders)]
        parameters = [("json", _batch_json(elements)), *_when("processBefore", deadline)]
        try:
            cost = costs.batch(len(orders), urgent=all(order.reduce_only for order in orders))
            return parse_batch(self._session.write(f"{API}/batchorder", parameters, cost=cost), orders)
        except (Unreachable, Unreadable, Throttled, Refused) as problem:
            return [_outcome_of(problem, OrderRef(client_id=order.client_id)) for order in orders]

    def cancel_batch(self, refs: Sequence[OrderRef], *, deadline: datetime) -> list[Outcome]:
        """One outcome per cancel, in the order given; what each proves is as with `cancel`."""
        if not 0 < len(refs) <= BATCH_SIZE:
            raise ValueError(f"a batch has 1 to {BATCH_SIZE} cancels")
        elements = [{"order": "cancel", **ref_words(ref, venue_name="order_id")} for ref in refs]
        parameters = [("json", _batch_json(elements)), *_when("processBefore", deadline)]
        try:
            cost = costs.batch(len(refs), urgent=True)
            return parse_cancel_batch(self._session.write(f"{API}/batchorder", parameters, cost=cost), refs)
        except (Unreachable, Unreadable, Throttled, Refused) as problem:
            return [_outcome_of(problem, ref) for ref in refs]

    def cancel_all(self, symbol: str | None = None) -> list[OrderRef]:
        """What was cancelled. Raises the error tree; after `Unreachable` look at the open orders again."""
        parameters = [("symbol", symbol)] if symbol else []
        return parse_cancel_all(self._session.write(f"{API}/cancelallorders", parameters, cost=costs.CANCEL_ALL))

    def arm(self, seconds: int) -> DeadMan:
        """The dead man's switch: every open order of the account is cancelled after so long without another call.

        0 disarms. Raises the error tree; calling again, also after no answer, only moves the moment.
        """
        answer = self._session.write(f"{API}/cancelallordersafter", [("timeout", str(seconds))], cost=costs.DEAD_MAN)
        return parse_dead_man(answer)

    def lookup(self, refs: Iterable[OrderRef]) -> list[Order]:
        """Orders open now or closed within the last five seconds. A missing one proves nothing. Needs a full key."""
        parameters = [
            ("orderIds", ref.venue_id) if ref.venue_id else ("cliOrdIds", ref.client_id or "") for ref in refs
        ]
        if not parameters:
            return []
        return parse_looked_up(self._session.ask(f"{API}/orders/status", parameters, cost=costs.LOOKUP))

    def _decide(self, ref: OrderRef, send: Callable[[], Any], read: Callable[[Any], Outcome]) -> Outcome:
        try:
            return read(send())
        except (Unreachable, Unreadable, Throttled, Refused) as problem:
            return _outcome_of(problem, ref)


def _outcome_of(problem: Unreachable | Unreadable | Throttled | Refused, ref: OrderRef) -> Outcome:
    """What an error proves about a write: only a plain no, or a request that never left, is certain."""
    if isinstance(problem, NotSent):
        return Rejected(code="notSent", sentence=sentence("notSent"))
    if isinstance(problem, Throttled):
        return Rejected(code="throttled", sentence=sentence("throttled"), retry_after=problem.retry_after)
    if isinstance(problem, Refused):
        return Rejected(code=problem.code, sentence=problem.sentence, field=problem.field)
    return Lost(ref=ref, why=str(problem))


def _text(words: Words) -> list[tuple[str, str]]:
    return [(name, as_text(value)) for name, value in words.items()]


def _when(name: str, moment: datetime | None) -> list[tuple[str, str]]:
    return [] if moment is None else [(name, iso(moment))]


def _batch_json(elements: Iterable[Words]) -> str:
    """Written by hand because numbers must stand in plain notation, which no JSON writer promises."""
    return '{"batchOrder":[' + ",".join(_json_object(element) for element in elements) + "]}"


def _json_object(words: Words) -> str:
    members = (
        f"{json.dumps(name)}:{plain(value) if isinstance(value, Decimal) else json.dumps(value)}"
        for name, value in words.items()
    )
    return "{" + ",".join(members) + "}"
