"""What a person is told: once, in the inbox, and on its way to where they want it, when they want it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_bytes
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import vault
from accounts.actions import delivering
from accounts.actions.delivering import deliver, deliver_due
from accounts.actions.notices import forget_old_notices, keep_settings, notify
from accounts.actions.rotation import rotate_vault
from accounts.actions.webhooks import add_webhook, open_webhook, renew_secret
from accounts.models import AuditRow, Delivery, Desk, Level, Membership, Notice, Topic, User, Webhook
from accounts.notice_rules import ATTEMPTS, FAILURES, LONGEST_PAUSE, Quiet, due_at, pause_after, quiet_until, reaches
from accounts.rules import NotAllowed
from tests.accounts.signing_in import sign_in

LISBON = ZoneInfo("Europe/Lisbon")


def tell(person: User, desk: Desk | None = None, **how: Any) -> list[Notice]:
    said = {"topic": Topic.ALERT, "kind": "margin", "level": Level.WARNING, "text": "Margin is at 71 %.", **how}
    return notify([person], desk=desk, **said)


def everything_is_due() -> None:
    Delivery.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1))


# --- the rules ----------------------------------------------------------------------------------


@given(st.integers(min_value=0, max_value=366 * 24 * 60), st.times(), st.times())
def test_quiet_hours_end_when_the_persons_clock_says_so(minutes: int, begins: time, ends: time) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    until = quiet_until(now, Quiet(begins, ends, LISBON))
    if begins == ends:
        assert until is None
    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        assert quiet_until(until, Quiet(begins, ends, LISBON)) is None or until.astimezone(LISBON).time() != ends


def test_quiet_hours_over_midnight_are_of_the_persons_zone() -> None:
    quiet = Quiet(time(22), time(7), ZoneInfo("Asia/Tokyo"))
    late = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)  # 23:30 in Tokyo
    assert quiet_until(late, quiet) == datetime(2026, 11, 22, 22, tzinfo=UTC)
    early = datetime(2026, 11, 22, 21, 59, tzinfo=UTC)  # 06:59
    assert quiet_until(early, quiet) == datetime(2026, 11, 22, 22, tzinfo=UTC)
    assert quiet_until(datetime(2026, 11, 22, 22, tzinfo=UTC), quiet) is None


def test_what_is_critical_breaks_through_only_if_they_say_so() -> None:
    night = datetime(2026, 11, 22, 23, tzinfo=UTC)
    let, hold = (Quiet(time(22), time(7), ZoneInfo("UTC"), through) for through in (True, False))
    assert due_at(night, "critical", let) == night
    assert due_at(night, "critical", hold) == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert due_at(night, "warning", let) == datetime(2026, 11, 23, 7, tzinfo=UTC)


@pytest.mark.parametrize(("threshold", "taken"), [
    ("info", {"info", "warning", "critical"}), ("warning", {"warning", "critical"}), ("critical", {"critical"}),
    ("off", set()),
])  # fmt: skip
def test_a_channel_takes_its_level_and_above(threshold: str, taken: set[str]) -> None:
    assert {level for level in Level.values if reaches(level, threshold)} == taken


@given(st.integers(min_value=1, max_value=500), st.floats(min_value=0, max_value=1))
def test_pauses_grow_tremble_and_end(attempts: int, chance: float) -> None:
    assert timedelta(seconds=5) <= pause_after(attempts, chance) <= LONGEST_PAUSE
    assert pause_after(attempts, 0.0) <= pause_after(attempts, chance) <= 2 * pause_after(attempts, 0.0)


# --- the inbox ----------------------------------------------------------------------------------


def test_under_one_key_a_person_is_told_once(desk: Desk, owner: User, trader: User) -> None:
    assert len(tell(owner, desk, key="alert:1")) == 1
    assert tell(owner, desk, key="alert:1") == []
    assert len(tell(trader, desk, key="alert:1")) == 1
    assert len(tell(owner, desk)) == len(tell(owner, desk)) == 1
    assert Delivery.objects.filter(notice__key="alert:1", notice__user=owner).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_news_tell_it_once(desk: Desk, owner: User) -> None:
    def work(_number: int) -> int:
        try:
            return len(tell(owner, desk, key="alert:race"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(16))) == 1
    assert Notice.objects.count() == Delivery.objects.count() == 1


def test_the_inbox_shows_ones_own_narrowed_down_and_by_pages(
    client: Client, plain_static_files: None, desk: Desk, owner: User, trader: User
) -> None:
    for number in range(60):
        tell(owner, desk, text=f"number {number} of many", level="info" if number % 2 else "critical")
    tell(trader, desk, text="somebody else's")
    client.force_login(owner)
    page = client.get(reverse("inbox")).content.decode()
    assert "number 59 of many" in page
    assert "number 9 of many" not in page
    assert "somebody else" not in page
    older = Notice.objects.filter(user=owner).order_by("-pk")[49].pk
    assert "number 9 of many" in client.get(reverse("inbox"), {"before": older}).content.decode()
    critical = client.get(reverse("inbox"), {"level": "critical"}).content.decode()
    assert "number 58 of many" in critical
    assert "number 59 of many" not in critical
    assert "Nothing like that" in client.get(reverse("inbox"), {"topic": "withdrawal"}).content.decode()


def test_reading_marks_one_and_the_button_marks_all(
    client: Client, plain_static_files: None, desk: Desk, owner: User, trader: User
) -> None:
    first, second, third = (tell(owner, desk)[0] for _ in range(3))
    others = tell(trader, desk)[0]
    client.force_login(owner)
    client.get(first.get_absolute_url())
    client.post(reverse("mark_read"), {"notice": second.pk})
    client.post(reverse("mark_read"), {"notice": others.pk})
    assert set(Notice.objects.unread().values_list("pk", flat=True)) == {third.pk, others.pk}
    client.post(reverse("mark_read"), {"all": "yes"})
    assert set(Notice.objects.unread()) == {others}
    assert client.get(others.get_absolute_url()).status_code == 404


def test_whoever_left_the_desk_reads_nothing_of_it_and_is_sent_nothing(
    client: Client, plain_static_files: None, desk: Desk, trader: User
) -> None:
    told, own = tell(trader, desk, text="of the desk")[0], tell(trader, None, text="of the person")[0]
    Membership.objects.filter(user=trader).delete()
    client.force_login(trader)
    page = client.get(reverse("inbox")).content.decode()
    assert "of the person" in page
    assert "of the desk" not in page
    assert client.get(told.get_absolute_url()).status_code == 404
    assert client.get(own.get_absolute_url()).status_code == 200
    deliver_due()
    assert [letter.body.splitlines()[0] for letter in mail.outbox] == ["of the person"]
    assert Delivery.objects.get(notice=told).state == "failed"


def test_an_open_page_is_told_what_the_browser_shall_show(client: Client, desk: Desk, owner: User) -> None:
    old = tell(owner, desk, level="critical")[0]
    keep_settings(owner, browser="critical")
    quiet, loud = tell(owner, desk, level="warning")[0], tell(owner, desk, level="critical", text="Now.")[0]
    client.force_login(owner)
    shown = client.get(reverse("latest_notices"), {"after": old.pk}).json()["notices"]
    assert [(one["id"], one["text"]) for one in shown] == [(loud.pk, "Now.")]
    assert quiet.pk not in {one["id"] for one in shown}
    assert client.get(reverse("latest_notices"), {"after": "x"}).json() == {"notices": []}


def test_what_was_read_half_a_year_ago_goes_and_the_rest_stays(desk: Desk, owner: User) -> None:
    long_ago = timezone.now() - timedelta(days=181)
    read, unread, young = (tell(owner, desk)[0] for _ in range(3))
    Notice.objects.filter(pk__in=[read.pk, unread.pk]).update(at=long_ago)
    Notice.objects.filter(pk__in=[read.pk, young.pk]).update(seen_at=timezone.now())
    assert forget_old_notices() == 1
    assert set(Notice.objects.all()) == {unread, young}
    assert Delivery.objects.count() == 2


# --- e-mail -------------------------------------------------------------------------------------


def test_a_letter_says_what_and_where_and_goes_once(settings: Settings, desk: Desk, owner: User) -> None:
    settings.SITE_URL = "https://desk.test"
    told = tell(owner, desk)[0]
    assert deliver_due() == 1
    assert deliver_due() == 0
    letter = mail.outbox[0]
    assert (letter.to, letter.subject) == ([owner.email], "kfweb: Warning: Margin is at 71 %.")
    assert f"https://desk.test/inbox/{told.pk}/" in letter.body
    assert desk.name in letter.body


def test_a_channel_below_its_level_and_in_quiet_hours_waits(desk: Desk, owner: User) -> None:
    keep_settings(owner, email="warning")
    assert not tell(owner, desk, level="info")[0].deliveries.exists()
    now = timezone.now()
    around = ((now - timedelta(hours=1)).time(), (now + timedelta(hours=1)).time())
    keep_settings(owner, quiet_from=around[0], quiet_to=around[1])
    held, through = tell(owner, desk)[0], tell(owner, desk, level="critical")[0]
    assert deliver_due() == 1
    assert through.deliveries.get().state == "sent"
    assert held.deliveries.get().state == "waiting"
    assert timedelta(minutes=59) < held.deliveries.get().due_at - now <= timedelta(minutes=61)


def test_a_mail_server_that_is_away_is_asked_again_and_then_given_up(
    settings: Settings, desk: Desk, owner: User
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    told = tell(owner, desk)[0]
    for _ in range(ATTEMPTS):
        everything_is_due()
        assert deliver_due() == 0
    row = told.deliveries.get()
    assert (row.state, row.attempts) == ("failed", ATTEMPTS)
    assert "mail server" in row.trouble


# --- webhooks -----------------------------------------------------------------------------------


class Receiver(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.heard: list[tuple[dict[str, str], bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=tell-nobody"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def receiver(settings: Settings, db: None) -> Iterator[Receiver]:
    vault.prepare()
    made = Receiver()
    settings.WEBHOOK_INSIDE = [f"127.0.0.1:{made.server_port}"]
    yield made
    made.shutdown()
    made.server_close()


def is_genuine(secret: str, headers: dict[str, str], body: bytes, *, now: float) -> bool:
    """The snippet of docs/reference/webhooks.md."""
    stamp, said = headers["Kfweb-Timestamp"], headers["Kfweb-Signature"]
    made = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return abs(now - int(stamp)) < 300 and hmac.compare_digest(f"v1={made}", said)


def test_a_webhook_is_signed_so_that_its_receiver_can_tell(receiver: Receiver, desk: Desk, owner: User) -> None:
    webhook, secret = add_webhook(owner, label="Ours", url=receiver.url)
    told = tell(owner, desk)[0]
    assert deliver_due() == 2  # the letter too
    headers, body = receiver.heard[0]
    now = timezone.now().timestamp()
    assert is_genuine(secret, headers, body, now=now)
    assert not is_genuine(secret, headers, body + b" ", now=now)
    assert not is_genuine("another", headers, body, now=now)
    assert not is_genuine(secret, headers, body, now=now + 3600)
    said = json.loads(body)
    assert said["id"] == headers["Kfweb-Id"] == str(told.deliveries.get(webhook=webhook).pk)
    assert (said["text"], said["level"], said["desk"]) == (told.text, "warning", {"id": desk.pk, "name": desk.name})


def test_a_retry_carries_the_same_id_and_the_same_words(receiver: Receiver, desk: Desk, owner: User) -> None:
    add_webhook(owner, label="Ours", url=receiver.url)
    tell(owner, desk)
    receiver.status = 500
    deliver_due()
    row = Delivery.objects.get(channel="webhook")
    assert (row.state, row.status_code, row.trouble) == ("waiting", 500, "it answered 500")
    assert timedelta(seconds=4) < row.due_at - timezone.now() < timedelta(seconds=11)
    assert deliver_due() == 0  # not yet
    receiver.status = 200
    everything_is_due()
    assert deliver_due() == 1
    (first, one), (second, other) = receiver.heard
    assert (first["Kfweb-Id"], one) == (second["Kfweb-Id"], other)
    assert (first["Kfweb-Attempt"], second["Kfweb-Attempt"]) == ("1", "2")


def test_an_attempt_belongs_to_one_worker(receiver: Receiver, desk: Desk, owner: User) -> None:
    add_webhook(owner, label="Ours", url=receiver.url)
    tell(owner, desk)
    row = Delivery.objects.select_related("notice__user", "notice__desk", "webhook").get(channel="webhook")
    assert deliver(row)
    row.attempts = 0  # as another worker still has it in its hands
    assert not deliver(row)
    assert len(receiver.heard) == 1


def test_a_redirect_of_a_receiver_is_a_failure(receiver: Receiver, desk: Desk, owner: User) -> None:
    add_webhook(owner, label="Ours", url=receiver.url)
    tell(owner, desk)
    receiver.status = 302
    deliver_due()
    assert "redirect" in Delivery.objects.get(channel="webhook").trouble


def test_after_too_many_failures_it_is_switched_off_and_its_person_told(
    receiver: Receiver, desk: Desk, owner: User
) -> None:
    webhook, _ = add_webhook(owner, label="Ours", url=receiver.url)
    receiver.status = 503
    for _ in range(3):
        tell(owner, desk)
    while len(receiver.heard) < FAILURES:
        everything_is_due()
        deliver_due()
    webhook.refresh_from_db()
    assert webhook.off_at is not None
    assert Notice.objects.filter(kind="webhook_off", user=owner).count() == 1
    assert not Delivery.objects.filter(webhook=webhook, state="waiting").exists()
    everything_is_due()
    deliver_due()
    assert len(receiver.heard) == FAILURES
    assert not tell(owner, desk)[0].deliveries.filter(channel="webhook").exists()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://localhost/x", "https://169.254.169.254/latest", "http://example.com/",
            "https://10.0.0.8:8443/", "https://[::1]/", "ftp://example.com"],
)  # fmt: skip
def test_an_address_inside_is_refused_with_a_reason_beside_it(
    client: Client, plain_static_files: None, receiver: Receiver, owner: User, url: str
) -> None:
    sign_in(client, owner)
    answer = client.post(reverse("add_webhook"), {"url": url, "label": "x"})
    assert answer.status_code == 422
    assert url.replace("&", "&amp;") in answer.content.decode()  # what was typed is still there
    assert Webhook.objects.count() == 0


def test_the_guard_is_asked_at_every_call_not_only_when_it_is_added(
    receiver: Receiver, settings: Settings, desk: Desk, owner: User
) -> None:
    add_webhook(owner, label="Ours", url=receiver.url)
    tell(owner, desk)
    settings.WEBHOOK_INSIDE = []
    deliver_due()
    assert receiver.heard == []
    assert "https" in Delivery.objects.get(channel="webhook").trouble


def test_secret_and_address_are_told_once_and_stored_sealed(
    client: Client, plain_static_files: None, receiver: Receiver, desk: Desk, owner: User
) -> None:
    sign_in(client, owner)
    page = client.post(reverse("add_webhook"), {"url": receiver.url, "label": "Ours"}).content.decode()
    webhook = Webhook.objects.get()
    url, secret = open_webhook(webhook)
    assert url == receiver.url
    assert page.count(secret) == 1
    tell(owner, desk)
    receiver.status = 500
    deliver_due()
    rows = json.dumps(
        [list(Webhook.objects.values()), list(AuditRow.objects.values("details", "action"))], default=str
    )
    pages = [client.get(reverse(name)).content.decode() for name in ("webhooks", "inbox_settings", "activity")]
    pages.append(client.get(reverse("webhook_log", args=[webhook.pk])).content.decode())
    for text in (rows, *pages):
        assert secret not in text
        assert "tell-nobody" not in text
    other = Webhook.objects.create(user=owner, label="Copy", host="x", sealed=webhook.sealed)
    with pytest.raises(vault.VaultError):
        open_webhook(other)


def test_a_new_secret_replaces_the_old_and_rotation_keeps_it_readable(
    settings: Settings, receiver: Receiver, owner: User
) -> None:
    webhook, old = add_webhook(owner, label="Ours", url=receiver.url)
    fresh = renew_secret(webhook, by=owner)
    webhook.refresh_from_db()
    assert open_webhook(webhook) == (receiver.url, fresh)
    assert fresh != old
    settings.MASTER_KEYS = ["newer:" + b64encode(token_bytes(32)).decode(), *settings.MASTER_KEYS]
    rotate_vault()
    webhook.refresh_from_db()
    assert vault.master_key_of(webhook.sealed) == "newer"
    assert open_webhook(webhook) == (receiver.url, fresh)


def test_a_person_has_so_many_and_no_more(receiver: Receiver, owner: User) -> None:
    for _ in range(5):
        add_webhook(owner, label="", url=receiver.url)
    with pytest.raises(NotAllowed):
        add_webhook(owner, label="", url=receiver.url)


def test_only_its_owner_sees_or_touches_a_webhook(
    client: Client, plain_static_files: None, receiver: Receiver, owner: User, trader: User
) -> None:
    webhook, _ = add_webhook(owner, label="Ours", url=receiver.url)
    sign_in(client, trader)
    assert client.get(reverse("webhook_log", args=[webhook.pk])).status_code == 404
    for name in ("renew_webhook", "switch_webhook", "remove_webhook"):
        assert client.post(reverse(name, args=[webhook.pk])).status_code == 404
    sign_in(client, trader, age=10_000)
    assert client.get(reverse("add_webhook")).status_code == 302  # a fresh proof first


def test_the_test_button_shows_where_it_arrived(
    client: Client, plain_static_files: None, receiver: Receiver, owner: User
) -> None:
    add_webhook(owner, label="Ours", url=receiver.url)
    now = timezone.now()
    keep_settings(owner, quiet_from=(now - timedelta(hours=1)).time(), quiet_to=(now + timedelta(hours=1)).time())
    sign_in(client, owner)
    page = client.post(reverse("test_notice"), {"level": "info"}, follow=True)
    assert page.content.decode().count('data-state="waiting"') == 2
    assert deliver_due() == 2
    page = client.get(page.request["PATH_INFO"])
    assert page.content.decode().count('data-state="sent"') == 2


def test_one_sweep_at_a_time(desk: Desk, owner: User) -> None:
    tell(owner, desk)
    with delivering.store().lock("kfweb:deliver", timeout=5):
        assert deliver_due() == 0
    assert deliver_due() == 1
