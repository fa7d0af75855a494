"""What the desk's other half decided, told to the pages that watch the account."""

from __future__ import annotations

from uuid import UUID

from accounts.models import Withdrawal
from trading.publish import announce


def tell_withdrawal(withdrawal_id: UUID) -> None:
    """For `accounts.hooks.after_withdrawal`: whoever looks at it, or at the queue, draws it anew."""
    account_id = Withdrawal.objects.values_list("account", flat=True).get(pk=withdrawal_id)
    announce(account_id, "withdrawal", {"id": withdrawal_id})
