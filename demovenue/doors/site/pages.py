"""The pages' doors: session, form token, one call to the exchange, one page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from aiohttp import web

from demovenue.doors import scenarios
from demovenue.doors.arming import arm
from demovenue.doors.asked import NoSense
from demovenue.doors.house import House
from demovenue.doors.limits import Bucket
from demovenue.doors.people import People
from demovenue.doors.site import views
from demovenue.doors.site.sessions import Session, Sessions, is_genuine, set_cookie
from demovenue.doors.stream.hub import Hub
from demovenue.values import Account, Key, Refused

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STYLE = Path(__file__).with_name("style.css").read_bytes()
_ICON = Path(__file__).with_name("icon.svg").read_bytes()
_TRIES, _TRIES_BACK = 10.0, 0.2  # sign-ins at once, and a second, for the whole site
_NEWCOMERS, _NEWCOMERS_BACK = 30.0, 0.2  # sign-ups at once, and a second: each costs a slow hash and stays for ever
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REFUSALS = {
    "tooManyKeys": "An account has 50 keys at most. Revoke one first.",
    "invalidAmount": "That is not an amount that can be poured.",
    "invalidUnit": "That wallet does not hold this currency.",
    "invalidAccount": "There is no such wallet.",
}


class Site:
    def __init__(self, house: House, hub: Hub, people: People) -> None:
        self.house = house
        self.hub = hub
        self.people = people
        self.sessions = Sessions()
        self._tries = Bucket(_TRIES, _TRIES_BACK)
        self._newcomers = Bucket(_NEWCOMERS, _NEWCOMERS_BACK)

    def add_routes(self, app: web.Application) -> None:
        for method, path, handler in (
            ("GET", "/", self.welcome),
            ("GET", "/style.css", self.style),
            ("GET", "/icon.svg", self.icon),
            ("GET", "/signup", self.start),
            ("POST", "/signup", self.sign_up),
            ("POST", "/signup/complete", self.complete),
            ("GET", "/signin", self.sign_in_page),
            ("POST", "/signin", self.sign_in),
            ("POST", "/signout", self.sign_out),
            ("GET", "/account", self.account),
            ("POST", "/account/fund", self.fund),
            ("GET", "/market", self.market),
            ("GET", "/settings", self.settings),
            ("POST", "/settings/keys", self.create_key),
            ("POST", "/settings/revoke", self.revoke_key),
            ("GET", "/scenarios", self.scenes),
            ("POST", "/scenarios", self.play),
            ("POST", "/scenarios/faults", self.arm),
        ):
            app.router.add_route(method, path, handler)

    # --- around every page ------------------------------------------------------------------------

    def _page(self, request: web.Request, title: str, body: object, *, status: int = 200) -> web.Response:
        token, session = self.sessions.of(request)
        return self._written(token, session, request.path, title, body, status)

    def _written(
        self, token: str, session: Session, here: str, title: str, body: object, status: int = 200
    ) -> web.Response:
        text = views.page(title, body, here=here, csrf=session.csrf, account=self._owner(session))
        response = web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)
        set_cookie(response, token)
        return response

    def _owner(self, session: Session) -> Account | None:
        return None if session.account is None else self.house.exchange.account(session.account)

    def _session(self, request: web.Request) -> Session:
        return self.sessions.of(request)[1]

    def _me(self, request: web.Request) -> Account:
        """The signed-in account; everybody else is sent to sign in."""
        owner = self._owner(self._session(request))
        if owner is None:
            raise web.HTTPSeeOther("/signin")
        return owner

    async def _form(self, request: web.Request) -> dict[str, str]:
        """The posted fields, once the form token proves that the form was ours."""
        fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if not is_genuine(self._session(request), fields.get("csrf", "")):
            raise web.HTTPForbidden(text="The form is old. Go back, load the page again, and try once more.")
        return fields

    async def style(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=_STYLE, content_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def icon(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=_ICON, content_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})

    # --- signing up and in ------------------------------------------------------------------------

    async def welcome(self, request: web.Request) -> web.StreamResponse:
        token, session = self.sessions.of(request)
        if session.account is not None:
            raise web.HTTPSeeOther("/account")
        return self._written(token, session, "/", "A demo exchange", views.welcome(session.csrf))

    async def start(self, request: web.Request) -> web.StreamResponse:
        """A page that was loaded again, or an address somebody noted: the form is on the first page."""
        raise web.HTTPSeeOther("/")

    async def sign_up(self, request: web.Request) -> web.StreamResponse:
        fields = await self._form(request)
        if not (fields.get("terms") and fields.get("privacy")):
            raise web.HTTPSeeOther("/")
        if not self._newcomers.take(1):
            raise web.HTTPTooManyRequests(text="Too many sign-ups. Wait a minute.")
        made = self.house.exchange.sign_up()
        token, session = self.sessions.start(made.account.uid)
        body = views.credentials(made.account.email, made.password, session.csrf)
        return self._written(token, session, "/signup", "Note your credentials", body)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        await self._form(request)
        raise web.HTTPSeeOther("/settings")

    async def sign_in_page(self, request: web.Request) -> web.StreamResponse:
        token, session = self.sessions.of(request)
        return self._written(token, session, "/signin", "Sign in", views.sign_in(session.csrf, None))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        fields = await self._form(request)
        allowed = self._tries.take(1)
        owner = self.people.sign_in(fields.get("email", ""), fields.get("password", "")) if allowed else None
        if owner is None:
            words = "E-mail or password is wrong." if allowed else "Too many tries. Wait a few seconds."
            body = views.sign_in(self._session(request).csrf, words)
            return self._page(request, "Sign in", body, status=403 if allowed else 429)
        token, _ = self.sessions.start(owner.uid)
        response = web.HTTPSeeOther("/account")
        set_cookie(response, token)
        return response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        await self._form(request)
        self.sessions.end(self.sessions.of(request)[0])
        raise web.HTTPSeeOther("/")

    # --- the account ------------------------------------------------------------------------------

    async def account(self, request: web.Request) -> web.StreamResponse:
        return self._balances(request)

    def _balances(self, request: web.Request, *, news: str | None = None, trouble: str | None = None) -> web.Response:
        me, exchange = self._me(request), self.house.exchange
        body = views.balances(
            exchange.wallets(me.uid),
            exchange.positions(me.uid),
            exchange.open_orders(me.uid),
            self._session(request).csrf,
            news=news,
            trouble=trouble,
        )
        return self._page(request, "Balances", body, status=400 if trouble else 200)

    async def fund(self, request: web.Request) -> web.StreamResponse:
        me, fields = self._me(request), await self._form(request)
        try:
            amount = Decimal(fields.get("amount", "")[:40])
            wallet, currency = fields.get("wallet", "").lower(), fields.get("currency", "").lower()
            if not amount.is_finite():
                raise Refused("invalidAmount")
            self.house.exchange.fund(me.uid, wallet=wallet, currency=currency, amount=amount)
        except InvalidOperation:
            return self._balances(request, trouble=REFUSALS["invalidAmount"])
        except Refused as refused:
            return self._balances(request, trouble=REFUSALS.get(refused.word, refused.word))
        return self._balances(request, news=f"Poured {amount} {currency.upper()} into {wallet}.")

    async def market(self, request: web.Request) -> web.StreamResponse:
        exchange = self.house.exchange
        ticks = {one.symbol: one.tick for one in exchange.instruments()}
        now = f"{exchange.now():%Y-%m-%d %H:%M:%S} UTC"
        return self._page(request, "Market", views.market(exchange.tickers(), ticks, now))

    # --- keys -------------------------------------------------------------------------------------

    async def settings(self, request: web.Request) -> web.StreamResponse:
        return self._keys(request)

    def _keys(self, request: web.Request, *, made: Key | None = None, trouble: str | None = None) -> web.Response:
        keys = self.house.exchange.keys(self._me(request).uid)
        body = views.settings(keys, self._session(request).csrf, made=made, trouble=trouble)
        return self._page(request, "Settings", body, status=400 if trouble else 200)

    async def create_key(self, request: web.Request) -> web.StreamResponse:
        me, fields = self._me(request), await self._form(request)
        general, withdrawal = fields.get("general", ""), fields.get("withdrawal", "")
        if general not in dict(views.GENERAL) or withdrawal not in dict(views.WITHDRAWAL):
            return self._keys(request, trouble="Choose a permission in each group.")
        try:
            made = self.house.exchange.create_key(me.uid, general=general, withdrawal=withdrawal)
        except Refused as refused:
            return self._keys(request, trouble=REFUSALS.get(refused.word, refused.word))
        return self._keys(request, made=made)

    async def revoke_key(self, request: web.Request) -> web.StreamResponse:
        me, fields = self._me(request), await self._form(request)
        self.house.exchange.revoke_key(me.uid, fields.get("public", ""))
        raise web.HTTPSeeOther("/settings")

    # --- misfortunes ------------------------------------------------------------------------------

    async def scenes(self, request: web.Request) -> web.StreamResponse:
        return self._scenes(request)

    def _scenes(self, request: web.Request, *, news: str | None = None, trouble: str | None = None) -> web.Response:
        me = self._me(request)
        if not self.house.control:
            raise web.HTTPNotFound
        armed, keys = self.house.faults.armed(), self.house.exchange.keys(me.uid)
        body = views.scenes(armed, keys, self._session(request).csrf, news=news, trouble=trouble)
        return self._page(request, "Scenarios", body, status=400 if trouble else 200)

    async def play(self, request: web.Request) -> web.StreamResponse:
        me, fields = self._me(request), await self._form(request)
        name = fields.get("scenario", "")
        if not self.house.control or name not in scenarios.SCENARIOS:
            raise web.HTTPNotFound
        try:
            return self._scenes(request, news=scenarios.play(name, self.house, self.hub, me.uid))
        except Refused as refused:
            return self._scenes(request, trouble=f"The exchange refused: {refused.word}")

    async def arm(self, request: web.Request) -> web.StreamResponse:
        me, fields = self._me(request), await self._form(request)
        if not self.house.control:
            raise web.HTTPNotFound
        wish = {name: fields[name] for name in ("fault", "key", "count", "seconds") if fields.get(name)}
        if "key" in wish and wish["key"] not in {key.public for key in self.house.exchange.keys(me.uid)}:
            return self._scenes(request, trouble="That is not a key of yours.")
        try:
            fault = arm(self.house, self.hub, wish)
        except NoSense as refusal:
            return self._scenes(request, trouble=f"{refusal}.".capitalize())
        return self._scenes(request, news=f"Armed: {fault.name}.")
