"""Searches that people keep under a name of their own."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Desk, User
from accounts.rules import NotAllowed
from trading.models import SavedView

MOST = 30
LONGEST_NAME = 40


def save_view(desk: Desk, *, by: User, name: str, query: str) -> SavedView:
    """Under a name that is there already, the new search takes the place of the old. Raises `NotAllowed`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise NotAllowed(f"Give the view a name of at most {LONGEST_NAME} letters.", code="name", field="name")
    with transaction.atomic():
        kept = SavedView.objects.filter(user=by, desk=desk)
        if kept.count() >= MOST and not kept.filter(name=name).exists():
            raise NotAllowed(f"You keep {MOST} views already: delete one first.", code="too_many")
        view, _ = SavedView.objects.update_or_create(user=by, desk=desk, name=name, defaults={"query": query[:500]})
    return view
