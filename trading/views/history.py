"""Everything that happened to an account: searched, page by page, with how complete it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Account, Balances
from accounts.rules import NotAllowed
from accounts.views.request import DeskRequest, desk_of
from krakenfutures.values import Wallets
from trading.actions.ledgers import covered
from trading.actions.views import save_view
from trading.instruments import instruments
from trading.keyset import BadCursor
from trading.models import LogEntry, SavedView, Sync, WalletLedger
from trading.searches import TABS, Search, Tab

TITLES = {
    "executions": "Fills",
    "order_events": "Orders",
    "trigger_events": "Triggers",
    "log": "Account log",
    "position_events": "Positions",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one stream has been read."""

    title: str
    sync: Sync

    @property
    def is_complete(self) -> bool:
        return self.sync.share >= 1

    @property
    def rows(self) -> int | None:
        """None for fills: others store them too, so nobody has counted them all."""
        return None if self.sync.stream == "executions" else self.sync.rows

    @property
    def is_measured(self) -> bool:
        """Whether anybody can say how much is still to come."""
        return self.sync.share > 0

    @property
    def percent(self) -> int:
        return int(self.sync.share * 100)


@dataclass(frozen=True, slots=True)
class WalletRow:
    """One balance: by our ledger, by the venue's log, and in the account as last read."""

    ledger: WalletLedger
    now: Decimal | None

    @property
    def is_explained(self) -> bool:
        return not self.ledger.residual


@require_GET
def history(request: DeskRequest) -> HttpResponse:
    desk, search = desk_of(request), Search.read(request.GET)
    context: dict[str, Any] = {
        "tabs": TABS.values(),
        "search": search,
        "views": SavedView.objects.visible_to(request.user).filter(desk=desk),
    }
    if (account := request.account) is not None:
        try:
            page = search.page(account, request.user, request.GET.get("before", ""))
        except BadCursor:
            raise Http404("This page does not exist. Begin with the newest.") from None
        context |= {
            "page": page,
            "deeper": bool(request.GET.get("before")),
            "progress": progress_of(account, search.tab),
            "symbols": [one.symbol for one in instruments(account.environment)],
            "ledger": ledger_of(account) if search.tab.name == "log" else None,
        }
    status = 422 if search.problems else 200
    return render(request, "trading/history.html", context, status=status)


@require_GET
def progress(request: DeskRequest) -> HttpResponse:
    """The bars alone, asked for again while something is still being read."""
    tab = TABS.get(request.GET.get("tab", ""))
    if tab is None or request.account is None:
        raise Http404
    shown = progress_of(request.account, tab)
    return render(request, "trading/history.html#progress", {"progress": shown, "tab": tab})


@require_POST
def save(request: DeskRequest) -> HttpResponse:
    search = Search.read(request.POST)
    try:
        if search.problems:
            raise NotAllowed(" ".join(search.problems.values()))
        view = save_view(desk_of(request), by=request.user, name=request.POST.get("name", ""), query=search.query)
    except NotAllowed as refusal:
        messages.error(request, refusal.reason)
    else:
        messages.success(request, f"Kept as “{view.name}”.")
    return redirect(f"{reverse('history')}?{search.query}")


@require_POST
def forget(request: DeskRequest, view_id: int) -> HttpResponse:
    view = get_object_or_404(SavedView.objects.visible_to(request.user), pk=view_id)
    query = view.query
    view.delete()
    messages.success(request, f"“{view.name}” is forgotten.")
    return redirect(f"{reverse('history')}?{query}")


def progress_of(account: Account, tab: Tab) -> list[Progress]:
    rows = {row.stream: row for row in Sync.objects.filter(account=account, stream__in=tab.streams)}
    return [Progress(TITLES[name], rows.get(name) or Sync(account=account, stream=name)) for name in tab.streams]


@dataclass(frozen=True, slots=True)
class Ledger:
    rows: list[WalletRow]
    first: int
    last: int
    is_whole: bool  # made from the first entry of the log on
    balances_at: datetime | None

    @property
    def is_explained(self) -> bool:
        return all(row.is_explained for row in self.rows)


def ledger_of(account: Account) -> Ledger | None:
    first, last = covered(account.pk)
    if first is None or last is None:
        return None
    held = Balances.objects.filter(account=account).first()
    wallets = held.known if held else None
    rows = [WalletRow(one, _held(wallets, one)) for one in WalletLedger.objects.filter(account=account)]
    begins = LogEntry.objects.filter(account=account, number__lt=first).exists()
    log = Sync.objects.filter(account=account, stream="log").first()
    return Ledger(rows, first, last, bool(log and log.share >= 1) and not begins, held.at if held else None)


def _held(wallets: Wallets | None, ledger: WalletLedger) -> Decimal | None:
    """What the account's own summary says of this balance now; None when it does not list it."""
    if wallets is None:
        return None
    if ledger.wallet == "cash":
        return wallets.cash.get(ledger.currency)
    if ledger.wallet == "flex":
        holdings = wallets.flex.holdings if wallets.flex else ()
        return next((one.quantity for one in holdings if one.currency == ledger.currency), None)
    return next((one.balance for one in wallets.margin_accounts if one.name == ledger.wallet), None)
