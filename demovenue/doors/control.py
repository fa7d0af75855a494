"""The `/demo` calls: sign-up for scripts, the faucet, the clock, the market's hand brake, faults, and the truth.

They are off unless the venue listens on loopback, or was told to allow them. Pages of other sites cannot call them
either: a request that names a foreign origin is refused.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from demovenue.doors import scenarios
from demovenue.doors.answers import encode, iso_millis, respond, text
from demovenue.doors.arming import arm
from demovenue.doors.asked import NoSense, flag, number, one_of, word
from demovenue.doors.faults import FAULTS
from demovenue.doors.house import House, is_loopback
from demovenue.doors.limits import Bucket
from demovenue.doors.people import People
from demovenue.doors.shapes.ledger import ledger
from demovenue.doors.stream.hub import Hub
from demovenue.values import Account, Key, Notification, Refused

log = logging.getLogger("demovenue.control")
Fields = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GENERAL = ("none", "read", "full")
WITHDRAWAL = ("none", "full")
NEWCOMERS, NEWCOMERS_BACK = 100.0, 0.2  # sign-ups at once, and a second, from other machines
DISLOCATIONS = ("ABOVE_UPPER_BOUND", "BELOW_LOWER_BOUND", "")
ADJUSTMENTS = ("admin transfer", "tax withheld", "tax refund", "interest payment")


class Control:
    def __init__(self, house: House, hub: Hub, people: People) -> None:
        self.house = house
        self.hub = hub
        self.people = people
        self._newcomers = Bucket(NEWCOMERS, NEWCOMERS_BACK)

    def add_routes(self, app: web.Application) -> None:
        for method, path, handler in (
            ("POST", "/demo/signup", self.sign_up),
            ("POST", "/demo/keys", self.create_key),
            ("GET", "/demo/keys", self.keys),
            ("DELETE", "/demo/keys/{public:.+}", self.revoke),
            ("POST", "/demo/subaccounts", self.open_subaccount),
            ("POST", "/demo/fund", self.fund),
            ("POST", "/demo/adjust", self.adjust),
            ("GET", "/demo/faults", self.faults),
            ("POST", "/demo/faults", self.arm),
            ("DELETE", "/demo/faults", self.clear),
            ("GET", "/demo/clock", self.clock),
            ("POST", "/demo/clock", self.set_clock),
            ("POST", "/demo/mark", self.set_mark),
            ("DELETE", "/demo/mark", self.release_mark),
            ("POST", "/demo/market", self.set_market),
            ("POST", "/demo/notifications", self.notify),
            ("POST", "/demo/scenario", self.play),
            ("GET", "/demo/ledger", self.truth),
        ):
            app.router.add_route(method, path, self._guarded(handler))

    def _guarded(self, handler: Callable[[web.Request], Awaitable[Fields]]) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                self._admit(request)
                return respond(encode(await handler(request)))
            except NoSense as refusal:
                body = {"error": refusal.code, "message": str(refusal)}
                headers = {"WWW-Authenticate": 'Basic realm="demovenue"'} if refusal.status == 401 else {}
                return respond(encode(body), status=refusal.status, headers=headers)
            except Refused as refused:
                return respond(encode({"error": refused.word, "message": refused.word}), status=400)

        return guarded

    def _admit(self, request: web.Request) -> None:
        if not self.house.control:
            raise NoSense("the /demo calls are off: listen on loopback, or start with --allow-control", status=404)
        if self.house.loopback and not is_loopback(request.url.host or ""):
            raise NoSense("not under another name", status=403, code="forbidden")  # a foreign name pointed at us
        origin = request.headers.get("Origin")
        if origin and urlsplit(origin).netloc != request.host:
            raise NoSense("not from another site", status=403, code="forbidden")

    async def _body(self, request: web.Request) -> Fields:
        try:
            document = json.loads(await request.read() or b"{}", parse_float=Decimal, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise NoSense("the body is no JSON") from error
        if not isinstance(document, dict):
            raise NoSense("the body must be a JSON object")
        return document

    def _me(self, request: web.Request) -> Account:
        account = self.people.by_basic(request.headers.get("Authorization"))
        if account is None:
            raise NoSense("e-mail and password (HTTP basic) are needed", status=401, code="unauthorized")
        return account

    # --- people and keys --------------------------------------------------------------------------

    async def sign_up(self, request: web.Request) -> Fields:
        if (await self._body(request)).get("accept_terms") is not True:
            raise NoSense("accept_terms must be true")
        if not self.house.loopback and not self._newcomers.take(1):
            raise NoSense("too many sign-ups, wait a minute", status=429, code="too_many")
        made = self.house.exchange.sign_up()
        return {"email": made.account.email, "password": made.password, "account_uid": made.account.uid}

    async def open_subaccount(self, request: web.Request) -> Fields:
        made = self.house.exchange.open_subaccount(self._me(request).uid)
        return {"email": made.account.email, "password": made.password, "account_uid": made.account.uid}

    async def create_key(self, request: web.Request) -> Fields:
        me, body = self._me(request), await self._body(request)
        general = one_of(body, "general", GENERAL, "full")
        withdrawal = one_of(body, "withdrawal", WITHDRAWAL, "none")
        key = self.house.exchange.create_key(me.uid, general=general, withdrawal=withdrawal)
        return {**_key(key), "private_key": key.secret}

    async def keys(self, request: web.Request) -> Fields:
        return {"keys": [_key(key) for key in self.house.exchange.keys(self._me(request).uid)]}

    async def revoke(self, request: web.Request) -> Fields:
        public = request.match_info["public"]
        if not self.house.exchange.revoke_key(self._me(request).uid, public):
            raise NoSense("no such key", status=404, code="not_found")
        return {"revoked": public}

    # --- money, clock, market ---------------------------------------------------------------------

    async def fund(self, request: web.Request) -> Fields:
        me, body = self._me(request), await self._body(request)
        wallet, currency = word(body, "wallet").lower(), word(body, "currency").lower()
        amount = number(body, "amount")
        if amount is None:
            raise NoSense("amount is needed")
        balance = self.house.exchange.fund(me.uid, wallet=wallet, currency=currency, amount=amount)
        return {"wallet": wallet, "currency": currency, "balance": text(balance)}

    async def adjust(self, request: web.Request) -> Fields:
        """What the venue books by hand: admin transfers, taxes, interest, fee credits."""
        me, body = self._me(request), await self._body(request)
        amount = number(body, "amount")
        if amount is None:
            raise NoSense("amount is needed")
        row = self.house.exchange.adjust(
            me.uid,
            kind=one_of(body, "kind", ADJUSTMENTS),
            wallet=word(body, "wallet").lower(),
            currency=word(body, "currency").lower(),
            amount=amount,
        )
        return {"id": row.id, "info": row.info, "asset": row.asset, "new_balance": text(row.new_balance)}

    async def clock(self, request: web.Request) -> Fields:
        exchange = self.house.exchange
        return {"now": iso_millis(exchange.now()), "speed": text(exchange.speed())}

    async def set_clock(self, request: web.Request) -> Fields:
        body = await self._body(request)
        speed, seconds = number(body, "speed"), number(body, "advance")
        if (speed is None) == (seconds is None):
            raise NoSense("either advance (seconds) or speed is needed")
        if speed is not None:
            if not Decimal("0") <= speed <= 1000:
                raise NoSense("speed is between 0 and 1000")
            self.house.exchange.set_speed(speed)
        if seconds is not None:
            if not 0 <= seconds <= 366 * 86400:
                raise NoSense("advance is between 0 seconds and a year")
            self.house.exchange.advance(seconds)
        return await self.clock(request)

    async def set_mark(self, request: web.Request) -> Fields:
        body = await self._body(request)
        symbol, price, percent = self._symbol(body), number(body, "price"), number(body, "percent")
        if (price is None) == (percent is None):
            raise NoSense("either price or percent is needed")
        mark = self.house.exchange.set_mark(symbol, price=price, percent=percent)
        return {"symbol": symbol, "mark": text(mark)}

    async def release_mark(self, request: web.Request) -> Fields:
        body = await self._body(request)
        given = body.get("symbol") or request.query.get("symbol")
        symbol = self._symbol({"symbol": given}) if given else None
        self.house.exchange.release_mark(symbol)
        return {"released": symbol or "all"}

    async def set_market(self, request: web.Request) -> Fields:
        """Suspend, post-only, maker protection, volatility: the switches of one market."""
        body = await self._body(request)
        symbol = self._symbol(body)
        protection, multiplier = number(body, "maker_protection_ms"), number(body, "margin_multiplier")
        state = self.house.exchange.set_status(
            symbol,
            suspended=flag(body, "suspended"),
            post_only=flag(body, "post_only"),
            maker_protection_ms=None if protection is None else int(protection),
            margin_multiplier=None if multiplier is None else int(multiplier),
            dislocation=one_of(body, "dislocation", DISLOCATIONS) if "dislocation" in body else None,
        )
        return {
            "symbol": symbol,
            "suspended": state.suspended,
            "post_only": state.post_only,
            "maker_protection_ms": state.maker_protection_ms,
            "margin_multiplier": state.margin_multiplier,
            "dislocation": state.dislocation or "",
        }

    async def notify(self, request: web.Request) -> Fields:
        body = await self._body(request)
        minutes = number(body, "expected_downtime_minutes")
        notice = Notification(
            id=len(self.house.exchange.notifications()) + 1,
            type=str(body.get("type") or "general"),
            priority=str(body.get("priority") or "low"),
            note=word(body, "note"),
            effective=self.house.exchange.now(),
            downtime_minutes=None if minutes is None else int(minutes),
        )
        scenarios.announce(self.house, self.hub, notice)
        return {"id": notice.id}

    def _symbol(self, body: Fields) -> str:
        symbol = word(body, "symbol").upper()
        if self.house.exchange.instrument(symbol) is None:
            raise NoSense(f"no such market: {symbol}")
        return symbol

    # --- faults and truth -------------------------------------------------------------------------

    async def faults(self, request: web.Request) -> Fields:
        return {"faults": [fault.describe() for fault in self.house.faults.armed()]}

    async def arm(self, request: web.Request) -> Fields:
        body = await self._body(request)
        arm(self.house, self.hub, body)
        return await self.faults(request)

    async def clear(self, request: web.Request) -> Fields:
        name = (await self._body(request)).get("fault") or request.query.get("fault")
        if name is not None and name not in FAULTS:
            raise NoSense("no such fault")
        self.house.faults.clear(name)
        if name in (None, "hide_from_open_orders"):
            self.house.hidden_orders.clear()
        if name in (None, "ws_freeze"):
            self.hub.thaw()
        return await self.faults(request)

    async def play(self, request: web.Request) -> Fields:
        """One of the scenario page's buttons. `liquidate_me` needs to know who."""
        body = await self._body(request)
        name = one_of(body, "scenario", tuple(scenarios.SCENARIOS))
        me = self.people.by_basic(request.headers.get("Authorization"))
        return {"done": scenarios.play(name, self.house, self.hub, None if me is None else me.uid)}

    async def truth(self, request: web.Request) -> Fields:
        return ledger(self.house.exchange.ledger(self._me(request).uid), self.house.answered)


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _key(key: Key) -> Fields:
    return {
        "public_key": key.public,
        "general": key.general,
        "withdrawal": key.withdrawal,
        "created_at": iso_millis(key.created),
    }
