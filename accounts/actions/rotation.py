"""Rotating the master key: every data key is wrapped anew, the ciphertext stays where it is."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts import mfa, vault
from accounts.actions import webhooks
from accounts.actions.audit import record
from accounts.master_keys import add_master_key, are_kept_in_file, keep_only, master_keys
from accounts.models import ApiKey, VaultCanary, Webhook


@dataclass(frozen=True, slots=True)
class Rotation:
    master_key_id: str
    wrapped_now: int
    wrapped_before: int


def new_master_key() -> str:
    """Draw a key and put it first in the file. Raises `VaultError` when the keys come from the environment."""
    if not are_kept_in_file():
        raise vault.VaultError(
            "The master keys come from KFWEB_MASTER_KEYS: put the new one first there, restart, and run this again."
        )
    vault.check_canary()
    return add_master_key().id


def rotate_vault() -> Rotation:
    """Wrap everything under the newest master key. Stopped half-way, run it again: what is done is skipped.

    Each key's move and its audit row are one transaction. Raises `VaultError` at the first row that does not open.
    """
    newest, moved, kept = master_keys()[0].id, 0, 0
    for row in [*VaultCanary.objects.all(), *ApiKey.objects.stored().select_related("account__desk")]:
        old = row.master_key_id
        with transaction.atomic():
            done = vault.rewrap(row)
            if done:
                desk = row.account.desk if isinstance(row, ApiKey) else None
                record(None, "vault.rewrapped", row, desk=desk, old=old, new=newest)
        moved, kept = moved + done, kept + (not done)
    for factor in Authenticator.objects.all():
        with transaction.atomic():
            done = mfa.rewrap(factor)
            if done:
                record(None, "vault.rewrapped", factor, desk=None, new=newest)
        moved, kept = moved + done, kept + (not done)
    for webhook in Webhook.objects.all():
        with transaction.atomic():
            done = webhooks.rewrap(webhook)
            if done:
                record(None, "vault.rewrapped", webhook, desk=None, new=newest)
        moved, kept = moved + done, kept + (not done)
    vault.check_canary()
    return Rotation(newest, moved, kept)


def forget_old_keys() -> None:
    """Drop all but the newest master key from the file. Raises `VaultError` while anything is under another one."""
    newest = master_keys()[0]
    left = ApiKey.objects.stored().exclude(master_key_id=newest.id).count()
    factors = any(f":{newest.id}:" not in text for row in Authenticator.objects.all() for text in mfa.sealed_in(row))
    hooks = Webhook.objects.exclude(sealed__contains=f":{newest.id}:").exists()
    if left or factors or hooks or VaultCanary.objects.exclude(master_key_id=newest.id).exists():
        raise vault.VaultError("Something is still under an older master key. Run rotate_vault first.")
    if not are_kept_in_file():
        raise vault.VaultError("The master keys come from KFWEB_MASTER_KEYS: remove the old ones there.")
    keep_only(newest)
