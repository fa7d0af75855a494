"""Why the ticket's button is off, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from accounts.models import Membership
from accounts.rights import Right, has

if TYPE_CHECKING:
    from trading.views.picture import Picture

register = template.Library()


@register.filter
def trading_refusal(picture: Picture | None, membership: Membership | None) -> str:
    """Empty when this person may trade this account with the key it has."""
    if picture is None:
        return "There is no account to trade on yet. Try the demo, or add a key."
    if not has(membership, Right.TRADE):
        return "You may look at this desk; trading is for traders, admins and owners."
    if picture.key is None:
        return "This account has no key. Add one that may trade."
    if not picture.key.may_trade:
        return "This account's key is read-only. Add one that may trade."
    return ""
