"""Keeping how somebody likes the trade page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.prepared import Prepared
from trading import workspace
from trading.models import Workspace

KEPT = Prepared(lambda user: Workspace.objects.filter(user=user))
SWITCHES = ("locked", "sound", "notices")


def workspace_of(user: User) -> Workspace:
    """The kept one, or the usual one, which is stored only when something is changed."""
    return KEPT.first(user.pk) or Workspace(user=user)


@transaction.atomic
def arrange(user: User, changes: Mapping[str, Any]) -> Workspace:
    """Takes over `preset`, `sizes`, `indicators` and switches. Raises `ValueError`, and keeps nothing, for others."""
    kept = _locked(user)
    for name, value in changes.items():
        if name == "preset" and value in workspace.PRESETS:
            kept.preset, kept.markets = value, workspace.without_forms(kept.markets)
        elif name in SWITCHES and isinstance(value, bool):
            setattr(kept, name, value)
        elif name == "indicators" and isinstance(value, list) and set(value) <= set(workspace.INDICATORS):
            kept.indicators = [one for one in workspace.INDICATORS if one in value]
        elif name == "sizes":
            own = {**kept.sizes.get(kept.preset, {}), **workspace.checked_sizes(value)}
            kept.sizes = {**kept.sizes, kept.preset: own}
        else:
            raise ValueError(f"{str(name)[:20]} cannot be {str(value)[:20]!r}")
    kept.save()
    return kept


@transaction.atomic
def reset_sizes(user: User) -> Workspace:
    """The chosen preset as it comes."""
    kept = _locked(user)
    kept.sizes = {preset: sizes for preset, sizes in kept.sizes.items() if preset != kept.preset}
    kept.save(update_fields=["sizes"])
    return kept


@transaction.atomic
def remember_market(user: User, symbol: str, news: Mapping[str, Any]) -> Workspace:
    """What somebody chose for one instrument: grouping, form of the book, the smallest trade shown."""
    kept = _locked(user)
    kept.markets = workspace.with_market(kept.markets, symbol, workspace.checked_market(news))
    kept.save(update_fields=["markets"])
    return kept


def _locked(user: User) -> Workspace:
    """Two tabs may change it at once."""
    Workspace.objects.get_or_create(user=user)
    return Workspace.objects.select_for_update().get(user=user)
