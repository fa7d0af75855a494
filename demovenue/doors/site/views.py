"""What the pages look like. Values in, HTML out; nothing is asked of anybody here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from demovenue.doors.answers import iso, plain, text
from demovenue.doors.faults import FAULTS, Fault
from demovenue.doors.scenarios import SCENARIOS
from demovenue.doors.site.html import Markup, button, field, form, hidden, join, radios, select, table, tag
from demovenue.values import Account, Key, Order, PositionView, Ticker, WalletsView

PLACES = (("/account", "Balances"), ("/market", "Market"), ("/settings", "Settings"), ("/scenarios", "Scenarios"))
GENERAL = (("none", "No access"), ("read", "Read only"), ("full", "Full access (except withdrawals)"))
GROUPS = (
    ("Prices", ("crash", "liquidate_me", "release")),
    ("Answers", ("drop", "slow", "outage")),
    ("Sockets", ("gap", "freeze")),
    ("The venue", ("maintenance", "calm")),
)
WITHDRAWAL = (("none", "No access"), ("full", "Full access"))


def page(title: str, body: object, *, here: str, csrf: str, account: Account | None) -> str:
    places = PLACES if account else (("/market", "Market"), ("/signin", "Sign in"))
    links = [tag("a", words, href=path, aria_current="page" if path == here else None) for path, words in places]
    out = [form("/signout", csrf, button("Sign out", class_="quiet"))] if account else []
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} · demovenue"),
        tag("link", rel="stylesheet", href="/style.css"),
        tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
    )
    skip = tag("a", "Skip to the content", href="#content", class_="skip")
    top = tag("header", tag("strong", "demovenue"), tag("nav", *links, aria_label="Pages"), *out)
    main = tag("main", tag("h1", title), body, id="content")
    foot = tag("footer", "A demo exchange. The money is play money, and no order leaves this machine.")
    return "<!doctype html>" + tag("html", head, tag("body", skip, top, main, foot), lang="en")


def welcome(csrf: str) -> Markup:
    words = (
        "This exchange speaks the protocol of Kraken Derivatives, REST and WebSocket, so that what you write for the "
        "one works on the other. Sign up, create a key, and trade with play money."
    )
    agree = [
        _tick("terms", "I accept the terms of this demo: play money, no promise that it stays."),
        _tick("privacy", "I accept the privacy policy: what I do is stored on this machine, and nowhere else."),
    ]
    up = form("/signup", csrf, tag("h2", "Sign up"), *agree, button("Sign up"), class_="card")
    return join((tag("p", words), up, tag("p", "Been here before? ", tag("a", "Sign in", href="/signin"), ".")))


def _tick(name: str, words: str) -> Markup:
    return tag("label", tag("input", type="checkbox", name=name, value="yes", required=True), " ", words)


def credentials(email: str, password: str, csrf: str) -> Markup:
    return join(
        (
            tag("p", "E-mail and password were made for you. They are shown this once: note them now.", class_="warn"),
            tag("h2", "E-mail"),
            tag("code", email, class_="secret", id="email"),
            tag("h2", "Password"),
            tag("code", password, class_="secret", id="password"),
            form("/signup/complete", csrf, _tick("noted", "I have noted both."), button("Complete sign-up")),
        )
    )


def sign_in(csrf: str, trouble: str | None) -> Markup:
    return join(
        (
            _trouble(trouble),
            form(
                "/signin",
                csrf,
                field("E-mail", "email", type="email", required=True, autocomplete="username"),
                field("Password", "password", type="password", required=True, autocomplete="current-password"),
                button("Sign in"),
                class_="card",
            ),
        )
    )


def _trouble(words: str | None) -> Markup:
    return tag("p", words, class_="warn", role="alert") if words else Markup()


def _news(words: str | None) -> Markup:
    return tag("p", words, class_="note", role="status") if words else Markup()


def settings(keys: Sequence[Key], csrf: str, *, made: Key | None = None, trouble: str | None = None) -> Markup:
    rows = [
        (
            tag("code", key.public),
            dict(GENERAL)[key.general],
            dict(WITHDRAWAL)[key.withdrawal],
            iso(key.created),
            form("/settings/revoke", csrf, hidden("public", key.public), button("Revoke", class_="quiet")),
        )
        for key in keys
    ]
    new = form(
        "/settings/keys",
        csrf,
        tag("h2", "Create key"),
        radios("General API", "general", GENERAL, "full"),
        radios("Withdrawal API", "withdrawal", WITHDRAWAL, "none"),
        button("Create key"),
        class_="card",
    )
    heads = ("Public key", "General", "Withdrawal", "Created (UTC)", "")
    listed = table("At most 50 keys an account", heads, rows, "No key yet. Create one below.")
    return join((_trouble(trouble), _made(made), tag("h2", "API keys"), listed, new))


def _made(key: Key | None) -> Markup:
    if key is None:
        return Markup()
    return join(
        (
            tag("p", "The private key is shown this once. Note both keys now.", class_="warn"),
            tag("h2", "Public key"),
            tag("code", key.public, class_="secret", id="public-key"),
            tag("h2", "Private key"),
            tag("code", key.secret, class_="secret", id="private-key"),
        )
    )


def balances(
    wallets: WalletsView,
    positions: Sequence[PositionView],
    orders: Sequence[Order],
    csrf: str,
    *,
    news: str | None,
    trouble: str | None,
) -> Markup:
    return join(
        (
            _news(news),
            _trouble(trouble),
            _wallets(wallets),
            _faucet(wallets, csrf),
            tag("h2", "Positions"),
            _positions(positions),
            tag("h2", "Open orders"),
            _orders(orders),
        )
    )


def _wallets(wallets: WalletsView) -> Markup:
    flex = wallets.flex
    cash = [(code.upper(), _grouped(amount)) for code, amount in wallets.cash.items()]
    held = [
        (code, _grouped(one.quantity), _money(one.value), _money(one.collateral))
        for code, one in flex.currencies.items()
    ]
    single = [
        (view.name, view.currency.upper(), *(_grouped(one) for one in (view.balance, view.pv, view.af, view.pnl)))
        for view in wallets.margin.values()
    ]
    summary = (
        f"Margin equity {_money(flex.margin_equity)} USD, available {_money(flex.available_margin)} USD, "
        f"initial margin {_money(flex.initial_margin_with_orders)} USD, profit {_money(flex.total_unrealized)} USD."
    )
    return join(
        (
            tag("h2", "Multi-collateral wallet"),
            tag("p", summary),
            table("flex", ("Currency", "Quantity#", "Value, USD#", "Collateral, USD#"), held, "Nothing in it."),
            tag("h2", "Cash wallet"),
            table("cash", ("Currency", "Quantity#"), cash, "Nothing in it."),
            tag("h2", "Single-collateral wallets"),
            table(
                "amounts in the coin",
                ("Wallet", "Coin", "Balance#", "Portfolio#", "Available#", "Profit#"),
                single,
                "Nothing in them.",
            ),
        )
    )


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _grouped(amount: Decimal) -> str:
    return f"{plain(amount):,f}"


def _to_tick(price: Decimal | None, tick: Decimal) -> str:
    """With as many decimals as the tick has, so that a market's prices stand below each other."""
    return "" if price is None else f"{price.quantize(min(tick.normalize(), Decimal(1))):,f}"


def _faucet(wallets: WalletsView, csrf: str) -> Markup:
    names = ("flex", "cash", *(view.name for view in wallets.margin.values()))
    fields = (
        select("Wallet", "wallet", [(name, name) for name in names]),
        field("Currency", "currency", value="usd", required=True),
        field("Amount", "amount", value="10000", inputmode="decimal", required=True),
    )
    return form(
        "/account/fund",
        csrf,
        tag("h2", "Faucet"),
        tag("div", *fields, class_="fields"),
        button("Pour"),
        class_="card",
    )


def _positions(positions: Sequence[PositionView]) -> Markup:
    rows = [
        (one.symbol, text(one.size), text(one.entry), text(one.mark), text(one.pnl), text(one.liquidation_price))
        for one in positions
    ]
    heads = ("Symbol", "Size#", "Entry#", "Mark#", "Profit#", "Liquidation#")
    return table("negative sizes are short", heads, rows, "No position.")


def _orders(orders: Sequence[Order]) -> Markup:
    rows = [
        (
            one.symbol,
            one.side,
            one.trigger_kind or one.type,
            text(one.quantity),
            text(one.filled),
            "" if one.limit_price is None else text(one.limit_price),
            "" if one.trigger_price is None else text(one.trigger_price),
        )
        for one in orders
    ]
    heads = ("Symbol", "Side", "Type", "Size#", "Filled#", "Limit#", "Trigger#")
    return table("newest first", heads, rows, "No open order.")


def market(tickers: Iterable[Ticker], ticks: Mapping[str, Decimal], now: str) -> Markup:
    rows = [
        (
            one.symbol,
            *(_to_tick(price, ticks[one.symbol]) for price in (one.last, one.mark, one.bid, one.ask)),
            tag("span", f"{one.change:+.2f}", class_="up" if one.change > 0 else "down" if one.change < 0 else None),
            f"{one.volume:,.0f}",
        )
        for one in tickers
    ]
    heads = ("Symbol", "Last#", "Mark#", "Bid#", "Ask#", "24 h, %#", "Volume#")
    again = tag("a", "Look again", href="/market")
    return join((tag("p", f"As of {now}. ", again), table("prices in USD", heads, rows, "No market is open.")))


def scenes(armed: Sequence[Fault], keys: Sequence[Key], csrf: str, *, news: str | None, trouble: str | None) -> Markup:
    rows = [
        (
            one.name,
            "until cleared" if one.left is None else one.left,
            one.hits,
            one.key or "all",
            "" if one.seconds is None else one.seconds,
        )
        for one in armed
    ]
    heads = ("Fault", "Left#", "Hits#", "Key", "Seconds#")
    return join(
        (
            _news(news),
            _trouble(trouble),
            tag("p", "What can go wrong, on purpose. It goes wrong for everybody on this exchange."),
            *_groups(csrf),
            _arming(keys, csrf),
            tag("h2", "Armed now"),
            table("also at GET /demo/faults", heads, rows, "Nothing."),
        )
    )


def _groups(csrf: str) -> Iterable[Markup]:
    """A row of buttons for each part of the exchange that can go wrong, and one that puts an end to it."""
    for title, names in GROUPS:
        buttons = [
            form("/scenarios", csrf, hidden("scenario", name), button(SCENARIOS[name][0], class_="quiet"))
            for name in names
        ]
        yield join((tag("h2", title), tag("div", *buttons, class_="buttons")))


def _arming(keys: Sequence[Key], csrf: str) -> Markup:
    """Any fault, for everybody or for one key of the account."""
    whom = [("", "Everybody"), *((key.public, f"{key.public[:12]}…") for key in keys)]
    fields = (
        select("Fault", "fault", [(name, name) for name in FAULTS]),
        select("Whom", "key", whom),
        field("How often", "count", type="number", min="1", step="1", value="1"),
        field("Seconds", "seconds", type="number", step="any"),
    )
    return form(
        "/scenarios/faults",
        csrf,
        tag("h2", "Arm a fault"),
        tag("div", *fields, class_="fields"),
        button("Arm"),
        class_="card",
    )
