"""Carrying notices out of the desk: by e-mail and to webhooks, each row until it arrived or was given up."""

from __future__ import annotations

import hmac
import json
import random
import smtplib
import time
from datetime import UTC, datetime, timedelta

import redis
import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import outgoing
from accounts.actions.notices import notify
from accounts.actions.webhooks import open_webhook
from accounts.models import Delivery, Level, Membership, Notice, Topic, Webhook
from accounts.notice_rules import ATTEMPTS, FAILURES, pause_after
from accounts.store import store
from accounts.vault import VaultError

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # for one attempt; whoever dies on it leaves it to the next sweep
PER_SWEEP = 50
SWEEP_SECONDS = 20.0  # then the rest waits for the next bell, so that no dead receiver keeps the worker
SUBJECTS = {Level.INFO: "", Level.WARNING: "Warning: ", Level.CRITICAL: "Critical: "}
LETTER = """{text}

{link}
{when} UTC{desk}. To be told less, or elsewhere: {settings}
"""


class NotDelivered(Exception):
    """This attempt came to nothing; the text says why, and names no secret."""

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status


def deliver_due() -> int:
    """What is due, letters first; one sweep at a time in all processes. Returns how many arrived."""
    try:
        with store().lock("kfweb:deliver", timeout=120, blocking=False):
            return _sweep()
    except redis.exceptions.LockError:
        return 0  # another worker is at it


def _sweep() -> int:
    began, arrived = time.monotonic(), 0
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=timezone.now())
    for row in due.select_related("notice__user", "notice__desk", "webhook").order_by("channel", "due_at")[:PER_SWEEP]:
        if time.monotonic() - began > SWEEP_SECONDS:
            break
        arrived += deliver(row)
    return arrived


def deliver(row: Delivery) -> bool:
    """One attempt, if nobody else is at it. A worker that dies after sending sends again, under the same id."""
    claimed = Delivery.objects.filter(
        pk=row.pk, state=Delivery.State.WAITING, due_at=row.due_at, attempts=row.attempts
    ).update(due_at=timezone.now() + LEASE, attempts=F("attempts") + 1)
    if not claimed:
        return False
    row.attempts += 1
    try:
        status = _send(row)
    except NotDelivered as problem:
        _note_failure(row, problem)
        return False
    Delivery.objects.filter(pk=row.pk).update(
        state=Delivery.State.SENT, ended_at=timezone.now(), status_code=status, trouble=""
    )
    if row.webhook_id:
        Webhook.objects.filter(pk=row.webhook_id).update(failures=0)
    return True


def _send(row: Delivery) -> int | None:
    if row.channel == Delivery.Channel.EMAIL:
        if not _may_still_know(row.notice):
            raise NotDelivered("the person is not on the desk any more")
        _mail(row.notice)
        return None
    assert row.webhook is not None
    if row.webhook.off_at is not None:
        raise NotDelivered("the webhook is switched off")
    if not _may_still_know(row.notice):
        raise NotDelivered("the person is not on the desk any more")
    return _call(row, row.webhook)


def _mail(notice: Notice) -> None:
    desk = f" on the desk “{notice.desk}”" if notice.desk else ""
    letter = EmailMessage(
        f"kfweb: {SUBJECTS[Level(notice.level)]}{notice.text[:80]}",
        LETTER.format(
            text=notice.text, link=address_of(notice), when=f"{notice.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            desk=desk, settings=f"{settings.SITE_URL}/inbox/settings/",
        ),
        settings.DEFAULT_FROM_EMAIL,
        [notice.user.email],
    )  # fmt: skip
    try:
        letter.send()
    except (OSError, smtplib.SMTPException) as problem:
        raise NotDelivered(f"the mail server did not take it ({type(problem).__name__})") from None


def _call(row: Delivery, webhook: Webhook) -> int:
    body = body_of(row)
    try:
        url, secret = open_webhook(webhook)
        answer = outgoing.post(url, body, signed_headers(row, secret, body, timezone.now()))
    except outgoing.Forbidden as refusal:
        raise NotDelivered(str(refusal)[:200]) from None
    except outgoing.NoAnswer as problem:
        raise NotDelivered(str(problem)) from None
    except VaultError:
        raise NotDelivered("its address and secret cannot be opened: see the health page") from None
    if not answer.is_good:
        moved = 300 <= answer.status < 400
        why = "it answered with a redirect, which is not followed" if moved else f"it answered {answer.status}"
        raise NotDelivered(why, answer.status)
    return answer.status


def body_of(row: Delivery) -> bytes:
    """What a receiver is told: the same bytes at every attempt."""
    notice = row.notice
    return json.dumps(
        {
            "id": str(row.pk),
            "topic": notice.topic,
            "kind": notice.kind,
            "level": notice.level,
            "text": notice.text,
            "desk": {"id": notice.desk_id, "name": notice.desk.name} if notice.desk else None,
            "link": address_of(notice),
            "at": notice.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        },
        ensure_ascii=False,
    ).encode()


def signed_headers(row: Delivery, secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """docs/reference/webhooks.md shows a receiver how to check them."""
    stamp = str(int(now.timestamp()))
    signature = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
    return {
        "Kfweb-Id": str(row.pk),
        "Kfweb-Attempt": str(row.attempts),
        "Kfweb-Timestamp": stamp,
        "Kfweb-Signature": f"v1={signature}",
    }


def address_of(notice: Notice) -> str:
    return f"{settings.SITE_URL}{notice.get_absolute_url()}"


def _may_still_know(notice: Notice) -> bool:
    """Whoever left the desk since is not told what is going on there."""
    if not notice.user.is_active:
        return False
    return notice.desk_id is None or (
        Membership.objects.in_force().filter(user=notice.user_id, desk=notice.desk_id).exists()
    )


@transaction.atomic
def _note_failure(row: Delivery, problem: NotDelivered) -> None:
    now, why = timezone.now(), str(problem)[:200]
    given_up = row.attempts >= ATTEMPTS or not _may_still_know(row.notice)
    changes: dict[str, object] = {"status_code": problem.status, "trouble": why}
    if given_up:
        changes |= {"state": Delivery.State.FAILED, "ended_at": now}
    else:
        changes["due_at"] = now + pause_after(row.attempts, random.random())
    Delivery.objects.filter(pk=row.pk).update(**changes)
    log.info("a notice was not delivered", delivery=str(row.pk), channel=row.channel, why=why, given_up=given_up)
    if row.webhook is not None and row.webhook.off_at is None:
        _count_failure(row.webhook, why, now)


def _count_failure(webhook: Webhook, why: str, now: datetime) -> None:
    """After too many in a row nobody calls it any more, and its person is told."""
    Webhook.objects.filter(pk=webhook.pk).update(failures=F("failures") + 1)
    switched_off = Webhook.objects.filter(pk=webhook.pk, off_at=None, failures__gte=FAILURES).update(
        off_at=now, off_why=f"{FAILURES} attempts in a row failed; the last: {why}"[:200]
    )
    if not switched_off:
        return
    Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING).update(
        state=Delivery.State.FAILED, ended_at=now, trouble="the webhook is switched off"
    )
    notify(
        [webhook.user], topic=Topic.SECURITY, kind="webhook_off", level=Level.WARNING, by_letter=True,
        link="/inbox/webhooks/", key=f"webhook:{webhook.pk}:{now.isoformat()}",
        text=f"The webhook “{webhook.label}” ({webhook.host}) was switched off: {FAILURES} attempts in a row failed.",
    )  # fmt: skip
