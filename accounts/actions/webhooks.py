"""A person's webhooks: made with a secret that is told once, kept sealed, tried, switched on again, removed."""

from __future__ import annotations

import json
import secrets

from django.db import transaction
from django.utils import timezone

from accounts import vault
from accounts.actions.audit import record
from accounts.models import User, Webhook
from accounts.outgoing import Forbidden, NoAnswer, resolve, target_of
from accounts.rules import NotAllowed

MOST = 5  # a person
PREFIX = "whsec_"  # so that scanners for lost secrets know it


def add_webhook(person: User, *, label: str, url: str) -> tuple[Webhook, str]:
    """The webhook and its secret, which is told now and never again. Raises `NotAllowed`."""
    url = url.strip()
    try:
        target = target_of(url)
        resolve(target)
    except Forbidden as refusal:
        raise NotAllowed(str(refusal), field="url", code="forbidden_address") from None
    except NoAnswer:
        raise NotAllowed(
            "This name is not known: it could not be resolved.", field="url", code="unknown_host"
        ) from None
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        if Webhook.objects.filter(user=person).count() >= MOST:
            raise NotAllowed(f"You have {MOST} webhooks already. Remove one first.", code="too_many")
        webhook = Webhook.objects.create(user=person, label=label.strip()[:60] or target.place[:60], host=target.place)
        webhook.sealed = vault.seal_text(json.dumps([url, secret]), place_of(webhook))  # binds the row's id
        webhook.save(update_fields=["sealed"])
        record(person, "webhook.added", webhook, desk=None, label=webhook.label, host=webhook.host)
    return webhook, secret


def open_webhook(webhook: Webhook) -> tuple[str, str]:
    """Address and secret, for the call that needs them. Raises `VaultError`."""
    url, secret = json.loads(vault.open_text(webhook.sealed, place_of(webhook)))
    return url, secret


def renew_secret(webhook: Webhook, *, by: User) -> str:
    """Another secret, told once; the old one signs nothing from now on. Raises `VaultError`."""
    url, _ = open_webhook(webhook)
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(
            sealed=vault.seal_text(json.dumps([url, secret]), place_of(webhook))
        )
        record(by, "webhook.secret_renewed", webhook, desk=None, label=webhook.label)
    return secret


@transaction.atomic
def switch_webhook(webhook: Webhook, *, by: User, on: bool) -> None:
    """On again after the desk switched it off, or off by hand."""
    off_at, why = (None, "") if on else (timezone.now(), "switched off by hand")
    Webhook.objects.filter(pk=webhook.pk).update(off_at=off_at, off_why=why, failures=0)
    record(by, "webhook.switched_on" if on else "webhook.switched_off", webhook, desk=None, label=webhook.label)


@transaction.atomic
def remove_webhook(webhook: Webhook, *, by: User) -> None:
    """With its log; what was sealed is gone."""
    record(by, "webhook.removed", webhook, desk=None, label=webhook.label, host=webhook.host)
    webhook.delete()


def rewrap(webhook: Webhook) -> bool:
    """Under the newest master key; compares before it sets."""
    fresh = vault.rewrap_text(webhook.sealed, place_of(webhook))
    if fresh == webhook.sealed:
        return False
    return bool(Webhook.objects.filter(pk=webhook.pk, sealed=webhook.sealed).update(sealed=fresh))


def place_of(webhook: Webhook) -> str:
    return f"accounts_webhook|{webhook.pk}|user:{webhook.user_id}|address and secret"
