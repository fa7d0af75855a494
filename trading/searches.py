"""What people may look for in the history: the table of each tab, its filters, and the words that name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.models import Account, User
from krakenfutures.funds import Category
from krakenfutures.parse.history import EVENT_KINDS
from krakenfutures.words import FILL_TYPES
from trading.actions.keeping import SOURCE
from trading.keyset import Page, page_by_number, page_by_time
from trading.models import Fill, HistoryEvent, LogEntry, Order

SIZE = 100
LONGEST = 100
SIDES = ("buy", "sell")


@dataclass(frozen=True, slots=True)
class Tab:
    """`streams`: whose progress says how complete it is. `kinds`: what may be chosen; empty: nothing."""

    name: str
    title: str
    streams: tuple[str, ...]
    rows: Callable[[User], QuerySet[Any]]
    filters: frozenset[str]
    kinds: tuple[str, ...] = ()
    empty: str = ""

    @property
    def by_number(self) -> bool:
        return "log" in self.streams


def _events(stream: str) -> Callable[[User], QuerySet[Any]]:
    return lambda user: HistoryEvent.objects.visible_to(user).filter(stream=stream)


def _log(*categories: Category) -> Callable[[User], QuerySet[Any]]:
    def rows(user: User) -> QuerySet[Any]:
        found = LogEntry.objects.visible_to(user)
        if len(categories) == 1:
            return found.filter(category=categories[0].value)
        return found

    return rows


ALL = frozenset({"symbol", "kind", "side", "id", "since", "until", "flagged"})
EVENTS = tuple(sorted(set(EVENT_KINDS.values())))
TABS = {
    tab.name: tab
    for tab in (
        Tab(
            "fills", "Fills", ("executions",), lambda user: Fill.objects.visible_to(user), ALL,
            tuple(sorted(FILL_TYPES)), "Every execution of this account's orders, newest first.",
        ),
        Tab("orders", "Orders", ("order_events",), _events("orders"), ALL, EVENTS,
            "What became of every order: placed, changed, filled, cancelled, rejected."),
        Tab("triggers", "Triggers", ("trigger_events",), _events("triggers"), ALL, EVENTS,
            "What became of every stop, take-profit and trailing stop."),
        Tab("log", "Account log", ("log",), _log(), ALL - {"side"}, tuple(Category),
            "Every movement of every balance, as the exchange books it."),
        Tab("transfers", "Transfers", ("log",), _log(Category.TRANSFER), ALL - {"side", "symbol", "kind"}, (),
            "Money that came, left or moved between wallets."),
        Tab("funding", "Funding", ("log",), _log(Category.FUNDING), ALL - {"side", "kind"}, (),
            "What positions were paid, or paid, every hour."),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """A tab and what narrows it down. `problems`: by the name of the field, what is wrong with it and what to do."""

    tab: Tab
    words: dict[str, str]  # as typed, cut to a sane length
    since: datetime | None = None
    until: datetime | None = None
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Search:
        tab = TABS.get(given.get("tab", ""), TABS["fills"])
        typed = {name: given.get(name, "").strip()[:LONGEST] for name in sorted(tab.filters)}
        words = {name: word for name, word in typed.items() if word}
        problems: dict[str, str] = {}
        if words.get("kind") and words["kind"] not in tab.kinds:
            problems["kind"] = f"There is no kind “{words['kind']}” here; choose one of the list."
        if words.get("side") and words["side"] not in SIDES:
            problems["side"] = "The side is buy or sell."
        since, until = (_moment(words, name, problems) for name in ("since", "until"))
        if since and until and since >= until:
            problems["until"] = "The end must come after the beginning."
        return cls(tab, words, since, until, problems)

    @property
    def query(self) -> str:
        """The address of this search, without the page."""
        return urlencode({"tab": self.tab.name, **self.words})

    def page(self, account: Account, user: User, before: str) -> Page:
        """Raises `BadCursor`. A search with a problem finds nothing: half a filter shows what nobody asked for."""
        if self.problems:
            return Page([], "")
        rows = self._narrowed(self.tab.rows(user).filter(account=account), account)
        return (page_by_number if self.tab.by_number else page_by_time)(rows, before, SIZE)

    def _narrowed(self, rows: QuerySet[Any], account: Account) -> QuerySet[Any]:
        words = self.words
        if symbol := words.get("symbol"):
            rows = rows.filter(**{"contract" if self.tab.by_number else "symbol": symbol.upper()})
        if kind := words.get("kind"):
            rows = rows.filter(**{"category" if self.tab.by_number else "kind": kind})
        if side := words.get("side"):
            rows = rows.filter(side=side)
        if words.get("flagged"):
            rows = rows.filter(flagged=True)
        if named := words.get("id"):
            rows = rows.filter(self._named(named, account))
        return self._within(rows, account)

    def _named(self, named: str, account: Account) -> Q:
        """By any id of it that people may have at hand; our own order id finds the venue's."""
        if self.tab.by_number:
            number = named.removeprefix("#")
            by_number = Q(number=int(number)) if number.isdecimal() and len(number) < 19 else Q()
            return by_number or Q(reference=named)
        orders = Order.objects.filter(account=account, client_order_id=named).exclude(venue_order_id=None)
        found = Q(venue_order_id__in=[named, *orders.values_list("venue_order_id", flat=True)])
        if self.tab.name == "fills":
            return found | Q(source=SOURCE, venue_fill_id=named)
        return found

    def _within(self, rows: QuerySet[Any], account: Account) -> QuerySet[Any]:
        """Numbers of the log rise with time, so a span of time is a span of numbers, which every index here knows."""
        if not self.tab.by_number:
            rows = rows.filter(at__gte=self.since) if self.since else rows
            return rows.filter(at__lt=self.until) if self.until else rows
        for moment, where in ((self.since, "number__gte"), (self.until, "number__lt")):
            if moment:
                first = LogEntry.objects.filter(account=account, at__gte=moment).order_by("at", "number").first()
                if first is None and where == "number__gte":
                    return rows.none()
                rows = rows.filter(**{where: first.number}) if first else rows
        return rows


def _moment(words: Mapping[str, str], name: str, problems: dict[str, str]) -> datetime | None:
    """A day, or a day with a time, in the reader's zone. A day as the end counts whole."""
    text = words.get(name, "")
    if not text:
        return None
    try:
        day, moment = parse_date(text), parse_datetime(text)
    except ValueError:
        day = moment = None
    if day is None and moment is None:
        problems[name] = f"“{text}” is not a day: write it like 2026-11-22, or 2026-11-22 14:30."
        return None
    if day is not None:
        moment = datetime.combine(day + timedelta(days=1 if name == "until" else 0), time())
    assert moment is not None
    return moment if moment.tzinfo else timezone.make_aware(moment)
