"""A key has just been added: its owner waits to see the account."""

from __future__ import annotations

import logging

from accounts.vault import VaultError
from krakenfutures.errors import KrakenError
from trading.actions.bells import ring
from trading.actions.syncing import sync_account

log = logging.getLogger(__name__)


def welcome_key(api_key_id: int) -> None:
    """Read the account at once, so that the next page shows it; its past is rung for. What fails, beat does later."""
    ring("trading.sync_history", api_key_id)
    try:
        sync_account(api_key_id)
    except (KrakenError, VaultError) as problem:
        log.warning("the account of key %s could not be read yet: %s", api_key_id, problem)
