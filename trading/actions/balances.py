"""Wallets into their row: whole from a request, section by section from the feed, and never older over newer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from accounts.models import Balances
from krakenfutures.events import BalancesChanged
from krakenfutures.values import FlexAccount, MarginAccount, Wallets
from trading.actions.progress import advance
from trading.publish import announce

change = msgspec.structs.replace


def store_wallets(account_id: int, wallets: Wallets, *, at: datetime, source: str) -> bool:
    """False when newer news are stored."""
    with transaction.atomic():
        if not advance(account_id, "wallets", at):
            return False
        _put(account_id, wallets, at, source)
    return True


def merge_balances(account_id: int, said: BalancesChanged, *, at: datetime) -> bool:
    """Take what the feed says into what is stored. Before the first whole picture there is nothing to take it into."""
    rows = Balances.objects.filter(account_id=account_id)
    with transaction.atomic():
        if not said.complete and not rows.exists():
            return False
        if not advance(account_id, "wallets", at):
            return False
        row = rows.first()  # nobody else writes it now: whoever does moves the mark first
        old = row.known if row else Wallets(cash={}, margin_accounts=(), flex=None)
        _put(account_id, merged(old, said), at, "feed")
    return True


def _put(account_id: int, wallets: Wallets, at: datetime, source: str) -> None:
    Balances.objects.update_or_create(
        account_id=account_id, defaults={"wallets": as_json(wallets), "at": at, "source": source}
    )
    announce(account_id, "wallets", {"wallets": wallets})


def merged(old: Wallets, said: BalancesChanged) -> Wallets:
    """Pure. A section the feed leaves out is unchanged, unless it says that it is complete."""
    known = {account.name: account for account in old.margin_accounts}
    accounts = dict(known) if not said.complete else {}
    for account in said.margin_accounts or ():
        accounts[account.name] = _margin_account(known.get(account.name), account)
    flex = old.flex if said.flex is None and not said.complete else said.flex
    return change(
        old,
        cash=said.cash if said.cash is not None else ({} if said.complete else old.cash),
        margin_accounts=tuple(accounts.values()),
        flex=flex and _flex(old.flex, flex),
        at=None,
    )


def _margin_account(old: MarginAccount | None, new: MarginAccount) -> MarginAccount:
    """The feed names only two of the four levels; the others stand as long as the initial margin does."""
    if old is None or old.requirements.initial != new.requirements.initial:
        return new
    levels = new.requirements
    return change(
        new,
        requirements=change(
            levels,
            liquidation=levels.liquidation if levels.liquidation is not None else old.requirements.liquidation,
            termination=levels.termination if levels.termination is not None else old.requirements.termination,
        ),
        trigger_estimates=new.trigger_estimates or old.trigger_estimates,
    )


def _flex(old: FlexAccount | None, new: FlexAccount) -> FlexAccount:
    haircuts = {holding.currency: holding.haircut for holding in _holdings(old)}
    return change(
        new,
        holdings=tuple(
            change(one, haircut=haircuts.get(one.currency)) if one.haircut is None else one for one in new.holdings
        ),
    )


def _holdings(flex: FlexAccount | None) -> Iterable[Any]:
    return flex.holdings if flex else ()


def as_json(wallets: Wallets) -> Any:
    return msgspec.to_builtins(wallets)
