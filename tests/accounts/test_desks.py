"""People of a desk: invited once, never above whoever invites, limited, suspended, removed; the last owner stays."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actions import desks
from accounts.actions.delivering import deliver_due
from accounts.actions.sessions import end_all_sessions, live_sessions
from accounts.models import (
    Account,
    ApiKey,
    AuditRow,
    Desk,
    Device,
    Invitation,
    KeyState,
    Membership,
    Role,
    User,
    UserSession,
)
from accounts.rights import NoRight
from accounts.rules import NotAllowed
from tests.accounts.signing_in import sign_in
from tests.conftest import person

PASSWORD = "correct horse battery"


def member(user: User) -> Membership:
    return Membership.objects.get(user=user)


def change(user: User, by: User, **changes: Any) -> Membership:
    found = member(user)
    wanted = {
        "role": found.role, "largest_order": None, "daily_notional": None, "instruments": [], "reduce_only": False,
        **changes,
    }  # fmt: skip
    return desks.change_member(found, by=by, **wanted)


def invite(desk: Desk, by: User, email: str = "new@example.test", role: str = Role.TRADER) -> str:
    return desks.invite(desk, by=by, email=email, role=role)[1]


# Invitations


def test_an_invitation_lets_one_new_person_in_once(desk: Desk, owner: User, client: Client) -> None:
    sign_in(client, owner)
    page = client.post("/people/invite/", {"email": "New@example.test", "role": "trader"})
    link = mail.outbox[0].body.split()[-1]
    assert link in page.content.decode()
    assert link.rsplit("/", 2)[1] not in str(Invitation.objects.values())
    visitor = Client()
    path = link.removeprefix("http://testserver")
    assert b"invites new@example.test" in visitor.get(path).content
    assert visitor.post(path, {"password": "short"}).status_code == 422
    assert visitor.post(path, {"password": PASSWORD}).status_code == 302
    joined = Membership.objects.get(user__email="new@example.test")
    assert (joined.role, joined.desk) == (Role.TRADER, desk)
    assert visitor.get("/people/").status_code == 200
    assert Client().get(path).status_code == 410
    assert list(AuditRow.objects.filter(about__startswith="membership").values_list("action", flat=True)) == [
        "member.joined"
    ]


def test_somebody_who_is_here_already_signs_in_first_and_keeps_their_own_desk(
    desk: Desk, owner: User, stranger: User
) -> None:
    path = f"/invitation/{invite(desk, owner, stranger.email)}/"
    visitor = Client()
    page = visitor.get(path)
    assert b"You sign in here with this address already" in page.content
    assert visitor.post(path, {"password": PASSWORD}).status_code == 422  # a new password for an old person: never
    visitor.force_login(stranger)
    assert visitor.post(path).status_code == 302
    assert {one.desk.name for one in stranger.memberships.all()} == {"Main desk", "Another desk"}


def test_an_invitation_is_for_the_person_it_names(desk: Desk, owner: User, stranger: User) -> None:
    token = invite(desk, owner)
    with pytest.raises(NotAllowed, match="is for new@example"):
        desks.accept_invitation(token, user=stranger)
    assert desks.open_invitation(token) is not None


@pytest.mark.parametrize("how", ["used", "expired", "withdrawn", "made again", "junk"])
def test_a_link_that_is_over_opens_nothing(desk: Desk, owner: User, how: str) -> None:
    token = invite(desk, owner)
    if how == "used":
        desks.accept_invitation(token, password=PASSWORD)
    elif how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "withdrawn":
        desks.withdraw_invitation(Invitation.objects.get(), by=owner)
    elif how == "made again":
        invite(desk, owner)
    else:
        token = "x" * 43
    with pytest.raises(NotAllowed) as refusal:
        desks.accept_invitation(token, password=PASSWORD)
    assert refusal.value.code == "closed"
    assert Client().get(f"/invitation/{token}/").status_code == 410


@pytest.mark.django_db(transaction=True)
def test_two_who_follow_the_link_together_make_one_member(desk: Desk, owner: User) -> None:
    token, begin, outcomes = invite(desk, owner), threading.Barrier(4), []

    def follow() -> None:
        begin.wait()
        try:
            desks.accept_invitation(token, password=PASSWORD)
            outcomes.append("in")
        except NotAllowed as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["closed"] * 3 + ["in"]


def test_nobody_gives_more_than_they_have(desk: Desk, owner: User, trader: User) -> None:
    admin = person("admin@example.test", desk, Role.ADMIN)
    for attempt in (
        lambda: invite(desk, admin, role=Role.OWNER),
        lambda: change(trader, admin, role=Role.OWNER),
        lambda: change(owner, admin, role=Role.VIEWER),
        lambda: desks.remove_member(member(owner), by=admin),
        lambda: desks.suspend_member(member(owner), by=admin),
        lambda: change(admin, admin, largest_order=Decimal(10**9)),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    for attempt in (
        lambda: invite(desk, trader),
        lambda: change(trader, trader, role=Role.ADMIN),
        lambda: desks.remove_member(member(admin), by=trader),
    ):
        with pytest.raises(NoRight):
            attempt()
    assert change(trader, admin, role=Role.ADMIN).role == Role.ADMIN


# Members


def test_the_last_owner_stays_an_owner(desk: Desk, owner: User) -> None:
    with pytest.raises(NotAllowed, match="needs an owner"):
        change(owner, owner, role=Role.ADMIN)
    with pytest.raises(NotAllowed):
        desks.remove_member(member(owner), by=owner)
    another = person("second@example.test", desk, Role.OWNER)
    Membership.objects.filter(user=another).update(suspended_at=timezone.now())
    with pytest.raises(NotAllowed, match="needs an owner"):
        change(owner, owner, role=Role.ADMIN)  # a suspended owner is none
    Membership.objects.filter(user=another).update(suspended_at=None)
    assert change(owner, owner, role=Role.ADMIN).role == Role.ADMIN


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_leave_one(desk: Desk, owner: User) -> None:
    another = person("second@example.test", desk, Role.OWNER)
    begin = threading.Barrier(2)

    def remove(by: User, whom: User) -> None:
        found = member(whom)
        begin.wait()
        try:
            desks.remove_member(found, by=by)
        except (NotAllowed, NoRight):
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((owner, another), (another, owner))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.memberships.filter(role=Role.OWNER).count() == 1


def test_a_change_tells_the_book_what_it_was_and_what_it_is(desk: Desk, owner: User, trader: User) -> None:
    change(trader, owner, largest_order=Decimal("1000.00"), instruments=["pf_xbtusd", "PF_XBTUSD", " "])
    row = AuditRow.objects.get(action="member.changed")
    assert row.details["largest_order"] == [None, "1000.00"]
    assert row.details["instruments"] == [[], ["PF_XBTUSD"]]
    change(trader, owner, largest_order=Decimal("1000.00"), instruments=["PF_XBTUSD"])
    assert AuditRow.objects.filter(action="member.changed").count() == 1


@pytest.mark.parametrize("how", ["suspended", "removed"])
def test_whoever_is_shut_out_is_signed_out_everywhere_at_once(
    desk: Desk, owner: User, trader: User, client: Client, how: str
) -> None:
    client.force_login(trader)
    unnoted = Client()
    unnoted.force_login(trader)  # a session nobody has written down yet
    assert client.get("/").status_code == 200
    manager = Client()
    sign_in(manager, owner)
    action = "suspend" if how == "suspended" else "remove"
    assert manager.post(f"/people/{member(trader).pk}/{action}/").status_code == 302
    for each in (client, unnoted):
        assert each.get("/").headers["Location"].startswith("/account/login/")
    trader.refresh_from_db()
    client.force_login(trader)
    assert client.get("/").status_code == 403
    if how == "suspended":
        manager.post(f"/people/{member(trader).pk}/suspend/", {"suspended": "no"})
        client.force_login(trader)
        assert client.get("/people/").status_code == 200


def test_a_removed_members_own_open_invitations_go_with_them(desk: Desk, owner: User) -> None:
    admin = person("admin@example.test", desk, Role.ADMIN)
    token = invite(desk, admin)
    desks.remove_member(member(admin), by=owner)
    assert desks.open_invitation(token) is None


# The desk


def test_whoever_asks_for_a_second_factor_has_one(desk: Desk, owner: User) -> None:
    with pytest.raises(NotAllowed, match="second factor yourself"):
        desks.change_desk(desk, by=owner, name="x", second_factor_required=True, withdrawals_enabled=False)


def test_a_key_for_real_money_that_may_withdraw_is_held_until_the_desk_withdraws(desk: Desk, owner: User) -> None:
    keys = {}
    for environment in ("production", "demo"):
        account = Account.objects.create(desk=desk, label=environment, environment=environment, venue_uid=environment)
        keys[environment] = ApiKey.objects.create(
            account=account, label="k", hint="x", fingerprint=environment, added_by=owner, withdrawal="full"
        )
    desks.change_desk(desk, by=owner, name="x", second_factor_required=False, withdrawals_enabled=True)
    desks.change_desk(desk, by=owner, name="x", second_factor_required=False, withdrawals_enabled=False)
    states = {key.account.environment: key.state for key in ApiKey.objects.all()}
    assert states == {"production": KeyState.QUARANTINED, "demo": KeyState.ACTIVE}
    assert list(ApiKey.objects.usable()) == [keys["demo"]]
    desks.change_desk(desk, by=owner, name="x", second_factor_required=False, withdrawals_enabled=True)
    assert ApiKey.objects.usable().count() == 2


def test_the_switcher_goes_to_ones_own_desks_only(desk: Desk, owner: User, stranger: User, client: Client) -> None:
    other = Desk.objects.get(name="Another desk")
    Membership.objects.create(desk=other, user=owner, role=Role.VIEWER)
    client.force_login(owner)
    assert b"People of Main desk" in client.get("/people/").content
    client.post("/desk/choose/", {"desk": other.pk})
    assert b"People of Another desk" in client.get("/people/").content
    Membership.objects.filter(desk=other, user=owner).delete()
    assert b"People of Main desk" in client.get("/people/").content
    client.post("/desk/choose/", {"desk": other.pk})
    assert b"People of Main desk" in client.get("/people/").content


def test_the_page_of_rights_says_what_the_table_says(viewer: User, client: Client) -> None:
    client.force_login(viewer)
    text = client.get("/rights/").content.decode()
    assert "Approve or reject what somebody else asked for" in text


# Sessions and the way in


def enter(client: Client, password: str = PASSWORD, email: str = "owner@example.test") -> int:
    return client.post("/account/login/", {"login": email, "password": password}).status_code


def test_one_session_ends_and_the_others_go_on(owner: User) -> None:
    here, there = Client(), Client()
    for each in (here, there):
        enter(each)
        each.get("/profile/")
    assert len(live_sessions(owner)) == 2
    other = UserSession.objects.get(session_key=there.session.session_key)
    assert here.post(f"/profile/sessions/{other.pk}/end/").status_code == 302
    assert here.get("/profile/sessions/").status_code == 200
    assert there.get("/profile/").headers["Location"].startswith("/account/login/")


def test_all_other_sessions_end_and_this_one_goes_on(owner: User) -> None:
    here, there = Client(), Client()
    for each in (here, there):
        enter(each)
    assert here.post("/profile/sessions/end-others/").status_code == 302
    assert here.get("/profile/").status_code == 200
    assert there.get("/profile/").status_code == 302


def test_nobody_ends_somebody_elses_session(owner: User, stranger: User, client: Client) -> None:
    enter(Client())
    client.force_login(stranger)
    assert client.post(f"/profile/sessions/{UserSession.objects.get(user=owner).pk}/end/").status_code == 404


def test_a_new_browser_is_told_by_mail_and_a_known_one_is_not(owner: User) -> None:
    first = Client()
    enter(first)
    assert mail.outbox == []  # the very first browser is no news
    first.post("/account/logout/")
    enter(first)
    assert mail.outbox == []
    enter(Client(headers={"User-Agent": "Another/1.0"}))
    assert deliver_due() == 1
    assert "Another/1.0" in mail.outbox[0].body
    assert Device.objects.count() == 2


def test_failed_attempts_lock_nobody_else_out(owner: User) -> None:
    known, attacker, elsewhere = Client(), Client(), Client(REMOTE_ADDR="203.0.113.9")
    enter(known)
    known.post("/account/logout/")
    for _ in range(6):
        enter(attacker, "wrong wrong wrong")
    page = attacker.post("/account/login/", {"login": owner.email, "password": PASSWORD})
    assert page.status_code == 200
    assert b"Too many failed" in page.content
    assert enter(known) == 302  # the same address, a browser that is known
    assert enter(elsewhere) == 302


def test_the_session_changes_at_sign_in(owner: User, client: Client) -> None:
    client.get("/account/login/")
    client.cookies["kfweb_session"] = "f" * 32  # somebody has planted it
    enter(client)
    assert client.cookies["kfweb_session"].value != "f" * 32


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test"])
def test_signing_in_leads_nowhere_else(owner: User, client: Client, target: str) -> None:
    body = {"login": owner.email, "password": PASSWORD, "next": target}
    assert client.post("/account/login/", body)["Location"] == "/"


def test_a_form_without_its_token_is_refused(owner: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(owner)
    for path in ("/people/invite/", "/keys/try-demo/", "/orders/", "/desk/choose/"):
        assert careful.post(path, {}).status_code == 403


def test_a_password_change_ends_every_other_session(owner: User) -> None:
    here, there = Client(), Client()
    for each in (here, there):
        enter(each)
    form = {"oldpassword": PASSWORD, "password1": "another horse battery", "password2": "another horse battery"}
    assert here.post("/account/password/change/", form).status_code == 302
    assert here.get("/profile/").status_code == 200
    assert there.get("/profile/").status_code == 302


def test_ending_everything_is_in_the_book(owner: User) -> None:
    end_all_sessions(owner, by=owner, why="test")
    assert AuditRow.objects.get(action="session.all_ended").details == {"why": "test"}
