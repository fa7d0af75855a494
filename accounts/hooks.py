"""Bells that apps above ring in: this package imports nothing that stands higher."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

log = logging.getLogger(__name__)

# Apps above that stop all money (a halt, say) answer with a sentence, or "" to let it go.
money_halts: list[Callable[[int], str]] = []  # asked with the account's id right before money would leave
after_withdrawal: list[Callable[[UUID], None]] = []  # called after the commit of every change, with the id
after_key_added: list[Callable[[int], None]] = []  # called after the commit with the key's id


def key_added(api_key_id: int) -> None:
    """Ring everybody. A listener's trouble is logged: the key is stored, and beat sweeps up what was missed."""
    for listener in after_key_added:
        try:
            listener(api_key_id)
        except Exception:
            log.exception("a listener failed after key %s was added", api_key_id)


def money_halted(account_id: int) -> str:
    """Why no money may leave this account now, or "". A halt that cannot be read holds everything."""
    for halt in money_halts:
        try:
            if why := halt(account_id):
                return why
        except Exception:
            log.exception("a halt of account %s could not be read", account_id)
            return "It cannot be told whether everything is halted, so nothing is sent."
    return ""


def withdrawal_changed(withdrawal_id: UUID) -> None:
    for listener in after_withdrawal:
        try:
            listener(withdrawal_id)
        except Exception:
            log.exception("a listener failed after withdrawal %s changed", withdrawal_id)
