"""The doorkeeper: who calls, may they, have they paid, and what is to go wrong on purpose."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from aiohttp import web
from aiohttp.http import HttpProcessingError

from demovenue.doors import answers
from demovenue.doors.answers import Answer, refusal, respond, success
from demovenue.doors.call import Call
from demovenue.doors.faults import Scope
from demovenue.doors.house import House
from demovenue.doors.params import Params
from demovenue.doors.signatures import NonceError, decode_secret, is_signed
from demovenue.doors.table import Family, Right, Route, Table
from demovenue.values import Key, Refused

log = logging.getLogger("demovenue.doors")

V3 = "/derivatives/api/v3/"
_ALLOWED = {
    Right.READ: {"read", "full"},
    Right.FULL: {"full"},
}


class _Lost(Exception):
    """It was done, and the answer is to get lost."""


class Gate:
    """Serves every path below /derivatives and /api."""

    def __init__(self, house: House, table: Table) -> None:
        self.house = house
        self.table = table

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        public = request.headers.get("APIKey")
        route = self.table.find(request.method, path)
        try:
            body = await _body(request)
            await self._break(route, public, path)
            return await self._answer(request, route, path, query, body)
        except Answer as refused:
            return self._refuse(refused, public)
        except _Lost:
            return _hang_up(request)
        except web.HTTPException:
            raise
        except Exception:
            log.exception("a handler broke: %s %s", request.method, path)
            return self._refuse(answers.failure(500, 0, "500 INTERNAL_SERVER_ERROR"), public)

    async def _answer(
        self, request: web.Request, route: Route | None, path: str, query: str, body: bytes
    ) -> web.Response:
        if route is None:
            raise answers.not_found() if path.startswith(V3) else answers.gateway_not_found(path)
        call = Call(self.house, Params({}), route.values, algo_id=request.headers.get("algoId"))
        if route.right is not Right.PUBLIC:
            call.key = self._caller(request.headers, route, path, query.encode() + body)
        call.params = Params.read(query, body)
        if route.right is not Right.PUBLIC:
            self._charge(call, route, path)
        try:
            fields = route.handler(call)
            if not isinstance(fields, (dict, bytes)):
                fields = await fields  # an order that may be held for a while
        except Refused as word:
            raise refusal(word.word) from word
        if self.house.faults.meet("drop_response", key=call.public, path=path, scope=_scope(route)):
            raise _Lost
        self.house.answered.add(call.touched)
        return _write(call, fields)

    def _caller(self, headers: Mapping[str, str], route: Route, path: str, post_data: bytes) -> Key:
        """The key that signed these bytes and may do this. Raises the family's refusal."""
        public, authent = headers.get("APIKey"), headers.get("Authent")
        key = self.house.exchange.key(public) if public and authent else None
        if key is None or authent is None:
            raise _unauthorized(route.family)
        nonce = headers.get("Nonce", "")
        if not is_signed(decode_secret(key.secret), authent, post_data=post_data, nonce=nonce, path=path):
            raise _unauthorized(route.family)
        if not _permits(key, route.right):
            raise _unauthorized(route.family)
        self._use_nonce(key.public, nonce, route, path)
        return key

    def _use_nonce(self, public: str, nonce: str, route: Route, path: str) -> None:
        if self.house.faults.meet("nonce", key=public, path=path, scope=_scope(route)):
            raise refusal("nonceBelowThreshold")
        if nonce:
            try:
                self.house.nonces(public).use(nonce)
            except NonceError as error:
                raise refusal(error.code) from error

    def _charge(self, call: Call, route: Route, path: str) -> None:
        """Take the call's cost from the account's budget."""
        limited = self.house.faults.meet("rate_limit", key=call.public, path=path, scope=_scope(route))
        cost = route.cost if isinstance(route.cost, int) else route.cost(call)
        if route.family is Family.HISTORY:
            pool = self.house.budgets.history(call.account)
            if limited or not pool.take(cost):
                raise answers.history_exhausted(pool.wait(cost))
        elif limited or not self.house.budgets.trading(call.account).take(cost):
            raise refusal("apiLimitExceeded")

    async def _break(self, route: Route | None, public: str | None, path: str) -> None:
        """Faults that come before the call is understood: it is late, or nobody is at home."""
        faults = self.house.faults
        scope = _scope(route)
        slow = faults.meet("delay", key=public, path=path, scope=scope)
        if slow:
            await asyncio.sleep(slow.seconds or 1.0)
        if faults.meet("http_503", key=public, path=path, scope=scope):
            raise _unavailable()
        if faults.meet("http_500", key=public, path=path, scope=scope):
            raise answers.failure(500, 0, "500 INTERNAL_SERVER_ERROR")

    def _refuse(self, refused: Answer, public: str | None) -> web.Response:
        return respond(
            refused.body(self.house.now(public)),
            status=refused.status,
            content_type=refused.content_type,
            headers=refused.headers,
        )


async def _body(request: web.Request) -> bytes:
    """All of it. Raises a refusal when it is not what its headers promise."""
    try:
        return await request.read()
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as error:
        raise answers.bad_request() from error


def _write(call: Call, fields: object) -> web.Response:
    """Handlers of the trading API return fields; the others return the bytes they want to say."""
    if isinstance(fields, bytes):
        content_type = call.headers.pop("Content-Type", "application/json")
        return respond(fields, content_type=content_type, headers=call.headers)
    assert isinstance(fields, dict)
    return respond(success(call.now(), fields))


def _hang_up(request: web.Request) -> web.Response:
    """Cut the line. The response is never seen: aiohttp wants one all the same."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _scope(route: Route | None) -> Scope:
    if route is None or route.right is Right.PUBLIC:
        return Scope.ALL
    return Scope.WRITES if route.writes else Scope.PRIVATE


def _permits(key: Key, right: Right) -> bool:
    if right is Right.WITHDRAW:
        return key.withdrawal == "full"
    return right is Right.ANY or key.general in _ALLOWED[right]


def _unauthorized(family: Family) -> Answer:
    if family is Family.HISTORY:
        return answers.history_unauthorized()
    if family is Family.KEYCHECK:
        return answers.keycheck_unauthorized()
    return refusal("authenticationError")


def _unavailable() -> Answer:
    answer = refusal("Unavailable")
    answer.status = 503
    return answer
