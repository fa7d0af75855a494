"""Celery's doors: thin, with ids, and harmless when run twice. What fails is noted in its row and rung again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.actions.keys import check_key
from accounts.models import ApiKey, Environment, KeyState
from accounts.rules import NotAllowed
from accounts.vault import VaultError
from krakenfutures.errors import KrakenError, Refused
from trading.actions import (
    attaching,
    contract_preferences,
    deadman,
    exports,
    histories,
    index_prices,
    log_files,
    resolving,
    retention,
    syncing,
)

log = logging.getLogger(__name__)

RECHECK_AFTER = timedelta(minutes=5)


@shared_task(name="trading.sweep_uncertain")
def sweep_uncertain() -> None:
    resolving.sweep_uncertain()


@shared_task(name="trading.resolve_order")
def resolve_order(order_id: str) -> None:
    resolving.resolve_order(order_id)


@shared_task(name="trading.attend_attached")
def attend_attached(parent_id: str) -> None:
    attaching.attend_attached(parent_id)


@shared_task(name="trading.sweep_attached")
def sweep_attached() -> None:
    attaching.sweep_attached()


@shared_task(name="trading.sweep_dead_men")
def sweep_dead_men() -> None:
    deadman.sweep_dead_men()


@shared_task(name="trading.sync_account")
def sync_account(api_key_id: str) -> None:
    _read(syncing.sync_account, api_key_id)


@shared_task(name="trading.sync_state")
def sync_state(api_key_id: str) -> None:
    """Wallets, positions and open orders: six points of the budget."""
    _read(syncing.sync_wallets, api_key_id)
    _read(syncing.sync_positions, api_key_id)
    _read(syncing.sync_orders, api_key_id)


@shared_task(name="trading.sync_fills")
def sync_fills(api_key_id: str) -> None:
    _read(syncing.sync_fills, api_key_id)


@shared_task(name="trading.sync_states")
def sync_states() -> None:
    """Ring for every key that may read."""
    for api_key_id in _readable():
        sync_state.apply_async([str(api_key_id)], expires=15)


@shared_task(name="trading.sync_all_fills")
def sync_all_fills() -> None:
    for api_key_id in _readable():
        sync_fills.apply_async([str(api_key_id)], expires=30)


@shared_task(name="trading.sync_preferences")
def sync_preferences(api_key_id: str) -> None:
    """Four points of the budget, and two hundred more where the unwind ranks are due."""
    _read(contract_preferences.keep_preferences, api_key_id)


@shared_task(name="trading.sync_all_preferences")
def sync_all_preferences() -> None:
    for api_key_id in _readable():
        sync_preferences.apply_async([str(api_key_id)], expires=60)


@shared_task(name="trading.sync_history")
def sync_history(api_key_id: str) -> None:
    _read(histories.sync_history, api_key_id)


@shared_task(name="trading.sync_histories")
def sync_histories() -> None:
    for api_key_id in _readable():
        sync_history.apply_async([str(api_key_id)], expires=30)


@shared_task(name="trading.compare_log_file")
def compare_log_file(file_id: str) -> None:
    log_files.compare_file(int(file_id))


@shared_task(name="trading.sweep_log_files")
def sweep_log_files() -> None:
    log_files.sweep_files()


@shared_task(name="trading.keep_index_prices")
def keep_index_prices() -> None:
    index_prices.keep_index_prices()


@shared_task(name="trading.make_export")
def make_export(export_id: str) -> None:
    exports.make_export(UUID(export_id))


@shared_task(name="trading.sweep_exports")
def sweep_exports() -> None:
    exports.sweep_exports()


@shared_task(name="trading.retain")
def retain() -> None:
    gone = retention.retain()
    if any(gone):
        log.info("let go of %s order events and %s equity points", *gone)


@shared_task(name="trading.refresh_listings")
def refresh_listings() -> None:
    in_use = ApiKey.objects.usable().values_list("account__environment", flat=True).distinct()
    demo = [Environment.DEMO.value] if settings.DEMO_ENABLED else []
    syncing.refresh_old_listings(sorted({*in_use, *demo}))


@shared_task(name="trading.recheck_keys")
def recheck_keys() -> None:
    """A key the venue refused may be good again: its permissions were changed, or a clock was set right."""
    long_ago = timezone.now() - RECHECK_AFTER
    for key in ApiKey.objects.filter(state=KeyState.FAILING, checked_at__lt=long_ago).select_related("account__desk"):
        _check(key)


def _readable() -> list[int]:
    return [key.pk for key in ApiKey.objects.filter(state=KeyState.ACTIVE) if key.may_read]


def _read(action: Callable[[int], Any], api_key_id: str) -> None:
    try:
        action(int(api_key_id))
    except Refused as problem:
        log.warning("%s of key %s was refused: %s", action.__name__, api_key_id, problem)
        _check(ApiKey.objects.select_related("account__desk").get(pk=api_key_id))
    except (KrakenError, VaultError) as problem:
        log.warning("%s of key %s failed: %s", action.__name__, api_key_id, problem)
    except ApiKey.DoesNotExist:
        log.info("key %s was retired before its turn", api_key_id)


def _check(key: ApiKey) -> None:
    """Have the key's own page say what is wrong with it."""
    try:
        check_key(key)
    except NotAllowed as problem:
        log.warning("key %s could not be checked: %s", key.pk, problem)
