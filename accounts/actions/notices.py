"""Telling people: a notice in the inbox, and a row for every other place it is to go to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Delivery, Desk, Level, Notice, NoticeSettings, Topic, User, Webhook, Withdrawal
from accounts.notice_rules import Quiet, due_at, reaches


def notify(
    people: Iterable[User],
    *,
    topic: Topic,
    kind: str,
    text: str,
    level: str = Level.INFO,
    desk: Desk | None = None,
    link: str = "",
    key: str = "",
    withdrawal: Withdrawal | None = None,
    by_letter: bool = False,
    now_even_if_quiet: bool = False,
) -> list[Notice]:
    """Tell each of them; whoever was told under this key before is left out. Returns the notices that are new.

    `by_letter` sends an e-mail whatever the person chose: for what somebody who stole their session might hide.
    """
    now, made = timezone.now(), []
    for person in sorted(set(people), key=lambda one: one.pk):
        notice = Notice(
            user=person, desk=desk, withdrawal=withdrawal, topic=topic, kind=kind, level=level, text=text[:400],
            link=link, key=key, at=now,
        )  # fmt: skip
        try:
            with transaction.atomic():
                notice.save(force_insert=True)
                _send_on(notice, person, by_letter=by_letter, now_even_if_quiet=now_even_if_quiet)
        except IntegrityError:
            if not key:
                raise
            continue  # told already, perhaps by another worker in this moment
        made.append(notice)
    return made


def _send_on(notice: Notice, person: User, *, by_letter: bool, now_even_if_quiet: bool) -> None:
    chosen = settings_of(person)
    quiet = None if now_even_if_quiet else quiet_of(person, chosen)
    due: datetime = due_at(notice.at, notice.level, quiet)
    rows = []
    if by_letter:
        rows.append(Delivery(notice=notice, channel=Delivery.Channel.EMAIL, due_at=notice.at))
    elif reaches(notice.level, chosen.email):
        rows.append(Delivery(notice=notice, channel=Delivery.Channel.EMAIL, due_at=due))
    if reaches(notice.level, chosen.webhook):
        rows += [
            Delivery(notice=notice, channel=Delivery.Channel.WEBHOOK, webhook=one, due_at=due)
            for one in Webhook.objects.filter(user=person, off_at=None)
        ]
    Delivery.objects.bulk_create(rows)


def settings_of(person: User) -> NoticeSettings:
    """As kept, or as everybody begins (not stored then)."""
    return NoticeSettings.objects.filter(user=person).first() or NoticeSettings(user=person)


def quiet_of(person: User, chosen: NoticeSettings) -> Quiet | None:
    if chosen.quiet_from is None or chosen.quiet_to is None:
        return None
    return Quiet(chosen.quiet_from, chosen.quiet_to, ZoneInfo(person.time_zone), chosen.critical_breaks_quiet)


def keep_settings(person: User, **chosen: object) -> None:
    """Where this person wants to be told, and when not. It changes nothing for anybody else: no audit row."""
    NoticeSettings.objects.update_or_create(user=person, defaults=chosen)


def mark_read(person: User, *notices: int) -> int:
    """These, or all that are unread."""
    rows = Notice.objects.visible_to(person).unread()
    return (rows.filter(pk__in=notices) if notices else rows).update(seen_at=timezone.now())


def forget_old_notices(*, older_than: timedelta = timedelta(days=180)) -> int:
    """Those that were read, with the log of where they went. Returns how many; what is unread stays."""
    old = Notice.objects.filter(at__lt=timezone.now() - older_than, seen_at__isnull=False)
    _, gone = old.delete()
    return gone.get("accounts.Notice", 0)


def notify_test(person: User, *, text: str, level: str, desk: Desk | None = None, link: str = "") -> Notice:
    """To try every channel: quiet hours do not hold it up."""
    return notify(
        [person], topic=Topic.TEST, kind="test", text=text, level=level, desk=desk, link=link, now_even_if_quiet=True
    )[0]
