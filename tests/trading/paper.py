"""The wire, replaced: a few lines of an exchange behind a requests adapter, with the bad luck built in."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import requests

from tests.krakenfutures.wire import answered, as_json, read_json, text_of

API = "/derivatives/api/v3/"
PRICE = Decimal(60000)


class PaperWire(requests.adapters.BaseAdapter):
    """What it did with each order is in `orders`, by our own id: the truth to hold the desk's rows against."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.orders: dict[str, dict[str, Any]] = {}
        self.fills: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.lose: set[str] = set()  # names of calls that are carried out and never answered
        self.swallow: set[str] = set()  # names of calls that never arrive, and are never answered
        self.written: list[str] = []  # settings that were to be changed
        self.lose_writes: set[str] = set()  # as the two above, and readings of the same name are answered
        self.swallow_writes: set[str] = set()
        self.refuse: dict[str, str] = {}  # name of call: Kraken's status word
        self.fill_at_once = False
        self.hidden = False  # open orders are not listed
        self.forgetful = False  # order status has forgotten everything
        self.away = False  # nobody answers at all
        self.skew = timedelta(0)
        self.slow = 0.0  # seconds before each order is answered
        self.accounts = read_json(text_of("rest_accounts"))
        self.positions: list[dict[str, Any]] = []
        self.leverages: dict[str, Decimal] = {}
        self.pnl_currencies: dict[str, str] = {}
        self.unwind_ranks: dict[str, int] = {}

    # --- the wire

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        parts = urlsplit(request.url or "")
        name = parts.path.removeprefix(API)
        words = dict(parse_qsl(parts.query if request.method == "GET" else str(request.body or "")))
        with self.lock:
            self.asked.append(name)
            if request.method == "PUT":
                self.written.append(name)
        if self.away:
            raise requests.exceptions.ConnectionError("nobody there")
        writes = request.method == "PUT"
        if name in self.swallow or (writes and name in self.swallow_writes):
            raise requests.exceptions.ReadTimeout("no answer")
        if name == "sendorder":
            time.sleep(self.slow)
        with self.lock:
            body = getattr(self, f"_{name.split('/')[0]}")(words)
        if name in self.lose or (writes and name in self.lose_writes):
            raise requests.exceptions.ReadTimeout("no answer")
        response = answered(as_json({"result": "success", "serverTime": _iso(self.now()), **body}))
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None: ...

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def count(self, name: str) -> int:
        return self.asked.count(name)

    # --- the exchange

    def fill(self, client_id: str, size: str, *, price: Decimal = PRICE) -> None:
        order = self.orders[client_id]
        order["filled"] += Decimal(size)
        self.fills.insert(0, {
            "fill_id": str(uuid4()), "order_id": order["id"], "cliOrdId": client_id, "symbol": order["symbol"],
            "side": order["side"], "size": Decimal(size), "price": price, "fillTime": _iso(self.now()),
            "fillType": "taker", "realized_pnl": 0,
        })  # fmt: skip
        if order["filled"] >= order["size"]:
            order["status"] = "filled"

    def _instruments(self, words: dict[str, str]) -> dict[str, Any]:
        return {"tradeable": "PI_XBTUSD", "experiencingDislocation": False, "experiencingExtremeVolatility": False}

    def _sendorder(self, words: dict[str, str]) -> dict[str, Any]:
        now, client_id = self.now(), words["cliOrdId"]
        if "sendorder" in self.refuse:
            return {"sendStatus": {"status": self.refuse["sendorder"], "receivedTime": _iso(now)}}
        if now > datetime.fromisoformat(words["processBefore"]):
            return {"sendStatus": {"status": "wouldProcessAfterSpecifiedTime", "receivedTime": _iso(now)}}
        if client_id in self.orders:
            return {"sendStatus": {"status": "clientOrderIdAlreadyExist", "receivedTime": _iso(now)}}
        order = {
            "id": str(uuid4()), "client_id": client_id, "symbol": words["symbol"], "side": words["side"],
            "type": words["orderType"], "size": Decimal(words["size"]), "filled": Decimal(0), "status": "open",
            "price": Decimal(words.get("limitPrice", PRICE)), "at": now, "changed": now,
        }  # fmt: skip
        self.orders[client_id] = order
        if self.fill_at_once:
            before = _event_order(order)
            self.fill(client_id, words["size"])
            happened = {
                "type": "EXECUTION", "executionId": str(uuid4()), "price": PRICE, "amount": order["size"],
                "orderPriorEdit": None, "orderPriorExecution": before, "takerReducedQuantity": None,
            }  # fmt: skip
        else:
            happened = {"type": "PLACE", "order": _event_order(order), "reducedQuantity": None}
        return {"sendStatus": {"order_id": order["id"], "status": "placed", "receivedTime": _iso(now),
                               "cliOrdId": client_id, "orderEvents": [happened]}}  # fmt: skip

    def _cancelorder(self, words: dict[str, str]) -> dict[str, Any]:
        order = self._find(words.get("order_id"), words.get("cliOrdId"))
        now = _iso(self.now())
        if order is None or order["status"] != "open":
            word = "filled" if order and order["status"] == "filled" else "notFound"
            return {"cancelStatus": {"status": word, "receivedTime": now}}
        order["status"], order["changed"] = "cancelled", self.now()
        return {"cancelStatus": {"status": "cancelled", "order_id": order["id"], "receivedTime": now,
                                 "orderEvents": [{"type": "CANCEL", "uid": order["id"],
                                                  "order": _event_order(order)}]}}  # fmt: skip

    def _cancelallorders(self, words: dict[str, str]) -> dict[str, Any]:
        gone = [one for one in self.orders.values() if one["status"] == "open"]
        gone = [one for one in gone if words.get("symbol") in {None, one["symbol"]}]
        for order in gone:
            order["status"], order["changed"] = "cancelled", self.now()
        named = [{"order_id": one["id"], "cliOrdId": one["client_id"]} for one in gone]
        return {"cancelStatus": {"status": "cancelled" if gone else "noOrdersToCancel", "cancelOnly": "all",
                                 "receivedTime": _iso(self.now()), "cancelledOrders": named}}  # fmt: skip

    def _editorder(self, words: dict[str, str]) -> dict[str, Any]:
        order = self._find(words.get("orderId"), words.get("cliOrdId"))
        if order is None or order["status"] != "open":
            return {"editStatus": {"status": "orderForEditNotFound", "receivedTime": _iso(self.now())}}
        old = _event_order(order)
        order["size"] = Decimal(words.get("size", order["size"]))
        order["price"] = Decimal(words.get("limitPrice", order["price"]))
        order["changed"] = self.now()
        event = {"type": "EDIT", "old": old, "new": _event_order(order), "reducedQuantity": None}
        return {"editStatus": {"status": "edited", "orderId": order["id"], "receivedTime": _iso(self.now()),
                               "orderEvents": [event]}}  # fmt: skip

    def _orders(self, words: dict[str, str]) -> dict[str, Any]:
        order = None if self.forgetful else self._find(words.get("orderIds"), words.get("cliOrdIds"))
        if order is None or (order["status"] != "open" and self.now() - order["changed"] > timedelta(seconds=5)):
            return {"orders": []}
        status = {"open": "ENTERED_BOOK", "filled": "FULLY_EXECUTED", "cancelled": "CANCELLED"}[order["status"]]
        described = {**_event_order(order), "type": "ORDER", "priceTriggerOptions": None, "triggerTime": None}
        return {"orders": [{"order": described, "status": status, "updateReason": None, "error": None}]}

    def _openorders(self, words: dict[str, str]) -> dict[str, Any]:
        rows = [] if self.hidden else [one for one in self.orders.values() if one["status"] == "open"]
        return {"openOrders": [{
            "order_id": one["id"], "cliOrdId": one["client_id"], "symbol": one["symbol"], "side": one["side"],
            "orderType": one["type"], "limitPrice": one["price"], "filledSize": one["filled"],
            "unfilledSize": one["size"] - one["filled"], "reduceOnly": False,
            "status": "partiallyFilled" if one["filled"] else "untouched", "receivedTime": _iso(one["at"]),
            "lastUpdateTime": _iso(one["changed"]),
        } for one in rows]}  # fmt: skip

    def _fills(self, words: dict[str, str]) -> dict[str, Any]:
        before = words.get("lastFillTime", "9")
        return {"fills": [fill for fill in self.fills if fill["fillTime"] < before][:100]}

    def _accounts(self, words: dict[str, str]) -> dict[str, Any]:
        return {"accounts": self.accounts["accounts"]}

    def _openpositions(self, words: dict[str, str]) -> dict[str, Any]:
        return {"openPositions": self.positions}

    def _leveragepreferences(self, words: dict[str, str]) -> dict[str, Any]:
        """Asked without a symbol it is a reading."""
        if "symbol" in words:
            self.leverages.pop(words["symbol"], None)
            if "maxLeverage" in words:
                self.leverages[words["symbol"]] = Decimal(words["maxLeverage"])
            return {}
        return {"leveragePreferences": [{"symbol": one, "maxLeverage": cap} for one, cap in self.leverages.items()]}

    def _pnlpreferences(self, words: dict[str, str]) -> dict[str, Any]:
        if "symbol" in words:
            self.pnl_currencies[words["symbol"]] = words["pnlPreference"]
            return {}
        rows = [{"symbol": one, "pnlCurrency": currency} for one, currency in self.pnl_currencies.items()]
        return {"preferences": rows}

    def _unwindqueue(self, words: dict[str, str]) -> dict[str, Any]:
        return {"queue": [{"symbol": one, "percentile": share} for one, share in self.unwind_ranks.items()]}

    def _find(self, venue_id: str | None, client_id: str | None) -> dict[str, Any] | None:
        return next(
            (one for one in self.orders.values() if one["id"] == venue_id or one["client_id"] == client_id), None
        )


def _event_order(order: dict[str, Any]) -> dict[str, Any]:
    return {
        "orderId": order["id"], "cliOrdId": order["client_id"], "type": order["type"], "symbol": order["symbol"],
        "side": order["side"], "quantity": order["size"], "filled": order["filled"], "limitPrice": order["price"],
        "reduceOnly": False, "timestamp": _iso(order["at"]), "lastUpdateTimestamp": _iso(order["changed"]),
    }  # fmt: skip


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
